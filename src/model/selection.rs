//! Which rows of its plan a run sends, where a person asked for fewer than all.

use serde::{Deserialize, Serialize};

/// A choice among the rows of a plan that are to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// The first so many of the plan, over all products: the largest changes of MRR.
    Limit(u64),
    /// One customer, in every product that plans it.
    Only {
        /// As it was asked for.
        key: String,
        /// Its rows of the plan.
        rows: Vec<u32>,
    },
}

impl Selection {
    /// Whether the plan's row `row` is among those chosen. What is not to be sent at all is chosen in vain.
    pub fn takes(&self, row: u32) -> bool {
        match self {
            Self::Limit(most) => u64::from(row) < *most,
            Self::Only { rows, .. } => rows.contains(&row),
        }
    }
}

impl std::fmt::Display for Selection {
    /// As the command line says it: `--limit 5`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Limit(most) => write!(f, "--limit {most}"),
            Self::Only { key, .. } => write!(f, "--only {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Selection;

    #[test]
    fn it_takes_what_it_names_and_is_written_so() {
        let only = Selection::Only { key: "cus_1".into(), rows: vec![2, 7] };
        for (selection, taken, json) in [
            (Selection::Limit(2), vec![0, 1], r#"{"limit":2}"#),
            (only, vec![2, 7], r#"{"only":{"key":"cus_1","rows":[2,7]}}"#),
        ] {
            assert_eq!((0..9).filter(|row| selection.takes(*row)).collect::<Vec<_>>(), taken);
            assert_eq!(serde_json::to_string(&selection).unwrap(), json);
        }
    }
}
