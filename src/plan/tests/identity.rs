//! Merged records, overrides, ids that differ in case, several CRMs: who is whom, and what is said where it cannot be told.

use super::scenario::{plan, settings};
use super::{accounting, check, rows};
use crate::model::{BreakKind, OverrideState};
use crate::plan::Planned;
use proptest::prelude::*;

/// `key: detail` of every break of `kind`.
fn breaks(plan: &Planned, kind: BreakKind) -> Vec<String> {
    plan.breaks
        .iter()
        .filter(|found| found.kind == kind)
        .map(|found| format!("{}: {}", found.key, found.detail))
        .collect()
}

fn details(plan: &Planned) -> Vec<String> {
    plan.rows.frame().column("detail").unwrap().str().unwrap().iter().flatten().map(str::to_owned).collect()
}

fn states(plan: &Planned) -> Vec<(u64, OverrideState)> {
    plan.overrides.iter().map(|found| (found.line, found.state)).collect()
}

/// `source:id disposition reason` of the contacts and overrides.
fn went(plan: &Planned) -> Vec<String> {
    accounting(plan).into_iter().filter(|row| !row.starts_with("stripe")).collect()
}

const SMALL: &str = "auto_renew;email;mrr";

#[test]
fn what_a_merged_record_claims_passes_to_its_survivor() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        (
            "its stripe id, named by the survivor",
            "account cus_1 email=x@example.com\ncontact 1 email=a@example.com merged=2\ncontact 2 email=b@example.com stripe=cus_1",
            "hubspot:1 create - stripe_customer_id none auto_renew;email;mrr",
            &["hubspot:1 contributed -", "hubspot:2 superseded merged_record"],
        ),
        (
            "its external id as the metadata key, named by itself",
            "account cus_1 email=x@example.com ext=X\ncontact 1 email=a@example.com\ncontact 2 email=b@example.com ext=X into=1",
            "hubspot:1 create - metadata none auto_renew;email;external_id;mrr",
            &["hubspot:1 contributed -", "hubspot:2 superseded merged_record"],
        ),
        (
            "its address; the survivor's fields stand",
            "account cus_1 email=b@example.com\ncontact 1 email=a@example.com name=Ada merged=2\ncontact 2 email=b@example.com name=Old",
            "hubspot:1 create - email none auto_renew;email;mrr;name",
            &["hubspot:1 contributed -", "hubspot:2 superseded merged_record"],
        ),
        (
            "along a chain, told from both ends, deleted on the way",
            "account cus_1 email=c@example.com\ncontact 1 email=a@example.com merged=2\ncontact 2 email=b@example.com merged=3 deleted=yes\n\
             contact 3 email=c@example.com into=2",
            "hubspot:1 create - email none auto_renew;email;mrr",
            &["hubspot:1 contributed -", "hubspot:2 superseded merged_record", "hubspot:3 superseded merged_record"],
        ),
        (
            "a record of another CRM is another record",
            "account cus_1 email=b@example.com\ncontact 1 email=a@example.com merged=2\ncontact 2 crm=second email=b@example.com",
            "second:2 create - email none auto_renew;email;mrr",
            &["hubspot:1 excluded no_billing_account", "second:2 contributed -"],
        ),
        (
            "a survivor that is in no file: the row stands",
            "account cus_1 email=b@example.com\ncontact 2 email=b@example.com into=9",
            "hubspot:2 create - email none auto_renew;email;mrr",
            &["hubspot:2 contributed -"],
        ),
    ];
    for (name, sources, expected, contacts) in cases {
        let planned = plan(sources, &settings());
        assert_eq!(rows(&planned), [*expected], "{name}");
        assert_eq!(went(&planned), *contacts, "{name}");
    }
    let gone = plan("account cus_1 email=b@example.com\ncontact 2 email=b@example.com into=9", &settings());
    let said = breaks(&gone, BreakKind::MergeUnresolved);
    assert!(said[0].contains("hubspot:9, which is in no file"), "{said:?}");
    // Salesforce marks what it merged as deleted: such a row does not stand, and nothing is amiss.
    let deleted = plan("account cus_1 email=b@example.com\ncontact 2 into=9 deleted=yes", &settings());
    assert_eq!(breaks(&deleted, BreakKind::MergeUnresolved), Vec::<String>::new());
}

