//! Breaks by kind: how many, what the kind means, and the first of them.

use super::super::amount::count;
use super::super::model::ReportModel;
use super::product::bar;
use crate::model::{Break, BreakKind};

/// Breaks of one kind that are shown.
const SHOWN: usize = 200;

/// One kind of break.
pub(super) struct BreakPart<'a> {
    pub kind: &'static str,
    pub meaning: &'static str,
    pub total: String,
    pub width: u64,
    pub all_shown: bool,
    pub shown: Vec<&'a Break>,
}

/// Every kind that was found, in the order of the vocabulary.
pub(super) fn breaks(model: &ReportModel) -> Vec<BreakPart<'_>> {
    let kinds = model.breaks_by_kind();
    let most = kinds.values().map(Vec::len).max().unwrap_or_default() as u64;
    kinds
        .into_iter()
        .map(|(kind, all)| BreakPart {
            kind: kind.as_str(),
            meaning: meaning(kind),
            total: count(all.len() as u64),
            width: bar(all.len() as u64, most),
            all_shown: all.len() <= SHOWN,
            shown: all.into_iter().take(SHOWN).collect(),
        })
        .collect()
}

/// What a kind means to a reviewer.
const fn meaning(kind: BreakKind) -> &'static str {
    match kind {
        BreakKind::Superseded => "Two rows with one id differ; the one read last stands.",
        BreakKind::UnreadableValue => "A value could not be read; its row stands without it.",
        BreakKind::RejectedRow => "A row could not be read and counts nowhere.",
        BreakKind::SubscriptionWithoutCustomer => "A subscription's customer is in no file; its MRR is unattached.",
        BreakKind::SeveralProducts => "The filters of several products take one subscription: it counts in each.",
        BreakKind::EmailDiffers => "Contact and account are linked by an id, while their addresses differ.",
        BreakKind::ExternalIdDiffers => "Contact and account are linked by another rule, while their ids differ.",
        BreakKind::MergeUnresolved => "A merged record's survivor is in no file, or cannot be told.",
        BreakKind::OverrideNotUsed => "An override decides what the rules decide anyway, or names a record left out.",
        BreakKind::IdCaseDiffers => "Two ids differ in nothing but case: most likely a slip.",
        BreakKind::IdentitySuspect => "Matched by external id, while e-mail and name both differ: somebody else?",
        BreakKind::StripeIdDiffers => "Tether shows another Stripe customer than the sources.",
        BreakKind::LiveWithoutSubscription => "Tether shows a live status; the sources hold no subscription.",
        BreakKind::StatusUnknown => "A subscription status that Stripe does not document.",
        BreakKind::PausedCollection => "A paused subscription that still counts.",
        BreakKind::Ambiguous => "Several records claim one identity; nobody wins.",
        BreakKind::NotApplied => "Tether's reply lacks or contradicts a field that was sent.",
        BreakKind::PredictionMissed => "What happened is not what the plan foretold.",
        BreakKind::LastActivityBehind => "Tether's last activity is later than the sources'; it is not moved back.",
        BreakKind::TruncatedExport => "An export may be cut off: what it lacks counts as nothing.",
        BreakKind::EmptyExport => "An export holds no row: what it should hold counts as missing.",
        BreakKind::FilterTakesNothing => {
            "A product's filter takes no row of a source: most likely a slip in it, or an id that changed."
        }
        BreakKind::OverrideUnknown => "An override names a record that is in no file: it decides nothing.",
        BreakKind::ExactlyOnePage => "An export holds exactly as many rows as one page of the API can.",
    }
}
