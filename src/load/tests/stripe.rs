//! Stripe dashboard files.

use super::{Case, Reason, rejected, rows};

/// One subscription per coupon object, each on its own discount.
fn with_coupons(coupons: &[&str]) -> Vec<String> {
    let of = |(number, coupon): (usize, &&str)| {
        format!(
            r#"{{"id":"sub_{number}","object":"subscription","customer":"cus_1","status":"active","discount":{{"id":"di_{number}","object":"discount",
            "coupon":{coupon}}},"items":{{"data":[]}}}}"#
        )
        .replace('\n', "")
    };
    coupons.iter().enumerate().map(of).collect()
}

#[test]
fn a_discount_keeps_the_worth_that_it_shows_of_a_coupon_made_anew() {
    let twenty = r#"{"id":"SPRING","percent_off":20.0,"duration":"forever","valid":false}"#;
    let thirty = r#"{"id":"SPRING","percent_off":30,"duration":"forever","valid":true}"#;
    let off = r#"{"id":"SPRING","amount_off":500,"currency":"usd","duration":"repeating","duration_in_months":3}"#;
    for (coupons, expected) in [
        (vec![twenty, twenty], vec!["SPRING", "SPRING"]),
        (vec![twenty, thirty], vec!["SPRING (20 %, forever)", "SPRING (30 %, forever)"]),
        (vec![thirty, twenty], vec!["SPRING (30 %, forever)", "SPRING (20 %, forever)"]),
        (vec![off, twenty], vec!["SPRING (500 usd, repeating 3)", "SPRING (20 %, forever)"]),
    ] {
        let lines = with_coupons(&coupons);
        for apart in [false, true] {
            let case = if apart {
                Case::new().file("a.jsonl", &lines[0]).file("b.jsonl", &lines[1])
            } else {
                Case::new().file("a.jsonl", lines.join("\n"))
            };
            let loaded = case.stripe_files("*.jsonl").load();
            let named: Vec<_> = rows(loaded.stripe.discounts.frame(), &["coupon"]);
            assert_eq!(named, expected);
            let defined = rows(loaded.stripe.coupons.frame(), &["id"]);
            assert!(named.iter().all(|coupon| defined.contains(coupon)), "{defined:?}");
        }
    }
}

const ALL_COLUMNS: &str =
    "id,Description,Email,Name,Created (UTC),Delinquent,Card ID,Plan,Status,Currency,Total Spend,user_id (metadata)";
const SUBSCRIPTIONS: &str = "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Coupon,Cancel At Period End,Created (UTC),Current Period End (UTC),Canceled At (UTC),Ended At (UTC)";

fn subscriptions(lines: &[&str]) -> Case {
    let text = format!("{SUBSCRIPTIONS}\n{}\n", lines.join("\n"));
    Case::new().file("s.csv", text).subscriptions("s.csv")
}

#[test]
fn customers_are_read_from_both_header_sets_with_and_without_utc() {
    let row = "cus_1,,Jane@Example.com, Jane Doe ,2025-01-15 10:00,false,,,,usd,0,u-1";
    for heading in [ALL_COLUMNS.to_owned(), ALL_COLUMNS.replace(" (UTC)", ""), ALL_COLUMNS.to_uppercase()] {
        let loaded = Case::new().file("c.csv", format!("{heading}\n{row}\n")).customers("c.csv").load();
        assert_eq!(
            rows(
                loaded.stripe.accounts.frame(),
                &["id", "email", "name", "created", "deleted", "livemode", "external_id"]
            ),
            ["cus_1|jane@example.com|Jane Doe|2025-01-15T10:00:00Z|false|-|u-1"]
        );
    }
    let short = "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,Payment Count,Refunded Volume,Dispute Losses,tag (metadata)\n,,guest@example.com,,2025-01-15 10:00,false,,,0,0,0,0,x\n";
    let loaded = Case::new().file("c.csv", short).stripe_files("c.csv").load();
    assert_eq!(rows(loaded.stripe.accounts.frame(), &["id", "email", "external_id"]), ["-|guest@example.com|-"]);
}

