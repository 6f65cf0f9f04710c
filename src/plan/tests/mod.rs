//! The rules of linking, matching and diffing, each as a scenario.

mod guards;
mod identity;
mod messes;
mod products;
mod scenario;

use crate::config::Settings;
use crate::plan::Planned;
use polars::prelude::*;
use scenario::{plan, settings};

/// `key predicted reason link_rule match_rule changed_fields` of every plan row, `-` for null, in order of keys.
fn rows(plan: &Planned) -> Vec<String> {
    let columns = ["key", "predicted", "reason", "link_rule", "match_rule", "changed_fields"];
    let rows = plan.rows.frame().sort(["key"], SortMultipleOptions::default()).unwrap();
    let columns: Vec<StringChunked> =
        columns.iter().map(|name| rows.column(name).unwrap().str().unwrap().clone()).collect();
    (0..rows.height())
        .map(|row| columns.iter().map(|column| column.get(row).unwrap_or("-")).collect::<Vec<_>>().join(" "))
        .collect()
}

/// `source:id disposition reason` of every input row, in order.
fn accounting(plan: &Planned) -> Vec<String> {
    let rows = plan.accounting.frame();
    let text = |name: &str| rows.column(name).unwrap().str().unwrap().clone();
    let (source, id, disposition, reason) = (text("source"), text("id"), text("disposition"), text("reason"));
    (0..rows.height())
        .map(|row| {
            let [source, id, disposition, reason] =
                [&source, &id, &disposition, &reason].map(|column| column.get(row).unwrap_or("-"));
            format!("{source}:{id} {disposition} {reason}")
        })
        .collect()
}

fn check(name: &str, settings: &Settings, sources: &str, expected: &[&str]) {
    assert_eq!(rows(&plan(sources, settings)), expected, "{name}");
}

/// What every scenario's customer has after one active subscription and no contact.
const PAID: &str = "auto_renew;email;mrr;period_end;subscription_status";

#[test]
fn contacts_and_accounts_are_linked_by_the_rules_in_order() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "the contact names the account",
            "account cus_1 email=other@example.com\ncontact 1 email=a@example.com stripe=cus_1",
            &["hubspot:1 create - stripe_customer_id none auto_renew;email;mrr"],
        ),
        (
            "the account's metadata names the contact",
            "account cus_1 ext=X email=other@example.com\ncontact 1 ext=X email=a@example.com",
            &["hubspot:1 create - metadata none auto_renew;email;external_id;mrr"],
        ),
        (
            "one of the contact's addresses is the account's",
            "account cus_1 email=b@example.com\ncontact 1 email=a@example.com also=b@example.com",
            &["hubspot:1 create - email none auto_renew;email;mrr"],
        ),
        (
            "a contact owns accounts by different rules; the strongest is named",
            "account cus_1 email=x@example.com\naccount cus_2 email=a@example.com\ncontact 1 email=a@example.com stripe=cus_1",
            &["hubspot:1 create - stripe_customer_id none auto_renew;email;mrr"],
        ),
        (
            "an account without a contact is sent",
            "account cus_1 email=a@example.com\nsub s cus_1 active 10.00",
            &[&format!("cus_1 create - none none {PAID}")],
        ),
        (
            "accounts without a contact group by metadata, then by e-mail",
            "account cus_1 ext=X email=a@example.com\naccount cus_2 ext=X email=b@example.com\naccount cus_3 email=b@example.com\naccount cus_4 email=c@example.com",
            &[
                "cus_1 create - none none auto_renew;email;external_id;mrr",
                "cus_4 create - none none auto_renew;email;mrr",
            ],
        ),
        (
            "the oldest account gives the name",
            "account cus_1 email=a@example.com name=New created=2026-01-01\naccount cus_2 email=a@example.com name=Old created=2020-01-01",
            &["cus_2 create - none none auto_renew;email;mrr;name"],
        ),
        (
            "a contact without an account is no customer",
            "account cus_1 email=a@example.com\ncontact 1 email=b@example.com",
            &["cus_1 create - none none auto_renew;email;mrr"],
        ),
        (
            "under one rule a first CRM wins before a second is asked",
            "account cus_1 email=a@example.com\ncontact 1 crm=second stripe=cus_1\ncontact 2 email=b@example.com stripe=cus_1",
            &["hubspot:2 create - stripe_customer_id none auto_renew;email;mrr"],
        ),
        (
            "a stronger rule wins over a CRM that goes before",
            "account cus_1 email=a@example.com\ncontact 1 crm=second stripe=cus_1\ncontact 2 email=a@example.com",
            &["second:1 create - stripe_customer_id none auto_renew;email;mrr"],
        ),
    ];
    for (name, sources, expected) in cases {
        check(name, &settings(), sources, expected);
    }
}

