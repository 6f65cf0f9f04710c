//! Breaks: what each kind's parts hold.

use super::columns::{without, word};
use crate::model::{Break, BreakKind, Field, Reason};
use crate::redact::{Kind, Quoted, Redactor};
use crate::report::breaks::not_applied;
use crate::runs::Manifest;

/// How a kind's sentence is read.
enum Sentence {
    /// Our own words, with what stands in quotes.
    Ours(Quoted),
    /// Ours, and then text out of a file.
    Quotation,
    /// Made again from field, before and after.
    MadeAgain,
}

const fn sentence_of(kind: BreakKind) -> Sentence {
    match kind {
        BreakKind::RejectedRow | BreakKind::UnreadableValue => Sentence::Quotation,
        BreakKind::NotApplied => Sentence::MadeAgain,
        BreakKind::StatusUnknown | BreakKind::PausedCollection => Sentence::Ours(Quoted::Words),
        BreakKind::Superseded
        | BreakKind::SubscriptionWithoutCustomer
        | BreakKind::EmailDiffers
        | BreakKind::ExternalIdDiffers
        | BreakKind::MergeUnresolved
        | BreakKind::OverrideNotUsed
        | BreakKind::OverrideUnknown
        | BreakKind::IdCaseDiffers
        | BreakKind::IdentitySuspect
        | BreakKind::StripeIdDiffers
        | BreakKind::LiveWithoutSubscription
        | BreakKind::Ambiguous
        | BreakKind::PredictionMissed
        | BreakKind::LastActivityBehind
        | BreakKind::SeveralProducts
        | BreakKind::TruncatedExport
        | BreakKind::EmptyExport
        | BreakKind::FilterTakesNothing
        | BreakKind::ExactlyOnePage => Sentence::Ours(Quoted::Ids),
    }
}

/// `found` without names.
pub(super) fn replaced(redactor: &Redactor, found: Break, manifest: &Manifest) -> Break {
    let Break { kind, scope, key, file, line, field, before, after, detail } = found;
    let side = |side: &Option<String>| side.as_deref().map(|text| one_side(redactor, kind, field.as_deref(), text));
    let (new_before, new_after) = (side(&before), side(&after));
    // Of a file or a source that is about itself.
    let is_place = manifest.inputs.iter().any(|input| input.path == key || input.source == key);
    let own = (!is_place).then_some(key.as_str());
    let detail = without(redactor, &detail, own.into_iter());
    let detail = match sentence_of(kind) {
        Sentence::Ours(quoted) => redactor.sentence(&detail, quoted),
        Sentence::Quotation => redactor.quotation(&detail),
        Sentence::MadeAgain => not_applied(
            field.as_deref().unwrap_or_default(),
            new_before.as_deref().unwrap_or_default(),
            new_after.as_deref(),
        ),
    };
    let key = if is_place { key } else { redactor.id(&key).into_owned() };
    Break { kind, scope, key, file, line, field, before: new_before, after: new_after, detail }
}

/// One side of a difference, by its field.
fn one_side(redactor: &Redactor, kind: BreakKind, field: Option<&str>, text: &str) -> String {
    // Of an ambiguity it is why.
    if kind == BreakKind::Ambiguous && text.parse::<Reason>().is_ok() {
        return text.to_owned();
    }
    match field.map(str::parse::<Field>) {
        Some(Ok(Field::Email)) => redactor.value(Kind::Email, text),
        Some(Ok(Field::Name)) => redactor.value(Kind::Name, text),
        Some(Ok(Field::CompanyName)) => redactor.value(Kind::Company, text),
        Some(Ok(Field::ExternalId) | Err(_)) => redactor.id(text).into_owned(),
        // What a reply shows there is any text.
        Some(Ok(Field::Mrr | Field::AutoRenew | Field::PeriodEnd | Field::LastActivity)) => {
            let is_value =
                text.parse::<bool>().is_ok() || text.bytes().all(|byte| b"0123456789.+-:TZeE".contains(&byte));
            if is_value { text.to_owned() } else { redactor.value(Kind::Text, text) }
        }
        // Words: statuses; of ours predictions, outcomes, decisions, states.
        Some(Ok(Field::SubscriptionStatus)) | None => word(redactor, text).into_owned(),
    }
}
