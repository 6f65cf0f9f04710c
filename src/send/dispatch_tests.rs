//! The dispatcher against a scripted server under paused time.

use super::testing::{Answer, KEY, Setup};
use crate::config::{KeyPace, Pace, Rate};
use crate::journal::testing::{MemoryJournal, header};
use crate::journal::{JournalError, Record};
use crate::model::{Outcome, Prediction, Reason};
use crate::monitor::Event;
use crate::send::{IdType, SendError};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

fn nz(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn per(calls: u32, seconds: u64) -> Pace {
    Pace::Fixed(Rate { calls: nz(calls), per: Duration::from_secs(seconds) })
}

#[tokio::test(start_paused = true)]
async fn every_row_ends_as_its_replies_allow_and_no_better() {
    use Answer::{Created, Lost, NoConnection, Refuse, Status, Updated};
    type Script = fn(usize) -> Answer;
    let cases: &[(Script, Outcome, u32)] = &[
        (|_| Updated, Outcome::Updated, 1),
        (|_| Created, Outcome::Created, 1),
        (|n| if n == 1 { Lost } else { Updated }, Outcome::Applied, 2),
        (|n| if n == 1 { Lost } else { Created }, Outcome::Created, 2),
        (|n| if n == 1 { Status(500) } else { Updated }, Outcome::Applied, 2),
        (|n| if n == 1 { Status(504) } else { Status(400) }, Outcome::Unknown, 2),
        (|n| if n == 1 { Status(202) } else { Updated }, Outcome::Applied, 2),
        // Without a connection nothing was sent.
        (|n| if n == 1 { NoConnection } else { Updated }, Outcome::Updated, 1),
        (|n| if n == 1 { Status(503) } else { Updated }, Outcome::Updated, 2),
        (|n| if n < 9 { Status(429) } else { Updated }, Outcome::Updated, 9),
        (|_| NoConnection, Outcome::Failed, 0),
        (|n| if n == 1 { Lost } else { NoConnection }, Outcome::Unknown, 1),
        (|_| Status(503), Outcome::Failed, 5),
        (|_| Lost, Outcome::Unknown, 5),
        (|n| if n == 2 { Lost } else { Status(503) }, Outcome::Unknown, 5),
        (|_| Status(501), Outcome::Failed, 1),
        (|n| if n == 1 { Lost } else { Status(501) }, Outcome::Unknown, 2),
        (|_| Status(409), Outcome::Rejected, 1),
        (|_| Refuse(422, "closed", "CREATION_DISABLED"), Outcome::CreationDisabled, 1),
    ];
    for (n, (script, expected, attempts)) in cases.iter().enumerate() {
        let ran = Setup::rows(1).run(move |seen| script(seen.nth)).await;
        let rows = ran.rows();
        assert_eq!(
            (rows[0].outcome, rows[0].attempts, rows[0].sent),
            (*expected, *attempts, *attempts > 0),
            "case {n}"
        );
        assert!(ran.end.unwrap().complete, "case {n}");
        assert!(ran.log.iter().all(|s| s.body == ran.log[0].body && s.id_type == IdType::External), "case {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_its_product_alone_and_what_was_under_way_ends() {
    for (status, reason) in
        [(401, Reason::Auth), (403, Reason::Auth), (404, Reason::Configuration), (302, Reason::Configuration)]
    {
        let mut setup = Setup::rows(0);
        setup.lanes = vec![("core", KEY, 0..50), ("lite", "tk_live_another_key", 100..120)];
        let ran = setup
            .run(move |seen| if seen.lane == 0 && seen.row >= 3 { Answer::Status(status) } else { Answer::Updated })
            .await;
        let end = ran.end.as_ref().unwrap();
        assert!(!end.complete);
        assert_eq!(end.stopped.keys().collect::<Vec<_>>(), ["core"]);
        assert_eq!(end.stopped["core"].reason, reason);
        assert_eq!(end.outcomes, [(Outcome::Updated, 23)].into());
        let met = ran.rows().into_iter().find(|o| o.row == 3).unwrap();
        assert_eq!((met.outcome, met.sent, met.http_status), (Outcome::NotAttempted, true, Some(status)));
        assert!(ran.log.iter().filter(|s| s.lane == 0).count() <= 3 + 4, "nothing left after the refusal");
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_pauses_every_worker_of_the_key_for_as_long_as_it_says() {
    let mut setup = Setup::rows(0);
    setup.lanes = vec![("core", KEY, 0..20), ("lite", KEY, 100..120), ("other", "tk_live_another_key", 200..220)];
    let ran =
        setup.run(|seen| if seen.row == 5 && seen.nth == 1 { Answer::Wait(429, 600) } else { Answer::Updated }).await;
    assert!(ran.end.as_ref().unwrap().complete);
    let refused = ran.log.iter().find(|s| s.row == 5).unwrap().at + Duration::from_millis(20);
    let in_pause = |s: &&super::testing::Seen| s.at > refused && s.at < refused + Duration::from_mins(10);
    let left_in_pause: Vec<_> = ran.log.iter().filter(in_pause).map(|s| s.lane).collect();
    assert!(!left_in_pause.is_empty() && left_in_pause.iter().all(|lane| *lane == 2), "{left_in_pause:?}");
    assert_eq!(ran.rows()[5].outcome, Outcome::Updated);
    assert!(ran.records.iter().any(|r| matches!(r, Record::Wait { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_rate_holds_over_products_on_one_key_retries_included() {
    let mut setup = Setup::rows(0);
    setup.lanes = vec![("core", KEY, 0..60), ("lite", KEY, 100..160)];
    setup.paces[0].rate = per(10, 1);
    setup.paces[0].burst = nz(3);
    let ran = setup
        .run(|seen| if seen.row.is_multiple_of(6) && seen.nth == 1 { Answer::Status(503) } else { Answer::Updated })
        .await;
    assert_eq!(ran.log.len(), 140);
    for from in &ran.log {
        for (width, most) in [(500, 8), (1000, 13), (2000, 23), (7000, 73)] {
            let end = from.at + Duration::from_millis(width);
            let count = ran.log.iter().filter(|s| s.at >= from.at && s.at < end).count();
            assert!(count <= most, "{count} calls in {width} ms");
        }
    }
    assert!(ran.took < Duration::from_millis(14_500), "{:?} for 140 calls at 10 a second", ran.took);
}

#[tokio::test(start_paused = true)]
async fn each_product_keeps_its_own_rate_and_neither_waits_for_the_other() {
    let mut setup = Setup::rows(0);
    setup.lanes = vec![("core", KEY, 0..600), ("lite", "tk_live_another_key_9876543210", 1000..1010)];
    let (core, lite) = (KeyPace { rate: per(20, 1), burst: nz(1) }, KeyPace { rate: per(10, 60), burst: nz(2) });
    setup.paces = vec![core, lite];
    let ran = setup.run(|_| Answer::Updated).await;
    assert!(ran.end.as_ref().unwrap().complete);
    for (lane, per_second, burst, ends) in [(0, 20.0, 1.0, 29_950), (1, 10.0 / 60.0, 2.0, 48_000)] {
        let at: Vec<Duration> = ran.log.iter().filter(|s| s.lane == lane).map(|s| s.at).collect();
        for (n, from) in at.iter().enumerate() {
            for (m, to) in at.iter().enumerate().skip(n) {
                let most = per_second * to.saturating_sub(*from).as_secs_f64() + burst;
                let count = f64::from(u32::try_from(m - n + 1).unwrap());
                assert!(count <= most + 1e-6, "lane {lane}: {count} calls from {from:?} to {to:?}");
            }
        }
        let last = at.last().unwrap().as_millis();
        assert!((ends - 100..ends + 100).contains(&last), "lane {lane}: its last call left after {last} ms");
    }
    // Not from both together: the fast one is done, and the slow one has 2 rows to go.
    let said = ran.everything_said();
    assert!(!said.contains("at this pace"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_slowest_product_says_when_all_will_be_done() {
    let mut setup = Setup::rows(0);
    setup.lanes = vec![("core", KEY, 0..600), ("lite", "tk_live_another_key_9876543210", 1000..1100)];
    setup.paces = vec![KeyPace { rate: per(20, 1), burst: nz(1) }, KeyPace { rate: per(10, 60), burst: nz(1) }];
    let ran = setup.run(|_| Answer::Updated).await;
    let first = ran.events.iter().find_map(|event| match event {
        Event::Note { message } if message.contains("at this pace") => Some(message.clone()),
        _ => None,
    });
    let first = first.unwrap();
    // 10 of 100 rows in the first minute.
    assert!(first.starts_with("sending: 610 of 700 rows") && first.ends_with("in 9 min 0 s"), "{first}");
}

#[tokio::test(start_paused = true)]
async fn ten_failures_in_a_row_stop_the_product_and_a_resumed_run_ends_complete() {
    let ran = Setup::rows(50).run(|seen| if seen.row < 6 { Answer::Updated } else { Answer::Status(500) }).await;
    let end = ran.end.as_ref().unwrap();
    assert_eq!(end.stopped["core"].reason, Reason::Unavailable);
    assert!(end.calls < 6 + 10 + 4, "{} calls", end.calls);
    assert!(ran.outcomes().iter().all(|o| matches!(o, Outcome::Updated | Outcome::Unknown)));

    let mut setup = Setup::rows(50);
    setup.journal = MemoryJournal::after(ran.records.clone());
    let again = setup.run(|_| Answer::Updated).await;
    assert!(again.end.as_ref().unwrap().complete);
    let rows = again.rows();
    assert_eq!(rows.len(), 50);
    for row in rows {
        let before = ran.rows().into_iter().find(|o| o.row == row.row).map(|o| o.outcome);
        let expected = if before == Some(Outcome::Unknown) { Outcome::Applied } else { Outcome::Updated };
        assert_eq!(row.outcome, expected, "row {}", row.row);
    }
    assert!(again.log.iter().all(|s| s.row >= 6), "what was decided is not sent again");
}

#[tokio::test(start_paused = true)]
async fn a_few_customers_that_always_fail_do_not_keep_the_others_from_being_sent() {
    let ran = Setup::rows(50)
        .run(|seen| if (5..8).contains(&seen.row) { Answer::Status(503) } else { Answer::Updated })
        .await;
    assert!(ran.end.as_ref().unwrap().complete, "{:?}", ran.end);
    let rows = ran.rows();
    let failed: Vec<u32> = rows.iter().filter(|o| o.outcome == Outcome::Failed).map(|o| o.row).collect();
    assert_eq!(failed, [5, 6, 7]);
    assert_eq!(rows.iter().filter(|o| o.outcome == Outcome::Updated).count(), 47);
}

#[tokio::test(start_paused = true)]
async fn the_rate_auto_finds_what_the_server_takes_and_says_so() {
    let state = tempfile::tempdir().unwrap();
    // The server takes 40 calls in each second of its own, and refuses the rest of that second.
    let seen = std::sync::Mutex::new(HashMap::new());
    let mut setup = Setup::rows(4000);
    setup.paces[0].rate = Pace::Auto;
    setup.limits.in_flight = nz(8);
    let ran = setup
        .run_in(state.path(), move |call| {
            let mut seen = seen.lock().unwrap();
            let in_second = seen.entry(call.at.as_secs()).or_insert(0);
            *in_second += 1;
            if *in_second > 40 { Answer::Status(429) } else { Answer::Updated }
        })
        .await;
    assert!(ran.end.as_ref().unwrap().complete);
    assert!(ran.took < Duration::from_secs(4000 / 40 * 2), "{:?}", ran.took);
    let refused = ran.log.len() - 4000;
    assert!(refused < 300, "{refused} of {} calls were refused", ran.log.len());
    let said = ran.everything_said();
    assert!(said.contains("calls a second in the end"), "{said}");
    let mut again = Setup::rows(100);
    again.paces[0].rate = Pace::Auto;
    let ran = again.run_in(state.path(), |_| Answer::Updated).await;
    assert!(ran.took < Duration::from_secs(8), "it begins where the last run ended: {:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_service_in_trouble_gets_a_tenth_more_calls_and_no_longer_queue() {
    for rows in [100, 1000] {
        let ran =
            Setup::rows(rows)
                .run(|seen| {
                    if (seen.row as usize + seen.nth).is_multiple_of(2) { Answer::Status(503) } else { Answer::Updated }
                })
                .await;
        assert!(ran.end.as_ref().unwrap().complete);
        let calls = u32::try_from(ran.log.len()).unwrap();
        assert_eq!(calls, rows + rows / 10 + 20, "{rows} rows");
        let failed: Vec<_> = ran.rows().into_iter().filter(|o| o.outcome == Outcome::Failed).collect();
        assert_eq!(u32::try_from(failed.len()).unwrap(), rows / 2 - (rows / 10 + 20));
        assert!(failed.iter().all(|o| o.detail.as_ref().unwrap().contains("a tenth of all")));
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_row_its_outcome_and_a_customer_that_always_fails_is_none() {
    // One at a time, ten failures are two rows without a try left: they wait for `resume`, as those after them do.
    let mut setup = Setup::rows(20);
    setup.limits.in_flight = NonZeroU32::MIN;
    let ran = setup.run(|_| Answer::Status(503)).await;
    assert_eq!(ran.end.as_ref().unwrap().stopped["core"].reason, Reason::Unavailable);
    assert_eq!(ran.log.len(), 10);
    assert!(ran.rows().iter().all(|o| o.outcome == Outcome::NotAttempted), "{:?}", ran.rows());

    // Two customers alone that always fail, calls enough under way: no outage, or no `resume` would ever end.
    let ran = Setup::rows(2).run(|_| Answer::Status(500)).await;
    assert!(ran.end.as_ref().unwrap().complete);
    assert!(ran.rows().iter().all(|o| o.outcome == Outcome::Unknown));

    // Failures before a refused address are no answers: their rows wait for `resume`.
    let mut setup = Setup::rows(20);
    setup.limits.in_flight = NonZeroU32::MIN;
    setup.limits.max_tries = NonZeroU32::MIN;
    let ran = setup.run(|seen| Answer::Status(if seen.row < 8 { 503 } else { 404 })).await;
    assert_eq!(ran.end.as_ref().unwrap().stopped["core"].reason, Reason::Configuration);
    assert!(ran.rows().iter().all(|o| o.outcome == Outcome::NotAttempted), "{:?}", ran.rows());

    for (first, last) in [(0, 0), (0, 1), (18, 19)] {
        let mut setup = Setup::rows(20);
        setup.limits.in_flight = NonZeroU32::MIN;
        // Eight failures of two customers; before, between or after them the service answers.
        setup.limits.max_tries = NonZeroU32::new(4).unwrap();
        let broken = move |row| (first..=last).contains(&row);
        let ran = setup.run(move |seen| if broken(seen.row) { Answer::Status(503) } else { Answer::Updated }).await;
        assert!(ran.end.as_ref().unwrap().complete, "{first} to {last}");
        for said in ran.rows() {
            let expected = if broken(said.row) { Outcome::Failed } else { Outcome::Updated };
            assert_eq!(said.outcome, expected, "row {} of {first} to {last}", said.row);
        }
        assert_eq!(ran.rows().len(), 20);
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_and_a_longer_wait_end_the_run_as_incomplete() {
    let mut setup = Setup::rows(1000);
    setup.limits.deadline = Duration::from_secs(5);
    let ran = setup.run(|_| Answer::Updated).await;
    let end = ran.end.as_ref().unwrap();
    assert_eq!(end.stopped["core"].reason, Reason::Deadline);
    assert!((490..=502).contains(&end.calls), "{} calls", end.calls);
    assert!(ran.took < Duration::from_secs(6));

    let ran = Setup::rows(1000).run(|s| if s.row == 7 { Answer::Wait(429, 9000) } else { Answer::Updated }).await;
    let end = ran.end.as_ref().unwrap();
    assert_eq!(end.stopped["core"].reason, Reason::Deadline);
    assert!(ran.took < Duration::from_secs(2), "it does not sit the wait out: {:?}", ran.took);

    let mut setup = Setup::rows(0);
    setup.lanes = vec![("core", KEY, 0..100), ("lite", KEY, 100..200)];
    let ran = setup.run(|s| if s.row == 7 { Answer::Wait(503, 9000) } else { Answer::Updated }).await;
    let end = ran.end.as_ref().unwrap();
    assert_eq!(end.stopped.len(), 2, "every product of the key");
    assert!(ran.took < Duration::from_secs(2), "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn asked_to_stop_it_drains_for_thirty_seconds_and_no_longer() {
    let mut setup = Setup::rows(1000);
    setup.stop_after = Some(2);
    let ran = setup.run(|s| if s.row == 190 { Answer::Never } else { Answer::Updated }).await;
    let end = ran.end.as_ref().unwrap();
    assert_eq!(end.stopped["core"].reason, Reason::Interrupted);
    assert_eq!(ran.took.as_secs(), 32);
    assert!(ran.log.iter().all(|s| s.at <= Duration::from_millis(2010)), "nothing leaves after the stop");
    let unknown: Vec<_> = ran.rows().into_iter().filter(|o| o.outcome == Outcome::Unknown).map(|o| o.row).collect();
    assert_eq!(unknown, [190], "the one that was cut off, and none that never left");
    assert!(matches!(ran.records.last(), Some(Record::Closed(closing)) if !closing.complete));
}

#[tokio::test(start_paused = true)]
async fn after_creation_disabled_rows_foretold_as_creates_are_not_sent_if_so_configured() {
    for (configured, predicted, few) in
        [(true, Prediction::Create, true), (false, Prediction::Create, false), (true, Prediction::Unknown, false)]
    {
        let mut setup = Setup::rows(40);
        setup.limits.stop_after_creation_disabled = configured;
        setup.predicted = predicted;
        let ran = setup.run(|_| Answer::Refuse(422, "closed", "CREATION_DISABLED")).await;
        assert!(ran.end.as_ref().unwrap().complete);
        let rows = ran.rows();
        assert!(rows.len() == 40 && rows.iter().all(|o| o.outcome == Outcome::CreationDisabled));
        let sent = rows.iter().filter(|o| o.sent).count();
        assert_eq!(sent, ran.log.len());
        assert_eq!(sent < 10, few, "{sent} sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_server_echoes_appears_nowhere() {
    let echo = "who is tk_live_0123456789abcdef";
    for status in [400, 401, 404, 422, 429, 500, 503] {
        let ran = Setup::rows(3).run(move |_| Answer::Refuse(status, echo, echo)).await;
        let said = ran.everything_said();
        assert!(!said.contains(KEY), "HTTP {status}: {said}");
        assert!(said.contains("***"), "HTTP {status}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_journal_fails_nothing_more_leaves() {
    for records in 0..40 {
        let mut setup = Setup::rows(100);
        setup.journal = MemoryJournal::failing_after(records);
        let ran = setup.run(|_| Answer::Updated).await;
        assert!(matches!(ran.end, Err(SendError::Journal(JournalError::Write { .. }))), "after {records} records");
        let intents: Vec<_> = ran
            .records
            .iter()
            .filter_map(|r| if let Record::Intent { row, .. } = r { Some(*row) } else { None })
            .collect();
        assert!(ran.log.iter().all(|s| intents.contains(&s.row)), "after {records} records: sent without an intent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_servers_wait_and_an_empty_bucket_bind_the_next_start() {
    let state = tempfile::tempdir().unwrap();
    let mut setup = Setup::rows(10);
    setup.limits.deadline = Duration::from_mins(1);
    setup.run_in(state.path(), |s| if s.row == 2 { Answer::Wait(429, 600) } else { Answer::Updated }).await;
    let mut next = Setup::rows(5);
    next.starts_at = 100;
    let ran = next.run_in(state.path(), |_| Answer::Updated).await;
    let first = ran.log[0].at;
    assert!((Duration::from_secs(499)..Duration::from_secs(502)).contains(&first), "{first:?}");

    let state = tempfile::tempdir().unwrap();
    let run = |starts_at| {
        let mut setup = Setup::rows(5);
        setup.paces[0].rate = per(1, 60);
        setup.paces[0].burst = nz(5);
        setup.starts_at = starts_at;
        setup.run_in(state.path(), |_| Answer::Updated)
    };
    assert!(run(0).await.took < Duration::from_secs(1), "a full bucket lets a burst through");
    let first = run(20).await.log[0].at;
    assert!((Duration::from_secs(39)..Duration::from_secs(41)).contains(&first), "{first:?}");
}

/// A crash may come after any record. From every prefix of a journal, resuming completes each row exactly once, and what
/// is said fits what the server did.
#[tokio::test(start_paused = true)]
async fn from_every_prefix_of_a_journal_resuming_completes_each_row_once() {
    for seed in 0..6 {
        let fault = move |row: u32, nth: usize| match (u64::from(row) * 7 + nth as u64 * 3 + seed) % 6 {
            0 if nth < 4 => Answer::Status(503),
            1 if nth < 4 => Answer::Lost,
            2 if nth < 4 => Answer::Status(429),
            _ if row.is_multiple_of(2) => Answer::Created,
            _ => Answer::Updated,
        };
        let mut setup = Setup::rows(8);
        setup.seed = seed;
        let whole = setup.run(move |seen| fault(seen.row, seen.nth)).await;
        for cut in 1..whole.records.len() {
            let prefix = whole.records[..cut].to_vec();
            assert_eq!(prefix[0], header());
            let mut setup = Setup::rows(8);
            setup.journal = MemoryJournal::after(prefix.clone());
            let known = setup.journal.proven();
            let ran = setup.run(|_| Answer::Updated).await;
            assert!(ran.end.as_ref().unwrap().complete, "seed {seed}, cut {cut}");
            let rows: HashMap<u32, Outcome> = ran.rows().into_iter().map(|o| (o.row, o.outcome)).collect();
            assert_eq!(rows.len(), 8);
            for (row, outcome) in rows {
                let sent_again = ran.log.iter().filter(|s| s.row == row).count();
                let expected = match known.undecided.get(&row) {
                    _ if known.decided.contains(row) => None,
                    Some(history) if history.may_have_taken_effect() => Some(Outcome::Applied),
                    _ => Some(Outcome::Updated),
                };
                assert_eq!(sent_again, usize::from(expected.is_some()), "seed {seed}, cut {cut}, row {row}");
                if let Some(expected) = expected {
                    assert_eq!(outcome, expected, "seed {seed}, cut {cut}, row {row}");
                }
            }
        }
    }
}
