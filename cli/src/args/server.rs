//! The command line of a control plane: running one, and what its operator registers there.
//!
//! Pure data for clap.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use starform_contract::{EnvironmentName, ProjectName, quantity::Duration};
use starform_reconciler::{access::Role, name::ResourceName, proof::DnsServer, store::DatabaseUrl};

use super::{PlanFormat, RemovalOptions};

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
    /// Asked for the records that show whose a host is (default: the servers of /etc/resolv.conf)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) dns_server: Option<DnsServer>,
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
        /// Those that were deleted too
        #[arg(long)]
        all: bool,
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
        /// For kind user: who it is for
        #[arg(long, value_name = "NAME", required_if_eq("kind", "user"))]
        person: Option<ResourceName>,
        /// For kind user: what they may do in the project, admin, developer or viewer
        #[arg(long, required_if_eq("kind", "user"))]
        role: Option<Role>,
        /// The project it is for
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenKind {
    /// A pipeline: plans and applies
    Ci,
    /// A person: by their role
    User,
}
