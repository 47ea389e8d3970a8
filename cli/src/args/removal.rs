//! The command line of what deletes: an environment, or a project.
//!
//! Pure data for clap. Always holds: a volume is named to be destroyed, and nothing is deleted without a
//! person's word or `--auto-approve`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use starform_contract::{EnvironmentName, ProjectName, quantity::Duration};
use starform_plan::removal::VolumePlace;

#[derive(Debug, Subcommand)]
pub(crate) enum EnvironmentCommand {
    /// Delete an environment: the plan lists what goes; volumes stay unless they are named
    Delete {
        /// The environment
        #[arg(value_name = "ENV")]
        name: EnvironmentName,
        /// starform.kdl, or the folder that holds it; not read where --project is given
        #[arg(default_value = ".")]
        path: PathBuf,
        /// The project (default: the name in the file)
        #[arg(long, value_name = "NAME")]
        project: Option<ProjectName>,
        #[command(flatten)]
        removal: RemovalOptions,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RemovalOptions {
    /// Delete this volume too, with all its data; several times for several
    #[arg(long, value_name = "SERVICE.VOLUME")]
    pub(crate) destroy: Vec<VolumePlace>,
    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// How long to watch before giving up watching; the deletion itself goes on
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) wait: Duration,
}
