use super::{Calendar, DateColumn, Undecided};
use crate::config::Reading;
use crate::load::columns::Epoch;
use crate::model::{DateOrder, Instant, TimeZone};
use polars::prelude::*;
use proptest::prelude::*;

fn calendar(dates: Option<DateOrder>, zone: &str) -> Calendar {
    let reading = Reading { dates, time_zone: TimeZone::named(zone), ..Reading::default() };
    Calendar::of_file(&reading, &[]).unwrap()
}

fn read(calendar: Calendar, value: &str) -> Result<String, &'static str> {
    calendar.millis(value, Epoch::Millis).map(|millis| Instant::from_epoch_seconds(millis / 1000).unwrap().to_string())
}

#[test]
fn dates_are_read_as_they_are_written() {
    let us = calendar(Some(DateOrder::Us), "UTC");
    let eu = calendar(Some(DateOrder::Eu), "UTC");
    for (calendar, value, expected) in [
        (us, "2026-10-14", "2026-10-14T00:00:00Z"),
        (us, "2026-10-14 09:05", "2026-10-14T09:05:00Z"),
        (us, "2026/10/14", "2026-10-14T00:00:00Z"),
        (us, "10/14/2026", "2026-10-14T00:00:00Z"),
        (us, "4/5/2026 9:05 PM", "2026-04-05T21:05:00Z"),
        (us, "4/5/2026, 12:05 AM", "2026-04-05T00:05:00Z"),
        (us, "4/5/2026 12:05:09 p.m.", "2026-04-05T12:05:09Z"),
        (us, "07/15/2009 02:14:45+0800", "2009-07-14T18:14:45Z"),
        (us, "07/15/2009T02:14:45+0800", "2009-07-14T18:14:45Z"),
        (us, "2009-07-14 22:14:45-0800", "2009-07-15T06:14:45Z"),
        (us, "2010-10-14T12:00:00.000Z-0300", "2010-10-14T15:00:00Z"),
        (us, "2010-10-14T12:00:00.000-03:00", "2010-10-14T15:00:00Z"),
        (us, "2010-10-14T12:00:00.000+0000", "2010-10-14T12:00:00Z"),
        (us, "1793491200123", "2026-11-01T00:00:00Z"),
        (eu, "14/10/2026 09:05 PM", "2026-10-14T21:05:00Z"),
        (eu, "14.10.2026", "2026-10-14T00:00:00Z"),
        (eu, "4.5.2026 7:30", "2026-05-04T07:30:00Z"),
        (eu, "14-10-2026", "2026-10-14T00:00:00Z"),
        (eu, "Oct 14, 2026", "2026-10-14T00:00:00Z"),
        (eu, "October 14, 2026 9:05 am", "2026-10-14T09:05:00Z"),
        (eu, "14 Oct 2026", "2026-10-14T00:00:00Z"),
        (eu, "14-Oct-2026 21:05", "2026-10-14T21:05:00Z"),
        (eu, "Wed, 14 Oct 2026 09:05:00 GMT", "2026-10-14T09:05:00Z"),
        (calendar(None, "America/New_York"), "2026-10-14 09:05", "2026-10-14T13:05:00Z"),
        (calendar(None, "America/New_York"), "2026-10-14", "2026-10-14T04:00:00Z"),
        (calendar(None, "America/New_York"), "2026-10-14T09:05:00Z", "2026-10-14T09:05:00Z"),
        (calendar(None, "America/New_York"), "2026-10-14T09:05:00+02:00", "2026-10-14T07:05:00Z"),
        // Twice that night: the earlier.
        (calendar(None, "America/New_York"), "Nov 1, 2026 1:30 AM", "2026-11-01T05:30:00Z"),
    ] {
        assert_eq!(read(calendar, value).as_deref(), Ok(expected), "{value} {calendar:?}");
    }
}

#[test]
fn a_cell_of_a_million_words_is_no_date_and_no_trouble() {
    for word in ["mon,", "mon ", "Oct ", "14/", "14 "] {
        assert!(read(calendar(None, "UTC"), &word.repeat(250_000)).is_err(), "{word}");
    }
}

