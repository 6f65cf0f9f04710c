//! The few questions of `config init`, each with the answer that was recognised: Enter takes it.

use super::proposal::Proposal;
use crate::config::CrmPreset;
use crate::model::Currency;
use std::io::{self, BufRead, Write};

/// So often a question is asked again.
const PATIENCE: usize = 3;

/// Where answers come from, and where questions go.
pub struct Dialogue<'d> {
    /// What a person types.
    pub answers: &'d mut dyn BufRead,
    /// What a person sees.
    pub questions: &'d mut dyn Write,
}

impl Dialogue<'_> {
    /// Asks `question`; `read` says what is wrong with an answer. Without an answer, or none that can be read, `default` stands.
    fn ask<T>(&mut self, question: &str, default: &str, read: impl Fn(&str) -> Result<T, String>) -> io::Result<T>
    where
        T: for<'t> From<Default<'t>>,
    {
        for _ in 0..PATIENCE {
            write!(self.questions, "{question} [{default}] ")?;
            self.questions.flush()?;
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                writeln!(self.questions)?;
                break;
            }
            match line.trim() {
                "" => break,
                answer => match read(answer) {
                    Ok(read) => return Ok(read),
                    Err(why) => writeln!(self.questions, "  {why}")?,
                },
            }
        }
        Ok(T::from(Default(default)))
    }
}

/// The answer that stands when nobody gives one.
struct Default<'t>(&'t str);

impl From<Default<'_>> for String {
    fn from(default: Default<'_>) -> Self {
        default.0.to_owned()
    }
}

/// A word of a few.
struct Choice(Option<&'static str>);

impl From<Default<'_>> for Choice {
    fn from(_: Default<'_>) -> Self {
        Self(None)
    }
}

/// One of `words`, or the default's own word.
fn one_of(words: &'static [&'static str], default: &str, answer: &str) -> Result<Choice, String> {
    if answer.eq_ignore_ascii_case(default) {
        return Ok(Choice(None));
    }
    let word = words.iter().find(|word| word.eq_ignore_ascii_case(answer));
    word.map(|word| Choice(Some(word))).ok_or_else(|| format!("write {}, or {default}", words.join(", ")))
}

fn short_name(answer: &str) -> Result<String, String> {
    let fits = answer.len() <= 64
        && answer.starts_with(|c: char| c.is_ascii_alphanumeric())
        && answer.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits { Ok(answer.to_owned()) } else { Err("write letters, digits, `-`, `_` and `.`".to_owned()) }
}

fn variable(answer: &str) -> Result<String, String> {
    let fits = !answer.starts_with(|c: char| c.is_ascii_digit())
        && answer.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    // What does not look like a variable's name may be the key itself: it is not shown.
    if fits {
        Ok(answer.to_owned())
    } else {
        Err("write the variable's name in capitals; never the key itself".to_owned())
    }
}

/// Asks what the files cannot say, and what they may have said wrong.
pub(super) fn ask(proposal: &mut Proposal, dialogue: &mut Dialogue<'_>) -> io::Result<()> {
    writeln!(dialogue.questions, "Enter takes what stands in brackets.")?;
    let currency =
        |answer: &str| Currency::parse(answer).map(|code| code.to_string()).map_err(|error| error.to_string());
    let question = format!("Currency of the Tether account ({})", proposal.currency_why);
    let chosen: String = dialogue.ask(&question, &proposal.currency, currency)?;
    if chosen != proposal.currency {
        proposal.other_currencies.retain(|other| *other != chosen);
        let before = std::mem::replace(&mut proposal.currency, chosen);
        proposal.other_currencies.insert(0, before);
        "as you said".clone_into(&mut proposal.currency_why);
    }
    for crm in &mut proposal.crms {
        if crm.preset == CrmPreset::Custom && !crm.or.is_empty() {
            let question = format!("Which CRM are {} of", crm.contacts.join(", "));
            let known = |answer: &str| one_of(PRESET_NAMES, "custom", answer);
            if let Choice(Some(name)) = dialogue.ask(&question, "custom", known)? {
                let preset = CrmPreset::ALL.iter().find(|(known, _)| *known == name);
                crm.preset = preset.map_or(CrmPreset::Custom, |(_, preset)| *preset);
                name.clone_into(&mut crm.name);
                crm.columns.retain(|column| ["external_id", "stripe_customer_id"].contains(&column.field));
            }
        }
        for column in crm.columns.iter_mut().filter(|column| column.field == "external_id") {
            let question = format!("Is `{}` of {} your own customer id ({})", column.heading, crm.name, column.why);
            let default = if column.active { "yes" } else { "no" };
            if let Choice(Some(word)) = dialogue.ask(&question, default, |answer| one_of(YES_NO, default, answer))? {
                column.active = word == "yes";
            }
        }
        if crm.undecided_dates.is_some() {
            let question = format!("Dates of {}: us for 10/14/2026, eu for 14/10/2026", crm.name);
            crm.dates = dialogue.ask::<Choice>(&question, "later", |answer| one_of(&["us", "eu"], "later", answer))?.0;
        }
    }
    if let Some(key) = &mut proposal.metadata {
        let question = format!("Is the metadata `{}` your own customer id ({})", key.heading, key.why);
        let default = if key.active { "yes" } else { "no" };
        if let Choice(Some(word)) = dialogue.ask(&question, default, |answer| one_of(YES_NO, default, answer))? {
            key.active = word == "yes";
        }
    }
    for product in &mut proposal.products {
        let what = match product.existing.as_slice() {
            [] => "Name of the Tether product".to_owned(),
            existing => format!("Name of the Tether product of {}", existing.join(", ")),
        };
        product.name = dialogue.ask(&what, &product.name, short_name)?;
        let question = format!("Environment variable that will hold the key of {}", product.name);
        product.key = dialogue.ask(&question, &product.key, variable)?;
        let question = format!("May the API create customers in {}: on, off", product.name);
        product.creation =
            dialogue.ask::<Choice>(&question, "unknown", |answer| one_of(&["on", "off"], "unknown", answer))?.0;
    }
    Ok(())
}

const YES_NO: &[&str] = &["yes", "no"];

const PRESET_NAMES: &[&str] = &["hubspot", "salesforce", "pipedrive", "close", "attio"];

#[cfg(test)]
mod tests {
    use super::{Choice, Dialogue, one_of, variable};

    #[test]
    fn what_cannot_be_read_is_asked_again_and_silence_takes_the_default() {
        for (typed, expected) in
            [("", None), ("\n", None), ("perhaps\neu\n", Some("eu")), ("EU\n", Some("eu")), ("x\ny\nz\nus\n", None)]
        {
            let mut seen = Vec::new();
            let mut dialogue = Dialogue { answers: &mut typed.as_bytes(), questions: &mut seen };
            let answer: Choice =
                dialogue.ask("Dates", "later", |answer| one_of(&["us", "eu"], "later", answer)).unwrap();
            assert_eq!(answer.0, expected, "{typed:?}");
            assert!(String::from_utf8(seen).unwrap().starts_with("Dates [later] "));
        }
    }

    #[test]
    fn a_key_that_is_typed_for_its_variables_name_is_refused_and_not_shown() {
        let refused = variable("tk_live_1234").unwrap_err();
        assert!(!refused.contains("tk_live"), "{refused}");
        assert_eq!(variable("TETHER_API_KEY").as_deref(), Ok("TETHER_API_KEY"));
    }
}
