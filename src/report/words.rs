//! The sentences that every format shares: the verdict, and what each outcome means and asks for.

use super::amount::{count, grouped, grouped_exact, rational};
use super::model::ReportModel;
use super::tally::Tally;
use super::verdict::Ending;
use crate::model::{Instant, Outcome, Reason, STRIPE_SUBSCRIPTIONS};
use crate::runs::{GuardFinding, Part, RunStatus};

/// How the verdict looks: words and colours follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Sign it.
    Good,
    /// A person has to look first.
    Attention,
    /// Do not sign it.
    Bad,
}

impl Tone {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Bad => "bad",
        }
    }
}

/// May this be signed? The answer in a word or two, and one sentence.
pub(super) fn verdict(model: &ReportModel, ending: Ending) -> (Tone, &'static str, String) {
    let (tone, headline, mut sentence) = judged(model, ending);
    let (tone, headline) = after_overrides(model, tone, headline);
    for remark in remarks(model) {
        sentence.push(' ');
        sentence.push_str(&remark);
    }
    (tone, headline, sentence)
}

/// What the products' filters leave over, and what they take several times.
fn shared_out(model: &ReportModel) -> Vec<String> {
    let Some(divided) = &model.divided else { return vec![] };
    let Some(at) = divided.sources.iter().position(|name| name == STRIPE_SUBSCRIPTIONS) else { return vec![] };
    let digits = model.manifest.currency_digits;
    let said = |part: &Part, words: &str| {
        let mrr = part.mrr.as_ref().and_then(|mrr| rational(mrr).ok()).unwrap_or_default();
        let rows = if part.rows == 1 { "row" } else { "rows" };
        let (number, mrr) = (count(part.rows), grouped_exact(&mrr, digits));
        (part.rows > 0).then(|| format!("{words} {number} {rows} of subscriptions ({mrr} a month)."))
    };
    let part = &model.manifest.division[at];
    [said(&part.none, "No product's filter takes"), said(&part.several, "The filters of several products take")]
        .into_iter()
        .flatten()
        .collect()
}

/// What a signer has to know whatever the verdict: what a person asked for.
fn remarks(model: &ReportModel) -> Vec<String> {
    let mut remarks = vec![];
    let overridden = overridden(&model.manifest.guards);
    if !overridden.is_empty() {
        remarks.push(format!(
            "What a guard would have refused was let pass by whoever started this at {}: {}.",
            model.manifest.started_at,
            overridden.join("; ")
        ));
    }
    if let Some(approval) = &model.manifest.approval {
        remarks.push(format!(
            "The plan {} was applied as it stood, approved by {}.",
            approval.plan.run_id,
            approval.approved_by.as_deref().unwrap_or("its hash (nobody was named)")
        ));
    }
    remarks.extend(shared_out(model));
    if let Some(selection) = &model.manifest.selection {
        let left: u64 = model
            .products
            .iter()
            .filter_map(|product| product.reasons.get(&(Outcome::NotAttempted, Some(Reason::Limit))))
            .map(|tally| tally.customers)
            .sum();
        let left = match left {
            1 => "one customer is".to_owned(),
            left => format!("{} customers are", count(left)),
        };
        let what = if model.planned_only { "The plan is" } else { "The run was" };
        // What was refused was left as a whole.
        let rest = if model.verdict().refused() && !model.planned_only {
            String::new()
        } else {
            format!(": {left} left to a later run")
        };
        remarks.push(format!("{what} limited by {selection}{rest}."));
    }
    if model.manifest.redacted {
        remarks.push(REDACTED.to_owned());
    }
    remarks
}

/// Each guard that was overridden, with its figures and the limit: `max_customer_mrr_change (core 249.00, limit 50.00 USD)`. Their
/// sentences stand in the table of guards.
fn overridden(findings: &[GuardFinding]) -> Vec<String> {
    let mut said: Vec<String> = vec![];
    for finding in findings.iter().filter(|finding| finding.overridden) {
        let scope = finding.scope.as_deref().map_or_else(String::new, |scope| format!("{scope} "));
        let figure = finding.figure.as_deref().unwrap_or("something from 0");
        said.push(format!("{} ({scope}{figure}, limit {} {})", finding.guard, finding.limit, finding.unit));
    }
    said
}

