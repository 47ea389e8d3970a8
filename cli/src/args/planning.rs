//! The command line of plans: making, showing and applying them, and how what was applied does.
//!
//! Pure data for clap.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use starform_contract::{EnvironmentName, ObjectKey, ProjectName, ServiceName, quantity::Duration};

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlanOptions {
    /// An environment; several times for several (default: all)
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Vec<EnvironmentName>,
    /// Use this image for a service
    #[arg(long, value_name = "SERVICE=REF", value_parser = image)]
    pub(crate) image: Vec<(ServiceName, String)>,
    /// Only this service; the others keep their accepted state
    #[arg(long, value_name = "SERVICE")]
    pub(crate) service: Vec<ServiceName>,
    /// Take over an existing object: GROUP/KIND/NAMESPACE/NAME
    #[arg(long, value_name = "KEY")]
    pub(crate) adopt: Vec<ObjectKey>,
    /// The source revision to record, such as a commit
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// The cluster's profile (JSON), when no --server is given; remembered by apply
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// The project on the control plane (default: the name in the file)
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<ProjectName>,
    /// How long to wait for what the cluster itself says of the plan; 0 does not wait
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = verify_wait)]
    pub(crate) verify_wait: std::time::Duration,
    /// What `apply --resume` tries once more.
    #[arg(skip)]
    pub(crate) again: BTreeMap<EnvironmentName, BTreeSet<ServiceName>>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// starform.kdl, or the folder that holds it
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    /// Write the plan and its result to a file that `starform apply FILE` takes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) view: ViewOptions,
    /// Exit 2 when there are changes, 0 when there are none
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    Human,
    Json,
}

/// How plans are shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct ViewOptions {
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: ViewFormat,
    /// Print every changed field of every object (human)
    #[arg(long)]
    pub(crate) full: bool,
    /// The most characters that the text may have; it says less until it fits (markdown)
    #[arg(long, value_name = "CHARACTERS", default_value_t = 60_000)]
    pub(crate) budget: usize,
    /// Where the whole plan is to be seen (markdown)
    #[arg(long, value_name = "URL")]
    pub(crate) link: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ViewFormat {
    Human,
    Json,
    /// One comment for a forge
    Markdown,
    /// One page, to open in a browser
    Html,
    /// The findings, for code hosts and editors
    Sarif,
    /// Annotations, and the job summary where GITHUB_STEP_SUMMARY names a file
    Github,
    /// One event a line
    Ndjson,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A plan's id (sha256:…), or a plan file
    pub(crate) plan: String,
    #[command(flatten)]
    pub(crate) view: ViewOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A plan's id (sha256:…), a plan file, or a project to plan first (starform.kdl or its folder)
    #[arg(default_value = ".", value_name = "PLAN_ID | FILE | PATH")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Try the releases of failed services once more
    #[arg(long)]
    pub(crate) resume: bool,
    /// How long to watch before giving up watching; the apply itself goes on
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) wait: Duration,
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: ApplyFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ApplyFormat {
    Human,
    /// One event a line, on standard output
    Ndjson,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The plan's id (sha256:…), or its first digits
    #[arg(value_name = "PLAN_ID")]
    pub(crate) plan: String,
    /// Do not ask: you have seen the plan
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// starform.kdl, or the folder that holds it
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// An environment; several times for several (default: all)
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Vec<EnvironmentName>,
    /// The project (default: the name in the file)
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<ProjectName>,
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlanFormat,
}

fn verify_wait(text: &str) -> Result<std::time::Duration, String> {
    if text == "0" {
        return Ok(std::time::Duration::ZERO);
    }
    let duration: Duration = text
        .parse()
        .map_err(|error: starform_contract::quantity::InvalidAmount| error.to_string())?;
    Ok(std::time::Duration::from_secs(duration.as_secs().into()))
}

fn image(text: &str) -> Result<(ServiceName, String), String> {
    let (service, image) = text
        .split_once('=')
        .filter(|(_, image)| !image.is_empty())
        .ok_or("write SERVICE=REF, such as api=ghcr.io/acme/api:1.4")?;
    let service = service.parse().map_err(|error| format!("{error}"))?;
    Ok((service, image.to_owned()))
}