#[test]
fn a_subscription_becomes_one_subscription_one_item_and_its_discounts() {
    let loaded = subscriptions(&[
        "sub_1,cus_1,plan,3,USD,month,33.005,Past Due,\"SPRING20;LOYAL\",true,2025-01-15 10:00,2026-12-01 00:00,2026-11-01 12:00:30,",
        "sub_2,cus_2,plan,,jpy,year,1200,active,,,2025-01-15T10:00:00Z,2026-12-01,,",
        "sub_3,cus_3,plan,1,usd,month,,canceled,,false,,,,2026-01-01 00:00",
    ])
    .load();
    assert!(loaded.rejections.is_empty(), "{:?}", loaded.rejections);
    assert_eq!(
        rows(
            loaded.stripe.subscriptions.frame(),
            &[
                "ord",
                "line",
                "id",
                "customer",
                "status",
                "cancel_at_period_end",
                "created",
                "current_period_end",
                "canceled_at",
                "ended_at",
                "content",
                "problem"
            ]
        ),
        [
            "0|2|sub_1|cus_1|past_due|true|2025-01-15T10:00:00Z|2026-12-01T00:00:00Z|2026-11-01T12:00:30Z|-|-|-",
            "1|3|sub_2|cus_2|active|false|2025-01-15T10:00:00Z|2026-12-01T00:00:00Z|-|-|-|-",
            "2|4|sub_3|cus_3|canceled|false|-|-|-|2026-01-01T00:00:00Z|-|tiers_missing",
        ]
    );
    assert_eq!(
        rows(
            loaded.stripe.items.frame(),
            &[
                "ord",
                "subscription",
                "currency",
                "amount_num",
                "amount_den",
                "amount_is_total",
                "quantity",
                "quantity_required",
                "interval",
                "interval_count",
                "tiered"
            ]
        ),
        [
            "0|0|usd|33005|10|false|3|false|month|1|false",
            "1|1|jpy|1200|1|false|-|true|year|1|false",
            "2|2|usd|-|-|false|1|false|month|1|false",
        ]
    );
    assert_eq!(
        rows(loaded.stripe.discounts.frame(), &["level", "owner", "coupon", "position"]),
        ["subscription|0|SPRING20|0", "subscription|0|LOYAL|1"]
    );
}

