//! `starform cluster …`: clusters of a control plane, and what their agents need.
//!
//! Effects: HTTP, prints, writes agent files. Always holds: an agent's token is written once, into a
//! file of mode 0600, and never told in an error; an agent file is changed as a whole or not at all.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;
use starform_contract::{ClusterId, signature::TrustedKey, spelling::instead};
use starform_reconciler::api::body;

use super::{
    admin::{answer, list, remote},
    compile::profile,
    print,
};
use crate::{
    args::{ClusterCommand, Global},
    exit::Exit,
    remote::{Remote, failure},
    rewrite::rewrite,
};

/// The size stays with the cluster for a profile that names one again.
const NO_LOAD_BALANCER: &str = "not kept, the profile names no load balancer";

/// What `starform-shuttle run --agent-file` reads.
#[derive(Serialize)]
struct AgentFile<'a> {
    server: &'a str,
    cluster_id: ClusterId,
    token: &'a str,
    trusted_keys: &'a [TrustedKey],
}

pub(crate) async fn run(command: ClusterCommand, global: &Global) -> anyhow::Result<Exit> {
    let remote = remote(global)?;
    match command {
        ClusterCommand::Register {
            name,
            agent_file,
            profile: file,
            format,
        } => {
            let body = body::RegisterCluster {
                name: name.parse()?,
                profile: profile(file.as_deref())?,
            };
            let cluster = register(&remote, &body, &agent_file).await?;
            answer(format, &cluster, &cluster.id.to_string());
        }
        ClusterCommand::Set {
            name,
            profile: file,
            lb_size_units,
        } => {
            let id = cluster(&remote, &name).await?.id;
            let change = body::ChangeCluster {
                profile: file
                    .as_deref()
                    .map(|file| profile(Some(file)))
                    .transpose()?,
                lb_size_units,
            };
            set(&remote, &name, id, &change).await?;
        }
        ClusterCommand::Show { name, format } => {
            let cluster = cluster(&remote, &name).await?;
            let profile = serde_json::to_string_pretty(&cluster.profile)?;
            answer(format, &cluster, &format!("{}\n{profile}", line(&cluster)));
        }
        ClusterCommand::Trust { agent_file } => {
            let keys: body::SigningKeys = remote.get("/v1/signing-keys").await.map_err(failure)?;
            match agent_file {
                Some(path) => trust(&path, &keys.trusted_keys)?,
                None => keys
                    .trusted_keys
                    .iter()
                    .for_each(|key| print(&format!("{key}\n"))),
            }
        }
        ClusterCommand::ResetGeneration { name, confirm: _ } => {
            let id = cluster(&remote, &name).await?.id;
            let path = format!("/v1/clusters/{id}/reset-generation");
            let made: body::ResetGeneration =
                remote.post(&path, &Value::Null).await.map_err(failure)?;
            say!(
                "the agent of `{name}` has generation {}; what the store holds is now generation {}",
                made.agent,
                made.generation
            );
        }
        ClusterCommand::ForgetKey { name, confirm: _ } => forget_key(&remote, &name).await?,
        ClusterCommand::List { format } => {
            let all: body::Items<body::Cluster> =
                remote.get("/v1/clusters").await.map_err(failure)?;
            list(format, &all, all.items.iter().map(line));
        }
    }
    Ok(Exit::Success)
}

async fn forget_key(remote: &Remote, name: &str) -> anyhow::Result<()> {
    let id = cluster_id(remote, name).await?;
    let path = format!("/v1/clusters/{id}/key");
    remote.delete(&path).await.map_err(failure)?;
    say!("the agent of `{name}` posts its key again when it next needs a secret or starts");
    Ok(())
}

pub(super) async fn cluster_id(remote: &Remote, name: &str) -> anyhow::Result<ClusterId> {
    Ok(cluster(remote, name).await?.id)
}

async fn cluster(remote: &Remote, name: &str) -> anyhow::Result<body::Cluster> {
    let all: body::Items<body::Cluster> = remote.get("/v1/clusters").await.map_err(failure)?;
    let names: Vec<&str> = all.items.iter().map(|item| item.name.as_str()).collect();
    let unknown = format!("there is no cluster `{name}`; {}", instead(name, &names));
    let mut all = all.items.into_iter();
    all.find(|cluster| cluster.name.as_str() == name)
        .context(unknown)
}

