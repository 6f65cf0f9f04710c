//! What becomes of each column of text.

use super::{Replies, plan_sentence};
use crate::redact::{Kind, Redactor};
use polars::prelude::*;
use std::borrow::Cow;

/// What becomes of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// Words of ours, products, sources, files, numbers.
    Kept,
    /// A hash each.
    Hashed(Kind),
    /// Ids, also several in a cell.
    Ids,
    /// A word of Tether's or Stripe's, such as a status; what is no such word is hashed.
    Word,
}

/// Of the customers; `detail` was made of sentences that are redacted.
pub(super) const CUSTOMERS: &[(&str, Policy)] = &[
    ("product", Policy::Kept),
    ("outcome", Policy::Kept),
    ("reason", Policy::Kept),
    ("predicted", Policy::Kept),
    ("link_rule", Policy::Kept),
    ("match_rule", Policy::Kept),
    ("external_id", Policy::Ids),
    ("email", Policy::Hashed(Kind::Email)),
    ("name", Policy::Hashed(Kind::Name)),
    ("company_name", Policy::Hashed(Kind::Company)),
    ("stripe_customer_ids", Policy::Ids),
    ("tether_id", Policy::Ids),
    ("subscription_status", Policy::Word),
    ("changed_fields", Policy::Kept),
    ("health_score", Policy::Kept),
    ("detail", Policy::Kept),
    ("key", Policy::Ids),
    ("held_back", Policy::Kept),
    ("revealed", Policy::Ids),
    ("before_external_id", Policy::Ids),
    ("before_email", Policy::Hashed(Kind::Email)),
    ("before_name", Policy::Hashed(Kind::Name)),
    ("before_company_name", Policy::Hashed(Kind::Company)),
    ("before_subscription_status", Policy::Word),
    ("from_external_id", Policy::Kept),
    ("from_email", Policy::Kept),
    ("from_name", Policy::Kept),
    ("from_company_name", Policy::Kept),
    ("from_last_activity", Policy::Kept),
    ("since_run", Policy::Kept),
];

/// Of the accounting.
pub(super) const ACCOUNTING: &[(&str, Policy)] = &[
    ("source", Policy::Kept),
    ("file", Policy::Kept),
    ("id", Policy::Ids),
    ("disposition", Policy::Kept),
    ("reason", Policy::Kept),
    ("customer", Policy::Ids),
];

/// `frame` with every column of text as `policies` say; one that they do not name is hashed whole.
pub(super) fn replaced(redactor: &Redactor, frame: &DataFrame, policies: &[(&str, Policy)]) -> PolarsResult<DataFrame> {
    let columns = frame.columns().iter().map(|column| {
        if column.dtype() != &DataType::String {
            return Ok(column.clone());
        }
        let named = policies.iter().find(|(name, _)| name == column.name());
        let replace: &dyn Fn(&str) -> Cow<'_, str> =
            match named.map_or(Policy::Hashed(Kind::Text), |(_, policy)| *policy) {
                Policy::Kept => return Ok(column.clone()),
                Policy::Hashed(kind) => &move |text| Cow::Owned(redactor.value(kind, text)),
                Policy::Ids => &|text| redactor.id(text),
                Policy::Word => &|text| word(redactor, text),
            };
        let texts = column.str()?;
        // Ids mostly stay: then the column does.
        if texts.iter().flatten().all(|text| matches!(replace(text), Cow::Borrowed(_))) {
            return Ok(column.clone());
        }
        Ok(each(texts, |_, text| Some(replace(text).into_owned())))
    });
    let columns = columns.collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), columns)
}

/// A word in lower case, or its hash.
pub(super) fn word<'t>(redactor: &Redactor, text: &'t str) -> Cow<'t, str> {
    let is_one = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_one { Cow::Borrowed(text) } else { Cow::Owned(redactor.value(Kind::Text, text)) }
}

/// The plan beside its outcomes, its own sentences and those of replies redacted.
pub(super) fn sentences(redactor: &Redactor, mut frame: DataFrame) -> PolarsResult<DataFrame> {
    let own = frame.column("detail")?.str()?.clone();
    let reason = frame.column("reason")?.str()?.clone();
    // What this row is called is known, wherever its sentence names it.
    let called = ["key", "external_id"].map(|name| frame.column(name).and_then(|column| column.str().cloned()));
    let [key, external] = called;
    let (key, external) = (key?, external?);
    let own = each(&own, |at, text| {
        let own_ids = [key.get(at), external.get(at)];
        let text = without(redactor, text, own_ids.into_iter().flatten());
        Some(plan_sentence(redactor, reason.get(at), &text))
    });
    let replies = frame.column("reply_detail")?.str()?.clone();
    let mut seen = Replies::default();
    let mut builder = StringChunkedBuilder::new("reply_detail".into(), replies.len());
    for text in replies.iter() {
        builder.append_option(text.map(|text| seen.replaced(redactor, text)));
    }
    frame.with_column(own)?;
    frame.with_column(builder.finish().into_column())?;
    Ok(frame)
}

/// `text` with the hashes of those of `ids` that do not stay as they are, after the longer ones that the run is known to hold.
pub(super) fn without<'t>(redactor: &Redactor, text: &'t str, ids: impl Iterator<Item = &'t str>) -> Cow<'t, str> {
    let mut text = redactor.without_known_ids(text);
    for id in ids {
        // A short one would be found in words that are none of its own.
        if id.len() > 3
            && text.contains(id)
            && let Cow::Owned(hash) = redactor.id(id)
        {
            text = Cow::Owned(text.replace(id, &hash));
        }
    }
    text
}

/// A column of texts, each replaced; row by row, since a hash is no expression.
fn each(texts: &StringChunked, mut replace: impl FnMut(usize, &str) -> Option<String>) -> Column {
    let mut builder = StringChunkedBuilder::new(texts.name().clone(), texts.len());
    for (at, text) in texts.iter().enumerate() {
        builder.append_option(text.and_then(|text| replace(at, text)).as_deref());
    }
    builder.finish().into_column()
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNTING, CUSTOMERS};
    use crate::table::{Accounting, PlanRows};
    use polars::prelude::DataType;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_of_text_has_a_line() {
        let texts = |schema: Vec<(&'static str, DataType)>| -> BTreeSet<&str> {
            schema.into_iter().filter(|(_, dtype)| dtype == &DataType::String).map(|(name, _)| name).collect()
        };
        let named = |policies: &[(&'static str, _)]| policies.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
        let of_customers = named(CUSTOMERS);
        let missing: Vec<_> = texts(PlanRows::schema()).difference(&of_customers).copied().collect();
        assert!(missing.is_empty(), "without a line they are hashed whole: {missing:?}");
        assert_eq!(named(ACCOUNTING), texts(Accounting::schema()));
    }
}
