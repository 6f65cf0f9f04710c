//! What a folder's files are taken for, without a configuration.

use crate::config::CrmPreset;
use crate::load::{Survey, Trials, What, survey};

fn surveyed(files: &[(&str, &str)]) -> (tempfile::TempDir, Survey) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let found = survey(folder.path(), &Trials::Nowhere).unwrap();
    (folder, found)
}

/// What a file of this content is; `Err`: why it is nothing.
fn what(content: &str) -> Result<What, String> {
    let (_folder, found) = surveyed(&[("file", content)]);
    found.files.first().map(|file| file.what).ok_or_else(|| found.others[0].1.clone())
}

#[test]
fn a_file_is_recognised_by_its_content_alone() {
    use CrmPreset::{Custom, Hubspot, Salesforce};
    for (content, expected) in [
        ("id,Email,Name,Created (UTC)\ncus_1,ada@example.com,Ada,2026-01-01\n", What::Customers),
        ("\u{feff}id;Email;Name\ncus_1;ada@example.com;Ada\n", What::Customers),
        // The ids tell Stripe's customers from a CRM's people.
        ("Id,Email,Name,FirstName,LastName\ncus_1,a@example.com,A,,\n", What::Customers),
        ("Id,Email,Name\n0035g00000AbCdEAAV,a@example.com,A\n", What::Contacts(Salesforce)),
        ("id,email,firstname,lastname\n7,a@example.com,Ada,L\n", What::Contacts(Hubspot)),
        ("id,email,name\n7c2e-x,a@example.com,Ada\n", What::Contacts(Custom)),
        ("Record ID,Email,First Name,Customer ID\n7,a@example.com,Ada,NW-1\n", What::Contacts(Hubspot)),
        ("id,Customer ID,Status,Amount,Currency,Interval\nsub_1,cus_1,active,1,usd,month\n", What::Subscriptions),
        ("id,price_id,quantity,subscription_id\nsi_1,price_1,1,sub_1\n", What::Stripe),
        ("{\"id\":\"cus_1\",\"object\":\"customer\"}\n", What::Customers),
        ("[{\"id\":\"cus_1\",\"object\":\"customer\"},{\"id\":\"p\",\"object\":\"price\"}]", What::Stripe),
        ("tether_id,external_id,email,mrr\nt-1,NW-1,a@example.com,1.00\n", What::Existing),
        ("{\"tether_id\":\"t-1\",\"email\":\"a@example.com\"}\n", What::Existing),
        ("{\"data\":[{\"external_id\":\"NW-1\",\"email\":\"a@example.com\",\"mrr\":1}]}", What::Existing),
        ("decision,account,with,note\n", What::Overrides),
    ] {
        assert_eq!(what(content), Ok(expected), "{content}");
    }
}

#[test]
fn what_is_no_export_is_named_with_the_reason() {
    for (content, expected) in [
        ("", "it is empty"),
        ("# A page\n\nSome words, and more.\n", "it is no table"),
        ("name,e-mail\nAda,a@example.com\n", "if they are contacts, `columns`"),
        ("PK\x03\x04\0\0", "save the sheet as CSV"),
        ("id,amount_due,customer_id\nin_1,100,cus_1\n", "nothing is taken from Stripe invoices"),
        ("id,Email\n7,a@example.com\n", "of no export that is known"),
        ("{\"error\":{\"message\":\"no such key\"}}", "holds no Stripe customers"),
        ("{ no JSON", "not JSON"),
        ("a\0b\0\0c,d", "it is no text"),
    ] {
        let why = what(content).unwrap_err();
        assert!(why.contains(expected), "{content}: {why}");
    }
}

#[test]
fn the_first_rows_show_currencies_ids_and_dates() {
    let (_folder, found) = surveyed(&[
        ("a.csv", "id,Email,Name,user_id (metadata),plan (metadata)\ncus_1,a@example.com,A,NW-1,\n"),
        (
            "b.csv",
            "id,Customer ID,Status,Amount,Currency,Interval\nsub_1,cus_1,active,1,USD,month\nsub_2,cus_1,active,1,eur,month\n",
        ),
        (
            "c.csv",
            "Record ID,Email,First Name,Billing,Customer ID,Last Activity Date\n7,a@example.com,A,cus_1,NW-1,03/04/2026\n",
        ),
        (
            "d.json",
            "{\"object\":\"list\",\"data\":[{\"id\":\"cus_1\",\"object\":\"customer\",\"metadata\":{\"org\":\"7\"}},{\"id\":\"sub_1\",\"object\":\"subscription\",\"customer\":\"cus_1\",\"status\":\"active\",\"currency\":\"gbp\",\"items\":{\"object\":\"list\",\"data\":[]}}]}",
        ),
        ("e.jsonl", "{\"tether_id\":\"t\",\"external_id\":\"NW-1\",\"email\":\"A@example.com\",\"mrr\":1}\n"),
    ]);
    let [customers, subscriptions, contacts, objects, existing] = found.files.as_slice() else {
        panic!("{:?}", found.others)
    };
    assert!(customers.facts.metadata["user_id"].contains("NW-1") && customers.facts.metadata.contains_key("plan"));
    assert_eq!(
        subscriptions.facts.currencies.iter().map(|(code, rows)| (code.as_str(), *rows)).collect::<Vec<_>>(),
        [("eur", 1), ("usd", 1)]
    );
    let free: Vec<_> = contacts.facts.free.iter().map(|column| (column.heading.as_str(), column.stripe_ids)).collect();
    assert_eq!(free, [("Billing", true), ("Customer ID", false)]);
    assert!(
        contacts.facts.undecided_dates.as_ref().is_some_and(|why| why.contains("03/04/2026")),
        "{:?}",
        contacts.facts
    );
    assert!(
        objects.facts.metadata["org"].contains("7") && objects.facts.currencies.contains_key("gbp"),
        "{:?}",
        objects.facts
    );
    assert!(existing.facts.external_ids.contains("NW-1") && existing.facts.emails.contains("a@example.com"));
}

#[test]
fn of_a_large_file_the_beginning_is_enough() {
    let row = |n: usize| format!("cus_{n},c{n}@example.com,Customer {n},2026-01-01 00:00\n");
    let text = "id,Email,Name,Created (UTC)\n".to_owned() + &(0..40_000).map(row).collect::<String>();
    let (_folder, found) = surveyed(&[("customers.csv", &text)]);
    assert_eq!(found.files[0].what, What::Customers);
    let rows = found.files[0].rows.count();
    assert!((38_000..42_000).contains(&rows), "{rows}");
}
