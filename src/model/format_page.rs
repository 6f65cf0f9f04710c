//! Tests only: the tables of `docs/FORMAT.md`, which other people build upon, are held to the code.

/// The first column of the table under `heading` (as the page writes it, without `#`), without back-ticks.
pub(crate) fn words_under(heading: &str) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FORMAT.md");
    let page = std::fs::read_to_string(path).unwrap();
    let section = page
        .split("\n#")
        .find(|section| section.lines().next().is_some_and(|line| line.trim_start_matches('#').trim() == heading))
        .unwrap_or_else(|| panic!("docs/FORMAT.md has no heading `{heading}`"));
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(word, _)| word.to_owned())
        .collect()
}

mod tests {
    use super::words_under;
    use crate::model::{
        BreakKind, Disposition, Field, LinkRule, MatchRule, Outcome, OverrideDecision, OverrideState, Place,
        Prediction, Reason, SubscriptionStatus,
    };

    #[test]
    fn the_page_of_formats_lists_every_word_of_every_vocabulary_and_no_other() {
        macro_rules! check {
            ($($heading:literal => $words:ty,)+) => {
                $( assert_eq!(words_under($heading), <$words>::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()); )+
            };
        }
        check! {
            "Outcomes" => Outcome,
            "Predictions" => Prediction,
            "Dispositions" => Disposition,
            "Link rules" => LinkRule,
            "Decisions" => OverrideDecision,
            "Override states" => OverrideState,
            "Match rules" => MatchRule,
            "Subscription statuses" => SubscriptionStatus,
            "Reasons" => Reason,
            "Breaks" => BreakKind,
            "Fields" => Field,
            "Places" => Place,
        }
    }
}
