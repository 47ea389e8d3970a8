//! The command line: every command, option and its help text.
//!
//! Pure data for clap. Always holds: a usage error exits 1, because 2 means "there are changes".

mod removal;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use starform_contract::{
    EnvironmentName, ObjectKey, ProjectName, SecretName, ServiceName, quantity::Duration,
};
use starform_reconciler::store::DatabaseUrl;

pub(crate) use self::removal::{EnvironmentCommand, RemovalOptions};

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
    /// Show what is accepted and how it does
    Status(StatusArgs),
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
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlanFormat,
    /// Print every changed field of every object
    #[arg(long)]
    pub(crate) full: bool,
    /// Exit 2 when there are changes, 0 when there are none
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A plan's id (sha256:…), or a plan file
    pub(crate) plan: String,
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: PlanFormat,
    /// Print every changed field of every object
    #[arg(long)]
    pub(crate) full: bool,
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

// No Debug: the database's URL may hold a password.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
    /// sqlite://FILE or postgres://USER@HOST/NAME
    #[arg(
        long,
        default_value = "sqlite://starform.db",
        env = "STARFORM_DATABASE",
        value_name = "URL"
    )]
    pub(crate) database: DatabaseUrl,
    /// Holds the administrator's token; made (mode 0600) where it is missing
    #[arg(long, default_value = "starform-admin-token", value_name = "FILE")]
    pub(crate) admin_token_file: PathBuf,
    /// Holds the keys that sign desired state, `id:base64` of 32 bytes a line, the first signs; made
    /// (mode 0600) where it is missing
    #[arg(long, default_value = "starform-signing-keys", value_name = "FILE")]
    pub(crate) signing_key_file: PathBuf,
    /// Holds the keys that secrets are stored under, `id:base64` of 32 bytes a line, the first is used
    /// for what is new; made (mode 0600) where it is missing and no secret is stored
    #[arg(long, default_value = "starform-secrets-keys", value_name = "FILE")]
    pub(crate) secrets_key_file: PathBuf,
    /// Logs as JSON, one object a line
    #[arg(long)]
    pub(crate) log_json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// Create a workspace; prints its id
    Create {
        name: String,
        #[arg(long, default_value = "standard")]
        tier: String,
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// List workspaces
    List {
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Register a cluster; prints its id and writes what its agent needs
    Register {
        name: String,
        /// Where to write server, cluster id and token for `starform-shuttle` (mode 0600)
        #[arg(long, value_name = "FILE")]
        agent_file: PathBuf,
        /// The cluster's profile (JSON)
        #[arg(long, value_name = "FILE")]
        profile: Option<PathBuf>,
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// Change a cluster's profile, or the size of its load balancer
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
    Set {
        name: String,
        /// The profile (JSON); takes effect with the next plan of each project
        #[arg(long, value_name = "FILE", group = "change")]
        profile: Option<PathBuf>,
        /// How many units large the load balancer of the profile is; 0: Starform no longer says
        #[arg(long, value_name = "N", group = "change", value_parser = clap::value_parser!(u32).range(0..=1000))]
        lb_size_units: Option<u32>,
    },
    /// Show a cluster and its profile
    Show {
        name: String,
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// Bring the keys that sign desired state into an agent's file, or print them
    Trust {
        /// What `cluster register` wrote; its other contents stay
        #[arg(long, value_name = "FILE")]
        agent_file: Option<PathBuf>,
    },
    /// After the store was restored from a backup: go on after what the cluster's agent has
    ResetGeneration {
        name: String,
        /// That what the store holds now is right
        #[arg(long, required = true)]
        confirm: bool,
    },
    /// After an agent's key was lost or made anew on purpose: take the key that it posts next
    ForgetKey {
        name: String,
        /// That whoever runs as the cluster's agent next may read its secrets
        #[arg(long, required = true)]
        confirm: bool,
    },
    /// List clusters
    List {
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Create a project on a cluster; prints its id
    Create {
        name: ProjectName,
        /// The cluster it is pinned to
        #[arg(long)]
        cluster: String,
        /// The workspace that owns it
        #[arg(long)]
        workspace: Option<String>,
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// Delete a project with all its environments: the plans list what goes; the Namespace goes last,
    /// and volumes stay unless they are named
    Delete {
        name: ProjectName,
        #[command(flatten)]
        removal: RemovalOptions,
    },
    /// List projects
    List {
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token; prints it once
    Create {
        #[arg(long, default_value = "ci")]
        kind: TokenKind,
        /// The project it may plan and apply
        #[arg(long)]
        project: ProjectName,
        /// An environment it may change; several times for several (default: all)
        #[arg(long, value_name = "ENV")]
        environment: Vec<EnvironmentName>,
        /// How long it is valid
        #[arg(long, default_value = "90d")]
        expires: Duration,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Keep a new value: from standard input (one newline at its end is left out), or asked for
    Set {
        /// As `(secret)NAME` in starform.kdl
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
    /// Instead: a cluster of the control plane, for what its operator gives all projects
    #[arg(long, value_name = "NAME", conflicts_with_all = ["env", "project"])]
    pub(crate) cluster: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenKind {
    Ci,
}

fn image(text: &str) -> Result<(ServiceName, String), String> {
    let (service, image) = text
        .split_once('=')
        .filter(|(_, image)| !image.is_empty())
        .ok_or("write SERVICE=REF, such as api=ghcr.io/acme/api:1.4")?;
    let service = service.parse().map_err(|error| format!("{error}"))?;
    Ok((service, image.to_owned()))
}
