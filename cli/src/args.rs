//! The command line: every command, option and its help text.
//!
//! Pure data for clap. Always holds: a usage error exits 1, because 2 means "there are changes".

mod language;
mod older;
mod planning;
mod removal;
mod secret;
mod server;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::{
    language::{
        BundleArgs, CheckArgs, CheckFormat, CompileArgs, ExplainArgs, FixLevel, FmtArgs,
        SchemaCommand,
    },
    older::{DiffArgs, HistoryArgs, OnePlace, RollbackArgs},
    planning::{
        ApplyArgs, ApproveArgs, PlanArgs, PlanFormat, PlanOptions, ShowArgs, StatusArgs,
        ViewFormat, ViewOptions,
    },
    removal::{EnvironmentCommand, RemovalOptions},
    secret::{SecretCommand, SecretPlace},
    server::{
        ClusterCommand, ProjectCommand, ServeArgs, TokenCommand, TokenKind, WorkspaceCommand,
    },
};

/// Declare a project in starform.kdl, see every change as a plan, apply it.
#[derive(Parser)]
#[command(name = "starform", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The control plane's URL; without one, the commands work on the current kubeconfig context
    #[arg(long, global = true, env = "STARFORM_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A file that holds the token for --server (or set STARFORM_TOKEN)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Kubeconfig file, when no --server is given
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// When to colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Report every error of a project, with its place and the next step
    Check(CheckArgs),
    /// Write files in the one style: every comment and value stays, broken lines are left alone
    ///
    /// A `project` that does not say which contract it is written for gets `contract=1`.
    Fmt(FmtArgs),
    /// Print the desired-state bundle of one environment as JSON
    Compile(BundleArgs),
    /// Print the Kubernetes objects of one environment as YAML
    Render(CompileArgs),
    /// Run the language server, over standard input and output
    Lsp,
    /// Explain a diagnostic's code, a node of the language, or where a value comes from
    Explain(ExplainArgs),
    /// The language as data: its nodes, and a JSON Schema
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Show what would change
    Plan(PlanArgs),
    /// Show a stored plan, or a plan file
    Show(ShowArgs),
    /// Make a plan's result the desired state and watch it converge
    Apply(ApplyArgs),
    /// Approve what a plan does to a protected environment; somebody else applies it
    Approve(ApproveArgs),
    /// Show what is accepted and how it does
    Status(StatusArgs),
    /// List the generations of an environment
    History(HistoryArgs),
    /// Show what lies between two generations of an environment
    Diff(DiffArgs),
    /// Make an environment what an older generation was: a plan, shown and applied
    Rollback(RollbackArgs),
    /// Run the control plane: API and store
    Serve(ServeArgs),
    /// Workspaces of a control plane
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Clusters of a control plane
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Environments of a project
    #[command(subcommand)]
    Environment(EnvironmentCommand),
    /// Projects of a control plane; `delete` works on the current kubeconfig context too
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Tokens of a control plane
    #[command(subcommand)]
    Token(TokenCommand),
    /// Secrets: values go in, names and versions come out
    #[command(subcommand)]
    Secret(SecretCommand),
}