async fn set(
    remote: &Remote,
    name: &str,
    id: ClusterId,
    change: &body::ChangeCluster,
) -> anyhow::Result<()> {
    let path = format!("/v1/clusters/{id}/settings");
    let now: body::Cluster = remote.patch(&path, change).await.map_err(failure)?;
    if change.profile.is_some() {
        say!("the profile of `{name}` is set; it takes effect with the next plan of each project");
        if let (Some(units), None) = (now.lb_size_units, &now.profile.gateway.load_balancer) {
            say!(
                "the load balancer's size of {units} units is {NO_LOAD_BALANCER}; `--lb-size-units 0` forgets it"
            );
        }
    }
    match change.lb_size_units {
        None => {}
        Some(0) => {
            say!("the load balancer of `{name}` stays as it is; Starform no longer sizes it")
        }
        Some(units) => say!(
            "the load balancer of `{name}` is to have {units} units; `starform cluster show {name}` tells when its agent has seen to it"
        ),
    }
    Ok(())
}

fn create_private(path: &Path) -> anyhow::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| {
        format!(
            "cannot create the agent file `{}`; an existing one is not replaced",
            path.display()
        )
    })
}

/// Makes the cluster and the file of its agent.
async fn register(
    remote: &Remote,
    body: &body::RegisterCluster,
    agent_file: &Path,
) -> anyhow::Result<body::Cluster> {
    // Before the cluster exists: a file that cannot be written must not cost a registration.
    let mut out = create_private(agent_file)?;
    let made: Result<body::RegisteredCluster, _> = remote.post("/v1/clusters", body).await;
    let made = made
        .inspect_err(|_| drop(std::fs::remove_file(agent_file)))
        .map_err(failure)?;
    let file = AgentFile {
        server: remote.server(),
        cluster_id: made.cluster.id,
        token: &made.agent_token,
        trusted_keys: &made.trusted_keys,
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&file)?)?;
    let name = agent_file.display();
    say!("wrote {name}; start the agent with `starform-shuttle run --agent-file {name}`");
    Ok(made.cluster)
}

fn line(cluster: &body::Cluster) -> String {
    let mut line = format!(
        "{}  {}  generation {}",
        cluster.id, cluster.name, cluster.generation
    );
    if let Some(generation) = cluster.agent.generation {
        line += &format!("  agent at {generation}");
    }
    if let Some(units) = cluster.lb_size_units {
        line += &format!("  load balancer of {units} units: {}", size_stands(cluster));
    }
    if let Some(word) = &cluster.agent.refuses {
        line += &format!("  AGENT REFUSES: {word}");
    }
    line
}

/// What the agent said of another size, or of one that is no longer in its index, is not repeated.
fn size_stands(cluster: &body::Cluster) -> &str {
    let agent = &cluster.agent;
    if cluster.profile.gateway.load_balancer.is_none() {
        return NO_LOAD_BALANCER;
    }
    let seen = agent.generation.is_some_and(|at| at >= cluster.generation);
    let word = agent.annotations.as_deref().filter(|_| seen);
    word.unwrap_or("not yet seen")
}

/// Puts `keys` in place of those that the agent file has.
fn trust(path: &Path, keys: &[TrustedKey]) -> anyhow::Result<()> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
    // serde's message may quote the text, and the text holds the token.
    let mut file: Value = serde_json::from_str(&text)
        .ok()
        .filter(|file: &Value| file.get("cluster_id").is_some())
        .with_context(|| {
            format!("`{name}` is no agent file; `starform cluster register` writes one")
        })?;
    file["trusted_keys"] = serde_json::to_value(keys)?;
    let new = format!("{}\n", serde_json::to_string_pretty(&file)?);
    rewrite(path, &text, &new)?;
    let ids: Vec<&str> = keys.iter().map(TrustedKey::id).collect();
    say!(
        "{name} trusts {}; an agent that runs reads it by itself",
        ids.join(", ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Of a cluster at generation 4.
    fn told(profile: &Value, agent: &Value) -> String {
        let cluster = json!({
            "id": "0a1b2c3d-0000-4000-8000-000000000001",
            "name": "prod",
            "generation": 4,
            "profile": profile,
            "created_at": "2026-01-02T03:04:05.000Z",
            "lb_size_units": 2,
            "agent": agent,
        });
        line(&serde_json::from_value(cluster).unwrap())
    }

    #[test]
    fn the_size_of_the_load_balancer_is_told_as_it_stands() {
        let gateway = json!({ "name": "gw", "namespace": "gws" });
        let without = json!({ "gateway": gateway });
        let mut with = without.clone();
        with["gateway"]["load_balancer"] = json!({ "service": "lb" });
        let set = json!({ "generation": 4, "annotations": "set" });
        assert!(told(&with, &set).ends_with("of 2 units: set"));
        // The agent has nothing to tell, and never will.
        let silent = json!({ "generation": 4 });
        assert!(
            told(&without, &silent)
                .ends_with("of 2 units: not kept, the profile names no load balancer")
        );
        assert!(told(&with, &silent).ends_with("of 2 units: not yet seen"));
        // It speaks of the size before.
        let before = json!({ "generation": 3, "annotations": "set" });
        assert!(told(&with, &before).ends_with("of 2 units: not yet seen"));
    }
}
