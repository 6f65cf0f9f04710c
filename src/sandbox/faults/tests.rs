//! Which requests a fault falls on, and what is said of a file that cannot be played.

use super::kinds::{KINDS, names};
use super::options::WHEN_KEYS;
use super::{Asked, FaultCounter, Faults, Place};
use std::time::Duration;

const NOBODY: Asked<'static> = Asked { product: "core", email: None, elapsed: Duration::ZERO };

/// The words of the log over so many requests.
fn sequence(toml: &str, requests: usize) -> Vec<&'static str> {
    let faults = Faults::from_toml(toml).unwrap();
    let mut counter = FaultCounter::default();
    (0..requests).map(|_| faults.next(&mut counter, NOBODY).word.unwrap_or("-")).collect()
}

#[test]
fn a_fault_falls_on_the_requests_that_it_names_and_the_first_of_the_file_wins() {
    for (toml, expected) in [
        ("", "- - - -"),
        ("reset = { every = 2 }", "- reset - reset"),
        ("reset = {}", "reset reset reset reset"),
        ("reset = { from = 2, to = 3 }", "- reset reset -"),
        ("reset = { every = 2, from = 3 }", "- - - reset"),
        ("reset = { from = 2, times = 1 }", "- reset - -"),
        ("reset = { product = 'academy' }", "- - - -"),
        ("[[reset]]\nto = 1\n[[reset]]\nfrom = 4", "reset - - reset"),
        ("lost_reply = { every = 2 }\nreset = { every = 4 }", "- lost_reply - lost_reply"),
        ("reset = { every = 4 }\nlost_reply = { every = 2 }", "- lost_reply - reset"),
        ("[[fault]]\nkind = 'reset'\nto = 1\n[[fault]]\nkind = 'garbage'\nto = 2", "reset garbage - -"),
        ("unauthorized_after = 2", "- - status status"),
        ("limit = '2/s'", "- - limit limit"),
        ("[[fault]]\nkind = 'limit'\nrate = '1/s'\nfrom = 2", "- - limit limit"),
        ("slow = { millis = 1 }\nreset = { every = 3 }", "slow slow reset slow"),
        ("reset = { every = 3 }\nslow = { millis = 1 }", "slow slow reset slow"),
    ] {
        assert_eq!(sequence(toml, 4).join(" "), expected, "{toml}");
    }
}

#[test]
fn slow_joins_any_other_fault() {
    let faults = Faults::from_toml("reset = {}\nslow = { millis = 7 }").unwrap();
    let due = faults.next(&mut FaultCounter::default(), NOBODY);
    assert_eq!((due.slow, due.fault.is_some()), (Some(Duration::from_millis(7)), true));
}

#[test]
fn a_customer_named_in_the_file_has_its_fault_and_nobody_else() {
    let faults = Faults::from_toml(
        "[[fault]]\nkind = 'reset'\nemail = 'E@example.com'\n[customers]\n\"A@example.com\" = \"lost_reply_once\"\n\
         \"b@example.com\" = \"rejected\"\n\"c@example.com\" = \"unavailable\"",
    )
    .unwrap();
    assert!(faults.ask_for_email());
    let mut counter = FaultCounter::default();
    for (email, expected) in [
        ("a@example.com", "lost_reply"),
        ("a@example.com", "-"),
        ("b@example.com", "status"),
        ("b@example.com", "status"),
        ("c@example.com", "server_error"),
        ("d@example.com", "-"),
        ("e@example.com", "reset"),
    ] {
        let due = faults.next(&mut counter, Asked { email: Some(email), ..NOBODY });
        assert_eq!(due.word.unwrap_or("-"), expected, "{email}");
    }
    assert_eq!(faults.next(&mut counter, NOBODY).word, None);
}

#[test]
fn a_limit_is_counted_from_the_first_call_of_its_period_and_names_the_wait() {
    let faults = Faults::from_toml("limit = '1/min'").unwrap();
    let mut counter = FaultCounter::default();
    for (millis, expected) in [(500, None), (1_000, Some(60)), (60_499, Some(1)), (60_500, None)] {
        let due = faults.next(&mut counter, Asked { elapsed: Duration::from_millis(millis), ..NOBODY });
        assert_eq!(due.fault, expected.map(|wait| super::Fault::limited(wait, Place::Body)), "{millis}");
    }
}

