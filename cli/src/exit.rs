//! Exit codes, and how an error is told to a person.
//!
//! Pure. Source of the codes: the table in docs/plans.md; scripts rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for apply: converged.
    Success,
    /// An error, bad usage included.
    Error,
    /// `plan --exit-code`: there are changes.
    Changes,
    /// The plan is stale.
    Stale,
    /// Policy, approval or a blocking finding stands in the way.
    Refused,
    /// Something failed, the rest was applied.
    Partial,
    /// The wait ended first; the apply goes on.
    WaitEnded,
    /// A person stopped it.
    Cancelled,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Stale => 3,
            Self::Refused => 4,
            Self::Partial => 5,
            Self::WaitEnded => 6,
            Self::Cancelled => 8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that has already been shown, or that carries its own exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Empty when everything was already printed.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn because(exit: Exit, message: impl Into<String>) -> anyhow::Error {
        Self {
            exit,
            message: message.into(),
        }
        .into()
    }

    /// Everything a person needs was printed already.
    pub(crate) fn shown(exit: Exit) -> anyhow::Error {
        Self::because(exit, "")
    }
}

/// Prints the error and its causes, one line each, and gives the exit code.
pub(crate) fn tell(error: &anyhow::Error) -> Exit {
    let failure = error.downcast_ref::<Failure>();
    if !failure.is_some_and(|failure| failure.message.is_empty()) {
        say!("error: {error}");
        for cause in error.chain().skip(1) {
            say!("  caused by: {cause}");
        }
    }
    failure.map_or(Exit::Error, |failure| failure.exit)
}
