//! Whether a plan is still what a run would do: what changed since it was made, by name.

use super::exit::AppError;
use super::prepare::known;
use crate::baseline;
use crate::config::Settings;
use crate::model::{InputFile, Instant};
use crate::runs::{Manifest, RunFolder};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Differences named in one line; more are counted.
const NAMED: usize = 5;

/// Everything that changed since `plan` was made, one phrase each: settings, then the baseline. Files are told by
/// [`changed_files`], once they were read.
pub fn changed(plan: &Manifest, settings: &Settings) -> Result<Vec<String>, AppError> {
    let mut changes = vec![];
    if plan.config_hash != settings.hash {
        let now = serde_json::from_str(&settings.portable).unwrap_or_default();
        differences("", &plan.configuration, &now, &mut changes);
        if changes.is_empty() {
            changes.push("the configuration changed".to_owned());
        }
    }
    let known = known(settings)?;
    let names = settings.products.iter().map(|product| product.name.as_str());
    if baseline::hash(names.zip(known.iter().map(Option::as_ref)))? != plan.baseline_hash {
        changes.push(match since(plan, settings)? {
            Some(run) => format!("the baseline changed: run {run} sent since"),
            None => "the baseline changed".to_owned(),
        });
    }
    Ok(changes)
}

/// The newest run that ended after `plan` was made and may have taught the baseline something.
fn since(plan: &Manifest, settings: &Settings) -> Result<Option<String>, AppError> {
    for folder in RunFolder::list(&settings.run.state)?.into_iter().rev() {
        let Ok(run) = folder.read_manifest() else { continue };
        if run.mode.sends() && run.finished_at.is_some_and(|at| at >= plan.started_at) {
            return Ok(Some(run.run_id));
        }
    }
    Ok(None)
}

/// The files that are no longer what was `planned`, are gone, or have joined them since.
pub fn changed_files(planned: &[InputFile], found: &[InputFile]) -> Vec<String> {
    let same_place = |a: &InputFile, b: &InputFile| (&a.source, &a.path) == (&b.source, &b.path);
    let mut changes = BTreeSet::new();
    for file in planned {
        match found.iter().find(|other| same_place(file, other)) {
            None => changes.insert(format!("{} is not read any more", file.path)),
            Some(other) if other.sha256 != file.sha256 => changes.insert(format!("{} changed", file.path)),
            Some(_) => false,
        };
    }
    for file in found.iter().filter(|file| !planned.iter().any(|other| same_place(file, other))) {
        changes.insert(format!("{} was added", file.path));
    }
    changes.into_iter().collect()
}

/// Refuses a plan because of `changes`, naming the first of them, all in the line that a pager shows.
pub fn refuse(plan: &Manifest, changes: &[String]) -> AppError {
    let more = match changes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named = changes.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    AppError::Input(
        format!("plan {} is stale: {named}{more}. Nothing was sent; `plan` again and have that approved", plan.run_id)
            .into(),
    )
}

/// Says so where `plan` is older than `most`.
pub fn too_old(plan: &Manifest, most: Duration, now: Instant) -> Option<String> {
    let age = u64::try_from(now.epoch_seconds() - plan.started_at.epoch_seconds()).unwrap_or(0);
    // Both are whole seconds: it may be almost one second older than that.
    (Duration::from_secs(age.saturating_add(1)) > most).then(|| {
        let (hours, minutes) = (age / 3600, age / 60 % 60);
        format!("it was made {hours} h {minutes} min ago, at {}, and --max-age allows less", plan.started_at)
    })
}

/// Each setting that differs, by its path, with both values.
fn differences(path: &str, before: &Value, now: &Value, changes: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let value = |members: &serde_json::Map<String, Value>| members.get(key).cloned().unwrap_or_default();
                differences(&below(key), &value(old), &value(new), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (number, (old, new)) in (1..).zip(old.iter().zip(new)) {
                let number: u32 = number;
                differences(&format!("{path} {number}"), old, new, changes);
            }
        }
        (old, new) if old != new => changes.push(format!("`{path}` is {}, was {}", shown(new), shown(old))),
        _ => {}
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { "not set".to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{changed_files, differences};
    use crate::model::InputFile;
    use serde_json::json;

    #[test]
    fn settings_are_named_by_their_path_with_both_values() {
        let before = json!({"guards": {"max_created": 5, "min": null}, "product": [{"name": "core"}], "run": "a"});
        let now = json!({"guards": {"max_created": null, "min": "8"}, "product": [{"name": "other"}], "run": "a"});
        let mut changes = vec![];
        differences("", &before, &now, &mut changes);
        assert_eq!(
            changes,
            [
                "`guards.max_created` is not set, was 5",
                "`guards.min` is \"8\", was not set",
                "`product 1.name` is \"other\", was \"core\"",
            ]
        );
    }

    #[test]
    fn files_that_changed_went_or_came_are_named() {
        let file = |path: &str, sha256: &str| InputFile {
            source: "hubspot".into(),
            path: path.into(),
            sha256: sha256.into(),
            bytes: 1,
            rows: 1,
            shape: String::new(),
            encoding: None,
            dialect: None,
            modified: None,
        };
        let planned = [file("a", "1"), file("b", "1"), file("c", "1")];
        let found = [file("a", "1"), file("b", "2"), file("d", "1")];
        assert_eq!(changed_files(&planned, &found), ["b changed", "c is not read any more", "d was added"]);
        assert!(changed_files(&planned, &planned).is_empty());
    }
}
