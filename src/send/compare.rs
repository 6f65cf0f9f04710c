//! What was sent against what the reply shows, field by field.

use crate::model::{Field, Instant, NotApplied, TetherCustomer, UpsertBody};
use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

/// The fields of `sent` that `shown` lacks or contradicts. E-mails compare in lower case, other text after NFC, money as
/// exact decimals, instants by value.
pub fn compare(sent: &UpsertBody, shown: &TetherCustomer) -> Vec<NotApplied> {
    let same_instant = |sent: &str, shown: &str| {
        sent == shown || matches!((Instant::parse(sent), Instant::parse(shown)), (Ok(a), Ok(b)) if a == b)
    };
    let same_decimal = |sent: &str, shown: &str| {
        sent == shown || matches!((decimal(sent), decimal(shown)), (Some(a), Some(b)) if a == b)
    };
    let mut found = Vec::new();
    let mut check = |field: Field, sent: Option<String>, shown: Option<String>, same: &dyn Fn(&str, &str) -> bool| {
        let Some(sent) = sent else { return };
        if !shown.as_deref().is_some_and(|shown| same(&sent, shown)) {
            found.push(NotApplied { field, sent, shown });
        }
    };
    let texts = [
        (Field::ExternalId, &sent.external_id, &shown.external_id),
        (Field::Name, &sent.name, &shown.name),
        (Field::CompanyName, &sent.company_name, &shown.company_name),
        (Field::SubscriptionStatus, &sent.subscription_status, &shown.subscription_status),
    ];
    check(Field::Email, sent.email.clone(), shown.email.clone(), &same_email);
    for (field, sent, shown) in texts {
        check(field, sent.clone(), shown.clone(), &same_text);
    }
    check(Field::Mrr, sent.mrr.map(|m| m.to_string()), shown.mrr.clone(), &same_decimal);
    let renews = |flag: Option<bool>| flag.map(|f| f.to_string());
    check(Field::AutoRenew, renews(sent.auto_renew), renews(shown.auto_renew), &same_text);
    for (field, sent, shown) in [
        (Field::PeriodEnd, sent.period_end, &shown.period_end),
        (Field::LastActivity, sent.last_activity, &shown.last_activity),
    ] {
        check(field, sent.map(|i| i.to_string()), shown.clone(), &same_instant);
    }
    found.sort_by_key(|n| n.field);
    found
}

/// Whether the reply is about somebody else: of the identifiers that were sent it shows another, and none as it was sent.
/// Such a reply belongs to another request, and says nothing of this one.
pub(super) fn shows_another(sent: &UpsertBody, shown: &TetherCustomer) -> bool {
    let id = fits(sent.external_id.as_deref(), shown.external_id.as_deref(), same_text);
    let email = fits(sent.email.as_deref(), shown.email.as_deref(), same_email);
    let known = [id, email];
    known.contains(&Some(false)) && !known.contains(&Some(true))
}

/// Whether an identifier is shown as it was sent; `None`: it was not sent, or is not shown.
fn fits(sent: Option<&str>, shown: Option<&str>, same: fn(&str, &str) -> bool) -> Option<bool> {
    Some(same(sent?, shown?))
}

fn same_text(sent: &str, shown: &str) -> bool {
    sent == shown || sent.nfc().eq(shown.nfc())
}

fn same_email(sent: &str, shown: &str) -> bool {
    sent == shown || sent.to_lowercase().nfc().eq(shown.to_lowercase().nfc())
}

fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::model::{Field, Instant, Money, TetherCustomer, UpsertBody};

    fn sent() -> UpsertBody {
        UpsertBody {
            email: Some("jane@example.com".into()),
            external_id: Some("u-1".into()),
            name: Some("Zo\u{eb}".into()),
            company_name: None,
            mrr: Some(Money::new(9910, 2)),
            subscription_status: Some("active".into()),
            auto_renew: Some(true),
            period_end: Some(Instant::parse("2026-12-31T00:00:00Z").unwrap()),
            last_activity: None,
        }
    }

    const TAKEN: &str = r#"{"email":"jane@example.com","external_id":"u-1","name":"Zoë","mrr":99.1,
        "subscription_status":"active","auto_renew":true,"period_end":"2026-12-31T00:00:00Z"}"#;

    #[test]
    fn only_what_the_reply_contradicts_or_lacks_is_not_applied() {
        for (from, to, expected) in [
            ("", "", None),
            ("jane@", "Jane@", None),
            ("jane@", "june@", Some((Field::Email, Some("june@example.com")))),
            ("Zoë", "Zoe\u{308}", None),
            ("Zoë", "Zoe", Some((Field::Name, Some("Zoe")))),
            ("99.1", "99.10", None),
            ("99.1", "9.91e1", None),
            ("99.1", "99.104", Some((Field::Mrr, Some("99.104")))),
            ("99.1", "null", Some((Field::Mrr, None))),
            ("2026-12-31T00:00:00Z", "2026-12-31T01:00:00.000+01:00", None),
            ("2026-12-31T00:00:00Z", "2026-12-30", Some((Field::PeriodEnd, Some("2026-12-30")))),
            ("\"auto_renew\":true,", "", Some((Field::AutoRenew, None))),
            ("\"active\"", "\"canceled\"", Some((Field::SubscriptionStatus, Some("canceled")))),
            ("\"u-1\"", "\"U-1\"", Some((Field::ExternalId, Some("U-1")))),
        ] {
            let shown: TetherCustomer = serde_json::from_str(&TAKEN.replace(from, to)).unwrap_or_default();
            let shown = if from.is_empty() { serde_json::from_str(TAKEN).unwrap() } else { shown };
            let found = compare(&sent(), &shown);
            let found: Vec<_> = found.iter().map(|n| (n.field, n.shown.as_deref())).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{from} → {to}");
        }
    }

    #[test]
    fn what_was_not_sent_is_not_asked_for() {
        let shown: TetherCustomer = serde_json::from_str(TAKEN).unwrap();
        assert!(compare(&UpsertBody::default(), &shown).is_empty());
    }
}
