//! The command line of secrets.
//!
//! Pure data for clap. Always holds: no option or argument takes a value.

use clap::{Args, Subcommand};
use starform_contract::{EnvironmentName, ProjectName, SecretName, secret::is_generated};

use super::PlanFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Keep a new value: from standard input (one newline at its end is left out), or asked for
    Set {
        /// As `(secret)NAME` in starform.kdl
        #[arg(value_parser = name)]
        name: SecretName,
        #[command(flatten)]
        place: SecretPlace,
        /// Taken only to be refused without being repeated
        #[arg(hide = true)]
        value: Vec<std::ffi::OsString>,
    },
    /// List names, versions, when and by whom; never values
    List {
        #[command(flatten)]
        place: SecretPlace,
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// Remove every value of a secret that nothing accepted uses
    Rm {
        #[arg(value_parser = name)]
        name: SecretName,
        #[command(flatten)]
        place: SecretPlace,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SecretPlace {
    /// The environment whose secret it is
    #[arg(long, value_name = "ENV", required_unless_present = "cluster")]
    pub(crate) env: Option<EnvironmentName>,
    /// The project (default: the name in ./starform.kdl)
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<ProjectName>,
    /// Instead: a cluster of the control plane, or without one the kubeconfig's, for what its operator
    /// gives all projects: with what images are pulled
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with_all = ["env", "project"])]
    pub(crate) cluster: Option<Option<String>>,
}

fn name(text: &str) -> Result<SecretName, String> {
    if is_generated(text) {
        return Err("Starform makes this value and nobody sets or removes it; a variable of another name in starform.kdl gets another value".to_owned());
    }
    text.parse()
        .map_err(|error: starform_contract::name::InvalidName| error.to_string())
}