/// What a reader of a redacted report has to know.
const REDACTED: &str = "The report is redacted: keyed hashes stand where names and e-mail addresses would, the same hash for \
                        the same value in every redacted report of this state folder.";

/// The guards that refused a run, in one line that is enough for a pager: figure, limit, and the flag that overrides it; the others by
/// name. `None`: none did.
pub fn refusal(guards: &[GuardFinding]) -> Option<String> {
    let mut refusing = guards.iter().filter(|guard| guard.refused);
    let first = refusing.next()?;
    let mut others: Vec<&str> =
        refusing.map(|guard| guard.guard.as_str()).filter(|guard| *guard != first.guard).collect();
    others.dedup();
    let also = if others.is_empty() { String::new() } else { format!("; also refused by {}", others.join(", ")) };
    Some(format!("refused by {}: {}{also}", first.guard, first.detail))
}

/// The command that applies a plan as it stands, with each guard that refused it once; `None` of a run.
pub(super) fn approve(model: &ReportModel) -> Option<String> {
    let manifest = &model.manifest;
    let mut guards: Vec<&str> =
        manifest.guards.iter().filter(|found| found.refused).map(|found| found.guard.as_str()).collect();
    guards.dedup();
    let command = format!("tether-recon apply {} --approve {}", manifest.run_id, manifest.approval_hash());
    model.planned_only.then(|| guards.iter().fold(command, |command, guard| format!("{command} --allow {guard}")))
}

/// What was overridden has to be looked at, whatever else is well.
fn after_overrides(model: &ReportModel, tone: Tone, headline: &'static str) -> (Tone, &'static str) {
    match tone {
        Tone::Good if !model.manifest.guards.iter().any(|guard| guard.overridden) => (tone, headline),
        Tone::Good if model.planned_only => (Tone::Attention, "Review, then send"),
        Tone::Good => (Tone::Attention, "Sign after review"),
        Tone::Attention | Tone::Bad => (tone, headline),
    }
}

fn judged(model: &ReportModel, ending: Ending) -> (Tone, &'static str, String) {
    let verdict = model.verdict();
    if let Some(difference) = &verdict.difference {
        return (Tone::Bad, "Do not sign", format!("A control total does not tie. {difference}."));
    }
    if verdict.refused() {
        let refusing: Vec<&str> =
            model.manifest.guards.iter().filter(|guard| guard.refused).map(|guard| guard.detail.as_str()).collect();
        let sentence = format!("A guard refused the run; nothing was sent. {}.", refusing.join(". "));
        return (Tone::Bad, "Refused", sentence);
    }
    if verdict.auth() {
        return (Tone::Bad, "Not complete", "Tether refused a key; the rest of that product was not attempted.".into());
    }
    if verdict.configuration() {
        let sentence = "Tether's address or method is wrong; the rest of that product was not attempted.";
        return (Tone::Bad, "Not complete", sentence.into());
    }
    if verdict.incomplete() {
        let stops: Vec<&str> = verdict.stops.iter().map(|stop| stop.as_str()).collect();
        let left = model.products.iter().filter_map(|product| product.outcomes.get(&Outcome::NotAttempted));
        let (rows, mrr) = left.fold((0, 0), |(rows, mrr), left| (rows + left.customers, mrr + left.desired));
        let manifest = &model.manifest;
        let sentence = format!(
            "The run stopped before its end ({}): {} rows, {} {} of MRR, were not attempted; the command resume finishes \
             it. What was done so far ties.",
            stops.join(", "),
            count(rows),
            grouped(mrr, manifest.currency_digits),
            manifest.currency.as_str().to_uppercase(),
        );
        return (Tone::Attention, "Not complete", sentence);
    }
    if verdict.needs_a_person() {
        let fields = match verdict.not_applied {
            0 => String::new(),
            1 => " One sent field is not as Tether shows it.".to_owned(),
            fields => format!(" {} sent fields are not as Tether shows them.", count(fields)),
        };
        let who = match verdict.needs_a_person {
            0 => String::new(),
            1 => " One customer needs a person.".to_owned(),
            rows if rows > verdict.persons => {
                format!(" {} rows ({} customers) need a person.", count(rows), count(verdict.persons))
            }
            customers => format!(" {} customers need a person.", count(customers)),
        };
        let rows = match verdict.rejected_rows {
            0 => String::new(),
            1 => " One input row could not be read.".to_owned(),
            rows => format!(" {} input rows could not be read.", count(rows)),
        };
        let exports = match verdict.truncated_exports {
            0 => "",
            _ => " An export may be cut off: see the breaks.",
        };
        let empty = match verdict.empty_exports {
            0 => "",
            _ => " An export holds no row: see the breaks.",
        };
        let idle = match verdict.filters_taking_nothing {
            0 => "",
            _ => " A product's filter takes no row: see the breaks.",
        };
        let overrides = match verdict.unknown_overrides {
            0 => String::new(),
            1 => " One override names a record that is in no file.".to_owned(),
            lines => format!(" {} overrides name records that are in no file.", count(lines)),
        };
        let (headline, plan) = if model.planned_only {
            ("Review, then send", "This is a plan: nothing was sent. ")
        } else {
            ("Sign after review", "")
        };
        return (
            Tone::Attention,
            headline,
            format!("{plan}Every total ties.{who}{fields}{rows}{exports}{empty}{idle}{overrides}{}", not_known(model)),
        );
    }
    if model.planned_only || ending.status == RunStatus::Planned {
        let sentence = "This is a plan: nothing was sent. Every total ties and nobody needs a person.";
        return (Tone::Good, "Ready to send", format!("{sentence}{}", not_known(model)));
    }
    (Tone::Good, "Ready to sign", format!("Every total ties and nothing needs a person.{}", not_known(model)))
}