#[test]
fn a_merge_that_leads_nowhere_or_to_several_is_ambiguous() {
    let circle = plan(
        "account cus_1 email=a@example.com\ncontact 1 email=a@example.com into=2\ncontact 2 email=b@example.com into=1",
        &settings(),
    );
    assert_eq!(
        rows(&circle),
        ["hubspot:1 conflict ambiguous_merge email none -", "hubspot:2 conflict ambiguous_merge none none -"]
    );
    assert_eq!(went(&circle), ["hubspot:1 ambiguous ambiguous_merge", "hubspot:2 ambiguous ambiguous_merge"]);
    let idle = plan("account cus_1 email=c@example.com\ncontact 1 into=2\ncontact 2 into=1", &settings());
    assert_eq!(rows(&idle), [format!("cus_1 create - none none {SMALL}")]);
    assert_eq!(went(&idle), ["hubspot:1 ambiguous ambiguous_merge", "hubspot:2 ambiguous ambiguous_merge"]);
    assert_eq!(breaks(&idle, BreakKind::MergeUnresolved).len(), 2);

    let two = plan(
        "account cus_1 email=m@example.com\ncontact 1 email=a@example.com merged=3\ncontact 2 email=b@example.com merged=3\n\
         contact 3 email=m@example.com",
        &settings(),
    );
    assert_eq!(
        rows(&two),
        ["hubspot:1 conflict ambiguous_account none none -", "hubspot:2 conflict ambiguous_account none none -"]
    );
    assert!(went(&two).contains(&"hubspot:3 ambiguous ambiguous_merge".to_owned()), "{:?}", went(&two));
}

#[test]
fn an_override_decides_every_ambiguity_that_a_decision_can() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "a contested account: to one of its contacts",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\ncontact 2 email=a@example.com\nlink cus_1 hubspot:2",
            &["hubspot:2 create - override none auto_renew;email;mrr"],
        ),
        (
            "a contested account: never to one of them",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\ncontact 2 email=a@example.com\nnever cus_1 hubspot:1",
            &["hubspot:2 create - email none auto_renew;email;mrr"],
        ),
        (
            "before a stronger rule and a CRM that goes before",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com stripe=cus_1\ncontact 2 crm=second email=b@example.com\nlink cus_1 second:2",
            &["second:2 create - override none auto_renew;email;mrr"],
        ),
        (
            "never: the next rule's candidate stands",
            "account cus_1 email=b@example.com\ncontact 1 email=a@example.com stripe=cus_1\ncontact 2 email=b@example.com\nnever cus_1 hubspot:1",
            &["hubspot:2 create - email none auto_renew;email;mrr"],
        ),
        (
            "never, and nobody else: the account stands alone",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\nnever cus_1 hubspot:1",
            &["cus_1 create - none none auto_renew;email;mrr"],
        ),
        (
            "one external id on two contacts",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com ext=X\ncontact 2 email=b@example.com ext=X\nlink cus_1 hubspot:1",
            &["hubspot:1 create - override none auto_renew;email;external_id;mrr"],
        ),
        (
            "different external ids in one e-mail group: one customer, the oldest account's id",
            "account cus_1 ext=X email=a@example.com created=2026-01-01\naccount cus_2 ext=Y email=a@example.com created=2020-01-01\nlink cus_1 cus_2",
            &["cus_2 create - override none auto_renew;email;external_id;mrr"],
        ),
        (
            "accounts that no rule groups",
            "account cus_1 email=a@example.com\naccount cus_2 email=b@example.com\naccount cus_3 email=b@example.com\nlink cus_1 cus_2",
            &["cus_1 create - override none auto_renew;email;mrr"],
        ),
        (
            "two accounts are one: what claims one owns both",
            "account cus_1 email=a@example.com\naccount cus_2 email=b@example.com\ncontact 1 email=a@example.com\nlink cus_2 cus_1",
            &["hubspot:1 create - override none auto_renew;email;mrr"],
        ),
        (
            "a merged record is its survivor",
            "account cus_1 email=z@example.com\ncontact 1 email=a@example.com merged=2\ncontact 2 email=b@example.com\nlink cus_1 hubspot:2",
            &["hubspot:1 create - override none auto_renew;email;mrr"],
        ),
        (
            "two accounts kept apart: the stronger claim stands",
            "account cus_1 email=z@example.com\naccount cus_2 email=a@example.com\ncontact 1 email=c@example.com also=a@example.com stripe=cus_1\nnever cus_1 cus_2",
            &[
                "cus_2 create - none none auto_renew;email;mrr",
                "hubspot:1 create - stripe_customer_id none auto_renew;email;mrr",
            ],
        ),
        (
            "two accounts kept apart that one contact claims alike",
            "account cus_1 email=a@example.com\naccount cus_2 email=a@example.com\ncontact 1 email=a@example.com\nnever cus_1 cus_2",
            &["hubspot:1 conflict ambiguous_account none none -"],
        ),
        (
            "two accounts kept apart with one address are a conflict all the same",
            "account cus_1 email=a@example.com\naccount cus_2 email=a@example.com\nnever cus_1 cus_2",
            &["cus_1 conflict ambiguous_email none none -", "cus_2 conflict ambiguous_email none none -"],
        ),
    ];
    for (name, sources, expected) in cases {
        check(name, &settings(), sources, expected);
        assert_eq!(
            states(&plan(sources, &settings())).iter().map(|(_, state)| *state).collect::<Vec<_>>(),
            [OverrideState::Used],
            "{name}"
        );
    }
}