#[test]
fn what_is_no_date_says_why() {
    let us = calendar(Some(DateOrder::Us), "America/New_York");
    for (calendar, value, expected) in [
        (us, "14/10/2026", "no such day with the month first"),
        (us, "10/14/26", "two digits"),
        (us, "14 Oct 26", "two digits"),
        (us, "46309", "spreadsheet's day"),
        (us, "46309.378", "spreadsheet's day"),
        (us, "2026-10-14 09:05 EST", "abbreviation"),
        (us, "2026-10-14T09:05:00Pacific Standard Time", "abbreviation"),
        (us, "2026-03-08 02:30", "skipped"),
        (us, "2026-02-30", "no such day"),
        (us, "0000-01-01", "no date"),
        (us, "12026-01-01", "no date"),
        (us, "9999-12-31 23:00", "years 1 to 9999"),
        (us, "10/14/2026 25:00", "no date"),
        (us, "10/14/2026 13:00 PM", "no date"),
        (us, "10/14.2026", "no date"),
        (us, "yesterday", "no date"),
        (us, "١٠/١٤/٢٠٢٦", "no date"),
        (us, "2026-10-14T09:05:00+99:00", "no date"),
        (calendar(Some(DateOrder::Iso), "UTC"), "10/14/2026", "year first"),
        (calendar(Some(DateOrder::Eu), "UTC"), "10/14/2026", "no such day with the day first"),
    ] {
        let found = read(calendar, value);
        assert!(found.as_ref().is_err_and(|why| why.contains(expected)), "{value}: {found:?}");
    }
}

/// The order and how it is known, or line and reason.
fn decided(values: &[&str]) -> Result<Option<String>, Undecided> {
    let cells = StringChunked::from_slice("d".into(), values);
    let lines: UInt32Chunked = (2..).take(values.len()).map(Some).collect();
    let column = DateColumn { heading: "Last Activity", cells: &cells, lines: &lines };
    Calendar::of_file(&Reading::default(), &[column]).map(Calendar::dates_in_words)
}

#[test]
fn the_order_is_proved_by_the_whole_file_or_not_at_all() {
    assert_eq!(decided(&["2026-10-14", "Oct 4, 2026", "never"]), Ok(None));
    assert_eq!(
        decided(&["04/05/2026", "10/14/2026", "01/02/2026"]).unwrap().unwrap(),
        "month first (its values prove it)"
    );
    assert_eq!(
        decided(&["04.05.2026", "2026-10-14", "14.10.2026 09:00"]).unwrap().unwrap(),
        "day first (its values prove it)"
    );
    let open = decided(&["2026-10-14", "04/05/2026", "05/06/2026"]).unwrap_err();
    assert_eq!((open.line, open.heading.as_str()), (3, "Last Activity"));
    assert!(open.detail.starts_with("`04/05/2026` may have the day first or the month"), "{}", open.detail);
    assert!(open.detail.contains("dates = \"us\""), "{}", open.detail);
    let torn = decided(&["04/05/2026", "10/14/2026", "14/10/2026"]).unwrap_err();
    assert_eq!(torn.line, 4);
    assert!(
        torn.detail.contains("`14/10/2026` has the day first, `10/14/2026` on line 3 the month"),
        "{}",
        torn.detail
    );
}

proptest! {
    #[test]
    fn no_text_makes_a_calendar_panic(value in "[0-9A-Za-z/:. +,-]{0,24}|\\PC{0,12}") {
        let _ = read(calendar(Some(DateOrder::Us), "America/New_York"), &value);
        let _ = decided(&[&value]);
    }

    #[test]
    fn a_day_is_the_same_however_it_is_written(days in 0_i64..60_000) {
        let day = chrono::DateTime::from_timestamp(days * 86_400, 0).unwrap();
        let expected = Ok(day.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        for (order, format) in [
            (DateOrder::Us, "%m/%d/%Y"),
            (DateOrder::Eu, "%d.%m.%Y"),
            (DateOrder::Eu, "%-d/%-m/%Y 12:00 AM"),
            (DateOrder::Iso, "%b %-d, %Y"),
            (DateOrder::Iso, "%A, %d %B %Y 00:00:00 +0000"),
            (DateOrder::Iso, "%Y/%m/%d"),
        ] {
            prop_assert_eq!(&read(calendar(Some(order), "UTC"), &day.format(format).to_string()), &expected);
        }
    }
}