#[test]
fn what_cannot_be_trusted_is_rejected_with_its_line_and_its_customer() {
    let good = "sub_0,cus_0,p,1,usd,month,1.00,active,,false,2025-01-15 10:00,,,";
    for (line, reason, customer) in [
        ("sub_1,cus_1,p,1,usd,month,1e400,active,,false,2025-01-15 10:00,,,", Reason::AmountOutOfRange, Some("cus_1")),
        ("sub_1,cus_1,p,1,usd,month,-5.00,active,,false,2025-01-15 10:00,,,", Reason::AmountOutOfRange, Some("cus_1")),
        ("sub_1,cus_1,p,1,usd,month,cheap,active,,false,2025-01-15 10:00,,,", Reason::BadNumber, Some("cus_1")),
        ("sub_1,cus_1,p,1,,month,1.00,active,,false,2025-01-15 10:00,,,", Reason::BadNumber, Some("cus_1")),
        ("sub_1,cus_1,p,one,usd,month,1.00,active,,false,2025-01-15 10:00,,,", Reason::BadNumber, Some("cus_1")),
        (
            "sub_1,cus_1,p,1000000000000000000000000000000,usd,month,1.00,active,,false,2025-01-15 10:00,,,",
            Reason::AmountOutOfRange,
            Some("cus_1"),
        ),
        ("sub_1,cus_1,p,1,usd,month,1.00,active,,maybe,2025-01-15 10:00,,,", Reason::BadBoolean, Some("cus_1")),
        ("sub_1,cus_1,p,1,usd,month,1.00,active,,false,01/15/2025,,,", Reason::BadInstant, Some("cus_1")),
        ("sub_1,,p,1,usd,month,1.00,active,,false,2025-01-15 10:00,,,", Reason::MissingId, None),
        ("sub_1,cus_1,p,1,usd", Reason::ShortRow, Some("cus_1")),
        ("sub_1,cus_1,p,1,usd,month,1.00,active,,false,2025-01-15 10:00,,,,extra", Reason::LongRow, Some("cus_1")),
        ("sub_1,cus_1,p\0,1,usd,month,1.00,active,,false,2025-01-15 10:00,,,", Reason::NulByte, Some("cus_1")),
        ("sub_1,cus_1,\"p,1,usd,month,1.00,active,,false,2025-01-15 10:00,,,", Reason::UnclosedQuote, Some("cus_1")),
    ] {
        let loaded = subscriptions(&[good, "", line, good]).load();
        assert_eq!(rejected(&loaded), [("s.csv", 4, reason, Some("sub_1"), customer)], "{line}");
        assert_eq!(rows(loaded.stripe.subscriptions.frame(), &["ord", "line", "id"]), ["0|2|sub_0", "1|5|sub_0"]);
        assert_eq!(rows(loaded.stripe.items.frame(), &["ord", "subscription"]), ["0|0", "1|1"]);
        assert_eq!(loaded.files[0].rows, 3);
    }
}

