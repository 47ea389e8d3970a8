//! Command line and agent file of `starform-shuttle`.
//!
//! Effects: reads the agent file. Always holds: an agent file that others may read is refused, for it
//! holds a token. Read on in `run.rs`.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use serde::Deserialize;
use starform_contract::{
    ClusterId, ClusterProfile,
    profile::InvalidProfile,
    sealed::AgentPublicKey,
    signature::{NotAKey, TrustedKey, key_lines},
};

use crate::surface::Listen;

#[derive(Debug, Parser)]
#[command(
    name = "starform-shuttle",
    version,
    about = "Makes a cluster match its desired state"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a desired state until stopped.
    Run(Run),
    /// Write desired state and sealed values of a control plane to a folder, to be carried to a cluster
    /// that cannot reach it.
    Export(Export),
    /// Print the public key that values for a cluster are sealed to; made on first use.
    Key(Key),
    /// Print what has to stand in a cluster before an agent runs there: namespace, rights, policies.
    Manifests(Manifests),
}

#[derive(Debug, Args)]
pub struct Manifests {
    /// The cluster's profile (cluster.json), where it is not the default one.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Export {
    /// What `starform cluster register --agent-file` wrote for the cluster.
    #[arg(long, value_name = "FILE")]
    pub agent_file: PathBuf,
    /// What `starform-shuttle key` printed for the cluster; the control plane keeps it.
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<AgentPublicKey>,
    /// The folder; what it holds of an earlier export is replaced.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Key {
    /// The cluster; default: KUBECONFIG, then the cluster around us.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub desired: DesiredFrom,
    /// The cluster; default: KUBECONFIG, then the cluster around us.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// With --desired-state: the keys of whom its index.json must be signed by.
    #[arg(long, value_name = "FILE", requires = "desired_state")]
    pub trust: Option<PathBuf>,
    /// How often to ask for desired state where the control plane does not hold a poll open.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = interval)]
    pub interval: Duration,
    /// Apply what is desired now, then stop: exit 0 converged, 5 some failed.
    #[arg(long)]
    pub once: bool,
    /// Where /metrics, /healthz and /readyz are served; `:9810` is every address of the machine. Not with --once.
    #[arg(long, value_name = "ADDRESS", default_value = ":9810")]
    pub listen: Listen,
    /// Log lines as JSON.
    #[arg(long)]
    pub log_json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct DesiredFrom {
    /// What `starform cluster register --agent-file` wrote.
    #[arg(long, value_name = "FILE")]
    pub agent_file: Option<PathBuf>,
    /// A folder with index.json, bundles/<digest>.json and sealed.json instead of a control plane.
    #[arg(long, value_name = "DIR")]
    pub desired_state: Option<PathBuf>,
}

/// Public keys, one `id:base64` a line; empty lines and those that begin with `#` are left out.
///
/// # Errors
/// [`TrustFileError`] when the file cannot be read, or holds no key.
pub fn trust_file(path: &Path) -> Result<Vec<TrustedKey>, TrustFileError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| TrustFileError::Read {
        path: name.clone(),
        source,
    })?;
    let keys: Vec<TrustedKey> = key_lines(&text)
        .map(|(line, key)| {
            key.map_err(|reason| TrustFileError::Line {
                path: name.clone(),
                line,
                reason,
            })
        })
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(TrustFileError::Empty { path: name });
    }
    Ok(keys)
}

/// The operator's word about the cluster; without a file, the defaults.
///
/// # Errors
/// [`ProfileFileError`] when the file cannot be read or is no profile.
pub fn profile(path: Option<&Path>) -> Result<ClusterProfile, ProfileFileError> {
    let Some(path) = path else {
        return Ok(ClusterProfile::default());
    };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ProfileFileError::Read {
        path: name.clone(),
        source,
    })?;
    ClusterProfile::read(&text).map_err(|reason| ProfileFileError::Form { path: name, reason })
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileFileError {
    #[error("cannot read the profile {path}: {source}; check --profile")]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error("{path} is no cluster profile:\n{reason}")]
    Form {
        path: String,
        reason: InvalidProfile,
    },
}

/// What an agent needs to speak to its control plane.
#[derive(Clone, Deserialize)]
pub struct AgentFile {
    /// URL of the control plane.
    pub server: String,
    pub cluster_id: ClusterId,
    pub token: String,
    /// Whose signatures on desired state are believed; at least one.
    #[serde(default)]
    pub trusted_keys: Vec<TrustedKey>,
}

#[derive(Debug, thiserror::Error)]
pub enum AgentFileError {
    #[error(
        "cannot read the agent file {path}: {source}; `starform cluster register NAME --agent-file {path}` writes one"
    )]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error(
        "others may read the agent file {path} (mode {mode:o}), and it holds a token; run `chmod 600 {path}`"
    )]
    Open { path: String, mode: u32 },
    #[error(
        "the agent file {path} is not one: {why}; `starform cluster register NAME --agent-file FILE` writes one"
    )]
    Form { path: String, why: String },
}

#[derive(Debug, thiserror::Error)]
pub enum TrustFileError {
    #[error("cannot read the trusted keys in {path}: {source}; check --trust")]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error("{path}, line {line}: {reason}")]
    Line {
        path: String,
        line: usize,
        reason: NotAKey,
    },
    #[error("{path} holds no key; one is `id:base64`, as `starform cluster trust` shows them")]
    Empty { path: String },
}