/// What a reviewer must know of a run that knew nothing of what Tether held: its opening is no fact.
fn not_known(model: &ReportModel) -> String {
    let unknown: Vec<&str> =
        model.products.iter().filter(|product| !product.existing_known).map(|product| product.name.as_str()).collect();
    if unknown.is_empty() {
        return String::new();
    }
    format!(
        " What Tether held before is not known ({}): the opening of its MRR is counted as 0, and what moved is only what this \
         run's replies show.",
        unknown.join(", ")
    )
}

/// An outcome as a heading.
pub(super) const fn heading(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "Created",
        Outcome::Updated => "Updated",
        Outcome::Applied => "Applied",
        Outcome::Unchanged => "Unchanged",
        Outcome::CreationDisabled => "CREATION_DISABLED",
        Outcome::Rejected => "Rejected",
        Outcome::Conflict => "Conflict",
        Outcome::Invalid => "Invalid",
        Outcome::Failed => "Failed",
        Outcome::Unknown => "Unknown",
        Outcome::NotAttempted => "Not attempted",
        Outcome::Orphan => "Orphans",
    }
}

/// What an outcome means, and what a person does about it.
pub(super) const fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "Tether answered 201: the customer is new.",
        Outcome::Updated => "Tether answered 200: the customer holds the fields below.",
        Outcome::Applied => {
            "Tether answered 200 after a try whose reply was lost: the customer is in Tether; whether it was created or updated cannot be known."
        }
        Outcome::Unchanged => "Nothing differed; no call was made.",
        Outcome::CreationDisabled => {
            "Tether holds no such customer and may not create it. Enable creation for the product, then run again."
        }
        Outcome::Rejected => {
            "Tether refused the row. Correct the field its reply names, in the source, then run again."
        }
        Outcome::Conflict => {
            "Two records claim one identity; nothing was sent. Decide which is right, correct the sources or Tether, then run again."
        }
        Outcome::Invalid => "The row cannot be sent as it is. Supply what the reason names, then run again.",
        Outcome::Failed => {
            "Every try failed without being applied. Run again; if it stays, ask Tether with the status and detail."
        }
        Outcome::Unknown => {
            "The last try may or may not have been applied. Look the customer up in Tether, or run again."
        }
        Outcome::NotAttempted => {
            "The run stopped before these, was limited to others, or only planned them. No request of theirs was answered."
        }
        Outcome::Orphan => {
            "Tether holds them, no source has them. They were not touched; archive or link them by hand."
        }
    }
}

