//! A service as the language resolved it for one environment, in the language's own words.
//!
//! Pure data. Its JSON is what a plan compares when it speaks in services, so a field's path
//! (`scale.max`) is what a reviewer reads. Every default is filled in: nothing here is "unset, so
//! whatever the cluster has". Source of the defaults: docs/reference (the node table of the language).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    name::{EnvironmentName, GroupName, PortName, ServiceName, VolumeName},
    quantity::{Cpu, Duration, Memory},
};

/// What a service is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    Web,
    Private,
    Worker,
    Cron,
}

impl ServiceKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Private => "private",
            Self::Worker => "worker",
            Self::Cron => "cron",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceModel {
    /// A container image reference.
    pub image: String,
    /// argv; empty: the image's own command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<String>,
    /// Plans leave the accepted state of the service as it is unless they name it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hold: bool,
    #[serde(default, rename = "run-as", skip_serializing_if = "RunAs::is_default")]
    pub run_as: RunAs,
    pub size: Size,
    /// By key; precedence between groups and the service is already decided.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, Variable>,
    /// `false`: the telemetry agents leave this service alone.
    pub observability: bool,
    /// Services whose outputs this one's variables were resolved from; they must exist with it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refs: BTreeSet<ServiceName>,
    #[serde(flatten)]
    pub workload: Workload,
}

impl ServiceModel {
    pub fn kind(&self) -> ServiceKind {
        match &self.workload {
            Workload::Web(_) => ServiceKind::Web,
            Workload::Private(_) => ServiceKind::Private,
            Workload::Worker(_) => ServiceKind::Worker,
            Workload::Cron(_) => ServiceKind::Cron,
        }
    }
}

/// What only some kinds have; a cron job has no ports, a worker has no route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Workload {
    Web(Web),
    Private(Private),
    Worker(Worker),
    Cron(Cron),
}

/// Serves HTTP to the outside through the Gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Web {
    /// At least one; the first is routed.
    pub ports: Vec<Port>,
    pub health: Health,
    pub scale: Scale,
    pub drain: Drain,
    #[serde(rename = "allow-from")]
    pub allow_from: AllowFrom,
    /// The platform's own host of this service; always routed.
    #[serde(rename = "platform-host")]
    pub platform_host: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Domain>,
    /// Paths that it answers on all of its hosts, by path; empty: everything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, Route>,
    /// By the path that is redirected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redirects: BTreeMap<String, Redirect>,
    #[serde(flatten)]
    pub running: Running,
}

/// Serves its own environment only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Private {
    /// At least one.
    pub ports: Vec<Port>,
    pub health: Health,
    pub scale: Scale,
    pub drain: Drain,
    #[serde(rename = "allow-from")]
    pub allow_from: AllowFrom,
    #[serde(flatten)]
    pub running: Running,
}

/// Runs without being reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worker {
    pub health: Health,
    pub scale: Scale,
    pub drain: Drain,
    #[serde(flatten)]
    pub running: Running,
}

/// What every service has that runs all the time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Running {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<VolumeName, Volume>,
}

/// Runs on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cron {
    /// Five fields, Kubernetes' own grammar.
    pub schedule: String,
    /// An IANA time zone name.
    pub timezone: String,
    pub overlap: Overlap,
    /// Retries of one run after its first failure.
    pub retries: u32,
    /// A run that takes longer is ended.
    pub timeout: Duration,
    /// Finished runs that stay listed.
    pub keep: Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    pub cpu: Cpu,
    pub memory: Memory,
}

/// A variable's value. Secret values never appear: a secret is a name and a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Variable {
    Literal(String),
    Secret {
        secret: String,
        version: u64,
        /// The Var Group that brings it; `None`: the service's own `vars`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupName>,
        /// The environment whose secret it is; `None`: its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<EnvironmentName>,
    },
}

/// The user that a container runs as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunAs {
    /// User and group 10001.
    #[default]
    Default,
    Root,
    /// The one that the image names.
    Image,
    User {
        user: u32,
        group: u32,
    },
}

impl RunAs {
    fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

/// A command that ends before new instances start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// argv; at least the program.
    pub run: Vec<String>,
    /// A release that takes longer has failed.
    pub timeout: Duration,
    /// The try at this very release; more than the first by a person's word alone.
    #[serde(default = "first_attempt", skip_serializing_if = "is_first")]
    pub attempt: u32,
}

impl Release {
    pub const FIRST_ATTEMPT: u32 = 1;
}

/// Where metrics are read with GET.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    pub port: u16,
    pub path: String,
}

/// A disk that outlives the instance; a service with one has one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// An absolute folder of the container.
    pub mount: String,
    /// Bytes, written as amounts of memory are.
    pub size: Memory,
    /// A StorageClass; `None`: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// The path is taken off before the service sees the request.
    #[serde(default, rename = "strip-prefix", skip_serializing_if = "is_false")]
    pub strip_prefix: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redirect {
    /// A path of the same host, or an `http` or `https` URL.
    pub to: String,
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

const fn first_attempt() -> u32 {
    Release::FIRST_ATTEMPT
}

// serde's skip_serializing_if passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_first(attempt: &u32) -> bool {
    *attempt == Release::FIRST_ATTEMPT
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    pub name: PortName,
    pub port: u16,
    pub protocol: Protocol,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Http,
    H2c,
    Grpc,
    Tcp,
}

impl Protocol {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::H2c => "h2c",
            Self::Grpc => "grpc",
            Self::Tcp => "tcp",
        }
    }
}

/// Probes. A worker may have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Probe>,
    /// Liveness restarts a container, so it exists only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Probe>,
    /// Asks until the container has started; `None`: the readiness check is asked instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<Probe>,
    #[serde(rename = "startup-within")]
    pub startup_within: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    #[serde(flatten)]
    pub check: Check,
    pub port: u16,
    pub every: Duration,
    pub timeout: Duration,
    /// Consecutive failures until the probe counts as failed.
    pub failures: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Check {
    Http { path: String },
    Tcp,
    Grpc,
}

/// `min == max`: a fixed number, no autoscaler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scale {
    pub min: u32,
    pub max: u32,
    /// Target utilisation in percent of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Duration>,
}

impl Scale {
    pub const fn fixed(replicas: u32) -> Self {
        Self {
            min: replicas,
            max: replicas,
            cpu: None,
            memory: None,
            cooldown: None,
        }
    }

    pub const fn is_fixed(&self) -> bool {
        self.min == self.max
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drain {
    /// Between leaving the endpoints and TERM.
    #[serde(rename = "before-term")]
    pub before_term: Duration,
    /// Between TERM and KILL.
    pub grace: Duration,
}

/// Who may connect, inside the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AllowFrom {
    /// Every service of the same environment.
    Environment,
    /// These services of the same environment.
    Services(BTreeSet<ServiceName>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Domain {
    pub host: String,
    /// Whether the project has shown that it owns the host; until then it is not routed.
    pub verified: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alias {
    pub host: String,
    pub verified: bool,
    /// Redirects to the domain instead of being served.
    pub redirect: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    Forbid,
    Replace,
    Allow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keep {
    pub succeeded: u32,
    pub failed: u32,
}
