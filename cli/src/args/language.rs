//! The command line of what needs sources alone: checking, formatting, compiling, explaining.
//!
//! Pure data for clap.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use starform_contract::EnvironmentName;

use super::PlanFormat;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// starform.kdl, the folder that holds it, or - for standard input
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Write the fixes into the files: those that are certain, or with --fix=all the probable ones
    /// too; from standard input the fixed text goes to standard output
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "safe"
    )]
    pub(crate) fix: Option<FixLevel>,
    /// Exit 1 on warnings too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: CheckFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FixLevel {
    /// Fixes that do what the author meant
    Safe,
    /// Fixes that a person would decide about, too
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    Human,
    /// One line each: FILE:LINE:COLUMN: error[CODE]: title
    Short,
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Files, or folders that hold a starform.kdl; `-` reads standard input and writes standard output
    #[arg(default_value = ".")]
    pub(crate) path: Vec<PathBuf>,
    /// Write nothing; list the files that would change, and exit 1 if there are any
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing; print what would change, and exit 1 if anything would
    #[arg(long, conflicts_with = "check")]
    pub(crate) diff: bool,
    /// Convert files of KDL version 1 to version 2 first; others stay as they are
    #[arg(long)]
    pub(crate) migrate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// starform.kdl, or the folder that holds it
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The environment
    #[arg(long, value_name = "ENV")]
    pub(crate) env: EnvironmentName,
    /// The cluster's profile (JSON); default: a profile with every default
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(flatten)]
    pub(crate) compile: CompileArgs,
    /// Print where each value comes from instead: service, path, layer and FILE:LINE:COLUMN
    #[arg(long)]
    pub(crate) origins: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code (SF2004), a node (health), or a value of a project (api.scale.max); without it, all codes
    #[arg(value_name = "CODE | NODE | VALUE")]
    pub(crate) subject: Option<String>,
    /// The project of the value: starform.kdl, or the folder that holds it
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Only in this environment (default: all, those alike together)
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<EnvironmentName>,
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Print what the language knows about a node; without a name, list all of them
    Node {
        name: Option<String>,
        /// With json: every row of the node table, or those of the name
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// Print a JSON Schema (draft 2020-12) of the JSON form that `schema document` prints
    JsonSchema,
    /// Print a file in its JSON form (KDL-in-JSON 1.0.0)
    Document {
        /// starform.kdl, the folder that holds it, an included file, or - for standard input
        #[arg(default_value = ".")]
        path: PathBuf,
    },
}