#[test]
fn an_override_that_decides_nothing_is_shown_and_accounted_for() {
    use OverrideState::{NoLongerApplies, NotNeeded};
    let sources = "account cus_1 email=a@example.com\naccount cus_2 email=b@example.com deleted=yes\ncontact 1 email=a@example.com\n\
        contact 2 email=c@example.com deleted=yes\n\
        link cus_1 hubspot:1\nlink cus_1 hubspot:1\nnever cus_1 hubspot:2\nlink cus_2 hubspot:1\nlink cus_9 hubspot:1\n\
        never cus_1 hubspot:9\nnever cus_1 cus_9";
    let planned = plan(sources, &settings());
    assert_eq!(rows(&planned), ["hubspot:1 create - email none auto_renew;email;mrr"]);
    assert_eq!(
        states(&planned),
        [
            (5, NotNeeded),
            (6, NotNeeded),
            (7, NoLongerApplies),
            (8, NoLongerApplies),
            (9, NoLongerApplies),
            (10, NoLongerApplies),
            (11, NoLongerApplies),
        ]
    );
    for (kind, part) in [
        (BreakKind::OverrideNotUsed, "cus_2 is left out (deleted)"),
        (BreakKind::OverrideNotUsed, "line 5 says the same"),
        // These may be slips of the pen: a person has to look.
        (BreakKind::OverrideUnknown, "cus_9 is in no file"),
        (BreakKind::OverrideUnknown, "hubspot:9 is in no file"),
    ] {
        let said = breaks(&planned, kind).join("\n");
        assert!(said.contains(part), "{part}: {said}");
    }
    let source = planned.sources.iter().find(|source| source.name == "overrides").unwrap();
    assert_eq!((source.rows_read, source.dispositions.values().sum::<u64>()), (7, 7));
    assert_eq!(went(&planned)[2], "overrides:cus_1,hubspot:1 excluded not_needed");
    assert_eq!(went(&planned)[3], "overrides:cus_1,hubspot:1 merged_duplicate -");
}

