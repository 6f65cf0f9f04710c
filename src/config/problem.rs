//! What is wrong with a configuration: every problem, each with its place.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// One problem and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key as a path: `tether.rate`, `product[2].key`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigErrors {
    /// The file cannot be read as text.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file was read, and these are all its problems, by line.
    #[error("{}", describe(file.as_deref(), problems))]
    Invalid {
        /// The file, where the text came from one.
        file: Option<PathBuf>,
        /// At least one problem, in the order of the file.
        problems: Vec<Problem>,
    },
}

impl ConfigErrors {
    /// All problems, in the order of the file; none if the file cannot be read at all.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }

    /// The same problems, said of `path`.
    pub(super) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Invalid { problems, .. } => Self::Invalid { file: Some(path.to_owned()), problems },
            unreadable @ Self::Unreadable { .. } => unreadable,
        }
    }
}

/// One problem in one line; several under a first line that alone says where to look.
fn describe(file: Option<&Path>, problems: &[Problem]) -> String {
    let file = file.map_or_else(|| "configuration".to_owned(), |file| file.display().to_string());
    match problems {
        [only] => format!("{file}:{only}"),
        [first, ..] => {
            let mut text = format!("{file} has {} problems, the first in line {}", problems.len(), first.line);
            for problem in problems {
                // Writing to a String cannot fail.
                let _ = write!(text, "\n  {file}:{problem}");
            }
            text
        }
        [] => format!("{file} is not valid"),
    }
}

/// Line and column (in characters) of a byte of `text`, from 1.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Collects problems and turns offsets into lines and columns.
#[derive(Debug)]
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<(usize, Problem)>,
}

impl<'t> Problems<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// The text that is judged.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Notes a problem at a byte of the text.
    pub(super) fn at(&mut self, offset: usize, key: impl Into<String>, message: impl Into<String>) {
        let (line, column) = position(self.text, offset);
        let problem = Problem { line, column, key: key.into(), message: message.into() };
        self.found.push((offset, problem));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All problems in the order of the text.
    pub(super) fn into_errors(mut self) -> ConfigErrors {
        self.found.sort_by_key(|(offset, _)| *offset);
        ConfigErrors::Invalid { file: None, problems: self.found.into_iter().map(|(_, problem)| problem).collect() }
    }
}
