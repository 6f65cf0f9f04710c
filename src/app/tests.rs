//! What a crash, a lost file and a second look may not change: the commands on a small site with the embedded sandbox.

use super::exit::{AppError, ExitCode};
use super::{Context, Voice, report, resume, run};
use crate::journal;
use crate::model::Outcome;
use crate::monitor::{LogFormat, LogLevel};
use crate::runs::{RunFolder, RunStatus};
use crate::send::Clock;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const CUSTOMERS: &str = "id,Description,Email,Name,Created (UTC),Delinquent,Currency
cus_1,,ada@example.com,Ada,2026-01-01 00:00,false,usd
cus_2,,bob@example.com,Bob,2026-01-02 00:00,false,usd
cus_3,,eve@example.com,Eve,2026-01-03 00:00,false,usd
";
const SUBSCRIPTIONS: &str = "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Cancel At Period End,\
Created (UTC),Start (UTC),Current Period Start (UTC),Current Period End (UTC),Canceled At (UTC),Ended At (UTC)
sub_1,cus_1,basic,1,usd,month,30.00,active,false,2026-01-01 00:00,2026-01-01 00:00,2026-10-01 00:00,2026-11-30 00:00,,
sub_2,cus_2,basic,1,usd,month,20.00,active,false,2026-01-02 00:00,2026-01-02 00:00,2026-10-02 00:00,2026-11-30 00:00,,
sub_3,cus_3,basic,1,usd,month,10.00,active,false,2026-01-03 00:00,2026-01-03 00:00,2026-10-03 00:00,2026-11-30 00:00,,
";
const CONFIG: &str = r#"
[run]
state = "state"
currency = "usd"
[stripe]
customers = "customers.csv"
subscriptions = "subscriptions.csv"
[tether]
url = "sandbox"
rate = "2000/s"
[[product]]
name = "core"
key = { env = "TETHER_API_KEY" }
creation = "on"
"#;

struct OneDay;

impl Clock for OneDay {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_793_491_200, 0).unwrap()
    }
}

pub(super) fn site() -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    for (name, content) in
        [("customers.csv", CUSTOMERS), ("subscriptions.csv", SUBSCRIPTIONS), ("tether-recon.toml", CONFIG)]
    {
        std::fs::write(site.path().join(name), content).unwrap();
    }
    site
}

pub(super) fn context(site: &Path) -> Context<'static> {
    Context {
        config: site.join("tether-recon.toml"),
        env: &|_| None,
        clock: Arc::new(OneDay),
        random: 7,
        voice: Voice { format: LogFormat::Json, level: LogLevel::Error, progress: false },
        trials: crate::load::Trials::Nowhere,
        night: crate::app::night::Night::default(),
        redaction: super::Redaction::default(),
    }
}

/// The only run's folder, as a process that was killed while sending left it: `journal` is what had become durable.
pub(super) fn killed_with(site: &Path, journal: &[u8]) -> RunFolder {
    let folder = RunFolder::list(&site.join("state")).unwrap().pop().unwrap();
    std::fs::write(folder.journal_path(), journal).unwrap();
    let mut manifest = folder.read_manifest().unwrap();
    (manifest.status, manifest.exit_code, manifest.finished_at) = (RunStatus::Sending, None, None);
    folder.write_manifest(&manifest).unwrap();
    folder
}

fn latest() -> report::Wanted {
    report::Wanted { run: "latest".into(), formats: vec![], output: None }
}