#[test]
fn a_contact_that_another_crm_speaks_for_says_so() {
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "the same account, by a weaker rule, whatever the precedence",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\ncontact 2 crm=second email=b@example.com stripe=cus_1",
            &["second:2 create - stripe_customer_id none auto_renew;email;mrr"],
            &["hubspot:1 excluded owned_by_other_crm", "second:2 contributed -"],
        ),
        (
            "the same person: the first record claims with what the later one knows",
            "account cus_1 email=z@example.com\ncontact 1 email=a@example.com\ncontact 2 crm=second email=a@example.com stripe=cus_1",
            &["hubspot:1 create - stripe_customer_id none auto_renew;email;mrr"],
            &["hubspot:1 contributed -", "second:2 excluded owned_by_other_crm"],
        ),
        (
            "the same address, but another external id: not the same person",
            "account cus_1 email=z@example.com\ncontact 1 email=a@example.com ext=X\ncontact 2 crm=second email=a@example.com ext=Y stripe=cus_1",
            &["second:2 create - stripe_customer_id none auto_renew;email;external_id;mrr"],
            &["hubspot:1 excluded no_billing_account", "second:2 contributed -"],
        ),
        (
            "never: not by way of the same person either",
            "account cus_1 email=z@example.com\ncontact 1 email=a@example.com\ncontact 2 crm=second email=a@example.com stripe=cus_1\n\
             never cus_1 second:2",
            &["cus_1 create - none none auto_renew;email;mrr"],
            &[
                "hubspot:1 excluded no_billing_account",
                "second:2 excluded no_billing_account",
                "overrides:cus_1,second:2 contributed -",
            ],
        ),
        (
            "the same account by the same rule",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\ncontact 2 crm=second email=a@example.com",
            &["hubspot:1 create - email none auto_renew;email;mrr"],
            &["hubspot:1 contributed -", "second:2 excluded owned_by_other_crm"],
        ),
        (
            "the same address as an owner, who was linked by another",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com also=b@example.com\ncontact 2 crm=second email=b@example.com",
            &["hubspot:1 create - email none auto_renew;email;mrr"],
            &["hubspot:1 contributed -", "second:2 excluded owned_by_other_crm"],
        ),
        (
            "nobody's",
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com\ncontact 2 crm=second email=z@example.com",
            &["hubspot:1 create - email none auto_renew;email;mrr"],
            &["hubspot:1 contributed -", "second:2 excluded no_billing_account"],
        ),
    ];
    for (name, sources, expected, contacts) in cases {
        let planned = plan(sources, &settings());
        assert_eq!(rows(&planned), *expected, "{name}");
        assert_eq!(went(&planned), *contacts, "{name}");
    }
    let mut everybody = settings();
    everybody.link.contacts_without_account = true;
    check(
        "the same person without an account is one customer",
        &everybody,
        "contact 1 email=a@example.com\ncontact 2 crm=second email=a@example.com\ncontact 3 crm=second email=c@example.com",
        &["hubspot:1 create - none none auto_renew;email;mrr", "second:3 create - none none auto_renew;email;mrr"],
    );
}