impl AgentFile {
    /// # Errors
    /// [`AgentFileError`] when it cannot be read, is readable by others, or is not of its form.
    pub fn read(path: &Path) -> Result<Self, AgentFileError> {
        let name = path.display().to_string();
        let failed = |source| AgentFileError::Read {
            path: name.clone(),
            source,
        };
        if let Some(mode) = mode_if_open(path).map_err(failed)? {
            return Err(AgentFileError::Open { path: name, mode });
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        // serde's message may quote the text, and the text holds the token: only the place is told.
        let file: Self = serde_json::from_str(&text).map_err(|error| AgentFileError::Form {
            path: name.clone(),
            why: format!("line {}, column {}", error.line(), error.column()),
        })?;
        file.check()
            .map_err(|why| AgentFileError::Form { path: name, why })?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        let url = self.server.starts_with("http://") || self.server.starts_with("https://");
        if !url {
            return Err(format!("server `{}` is no http or https URL", self.server));
        }
        if self.trusted_keys.is_empty() {
            return Err("trusted_keys is empty; `starform cluster trust --agent-file FILE` writes those of the control plane".to_owned());
        }
        Ok(())
    }
}

impl fmt::Debug for AgentFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentFile")
            .field("server", &self.server)
            .field("cluster_id", &self.cluster_id)
            .finish_non_exhaustive()
    }
}

/// The mode of a file that others than we may read.
#[cfg(unix)]
pub(crate) fn mode_if_open(path: &Path) -> std::io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::metadata(path)?;
    // Where it cannot be told who we are, the stricter rule holds.
    let we = std::fs::metadata("/proc/self").ok().map(|own| own.uid());
    let mode = file.mode() & 0o777;
    Ok(is_open(mode, file.uid(), we).then_some(mode))
}

#[cfg(not(unix))]
pub(crate) fn mode_if_open(path: &Path) -> std::io::Result<Option<u32>> {
    std::fs::metadata(path).map(|_| None)
}

/// Our own is ours alone. What root owns, its group may read: so a Secret is mounted for a process that is
/// not root (`fsGroup`), and root alone chose the group. PostgreSQL's rule for its keys.
fn is_open(mode: u32, owner: u32, we: Option<u32>) -> bool {
    let lent = owner == 0 && we.is_some_and(|we| we != 0);
    mode & if lent { 0o037 } else { 0o077 } != 0
}

/// `30s`, `2m`, `500ms`.
fn interval(text: &str) -> Result<Duration, String> {
    if let Some(millis) = text
        .strip_suffix("ms")
        .and_then(|number| number.parse().ok())
    {
        return Ok(Duration::from_millis(millis)).and_then(positive);
    }
    let duration: starform_contract::quantity::Duration = text
        .parse()
        .map_err(|error: starform_contract::quantity::InvalidAmount| error.to_string())?;
    positive(Duration::from_secs(u64::from(duration.as_secs())))
}

fn positive(duration: Duration) -> Result<Duration, String> {
    if duration.is_zero() {
        Err("it must be above zero".to_owned())
    } else {
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_root_lends_to_our_group_is_not_open() {
        for (mode, owner, we, open) in [
            (0o600, 7, Some(7), false),
            (0o640, 7, Some(7), true),
            (0o640, 0, Some(0), true),
            (0o440, 0, Some(7), false),
            (0o640, 0, Some(7), false),
            (0o640, 0, None, true),
            (0o660, 0, Some(7), true),
            (0o644, 0, Some(7), true),
        ] {
            assert_eq!(is_open(mode, owner, we), open, "{mode:o} {owner} {we:?}");
        }
    }

    #[test]
    fn one_source_of_desired_state_is_needed() {
        let parse = |words: &[&str]| Cli::try_parse_from(words);
        assert!(parse(&["starform-shuttle", "run"]).is_err());
        assert!(
            parse(&[
                "starform-shuttle",
                "run",
                "--agent-file",
                "a",
                "--desired-state",
                "d"
            ])
            .is_err()
        );
        let Command::Run(run) = parse(&[
            "starform-shuttle",
            "run",
            "--agent-file",
            "a",
            "--interval",
            "500ms",
        ])
        .unwrap()
        .command
        else {
            panic!("it is `run`");
        };
        assert_eq!(run.interval, Duration::from_millis(500));
        assert!(
            parse(&[
                "starform-shuttle",
                "run",
                "--agent-file",
                "a",
                "--interval",
                "0s"
            ])
            .is_err()
        );
    }

    #[cfg(unix)]
    #[test]
    fn an_agent_file_is_private_and_its_errors_hide_the_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.json");
        let write = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let good = r#"{"server":"http://127.0.0.1:1","cluster_id":"6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00","token":"sf_cluster_x","trusted_keys":["k:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]}"#;
        write(good, 0o600);
        assert!(!format!("{:?}", AgentFile::read(&path).unwrap()).contains("sf_cluster_x"));
        write(good, 0o644);
        let open = AgentFile::read(&path).unwrap_err().to_string();
        assert!(open.contains("chmod 600"), "{open}");
        write(
            &good.replace("k:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "k:short"),
            0o600,
        );
        assert!(AgentFile::read(&path).is_err());
        write(
            &good.replace("\"k:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"", ""),
            0o600,
        );
        let trustless = AgentFile::read(&path).unwrap_err().to_string();
        assert!(trustless.contains("cluster trust"), "{trustless}");
        write(r#"{"server":"x","cluster_id":"sf_cluster_x"}"#, 0o600);
        let form = AgentFile::read(&path).unwrap_err().to_string();
        assert!(!form.contains("sf_cluster_x"), "{form}");
    }
}