#[test]
fn a_contact_that_is_deleted_in_its_crm_claims_nothing() {
    let sources = "account cus_1 email=a@example.com\ncontact 1 email=a@example.com deleted=yes stripe=cus_1\n\
        contact 2 email=a@example.com";
    let planned = plan(sources, &settings());
    assert_eq!(rows(&planned), ["hubspot:2 create - email none auto_renew;email;mrr"]);
    assert_eq!(
        accounting(&planned),
        ["stripe_customers:cus_1 contributed -", "hubspot:1 excluded deleted", "hubspot:2 contributed -"]
    );
}

#[test]
fn what_cannot_be_told_is_a_conflict_on_every_candidate() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "two contacts name one account",
            "account cus_1 email=z@example.com\ncontact 1 email=a@example.com stripe=cus_1\ncontact 2 email=b@example.com stripe=cus_1",
            &["hubspot:1 conflict ambiguous_account none none -", "hubspot:2 conflict ambiguous_account none none -"],
        ),
        (
            "two contacts share the account's e-mail",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\ncontact 2 email=b@example.com also=a@example.com",
            &["hubspot:1 conflict ambiguous_account none none -", "hubspot:2 conflict ambiguous_account none none -"],
        ),
        (
            "a stronger rule decides before a weaker one can be ambiguous",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com stripe=cus_1\ncontact 2 email=c@example.com also=a@example.com",
            &["hubspot:1 create - stripe_customer_id none auto_renew;email;mrr"],
        ),
        (
            "one external id on two contacts",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com ext=X\ncontact 2 email=b@example.com ext=X",
            &[
                "hubspot:1 conflict ambiguous_external_id email none -",
                "hubspot:2 conflict ambiguous_external_id none none -",
            ],
        ),
        (
            "one external id on two contacts of whom none pays is nobody's business",
            "account cus_1 email=c@example.com\ncontact 1 email=a@example.com ext=X\ncontact 2 email=b@example.com ext=X",
            &["cus_1 create - none none auto_renew;email;mrr"],
        ),
        (
            "different external ids in one e-mail group",
            "account cus_1 ext=X email=a@example.com\naccount cus_2 ext=Y email=a@example.com\naccount cus_3 email=a@example.com",
            &[
                "cus_1 conflict ambiguous_external_id none none -",
                "cus_2 conflict ambiguous_external_id none none -",
                "cus_3 conflict ambiguous_external_id none none -",
            ],
        ),
        (
            "one desired e-mail on two external ids",
            "account cus_1 email=x@example.com\naccount cus_2 email=y@example.com\ncontact 1 email=a@example.com ext=X stripe=cus_1\ncontact 2 email=a@example.com ext=Y stripe=cus_2",
            &[
                "hubspot:1 conflict ambiguous_email stripe_customer_id none -",
                "hubspot:2 conflict ambiguous_email stripe_customer_id none -",
            ],
        ),
        (
            "a contact without an id of its own owns accounts that disagree",
            "account cus_1 ext=X email=x@example.com\naccount cus_2 ext=Y email=a@example.com\ncontact 1 email=a@example.com stripe=cus_1",
            &["hubspot:1 conflict ambiguous_external_id stripe_customer_id none -"],
        ),
        (
            "invalid goes before conflict",
            "account cus_1\ncontact 1 stripe=cus_1\ncontact 2 email=b@example.com stripe=cus_1",
            &[
                "hubspot:1 invalid email_required_to_create none none -",
                "hubspot:2 conflict ambiguous_account none none -",
            ],
        ),
    ];
    for (name, sources, expected) in cases {
        check(name, &settings(), sources, expected);
    }
}

