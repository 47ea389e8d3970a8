//! The command line of one environment: its older generations listed, compared and gone back to, and how far the
//! cluster is from what is accepted.
//!
//! Pure data for clap.

use std::path::PathBuf;

use clap::Args;
use starform_contract::{EnvironmentName, Generation, ProjectName, quantity::Duration};

use super::{PlanFormat, ViewOptions};

/// What is told of one environment, and how.
#[derive(Debug, Args)]
pub(crate) struct TellArgs {
    #[command(flatten)]
    pub(crate) place: OnePlace,
    /// starform.kdl, or the folder that holds it; not read where --project is given
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) place: OnePlace,
    /// The generation to start from
    #[arg(value_name = "FROM", value_parser = generation)]
    pub(crate) from: Generation,
    /// The generation to compare it with; it may be the earlier one
    #[arg(value_name = "TO", value_parser = generation)]
    pub(crate) to: Generation,
    /// starform.kdl, or the folder that holds it; not read where --project is given
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) view: ViewOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    pub(crate) place: OnePlace,
    /// The generation to go back to (default: the one before the current one)
    #[arg(long, value_name = "GEN", value_parser = generation)]
    pub(crate) to: Option<Generation>,
    /// starform.kdl, or the folder that holds it; not read where --project is given
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// How long to watch before giving up watching; the apply itself goes on
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) wait: Duration,
}

/// One environment of a project.
#[derive(Debug, Args)]
pub(crate) struct OnePlace {
    /// The environment
    #[arg(long, value_name = "ENV")]
    pub(crate) env: EnvironmentName,
    /// The project (default: the name in the file)
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<ProjectName>,
}

fn generation(text: &str) -> Result<Generation, String> {
    let number: u64 = text
        .parse()
        .map_err(|_| "write a generation's number, as `starform history` lists it")?;
    Ok(Generation::new(number))
}
