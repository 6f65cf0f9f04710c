//! Every room's error, and the class it belongs to: what the caller does next decides the exit code.

use super::exit::AppError;
use crate::baseline::BaselineError;
use crate::journal::JournalError;
use crate::load::LoadError;
use crate::plan::{OnlyError, PlanError};
use crate::report::ReportError;
use crate::runs::{LockError, RunsError, is_forbidden};
use crate::sandbox::SandboxError;
use crate::send::{ClientError, SendError};
use polars::prelude::PolarsError;

/// Planning could not go on.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// An input was refused.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The plan could not be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The customer that was asked for is not there.
    #[error(transparent)]
    Only(#[from] OnlyError),
    /// The baseline could not be read.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The run's folder could not be written.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A query failed.
    #[error(transparent)]
    Polars(#[from] PolarsError),
}

impl From<PrepareError> for AppError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Load(error) => error.into(),
            PrepareError::Plan(error) => error.into(),
            PrepareError::Only(error) => Self::Usage(Box::new(error)),
            PrepareError::Baseline(error) => error.into(),
            PrepareError::Runs(error) => error.into(),
            PrepareError::Polars(error) => error.into(),
        }
    }
}

impl From<LoadError> for AppError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Stopped { .. } => Self::Incomplete(Box::new(error)),
            error => Self::Input(Box::new(error)),
        }
    }
}

impl From<PlanError> for AppError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Baseline(error) => error.into(),
            error => Self::Internal(Box::new(error)),
        }
    }
}

impl From<BaselineError> for AppError {
    fn from(error: BaselineError) -> Self {
        match error {
            BaselineError::Damaged { .. } | BaselineError::File { .. } => Self::Input(Box::new(error)),
            BaselineError::Runs(error) => error.into(),
            BaselineError::Schema(_) | BaselineError::Polars(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<RunsError> for AppError {
    fn from(error: RunsError) -> Self {
        match error {
            RunsError::Io { .. } => Self::disk(error),
            RunsError::Exists { .. } => Self::Incomplete(Box::new(error)),
            RunsError::Manifest { .. } | RunsError::Salt { .. } => Self::Input(Box::new(error)),
            RunsError::NoSuchRun { .. } => Self::Usage(Box::new(error)),
        }
    }
}

impl From<LockError> for AppError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::Lock(Box::new(error)),
            // Nothing has begun, and nothing will until the configuration or the folder is another.
            LockError::Runs(RunsError::Io { ref source, .. }) if is_forbidden(source) => {
                Self::Configuration(Box::new(error))
            }
            LockError::Runs(error) => error.into(),
        }
    }
}

impl From<JournalError> for AppError {
    fn from(error: JournalError) -> Self {
        if error.is_damage() { Self::Input(Box::new(error)) } else { Self::disk(error) }
    }
}

impl From<SendError> for AppError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Journal(error) => error.into(),
            SendError::Runs(error) => error.into(),
        }
    }
}

impl From<ClientError> for AppError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Key | ClientError::Proxy => Self::Credentials(Box::new(error)),
            error => Self::Configuration(Box::new(error)),
        }
    }
}

impl From<crate::send::KeyError> for AppError {
    fn from(error: crate::send::KeyError) -> Self {
        Self::Credentials(Box::new(error))
    }
}

impl From<ReportError> for AppError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Write { .. } => Self::disk(error),
            ReportError::Read { .. } => Self::Input(Box::new(error)),
            ReportError::NotAccepted { .. } => Self::Usage(Box::new(error)),
            error => Self::Internal(Box::new(error)),
        }
    }
}

impl From<SandboxError> for AppError {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Products(_) => Self::Usage(Box::new(error)),
            SandboxError::State { .. } | SandboxError::Seed { .. } => Self::Input(Box::new(error)),
            SandboxError::Listen { .. }
            | SandboxError::File { .. }
            | SandboxError::Export(_)
            | SandboxError::Server(_) => Self::Incomplete(Box::new(error)),
        }
    }
}

impl From<PolarsError> for AppError {
    fn from(error: PolarsError) -> Self {
        Self::Internal(Box::new(error))
    }
}