#[test]
fn existing_customers_are_matched_as_the_api_looks_them_up() {
    let account = "account cus_1 ext=X email=a@example.com\n";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "by external id; a new e-mail that is nobody else's is an update",
            "tether t1 ext=X email=old@example.com mrr=0 renew=no",
            &["cus_1 update - none external_id email"],
        ),
        (
            "by external id, nothing differs",
            "tether t1 ext=X email=a@example.com mrr=0 renew=no",
            &["cus_1 unchanged - none external_id -"],
        ),
        (
            "external id and e-mail are two customers",
            "tether t1 ext=X email=old@example.com\ntether t2 email=a@example.com",
            &["cus_1 conflict identity_conflict none external_id -"],
        ),
        (
            "the e-mail's owner carries another external id",
            "tether t1 ext=OTHER email=a@example.com",
            &["cus_1 conflict external_id_mismatch none email_fallback -"],
        ),
        (
            "the e-mail's owner carries none: the update links it",
            "tether t1 email=a@example.com mrr=0 renew=no",
            &["cus_1 update - none email_fallback external_id"],
        ),
        (
            "nobody: created",
            "tether t1 ext=Z email=z@example.com mrr=5",
            &["cus_1 create - none none auto_renew;email;external_id;mrr", "tether:t1 orphan - none none -"],
        ),
        (
            "two existing customers carry the e-mail",
            "tether t1 email=a@example.com\ntether t2 email=a@example.com",
            &["cus_1 conflict ambiguous_existing none email_fallback -"],
        ),
        (
            "nothing is known of Tether",
            "nothing-known",
            &["cus_1 unknown - none none auto_renew;email;external_id;mrr"],
        ),
    ];
    for (name, tether, expected) in cases {
        check(name, &settings(), &format!("{account}{tether}"), expected);
    }
    check(
        "without an external id, matched by e-mail whether or not Tether has one",
        &settings(),
        "account cus_1 email=a@example.com\ntether t1 ext=X email=a@example.com mrr=0 renew=no name=Kept",
        &["cus_1 unchanged - none email -"],
    );
    check(
        "an e-mail that another customer gives up in this run is still that customer's",
        &settings(),
        "account cus_1 ext=X email=new@example.com\naccount cus_2 email=old@example.com\ntether t1 ext=X email=old@example.com mrr=0 renew=no",
        &["cus_1 update - none external_id email", "cus_2 conflict identity_conflict none email -"],
    );
    let mut relinking = settings();
    relinking.link.relink_external_id = true;
    check(
        "re-linking is allowed by configuration",
        &relinking,
        "account cus_1 ext=X email=a@example.com\ntether t1 ext=OTHER email=a@example.com mrr=0 renew=no",
        &["cus_1 update - none email_fallback external_id"],
    );
    check(
        "no match and no e-mail",
        &settings(),
        "account cus_1 ext=X\ntether t1 ext=Z",
        &["cus_1 invalid email_required_to_create none none -", "tether:t1 orphan - none none -"],
    );
    check(
        "an address that is none",
        &settings(),
        "account cus_1 email=nobody\ntether t1 ext=Z",
        &["cus_1 invalid email_invalid none none -", "tether:t1 orphan - none none -"],
    );
}

#[test]
fn a_field_counts_when_it_is_present_and_differs() {
    let sources = "account cus_1 email=a@example.com name=Acme_Ltd\nsub s cus_1 active 10.00\n\
                   contact 1 email=a@example.com stripe=cus_1 company=Acme seen=2026-10-01\n";
    let same =
        "email=a@example.com name=Acme_Ltd company=Acme mrr=10 status=active renew=yes end=2026-12-01 seen=2026-10-01";
    let cases: &[(&str, String, &str)] = &[
        ("all equal", same.to_owned(), "unchanged - stripe_customer_id email -"),
        ("another amount", same.replace("mrr=10", "mrr=10.01"), "update - stripe_customer_id email mrr"),
        ("absent never erases", format!("{same} ext=KEPT"), "unchanged - stripe_customer_id email -"),
        (
            "last_activity moves forward",
            same.replace("seen=2026-10-01", "seen=2026-09-30"),
            "update - stripe_customer_id email last_activity",
        ),
        (
            "last_activity never moves back",
            same.replace("seen=2026-10-01", "seen=2026-10-02"),
            "unchanged - stripe_customer_id email -",
        ),
        (
            "what Tether lacks is a difference",
            "email=a@example.com".to_owned(),
            "update - stripe_customer_id email auto_renew;company_name;last_activity;mrr;name;period_end;subscription_status",
        ),
    ];
    for (name, tether, expected) in cases {
        check(name, &settings(), &format!("{sources}tether t1 {tether}"), &[&format!("hubspot:1 {expected}")]);
    }
}

#[test]
fn the_newer_of_export_and_reply_is_what_tether_holds() {
    let account = "account cus_1 ext=X email=a@example.com\n";
    for (name, tether, expected) in [
        (
            "a later reply",
            "tether t1 ext=X email=a@example.com mrr=9 updated=2026-10-01\nreply t1 ext=X email=a@example.com mrr=0 renew=no updated=2026-10-02",
            "cus_1 unchanged - none external_id -",
        ),
        (
            "a later export",
            "tether t1 ext=X email=a@example.com mrr=9 renew=no updated=2026-10-03\nreply t1 ext=X email=a@example.com mrr=0 renew=no updated=2026-10-02",
            "cus_1 update - none external_id mrr",
        ),
        (
            "only a reply, no export",
            "nothing-known\nreply t1 ext=X email=a@example.com mrr=0 renew=no",
            "cus_1 unchanged - none external_id -",
        ),
    ] {
        check(name, &settings(), &format!("{account}{tether}"), &[expected]);
    }
}