#[test]
fn an_ambiguity_names_every_candidate_with_its_place_and_the_line_that_decides() {
    let many = (1..=20).map(|id| format!("\ncontact {id} email=a@example.com")).collect::<Vec<_>>().concat();
    let planned = plan(&format!("account cus_1 email=a@example.com{many}"), &settings());
    let told = &details(&planned)[0];
    assert!(
        told.contains("billing account cus_1 (stripe_customers:1) is claimed by email by hubspot:1 (hubspot:2)"),
        "{told}"
    );
    assert!(told.contains("and 8 more") && told.contains("`link,cus_1,hubspot:1,`"), "{told}");
    let said: Vec<_> =
        breaks(&planned, BreakKind::Ambiguous).into_iter().filter(|said| said.contains("claimed")).collect();
    assert_eq!(said.len(), 20);
    assert!(said.iter().any(|said| said.contains("`link,cus_1,hubspot:20,`")), "{said:?}");

    for (sources, parts) in [
        (
            "account cus_1 ext=X email=a@example.com\naccount cus_2 ext=Y email=a@example.com",
            &[
                "cus_1 (external id X, stripe_customers:1), cus_2 (external id Y, stripe_customers:2)",
                "`link,cus_1,cus_2,`",
            ][..],
        ),
        (
            "account cus_1 email=a@example.com\ncontact 1 email=a@example.com ext=X\ncontact 2 email=b@example.com ext=X",
            &["hubspot:1 (hubspot:2), hubspot:2 (hubspot:3)", "`link,cus_1,hubspot:1,`"],
        ),
        (
            "account cus_1 email=x@example.com\naccount cus_2 email=y@example.com\ncontact 1 email=a@example.com ext=X stripe=cus_1\n\
             contact 2 email=a@example.com ext=Y stripe=cus_2",
            &["hubspot:1 (external id X, hubspot:3), hubspot:2 (external id Y, hubspot:4)", "`link,cus_1,hubspot:2,`"],
        ),
        (
            "account cus_1 ext=X email=x@example.com\naccount cus_2 ext=Y email=a@example.com\ncontact 1 email=a@example.com stripe=cus_1",
            &[
                "cus_1 (external id X, stripe_customers:1), cus_2 (external id Y, stripe_customers:2)",
                "`link,cus_1,cus_2,`",
            ],
        ),
    ] {
        let told = details(&plan(sources, &settings())).join("\n");
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[test]
fn ids_that_differ_in_case_are_different_ids_and_named() {
    let planned = plan(
        "account cus_A email=a@example.com ext=x\ncontact 1 email=b@example.com stripe=cus_a ext=X\n\
         tether t1 ext=X email=z@example.com",
        &settings(),
    );
    assert_eq!(
        rows(&planned),
        ["cus_A create - none none auto_renew;email;external_id;mrr", "tether:t1 orphan - none none -"]
    );
    let said = breaks(&planned, BreakKind::IdCaseDiffers).join("\n");
    for part in [
        "the Stripe ids cus_A (stripe_customers stripe_customers:1), cus_a (hubspot hubspot:2)",
        "the external ids X (hubspot hubspot:2), x (stripe_customers stripe_customers:1)",
        "the desired external id and Tether's",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let records =
        plan("contact a1 email=a@example.com\ncontact A1 email=b@example.com\ncontact A1 crm=second", &settings());
    assert_eq!(breaks(&records, BreakKind::IdCaseDiffers).len(), 1);
}

#[test]
fn conflicts_with_tether_name_each_existing_customer_with_its_place() {
    let planned = plan(
        "account cus_1 ext=X email=a@example.com\ntether t1 ext=X email=old@example.com\ntether t2 email=a@example.com",
        &settings(),
    );
    let told = details(&planned).join("\n");
    for part in ["existing:2) has the external id", "existing:3) has the e-mail", "merge the two in Tether"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(breaks(&planned, BreakKind::Ambiguous).len(), 2);
    let planned = plan(
        "account cus_1 ext=X email=a@example.com\nsub s1 cus_1 active 500 currency=sek\ntether t1 ext=X email=a@example.com",
        &settings(),
    );
    let told = details(&planned).join("\n");
    assert!(told.contains("existing:3) has the external id and the e-mail"), "{told}");
    assert_eq!(told.matches("existing:3)").count(), 1, "{told}");
    let many = (0..15).map(|n| format!("\ntether t{n} email=a@example.com")).collect::<Vec<_>>().concat();
    let planned = plan(&format!("account cus_1 email=a@example.com{many}"), &settings());
    assert!(details(&planned).join("\n").contains("and 3 more, all among the breaks"));
    assert_eq!(breaks(&planned, BreakKind::Ambiguous).len(), 15);
}

#[test]
fn an_external_id_whose_customer_is_somebody_else_entirely_is_suspect() {
    let account = "account cus_1 ext=X email=a@example.com name=Ada\n";
    for (tether, count) in [
        ("tether t1 ext=X email=old@example.com name=Bob", 1),
        ("tether t1 ext=X email=old@example.com name=Ada", 0),
        ("tether t1 ext=X email=a@example.com name=Bob", 0),
    ] {
        let planned = plan(&format!("{account}{tether}"), &settings());
        assert!(rows(&planned)[0].starts_with("cus_1 update - none external_id "), "{tether}");
        assert_eq!(breaks(&planned, BreakKind::IdentitySuspect).len(), count, "{tether}");
    }
}

/// The lines of a small mess: accounts, contacts that were merged in any way, and decisions about them.
fn mess() -> impl Strategy<Value = Vec<String>> {
    let text = |key: &'static str, values: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(values))
            .prop_map(move |value| value.map(|value| format!(" {key}={value}")).unwrap_or_default())
    };
    let mails: &[&str] = &["a@example.com", "b@example.com", "c@example.com"];
    let account = (text("email", mails), text("ext", &["X", "Y"])).prop_map(|(email, ext)| format!("{email}{ext}"));
    let contact = (
        text("email", mails),
        text("also", mails),
        text("ext", &["X", "Y"]),
        text("stripe", &["cus_0", "cus_1"]),
        text("merged", &["0", "1", "2"]),
        text("into", &["0", "3", "9"]),
        text("crm", &["second"]),
    )
        .prop_map(|(email, also, ext, stripe, merged, into, crm)| {
            format!("{email}{also}{ext}{stripe}{merged}{into}{crm}")
        });
    // Decisions that no file would be refused for: links about the first account, `never` about the others.
    let with = proptest::sample::select(&["hubspot:0", "hubspot:1", "second:2", "hubspot:3"][..]);
    let never = (1..4_usize, with.clone()).prop_map(|(account, with)| format!("never cus_{account} {with}"));
    let apart = Just("never cus_2 cus_3".to_owned());
    let decisions = (
        proptest::option::of(with.prop_map(|with| format!("link cus_0 {with}"))),
        proptest::collection::btree_set(never, 0..4),
        proptest::option::of(apart),
        proptest::option::of(Just("link cus_0 cus_4".to_owned())),
    );
    (proptest::collection::vec(account, 5), proptest::collection::vec(contact, 4), decisions).prop_map(
        |(accounts, contacts, (link, never, apart, one))| {
            let accounts = accounts.into_iter().zip(0..).map(|(rest, id)| format!("account cus_{id}{rest}"));
            let contacts = contacts.into_iter().zip(0..).map(|(rest, id)| format!("contact {id}{rest}"));
            accounts.chain(contacts).chain(link).chain(never).chain(apart).chain(one).collect()
        },
    )
}

#[test]
fn guests_are_called_by_what_they_say_and_not_by_their_place() {
    let mut settings = settings();
    settings.stripe.guests = true;
    // Two that say the same, two that share the address of a contact, one with its id, and one nobody knows.
    let lines = [
        "account - name=Ann created=2025-01-01",
        "account - name=Ann created=2025-01-01",
        "account - email=a@example.com name=A",
        "account - email=a@example.com name=B",
        "account - email=c@example.com ext=X",
        "account - email=d@example.com",
        "account cus_1 email=e@example.com",
        "contact 1 email=a@example.com",
        "contact 2 ext=X",
    ];
    let told = |lines: &[&str]| {
        let plan = plan(&lines.join("\n"), &settings);
        let mut keys: Vec<String> = accounts_of(&plan).into_iter().map(|(key, _)| key).collect();
        keys.sort();
        (rows(&plan), keys)
    };
    let (in_order, keys) = told(&lines);
    assert_eq!(keys.iter().filter(|key| key.starts_with("guest:")).count(), 3, "{keys:?}");
    let mut distinct = keys.clone();
    distinct.dedup();
    assert_eq!(distinct, keys);
    for turn in 1..lines.len() {
        let mut turned = lines;
        turned.rotate_left(turn);
        assert_eq!(told(&turned), (in_order.clone(), keys.clone()), "{turned:?}");
        turned.reverse();
        assert_eq!(told(&turned), (in_order.clone(), keys.clone()), "{turned:?}");
    }
}

/// The accounts of each customer, by its key.
fn accounts_of(plan: &Planned) -> Vec<(String, Vec<String>)> {
    let text = |name: &str| plan.rows.frame().column(name).unwrap().str().unwrap().clone();
    let (keys, ids) = (text("key"), text("stripe_customer_ids"));
    let split = |ids: &str| ids.split(';').map(str::to_owned).collect();
    let row = |row| (keys.get(row).unwrap_or_default().to_owned(), ids.get(row).map(split).unwrap_or_default());
    (0..plan.rows.len()).map(row).collect()
}

/// Rows whose order once decided what was planned, or why not: records merged into one, an owner by rule and by override.
#[test]
fn orders_that_once_decided_something_decide_nothing() {
    let cases: [(&str, &[usize]); 2] = [
        (
            "account cus_0\n\
             account cus_1 email=b@example.com\n\
             account cus_2\n\
             account cus_3 ext=Y\n\
             account cus_4 email=a@example.com ext=X\n\
             contact 0 email=b@example.com also=a@example.com ext=X\n\
             contact 1 merged=0 into=9\n\
             contact 2 also=b@example.com stripe=cus_0 into=9 crm=second\n\
             contact 3 email=b@example.com also=a@example.com stripe=cus_1 merged=1 into=3\n\
             link cus_0 second:2\n\
             never cus_1 hubspot:0\n\
             never cus_2 hubspot:3\n\
             never cus_2 second:2\n\
             never cus_2 cus_3\n\
             link cus_0 cus_4",
            &[0, 6, 5, 10, 2, 4, 1, 12, 7, 14, 9, 11, 3, 13, 8],
        ),
        (
            "account cus_0\n\
             account cus_1\n\
             account cus_2\n\
             account cus_3\n\
             account cus_4\n\
             contact 0 ext=X crm=second\n\
             contact 1 ext=Y into=0 crm=second\n\
             contact 2 also=c@example.com ext=Y stripe=cus_0 merged=0 into=9\n\
             contact 3 email=c@example.com also=a@example.com stripe=cus_1 merged=0 crm=second\n\
             never cus_2 hubspot:3\n\
             never cus_2 cus_3\n\
             link cus_0 cus_4",
            &[1, 0, 2, 3, 4, 6, 5, 7, 8, 9, 11, 10],
        ),
    ];
    for (lines, order) in cases {
        let lines: Vec<&str> = lines.lines().collect();
        let shuffled: Vec<&str> = order.iter().map(|at| lines[*at]).collect();
        let told = |lines: &[&str]| {
            let planned = plan(&lines.join("\n"), &settings());
            let mut went = accounting(&planned);
            went.sort();
            (rows(&planned), went)
        };
        assert_eq!(told(&lines), told(&shuffled), "{lines:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_rows_changes_nothing_and_what_is_never_linked_is_not(
        (lines, shuffled) in mess().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()))
    ) {
        let (one, other) = (plan(&lines.join("\n"), &settings()), plan(&shuffled.join("\n"), &settings()));
        prop_assert_eq!(rows(&one), rows(&other));
        let sorted = |plan: &Planned| { let mut rows = accounting(plan); rows.sort(); rows };
        prop_assert_eq!(sorted(&one), sorted(&other));
        // Together, since a scenario counts the contacts of both CRMs as one file's.
        let read: u64 = one.sources.iter().map(|source| source.rows_read).sum();
        let told: u64 = one.sources.iter().flat_map(|source| source.dispositions.values()).sum();
        prop_assert_eq!(read, told);
        for line in lines.iter().filter(|line| line.starts_with("never")) {
            let words: Vec<&str> = line.split(' ').collect();
            for (key, accounts) in accounts_of(&one) {
                let has = |word: &str| key == word || accounts.iter().any(|account| account == word);
                prop_assert!(!(has(words[1]) && has(words[2])), "{}: {} {:?}", line, key, accounts);
            }
        }
    }
}

/// `noemail@example.com` on very many of both: each of them is ambiguous, and what is said of it does not grow with their
/// product.
#[test]
fn a_key_that_very_many_share_is_one_ambiguity() {
    use std::fmt::Write as _;
    let mut sources = String::new();
    for n in 0..300 {
        writeln!(sources, "account cus_{n} email=noemail@example.com\ncontact {n} email=noemail@example.com").unwrap();
    }
    let planned = plan(&sources, &settings());
    let conflicts = rows(&planned);
    assert_eq!(conflicts.len(), 300);
    assert!(conflicts.iter().all(|row| row.contains("conflict ambiguous_account")), "{}", conflicts[0]);
    assert!(went(&planned).iter().all(|row| row.contains("ambiguous ambiguous_account")));
    let said: Vec<_> = planned.breaks.iter().filter(|found| found.kind == BreakKind::Ambiguous).collect();
    assert!((300..=700).contains(&said.len()), "{} breaks", said.len());
    let about = "300 billing accounts are claimed by email noemail@example.com alike by 300 contacts, such as";
    assert!(said.iter().any(|found| found.detail.contains(about)), "{}", said[0].detail);
}

#[test]
fn an_override_to_a_record_whose_survivor_is_left_out_no_longer_applies() {
    let planned = plan(
        "account cus_1 email=c@example.com\ncontact 1 email=a@example.com merged=2 deleted=yes\ncontact 2 email=b@example.com\n\
         contact 3 email=c@example.com\nlink cus_1 hubspot:2",
        &settings(),
    );
    assert_eq!(rows(&planned), ["hubspot:3 create - email none auto_renew;email;mrr"]);
    let uses: Vec<_> = planned.overrides.iter().map(|used| format!("{} {}", used.state, used.detail)).collect();
    assert!(uses[0].starts_with("no_longer_applies hubspot:2 was merged into"), "{uses:?}");
}
