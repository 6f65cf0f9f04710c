//! One changed byte, anywhere in a run's folder, is named; an untouched folder is proven wherever it stands.

use super::verify;
use crate::app::exit::ExitCode;
use crate::app::explain::Format;
use crate::app::run;
use crate::app::tests::{context, site};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Every file below `folder`, by its path in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = vec![];
    for below in ["", "report"] {
        for entry in std::fs::read_dir(folder.join(below)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                found.push(Path::new(below).join(entry.file_name()).to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// What is said of the folder at `path`: the exit code, and the verification.
fn proven(site: &Path, path: &Path) -> (ExitCode, Value) {
    let (code, text) = verify(&context(site), path.to_str().unwrap(), Format::Json).unwrap();
    (code, serde_json::from_str(&text).unwrap())
}

fn copied(folder: &Path, to: &Path) -> PathBuf {
    for name in files(folder) {
        let path = to.join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(folder.join(&name), path).unwrap();
    }
    to.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_changed_byte_of_any_file_is_named_and_an_untouched_copy_is_proven() {
    let site = site();
    run::run(&context(site.path()), None, &[], &run::Wanted::All).await.unwrap();
    let folder = crate::runs::RunFolder::list(&site.path().join("state")).unwrap().pop().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = copied(folder.path(), &elsewhere.path().join("a copy"));
    let (code, said) = proven(site.path(), &copy);
    assert_eq!(code, ExitCode::Done, "{said:#}");
    let names = files(&copy);
    assert_eq!(names.len(), 15, "{names:?}");

    let check = |name: &str, at: usize, bit: u8| {
        let path = copy.join(name);
        let sound = std::fs::read(&path).unwrap();
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << bit;
        std::fs::write(&path, bytes).unwrap();
        let (code, said) = proven(site.path(), &copy);
        assert_eq!(code, ExitCode::Input, "{name}, byte {at}, bit {bit}: {said:#}");
        let findings = said["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{name}, byte {at}, bit {bit}: {said:#}");
        assert_eq!(findings[0]["file"], name, "byte {at}, bit {bit}");
        assert_ne!(findings[0]["expected"], findings[0]["found"], "{name}, byte {at}, bit {bit}");
        std::fs::write(&path, sound).unwrap();
    };
    for name in &names {
        let length = std::fs::metadata(copy.join(name)).unwrap().len();
        for at in [0, length / 2, length - 1] {
            check(name, usize::try_from(at).unwrap(), 0);
        }
    }
    let mut runner = TestRunner::new(Config::with_cases(60));
    let anywhere = (proptest::sample::select(names), 0.0..1.0_f64, 0..8_u8);
    runner
        .run(&anywhere, |(name, place, bit)| {
            let length = std::fs::metadata(copy.join(&name)).unwrap().len();
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            check(&name, (length as f64 * place) as usize, bit);
            Ok(())
        })
        .unwrap();
    assert_eq!(proven(site.path(), &copy).0, ExitCode::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_and_what_does_not_belong_is_said() {
    let site = site();
    run::run(&context(site.path()), None, &[], &run::Wanted::All).await.unwrap();
    let folder = crate::runs::RunFolder::list(&site.path().join("state")).unwrap().pop().unwrap();
    for name in files(folder.path()) {
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = copied(folder.path(), &elsewhere.path().join("copy"));
        std::fs::remove_file(copy.join(&name)).unwrap();
        let (code, said) = proven(site.path(), &copy.join("."));
        assert_eq!((code, &said["findings"][0]["file"]), (ExitCode::Input, &Value::from(name.as_str())), "{said:#}");
    }
    std::fs::write(folder.path().join("report/signature.txt"), "Ada").unwrap();
    let (code, said) = proven(site.path(), folder.path());
    assert_eq!(code, ExitCode::Done);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FORMAT.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("`verify --json`")).unwrap();
    for member in said.as_object().unwrap().keys().chain(said["checks"][0].as_object().unwrap().keys()) {
        let described = [format!("`{member}`"), format!("`{member}[]`")].iter().any(|name| section.contains(name));
        assert!(described, "the page of formats does not describe {member}");
    }
    let notes = said["notes"].to_string();
    assert!(notes.contains("report/signature.txt is not named by the manifest"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_was_written_anew_with_its_seal_is_found_out_by_the_run_after_it() {
    let site = site();
    let mut ids = vec![];
    for random in [1, 2, 3] {
        let context = crate::app::Context { random, ..context(site.path()) };
        run::run(&context, None, &[], &run::Wanted::All).await.unwrap();
        ids.push(crate::runs::RunFolder::list(&site.path().join("state")).unwrap().pop().unwrap());
    }
    let (code, said) = proven(site.path(), ids[1].path());
    assert_eq!(code, ExitCode::Done, "{said:#}");
    assert_eq!(said["held_by"], ids[2].id());
    assert!(
        said["checks"].to_string().contains("3 kept here, links that hold from one to the one before: 2"),
        "{said:#}"
    );

    // The whole of the first run is replaced by one that is sound in itself.
    let sound = std::fs::read(ids[0].manifest_path()).unwrap();
    let mut manifest = ids[0].read_manifest().unwrap();
    manifest.config_hash = "0".repeat(64);
    ids[0].write_manifest(&manifest).unwrap();
    for of in &ids {
        let (code, said) = proven(site.path(), of.path());
        assert_eq!(code, ExitCode::Input, "{said:#}");
        // Of the first run itself its report tells too, which shows the configuration's hash.
        let link = said["findings"].as_array().unwrap().last().unwrap();
        assert_eq!(link["file"], format!("{}/manifest.json", ids[0].id()), "{said:#}");
        assert!(link["detail"].as_str().unwrap().contains(ids[1].id()), "{said:#}");
    }
    std::fs::write(ids[0].manifest_path(), sound).unwrap();

    // One from the middle is gone: said, and refused, since an older one is kept. The oldest may go.
    let gone = site.path().join("gone");
    std::fs::rename(ids[1].path(), &gone).unwrap();
    let (code, said) = proven(site.path(), ids[2].path());
    assert_eq!(code, ExitCode::Input);
    assert!(said["findings"][0]["found"].as_str().unwrap().contains("older ones are kept"), "{said:#}");
    std::fs::remove_dir_all(ids[0].path()).unwrap();
    let (code, said) = proven(site.path(), ids[2].path());
    assert_eq!(code, ExitCode::Done, "{said:#}");
    assert!(said["notes"].to_string().contains("what came before is not proven"), "{said:#}");
}