#[test]
fn every_input_row_has_one_disposition() {
    let sources = "\
        account cus_1 email=a@example.com name=Old\n\
        account cus_1 email=a@example.com name=New\n\
        account cus_2 email=b@example.com\n\
        account cus_2 email=b@example.com\n\
        account cus_3 email=c@example.com deleted=yes\n\
        account cus_4 email=d@example.com test=yes\n\
        account - email=e@example.com\n\
        account cus_5 email=f@example.com\n\
        sub s1 cus_1 active 10.00\n\
        sub s2 cus_3 active 20.00\n\
        sub s3 cus_9 active 30.00\n\
        sub s4 cus_5 active 40.00\n\
        contact 1 email=f@example.com\n\
        contact 2 email=g@example.com also=f@example.com\n\
        contact 3 email=h@example.com\n\
        contact 4 email=b@example.com\n\
        tether t1 email=a@example.com\n\
        tether t1 email=a@example.com\n\
        tether t2 ext=T2 updated=2026-01-01\n\
        reply t2 ext=T2 updated=2026-02-01";
    let plan = plan(sources, &settings());
    assert_eq!(
        accounting(&plan),
        [
            "stripe_customers:cus_1 superseded -",
            "stripe_customers:cus_1 contributed -",
            "stripe_customers:cus_2 merged_duplicate -",
            "stripe_customers:cus_2 contributed -",
            "stripe_customers:cus_3 excluded deleted",
            "stripe_customers:cus_4 excluded test_mode",
            "stripe_customers:- excluded guest",
            "stripe_customers:cus_5 ambiguous ambiguous_account",
            "stripe_subscriptions:s1 contributed -",
            "stripe_subscriptions:s2 excluded deleted",
            "stripe_subscriptions:s3 unattached subscription_without_customer",
            "stripe_subscriptions:s4 ambiguous ambiguous_account",
            "hubspot:1 ambiguous ambiguous_account",
            "hubspot:2 ambiguous ambiguous_account",
            "hubspot:3 excluded no_billing_account",
            "hubspot:4 contributed -",
            "existing:t1 merged_duplicate -",
            "existing:t1 contributed -",
            "existing:t2 superseded newer_reply",
        ]
    );
    for source in &plan.sources {
        assert_eq!(source.rows_read, source.dispositions.values().sum::<u64>(), "{}", source.name);
    }
    let subscriptions = plan.sources.iter().find(|source| source.name == "stripe_subscriptions").unwrap();
    let sum: i64 = subscriptions.mrr.values().map(|exact| exact.num.parse::<i64>().unwrap()).sum();
    assert_eq!(sum, 10_000, "all four subscriptions, in cents");
    assert_eq!(subscriptions.mrr_total.as_ref().unwrap().num, "10000");
}

#[test]
fn the_order_of_sending_is_by_the_largest_change_of_mrr_then_by_key() {
    let plan = plan(
        "account cus_a email=a@example.com\nsub s1 cus_a active 10.00\naccount cus_b email=b@example.com\nsub s2 cus_b active 90.00\n\
         account cus_c email=c@example.com\nsub s3 cus_c active 10.00\naccount cus_d email=d@example.com\n\
         tether t1 email=d@example.com mrr=500",
        &settings(),
    );
    let keys = plan.rows.frame().column("key").unwrap().str().unwrap().clone();
    assert_eq!(keys.iter().flatten().collect::<Vec<_>>(), ["cus_d", "cus_b", "cus_a", "cus_c"]);
}

#[test]
fn a_guard_counts_each_existing_customer_once_however_many_rows_name_it() {
    let mut settings = settings();
    settings.guards.max_changed_percent = Some(50.into());
    let plan = plan(
        "account cus_1 ext=X email=z@example.com\ncontact 1 email=a@example.com ext=X stripe=cus_1\n\
         contact 2 email=b@example.com ext=X\naccount cus_2 email=c@example.com\n\
         tether t1 ext=X email=a@example.com\ntether t2 email=c@example.com",
        &settings,
    );
    let asked = crate::plan::Asked {
        rows: &plan.rows,
        selection: None,
        products: &plan.products,
        sources: &plan.sources,
        inputs: &[],
        mix: Some(&plan.mix),
        settings: &settings,
        started_at: crate::model::Instant::parse(scenario::AS_OF).unwrap(),
        previous: None,
        allowed: &[],
        approved: &[],
    };
    let found = crate::plan::judge(asked).unwrap();
    assert!(found[0].detail.contains("1 of 2 existing customers (50 %)"), "{}", found[0].detail);
    assert!(!found[0].refused);
}
