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
    older::{DiffArgs, OnePlace, RollbackArgs, TellArgs},
    planning::{
        ApplyArgs, ApplyFormat, ApproveArgs, PlanArgs, PlanFormat, PlanOptions, ShowArgs,
        StatusArgs, ViewFormat, ViewOptions,
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
    #[command(after_help = "Example: starform check --fix")]
    Check(CheckArgs),
    /// Write files in the one style: every comment and value stays, broken lines are left alone
    ///
    /// A `project` that does not say which contract it is written for gets `contract=1`.
    #[command(after_help = "Example: starform fmt --check")]
    Fmt(FmtArgs),
    /// Print the desired-state bundle of one environment as JSON
    #[command(after_help = "Example: starform compile --env production")]
    Compile(BundleArgs),
    /// Print the Kubernetes objects of one environment as YAML
    #[command(after_help = "Example: starform render --env production | kubectl diff -f -")]
    Render(CompileArgs),
    /// Run the language server, over standard input and output
    #[command(after_help = "Example: starform lsp")]
    Lsp,
    /// Explain a diagnostic's code, a node of the language, or where a value comes from
    #[command(after_help = "Example: starform explain SF2004")]
    Explain(ExplainArgs),
    /// The language as data: its nodes, and a JSON Schema
    #[command(after_help = "Example: starform schema node web")]
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Show what would change
    #[command(after_help = "Example: starform plan --env production --exit-code")]
    Plan(PlanArgs),
    /// Show a stored plan, or a plan file
    #[command(after_help = "Example: starform show 171bbb3c4331 --full")]
    Show(ShowArgs),
    /// Make a plan's result the desired state and watch it converge
    #[command(after_help = "Example: starform apply --env production --wait 5m")]
    Apply(ApplyArgs),
    /// Approve what a plan does to a protected environment; somebody else applies it
    #[command(after_help = "Example: starform approve 171bbb3c4331")]
    Approve(ApproveArgs),
    /// Show what is accepted and how it does
    #[command(after_help = "Example: starform status --env production")]
    Status(StatusArgs),
    /// Compare the cluster with what is accepted, over the fields that are Starform's
    #[command(after_help = "Example: starform drift --env production")]
    Drift(TellArgs),
    /// List the generations of an environment
    #[command(after_help = "Example: starform history --env production")]
    History(TellArgs),
    /// Show what lies between two generations of an environment
    #[command(after_help = "Example: starform diff --env production 41 44")]
    Diff(DiffArgs),
    /// Make an environment what an older generation was: a plan, shown and applied
    #[command(after_help = "Example: starform rollback --env production --to 41")]
    Rollback(RollbackArgs),
    /// Run the control plane: API and store
    #[command(after_help = "Example: starform serve --listen 127.0.0.1:8080")]
    Serve(ServeArgs),
    /// Workspaces of a control plane
    #[command(after_help = "Example: starform workspace create acme")]
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Clusters of a control plane
    #[command(after_help = "Example: starform cluster register eu1 --agent-file agent.json")]
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Environments of a project
    #[command(after_help = "Example: starform environment delete staging")]
    #[command(subcommand)]
    Environment(EnvironmentCommand),
    /// Projects of a control plane; `delete` works on the current kubeconfig context too
    #[command(after_help = "Example: starform project create shop --cluster eu1")]
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Tokens of a control plane
    #[command(after_help = "Example: starform token create --kind ci --project shop --expires 90d")]
    #[command(subcommand)]
    Token(TokenCommand),
    /// Secrets: values go in, names and versions come out
    #[command(after_help = "Example: starform secret set api-token --env production < token.txt")]
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Print what a shell needs to complete commands and options
    #[command(after_help = "Example: starform completions zsh > ~/.zfunc/_starform")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write a manual page for each command
    #[command(after_help = "Example: starform man --out /usr/local/share/man/man1")]
    Man {
        /// The folder to write to; it is made where it is missing
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}
