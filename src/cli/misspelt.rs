//! A command line that could not be read: what can be told of it all the same.

/// Its words, and what clap says of them.
#[derive(Debug)]
pub struct Misspelt {
    words: Vec<String>,
    said: String,
}

/// The shortest word that may be a key: shorter ones are names, numbers, dates.
const SHORTEST_KEY: usize = 16;

impl Misspelt {
    /// `words` as they were typed, the program's name left out.
    pub fn new(words: Vec<String>, refusal: &clap::Error) -> Self {
        Self { words, said: refusal.render().to_string() }
    }

    /// Whether log lines were to be JSON.
    pub fn wants_json(&self) -> bool {
        let pair = |pair: &[String]| pair[0] == "--log-format" && pair[1] == "json";
        self.words.windows(2).any(pair) || self.words.iter().any(|word| word == "--log-format=json")
    }

    /// Whether a run was to be made or continued.
    pub fn is_of_a_run(&self) -> bool {
        self.words.iter().any(|word| matches!(word.as_str(), "run" | "plan" | "apply" | "resume"))
    }

    /// Whether what clap says repeats a word that may be a key.
    pub fn holds_a_key(&self) -> bool {
        self.keys().any(|word| self.said.contains(word))
    }

    /// What clap says, without what may be a key: a command line is seen by others, a log even more so.
    pub fn said(&self) -> String {
        self.keys().fold(self.said.clone(), |said, key| said.replace(key, "***"))
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let parts = self.words.iter().map(|word| word.rsplit_once('=').map_or(word.as_str(), |(_, value)| value));
        parts.filter(|word| may_be_a_key(word))
    }
}

fn may_be_a_key(word: &str) -> bool {
    word.len() >= SHORTEST_KEY
        && !word.starts_with('-')
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::Misspelt;
    use crate::cli::Cli;
    use clap::Parser;

    #[test]
    fn what_may_be_a_key_is_not_repeated_and_everything_else_is() {
        for (line, repeated) in [
            ("run tk_live_0123456789abcdef", None),
            ("run --as-of=tk_live_0123456789abcdef", None),
            ("run --limit tk_live_0123456789abcdef", None),
            ("tk_live_0123456789abcdef", None),
            ("run --as-of 2026-13-45", Some("2026-13-45")),
            ("pan", Some("pan")),
            ("run --max_created_customers_2", Some("--max_created_customers_2")),
        ] {
            let words = || line.split(' ').map(str::to_owned).collect::<Vec<_>>();
            let refusal = Cli::try_parse_from(std::iter::once("tether-recon".to_owned()).chain(words())).unwrap_err();
            let misspelt = Misspelt::new(words(), &refusal);
            assert!(!misspelt.said().contains("tk_live"), "{}", misspelt.said());
            assert!(misspelt.said().contains(repeated.unwrap_or("***")), "{}", misspelt.said());
            assert_eq!(misspelt.holds_a_key(), repeated.is_none(), "{line}");
        }
    }
}