/// What orphans mean where `filters` say whose a row is: one that a filter leaves out may be in the sources all the same.
pub(super) const fn meaning_of_orphans(filters: bool) -> &'static str {
    if filters {
        "Tether holds them, and no source row that the product's filter takes does. They were not touched; look whether the filter leaves them out (no_product in accounting.csv) before you archive or link them by hand."
    } else {
        meaning(Outcome::Orphan)
    }
}

/// The request to whoever can enable creation, ready to paste, with `between` its sentences; `None` when nobody
/// waits.
pub(super) fn creation_request(model: &ReportModel, product: &str, between: &str) -> Option<String> {
    let report = model.products.iter().find(|report| report.name == product)?;
    let longest = report.waiting.first()?;
    let customers = report.waiting.iter().map(|since| since.customers).sum();
    let mrr = report.waiting.iter().map(|since| since.mrr).sum();
    let manifest = &model.manifest;
    let mut request = vec![
        format!("Please enable Settings → Products → {product} → API → Allow customer creation via API in Tether."),
        format!(
            "{} waiting, with {} {} of monthly recurring revenue, as of {} (run {}).",
            match customers {
                1 => "1 customer is".to_owned(),
                customers => format!("{} customers are", count(customers)),
            },
            grouped(mrr, manifest.currency_digits),
            manifest.currency.as_str().to_uppercase(),
            manifest.as_of,
            manifest.run_id,
        ),
    ];
    if longest.run_id != manifest.run_id {
        request.push(format!(
            "{} of them {} waiting since {} ({}; first refused in run {}).",
            count(longest.customers),
            if longest.customers == 1 { "has been" } else { "have been" },
            longest.since,
            waited(longest.since, manifest.as_of),
            longest.run_id,
        ));
    }
    Some(request.join(between))
}

/// How long from one as-of to another, in days.
pub(super) fn waited(since: Instant, until: Instant) -> String {
    match (until.epoch_seconds() - since.epoch_seconds()) / 86_400 {
        ..=0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// What customers are worth: what Tether holds, what the sources say, and of how many they do not say it.
pub(super) fn worth(tally: &Tally, digits: u8) -> String {
    let unknown = if tally.unknown > 0 { format!(", {} not known", count(tally.unknown)) } else { String::new() };
    format!("{} in Tether, {} per the sources{unknown}", grouped(tally.after, digits), grouped(tally.desired, digits))
}

/// What customers that were not sent are to Tether: what it lacks of them, or holds beyond.
pub(super) fn missing(tally: &Tally, digits: u8) -> String {
    match tally.desired - tally.after {
        _ if tally.unknown > 0 => format!("MRR {}", worth(tally, digits)),
        more if more < 0 => format!("Tether holds {} more", grouped(-more, digits)),
        missing => format!("MRR {} not in Tether", grouped(missing, digits)),
    }
}

/// What is to be said of an amount in a currency without a rate.
pub(super) const NO_RATE: &str = "has no rate and is in no sum above";

/// A component of the gap as a heading.
pub(super) fn component(name: &str) -> &str {
    match name {
        "creation_disabled" => "CREATION_DISABLED",
        // Its customers' MRR is what Stripe has of them: where that cannot be priced, it is counted as nothing.
        "conflict" => "conflict (unpriced counts 0)",
        "invalid" => "invalid (unpriced counts 0)",
        "not_attempted" => "not attempted",
        "not_applied" => "sent, not as Tether shows it",
        "ambiguous" => "subscriptions of ambiguous accounts",
        "unattached" => "subscriptions without a customer",
        "excluded" => "subscriptions left out",
        "rejected_rows" => "subscription rows rejected",
        "unpriced" => "priced parts of customers whose MRR cannot be known",
        "rounding" => "rounding, once per customer",
        "orphans" => "orphans (only in Tether)",
        other => other,
    }
}