#[test]
fn every_kind_can_be_written_in_both_forms() {
    // The keys that a kind cannot do without.
    let needed = |kind: &str| match kind {
        "slow" => "millis = 1",
        "status" => "status = 404",
        "rate_limit" => "wait_seconds = 1",
        "limit" => "rate = \"10/s\"",
        "not_applied" | "second_writer" => "field = \"name\"",
        _ => "times = 1",
    };
    for kind in names() {
        let short = Faults::from_toml(&format!("{kind} = {{ {} }}", needed(kind)));
        let long = Faults::from_toml(&format!("[[fault]]\nkind = \"{kind}\"\n{}", needed(kind)));
        assert_eq!(short.unwrap(), long.unwrap(), "{kind}");
    }
}

#[test]
fn every_problem_is_told_with_line_and_key_and_what_is_allowed() {
    for (toml, expected) in [
        ("lost = { every = 2 }", "1:1: lost: is no fault; did you mean `lost_reply`?"),
        ("xyz = 1", "1:1: xyz: is no fault; there are fault, customers, unauthorized_after, refused, reset,"),
        ("\nreset = { every = 0 }", "2:19: reset.every: 0 is not a whole number from 1"),
        ("reset = { evry = 2 }", "1:11: reset.evry: is no key of `reset`; did you mean `every`?"),
        (
            "reset = { quux = 2 }",
            "1:11: reset.quux: is no key of `reset`; it knows every, from, to, times, product, email, applied",
        ),
        ("reset = { from = 3, to = 2 }", "1:26: reset.to: 2 comes before `from`, which is 3"),
        ("reset = 3", "1:1: reset: write a table, such as { every = 10 }"),
        ("limit = '10/fortnight'", "1:9: limit: `10/fortnight` is not like \"10/s\", \"600/min\" or \"100/h\""),
        ("server_error = { status = 404 }", "1:27: server_error.status: 404 is not a whole number from 500 to 599"),
        ("not_applied = { field = 'mood' }", "1:25: not_applied.field: `mood` is not one of email, external_id, name,"),
        ("not_applied = { every = 1 }", "1:15: not_applied.field: is missing; write one of email, external_id, name,"),
        (
            "rate_limit = { wait_seconds = 1, in = 'thought' }",
            "1:39: rate_limit.in: `thought` is not one of body, header, date, ratelimit_reset, ratelimit,",
        ),
        ("rate_limit = { every = 1 }", "1:14: rate_limit.wait_seconds: is missing; write how long, in seconds"),
        ("[[fault]]\nevery = 2", "1:1: fault[1].kind: is missing; write one of refused, reset,"),
        ("[[fault]]\nkind = 'status'\nstatus = 99", "3:10: fault[1].status: 99 is not a whole number from 200 to 599"),
        ("[[fault]]\nkind = 'stat'", "2:8: fault[1].kind: `stat` is not one of refused, reset,"),
        (
            "[customers]\n'a@example.com' = 'gone'",
            "2:19: customers.\"a@example.com\": write one of lost_reply_once, rejected, server_error, unavailable",
        ),
        ("reset = { every = ", "1:"),
    ] {
        let error = Faults::from_toml(toml).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{toml}\n  {error}\n  {expected}");
    }
    let both = Faults::from_toml("reset = { every = 0 }\nslow = {}").unwrap_err().to_string();
    assert_eq!(both.lines().count(), 2, "{both}");
}

#[test]
fn the_pages_name_every_kind_with_its_keys_and_every_place_of_a_wait() {
    let (_, formats) = include_str!("../../../docs/FORMAT.md").split_once("### Faults").unwrap();
    let rehearsals = include_str!("../../../docs/REHEARSALS.md");
    let row_of = |page: &'static str, word: &str| {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{word}`")));
        row.unwrap_or_else(|| panic!("there is no row for `{word}`"))
    };
    for kind in KINDS {
        let row = row_of(formats, kind.name);
        for key in kind.keys {
            assert!(row.contains(&format!("`{key}`")), "docs/FORMAT.md: `{}` has `{key}`", kind.name);
        }
        row_of(rehearsals, kind.name);
    }
    for word in WHEN_KEYS.iter().copied().chain(Place::WORDS.iter().map(|(word, _)| *word)) {
        row_of(formats, word);
    }
}
