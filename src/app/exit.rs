//! How a command ends: the frozen exit codes, and the error that carries one.

use crate::config::{ConfigErrors, KeyError};
use std::error::Error;
use std::fmt::Write as _;

/// An error of any room.
pub type BoxedError = Box<dyn Error + Send + Sync>;

/// The exit codes. Frozen: schedulers act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done; nothing needs a person.
    Done,
    /// An internal error, or a tie-out that does not tie.
    Internal,
    /// Usage or configuration.
    Configuration,
    /// Done; some rows need a person.
    NeedsAPerson,
    /// A guard refused; nothing was sent.
    GuardRefused,
    /// Incomplete and resumable.
    Incomplete,
    /// Credentials refused or missing.
    Credentials,
    /// Another run holds the lock.
    Locked,
    /// An input was refused.
    Input,
    /// `plan --detailed-exitcode` only: there are changes to send.
    Changes,
}

/// Code, number, meaning.
const TABLE: &[(ExitCode, u8, &str)] = &[
    (ExitCode::Done, 0, "done; nothing needs a person"),
    (ExitCode::Internal, 1, "internal error, or a tie-out that does not tie"),
    (ExitCode::Configuration, 2, "usage or configuration"),
    (
        ExitCode::NeedsAPerson,
        3,
        "done; some rows need a person (failed, unknown, rejected, conflict, invalid; creation_disabled if configured)",
    ),
    (ExitCode::GuardRefused, 4, "a guard refused; nothing was sent"),
    (ExitCode::Incomplete, 5, "incomplete and resumable (deadline, outage, interrupted)"),
    (ExitCode::Credentials, 6, "credentials refused or missing"),
    (ExitCode::Locked, 7, "another run holds the lock"),
    (ExitCode::Input, 8, "an input was refused (missing, unreadable, broken, stale)"),
    (ExitCode::Changes, 10, "plan --detailed-exitcode only: there are changes to send"),
];

impl ExitCode {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Configuration => 2,
            Self::NeedsAPerson => 3,
            Self::GuardRefused => 4,
            Self::Incomplete => 5,
            Self::Credentials => 6,
            Self::Locked => 7,
            Self::Input => 8,
            Self::Changes => 10,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

/// The exit codes as a page of `--help` shows them.
pub fn help_table() -> String {
    let mut text = String::from("Exit codes:\n");
    for (_, number, meaning) in TABLE {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {number:>2}  {meaning}");
    }
    text
}

/// Why a command could not do what it was asked, by what its caller does next. One class, one exit code.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The command line asks for something impossible.
    #[error(transparent)]
    Usage(BoxedError),
    /// The configuration has problems, or the server does not speak as it says.
    #[error(transparent)]
    Configuration(BoxedError),
    /// A key is missing, malformed, or was refused.
    #[error(transparent)]
    Credentials(BoxedError),
    /// Another run holds the lock.
    #[error(transparent)]
    Lock(BoxedError),
    /// An input, or a file of an earlier run, is missing or damaged.
    #[error(transparent)]
    Input(BoxedError),
    /// Stopped before the end; `resume` goes on.
    #[error(transparent)]
    Incomplete(BoxedError),
    /// The disk, or who may write on it, stopped it. The error ends with what to do about that.
    #[error("{error}, then {}", next.words())]
    Disk {
        /// What was refused.
        error: BoxedError,
        /// How to go on.
        next: Next,
    },
    /// A fault of the program.
    #[error(transparent)]
    Internal(BoxedError),
}

/// How to go on after a disk has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The command leaves nothing behind.
    Again,
    /// This run has sent nothing.
    Run,
    /// The run may have sent.
    Resume,
    /// The run has ended, and its report is written.
    Report,
}

impl Next {
    const fn words(self) -> &'static str {
        match self {
            Self::Again => "start again",
            Self::Run => "`tether-recon run` again: nothing was sent",
            Self::Resume => "`tether-recon resume`",
            Self::Report => "`tether-recon report latest`: the run has ended and its report is written",
        }
    }
}

impl AppError {
    /// The class of what a disk refused, until somebody knows better how to go on.
    pub fn disk(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Disk { error: Box::new(error), next: Next::Again }
    }

    /// Says how to go on, where a disk failed.
    #[must_use]
    pub fn then(self, next: Next) -> Self {
        match self {
            Self::Disk { error, .. } => Self::Disk { error, next },
            other => other,
        }
    }

    /// The same class with other words, of one line.
    #[must_use]
    pub fn with_text(self, text: String) -> Self {
        match self {
            Self::Usage(_) => Self::Usage(text.into()),
            Self::Input(_) => Self::Input(text.into()),
            other => other,
        }
    }

    /// The exit code of the class.
    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Configuration(_) => ExitCode::Configuration,
            Self::Credentials(_) => ExitCode::Credentials,
            Self::Lock(_) => ExitCode::Locked,
            Self::Input(_) => ExitCode::Input,
            Self::Incomplete(_) | Self::Disk { .. } => ExitCode::Incomplete,
            Self::Internal(_) => ExitCode::Internal,
        }
    }

    /// For standard error: a first line that is enough for a pager, then the causes, indented.
    pub fn render(&self) -> String {
        let mut text = format!("error: {self}");
        let mut said = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let message = error.to_string();
            // Messages that already end with their cause are common; saying it twice helps nobody.
            if !said.contains(&message) {
                let _ = write!(text, "\n  caused by: {}", message.replace('\n', "\n  "));
            }
            said = message;
            cause = error.source();
        }
        text.push('\n');
        text
    }
}

impl From<ConfigErrors> for AppError {
    fn from(errors: ConfigErrors) -> Self {
        Self::Configuration(Box::new(errors))
    }
}

impl From<KeyError> for AppError {
    fn from(error: KeyError) -> Self {
        Self::Credentials(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::{AppError, BoxedError, ExitCode, TABLE, help_table};

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the journal of run 2026-11-01T00-00-00Z")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("line 12 ends in the middle of a record")]
    struct Inner;

    #[test]
    fn the_table_is_the_documented_one() {
        let numbers: Vec<u8> = TABLE.iter().map(|(_, number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]);
        for (code, number, meaning) in TABLE {
            assert_eq!(code.code(), *number);
            assert!(help_table().contains(meaning));
        }
    }

    #[test]
    fn every_class_of_error_has_its_exit_code() {
        let error = || -> BoxedError { Box::new(Inner) };
        for (error, code) in [
            (AppError::Usage(error()), 2),
            (AppError::Configuration(error()), 2),
            (AppError::Credentials(error()), 6),
            (AppError::Lock(error()), 7),
            (AppError::Input(error()), 8),
            (AppError::Incomplete(error()), 5),
            (AppError::disk(Inner), 5),
            (AppError::Internal(error()), 1),
        ] {
            assert_eq!(error.exit_code().code(), code, "{error:?}");
        }
        assert_eq!(AppError::Internal("disk".into()).exit_code(), ExitCode::Internal);
    }

    #[test]
    fn the_first_line_names_what_failed_and_the_causes_follow() {
        let text = AppError::Input(Box::new(Outer(Inner))).render();
        assert_eq!(
            text,
            "error: cannot read the journal of run 2026-11-01T00-00-00Z\n  caused by: line 12 ends in the middle of a record\n"
        );
    }
}
