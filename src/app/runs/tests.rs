//! What is kept stays provable and complete; what goes is named first.

use super::{Keep, list, prune};
use crate::app::exit::{AppError, ExitCode};
use crate::app::explain::Format;
use crate::app::tests::{context, site};
use crate::app::verify::verify;
use crate::app::{Context, plan, run};
use crate::runs::{Holder, RunFolder, StateLock};
use crate::send::Clock;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// So many days after the tests' day.
struct Later(i64);

impl Clock for Later {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_793_491_200 + self.0 * 86_400, 0).unwrap()
    }
}

fn on_day(site: &Path, day: i64) -> Context<'static> {
    Context { clock: Arc::new(Later(day)), ..context(site) }
}

fn ids(site: &Path) -> Vec<String> {
    RunFolder::list(&site.join("state")).unwrap().iter().map(|folder| folder.id().to_owned()).collect()
}

fn pruned(context: &Context<'_>, keep: &str, dry_run: bool) -> Value {
    let (code, text) = prune(context, keep.parse().unwrap(), dry_run, Format::Json).unwrap();
    assert_eq!(code, ExitCode::Done);
    serde_json::from_str(&text).unwrap()
}

/// Runs on the days 0, 10 and 20, and a plan on the day 5.
async fn three_nights() -> (tempfile::TempDir, Vec<String>) {
    let site = site();
    for day in [0, 5, 10, 20] {
        let context = on_day(site.path(), day);
        if day == 5 {
            plan::plan(&context, &plan::Options::default()).unwrap();
        } else {
            run::run(&context, None, &[], &crate::app::run::Wanted::All).await.unwrap();
        }
    }
    let ids = ids(site.path());
    (site, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_what_each_run_was_and_came_to() {
    let (site, ids) = three_nights().await;
    let context = on_day(site.path(), 21);
    let (_, text) = list(&context, Format::Json).unwrap();
    let said: Value = serde_json::from_str(&text).unwrap();
    let members = |run: usize, names: &[&str]| -> Value {
        names.iter().map(|name| said["runs"][run][*name].clone()).collect::<Vec<_>>().into()
    };
    let names = ["run_id", "mode", "status", "exit_code", "created", "updated", "needs_a_person", "chain_end"];
    assert_eq!(members(0, &names), json!([ids[0], "run", "complete", 0, 3, 0, 0, false]));
    assert_eq!(members(1, &names), json!([ids[1], "plan", "planned", 0, null, null, 0, false]));
    assert_eq!(members(3, &names), json!([ids[3], "run", "complete", 0, 0, 0, 0, true]));
    assert_eq!(said["runs"][3]["needed_for"], "chain_end");
    assert!(said["runs"][0]["bytes"].as_u64().unwrap() > 10_000, "{said:#}");

    let (_, page) = list(&context, Format::Text).unwrap();
    let line = |id: &str| page.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line(&ids[0]).contains(" run   2026-11-01T00:00:00Z  complete     0        3        0"), "{page}");
    assert!(line(&ids[3]).ends_with("end of the chain") && page.contains("\n4 runs and plans in "), "{page}");

    // One that cannot be read is listed so, and the others are told.
    std::fs::write(site.path().join("state/runs").join(&ids[2]).join("manifest.json"), "{").unwrap();
    let (_, text) = list(&context, Format::Json).unwrap();
    let said: Value = serde_json::from_str(&text).unwrap();
    assert!(said["runs"][2]["problem"].as_str().unwrap().contains("manifest.json"), "{said:#}");
    assert_eq!(said["runs"][2]["needed_for"], "unreadable");

    // The page of formats knows every member.
    let format = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FORMAT.md")).unwrap();
    let section = format.split("\n## ").find(|section| section.starts_with("`runs list --json`")).unwrap();
    let dry = pruned(&context, "1d", true);
    let of = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for member in of(&said).into_iter().chain(of(&said["runs"][0])).chain(of(&dry)) {
        assert!(section.contains(&format!("`{member}`")), "the page of formats does not describe {member}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_and_what_stays_is_still_proven() {
    let (site, ids) = three_nights().await;
    let context = on_day(site.path(), 100);
    let whole = ids.clone();
    let dry = pruned(&context, "85d", true);
    assert_eq!(self::ids(site.path()), whole, "a dry run removes nothing");
    let wet = pruned(&context, "85d", false);
    assert_eq!((&dry["removed"], &dry["bytes"]), (&wet["removed"], &wet["bytes"]));
    let removed: Vec<&Value> = wet["removed"].as_array().unwrap().iter().map(|run| &run["run_id"]).collect();
    assert_eq!(removed, [&ids[0], &ids[1], &ids[2]]);
    assert_eq!(self::ids(site.path()), [ids[3].clone()]);
    let (code, page) = verify(&context, &ids[3], Format::Text).unwrap();
    assert_eq!(code, ExitCode::Done, "{page}");

    // The newest stays at any age, and the next night goes on from it.
    let none = pruned(&on_day(site.path(), 5000), "1d", false);
    assert_eq!((&none["removed"], &none["kept"][0]["needed_for"]), (&json!([]), &json!("chain_end")));
    let context = on_day(site.path(), 101);
    run::run(&context, None, &[], &crate::app::run::Wanted::All).await.unwrap();
    let newest = self::ids(site.path()).pop().unwrap();
    let (code, page) = verify(&context, &newest, Format::Text).unwrap();
    assert!(code == ExitCode::Done && page.contains("links that hold from one to the one before: 1"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_waits_for_the_lock_and_tells_a_person_what_it_would_do() {
    let (site, ids) = three_nights().await;
    let context = on_day(site.path(), 100);
    let keep: Keep = "75d".parse().unwrap();
    let lock = StateLock::acquire(&site.path().join("state"), &Holder::this("run", context.now())).unwrap();
    let error = prune(&context, keep, false, Format::Text).unwrap_err();
    assert!(matches!(error, AppError::Lock(_)), "{error}");
    let (_, page) = prune(&context, keep, true, Format::Text).unwrap();
    drop(lock);
    assert!(page.starts_with("would remove 3 runs and plans that ended before 2026-11-26T00:00:00Z, "), "{page}");
    assert!(page.contains(&format!("\n  {}  run   complete  ", ids[0])), "{page}");
    assert!(page.contains(&format!("kept, though as old:\n  {}  it is the end of the chain", ids[3])), "{page}");
}

#[test]
fn days_are_written_as_days() {
    for (text, right) in [("90d", true), ("1d", true), ("0d", false), ("90", false), ("3w", false), ("-1d", false)] {
        assert_eq!(text.parse::<Keep>().is_ok(), right, "{text}");
    }
}