#[test]
fn content_tells_a_repeated_row_from_one_that_differs_over_files_too() {
    let row = |id: &str, amount: &str, coupon: &str| {
        format!("{id},cus_1,p,1,usd,month,{amount},active,{coupon},false,2025-01-15 10:00,,,\n")
    };
    let first =
        format!("{SUBSCRIPTIONS}\n{}{}{}", row("sub_1", "1.00", ""), row("sub_2", "1.00", ""), row("sub_4", "1", "A"));
    let second = format!(
        "{SUBSCRIPTIONS}\n{}{}{}{}",
        row("sub_1", "1.00", ""),
        row("sub_2", "2.00", ""),
        row("sub_3", "1.00", ""),
        row("sub_4", "1", "B")
    );
    let loaded = Case::new().file("a.csv", first).file("b.csv", second).subscriptions("*.csv").load();
    let frame = loaded.stripe.subscriptions.frame();
    assert_eq!(
        rows(frame, &["ord", "file", "id"]),
        ["0|0|sub_1", "1|0|sub_2", "2|0|sub_4", "3|1|sub_1", "4|1|sub_2", "5|1|sub_3", "6|1|sub_4"]
    );
    assert_eq!(rows(loaded.stripe.items.frame(), &["ord"]), ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(rows(loaded.stripe.discounts.frame(), &["owner", "coupon"]), ["2|A", "6|B"]);
    let content = rows(frame, &["content"]);
    assert_eq!(content[0], content[3]);
    assert_ne!(content[1], content[4]);
    assert_ne!(content[2], content[6]);
    assert_eq!(content[5], "-");
    assert_ne!(content[0], "-");
}

#[test]
fn a_title_line_before_the_headings_is_skipped() {
    let text = format!(
        "Export of 2026-11-01\n\n{SUBSCRIPTIONS}\nsub_1,cus_1,p,1,usd,month,1.00,active,,false,,,,\n,,,,,,,,,,,,,\n"
    );
    let loaded = Case::new().file("s.csv", text).subscriptions("s.csv").load();
    assert_eq!(rows(loaded.stripe.subscriptions.frame(), &["line", "id"]), ["4|sub_1"]);
    assert!(loaded.rejections.is_empty());
}

#[test]
fn a_dashboard_file_is_read_however_it_is_spelt() {
    let headings = SUBSCRIPTIONS;
    let row = "sub_1,cus_1,plan,3,usd,month,33.00,past_due,P20,false,2025-01-15 10:00,2026-12-01 00:00,,";
    let plain = format!("{headings}\n{row}\n");
    let tabs = |text: &str| text.replace(',', "\t");
    let semicolons = |text: &str| text.replace(',', ";");
    let quoted = headings.split(',').map(|heading| format!("\"{heading}\"")).collect::<Vec<_>>().join(",");
    let customers_too =
        "Customer Description,Customer Email,Product,Product ID,Start Date (UTC),Trial End (UTC),Region (metadata)";
    for (name, text) in [
        ("as it is", plain.clone()),
        ("bare headings", plain.replace(" (UTC)", "")),
        ("headings in small letters", plain.replace(headings, &headings.to_lowercase())),
        ("headings in quotes", plain.replace(headings, &quoted)),
        ("all columns", format!("{headings},{customers_too}\n{row},,,,,,,\n")),
        ("seconds", plain.replace("10:00", "10:00:00")),
        ("a title line", format!("Subscriptions as of 1 November 2026\n{plain}")),
        ("a title and an empty line, quoted", format!("\"Subscriptions, all\"\n\n{plain}")),
        ("what a spreadsheet says of its separator", format!("sep=;\n{}", semicolons(&plain))),
        ("semicolons", semicolons(&plain)),
        ("semicolons and decimal commas", semicolons(&plain).replace("33.00", "33,00")),
        ("tabs", tabs(&plain)),
        ("tabs and decimal commas", tabs(&plain).replace("33.00", "33,00")),
        ("empty rows", format!("{headings}\n,,,,,,,,,,,,,\n{row}\n\n,,,,,,,,,,,,,\n")),
        ("monthly", plain.replace("month", "monthly")),
        ("Month", plain.replace("month", "Month")),
        ("1 month", plain.replace("month", "1 month")),
        ("Past due", plain.replace("past_due", "Past due")),
        ("a count of its own", format!("{headings},Interval Count\n{row},1\n")),
        ("FALSE", plain.replace("false", "FALSE")),
        ("no yes or no", plain.replace("false", "")),
    ] {
        let loaded = Case::new().file("s.csv", &text).subscriptions("s.csv").load();
        assert!(loaded.rejections.is_empty(), "{name}: {:?}", loaded.rejections);
        let subscription = ["id", "customer", "status", "created", "current_period_end", "cancel_at_period_end"];
        assert_eq!(
            rows(loaded.stripe.subscriptions.frame(), &subscription),
            ["sub_1|cus_1|past_due|2025-01-15T10:00:00Z|2026-12-01T00:00:00Z|false"],
            "{name}"
        );
        let item = ["amount_num", "amount_den", "currency", "quantity", "interval", "interval_count"];
        assert_eq!(rows(loaded.stripe.items.frame(), &item), ["3300|1|usd|3|month|1"], "{name}");
        assert_eq!(rows(loaded.stripe.discounts.frame(), &["coupon"]), ["P20"], "{name}");
    }
    let quarter = plain.replace("month", "every 3 months").replace(",3,usd", ",,usd");
    let loaded = Case::new().file("s.csv", quarter).subscriptions("s.csv").load();
    let item = ["quantity", "quantity_required", "interval", "interval_count"];
    assert_eq!(rows(loaded.stripe.items.frame(), &item), ["-|true|month|3"]);
    for heading in ["user_id (metadata)", "USER_ID (METADATA)", "User_Id (metadata)"] {
        let text = format!("id,Email,{heading}\ncus_1,a@example.com,u-1\n");
        let loaded = Case::new().file("c.csv", text).customers("c.csv").load();
        assert_eq!(rows(loaded.stripe.accounts.frame(), &["external_id"]), ["u-1"], "{heading}");
    }
}
