//! The files below a folder, within bounds.

use std::path::{Path, PathBuf};

/// So many files are looked at, and folders so deep.
const MOST_FILES: usize = 1000;
const DEEPEST: usize = 8;

/// The name of the folder that runs keep: nothing in it is an export.
const STATE: &str = "state";

/// The files below a folder.
#[derive(Debug, Default)]
pub struct Walked {
    /// By path.
    pub files: Vec<PathBuf>,
    /// There are more.
    pub cut_short: bool,
}

/// Every regular file below `folder`, but for hidden ones, those of a state folder, and what links lead to twice.
pub(super) fn files(folder: &Path) -> std::io::Result<Walked> {
    let mut walked = Walked::default();
    std::fs::read_dir(folder)?;
    walk(folder, 0, &mut walked);
    walked.files.sort();
    Ok(walked)
}

fn walk(folder: &Path, depth: usize, walked: &mut Walked) {
    // A folder below that may not be read holds nothing for this user's runs either.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || name == STATE {
            continue;
        }
        if path.is_dir() {
            // A link may lead to where one came from; globs do not follow it either.
            if !path.is_symlink() && depth < DEEPEST {
                walk(&path, depth + 1, walked);
            } else {
                walked.cut_short |= !path.is_symlink();
            }
        } else if path.is_file() {
            if walked.files.len() == MOST_FILES {
                walked.cut_short = true;
                return;
            }
            walked.files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn hidden_files_and_the_state_folder_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.csv", "in/a.csv", ".hidden", ".git/x", "state/runs/plan.csv", "in/state/y"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let walked = files(folder.path()).unwrap();
        let names: Vec<_> = walked.files.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, ["b.csv", "in/a.csv"].map(std::path::Path::new));
        assert!(!walked.cut_short);
        assert!(files(&folder.path().join("nowhere")).is_err());
    }
}