fn outcomes(folder: &RunFolder) -> BTreeMap<u32, Outcome> {
    let found = journal::outcomes(journal::read(&folder.journal_path()).unwrap());
    found.map(|outcome| outcome.unwrap()).map(|outcome| (outcome.row, outcome.outcome)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_line_of_its_journal_a_run_is_resumed_to_its_end_and_claims_no_more_than_it_knows() {
    let site = site();
    let (code, _) = run::run(&context(site.path()), None, &[], &run::Wanted::All).await.unwrap();
    assert_eq!(code, ExitCode::Done);
    let folder = RunFolder::list(&site.path().join("state")).unwrap().pop().unwrap();
    assert!(outcomes(&folder).values().all(|outcome| *outcome == Outcome::Created));
    let whole = std::fs::read(folder.journal_path()).unwrap();
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for end in &ends[..ends.len() - 1] {
        // Half of the line that follows is there too.
        let folder = killed_with(site.path(), &whole[..end + 20]);
        let (known, _, _) = journal::load(&folder.journal_path()).unwrap();
        let (code, _) = resume::resume(&context(site.path())).await.unwrap();
        assert_eq!(code, ExitCode::Done, "cut at {end}");
        let manifest = folder.read_manifest().unwrap();
        assert_eq!((manifest.status, manifest.exit_code), (RunStatus::Complete, Some(0)), "cut at {end}");
        let rows = outcomes(&folder);
        assert_eq!(rows.len(), 3, "cut at {end}");
        for (row, outcome) in rows {
            // The sandbox has them all already: what is asked again is an update, or was perhaps the first request's doing.
            let expected = match known.undecided.get(&row) {
                _ if known.decided.contains(row) => Outcome::Created,
                Some(_) => Outcome::Applied,
                None => Outcome::Updated,
            };
            assert_eq!(outcome, expected, "cut at {end}, row {row}");
        }
    }
    let (_, text) = resume::resume(&context(site.path())).await.unwrap();
    assert!(text.starts_with("nothing to resume"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_sent_and_lost_its_journal_or_got_anothers_is_refused_by_every_command() {
    let site = site();
    run::run(&context(site.path()), None, &[], &run::Wanted::All).await.unwrap();
    let folder = RunFolder::list(&site.path().join("state")).unwrap().pop().unwrap();
    let whole = std::fs::read_to_string(folder.journal_path()).unwrap();
    let other = journal::Header { run_id: "20200101T000000Z-0000".into(), ..journal::testing::header_content() };
    let refused = |error: AppError, what: &str| {
        assert_eq!(error.exit_code(), ExitCode::Input, "{error}");
        assert!(error.to_string().contains("journal.jsonl") && error.to_string().contains(what), "{error}");
    };

    let folder = killed_with(site.path(), whole.as_bytes());
    std::fs::remove_file(folder.journal_path()).unwrap();
    refused(report::report(&context(site.path()), &latest()).unwrap_err(), "missing");
    refused(resume::resume(&context(site.path())).await.unwrap_err(), "missing");
    refused(run::run(&context(site.path()), None, &[], &run::Wanted::All).await.unwrap_err(), "missing");

    drop(journal::JournalWriter::create(&folder.journal_path(), &other).unwrap());
    refused(report::report(&context(site.path()), &latest()).unwrap_err(), "another run");
    refused(resume::resume(&context(site.path())).await.unwrap_err(), "another run");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_what_was_learned_cannot_be_kept_the_report_stands_and_the_run_can_be_resumed() {
    let site = site();
    run::run(&context(site.path()), None, &[], &run::Wanted::All).await.unwrap();
    let baseline = site.path().join("state/baseline");
    let folder = RunFolder::list(&site.path().join("state")).unwrap().pop().unwrap();
    let whole = std::fs::read(folder.journal_path()).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    killed_with(site.path(), &whole[..first_line]);
    std::fs::remove_dir_all(&baseline).unwrap();
    // A folder stands where the baseline's file belongs.
    std::fs::create_dir_all(baseline.join("core.parquet")).unwrap();
    std::fs::remove_dir_all(folder.report_path()).unwrap();
    std::fs::create_dir(folder.report_path()).unwrap();

    resume::resume(&context(site.path())).await.unwrap_err();
    assert_eq!(folder.read_manifest().unwrap().status, RunStatus::Incomplete);
    assert!(folder.report_path().join("report.html").exists());
    std::fs::remove_dir_all(&baseline).unwrap();
    let (code, _) = resume::resume(&context(site.path())).await.unwrap();
    assert_eq!(code, ExitCode::Done);
    assert!(baseline.join("core.parquet").is_file());
}
