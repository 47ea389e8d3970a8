//! `starform workspace|cluster|project|token …`: what an operator sets up on a control plane.
//!
//! Effects: HTTP, prints; `cluster register` writes the agent's file. Always holds: a token is
//! printed or written once, where it was asked for, and never told in an error.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use anyhow::Context;
use serde::Serialize;
use starform_contract::ClusterId;
use starform_reconciler::{api::body, token};

use super::{compile::profile, print, print_json};
use crate::{
    args::{
        ClusterCommand, Global, PlanFormat, ProjectCommand, TokenCommand, TokenKind,
        WorkspaceCommand,
    },
    backend::project_id,
    exit::{Exit, Failure},
    remote::{Remote, failure},
};

/// What `starform-shuttle run --agent-file` reads.
#[derive(Serialize)]
struct AgentFile<'a> {
    server: &'a str,
    cluster_id: ClusterId,
    token: &'a str,
    trusted_keys: [String; 0],
}

pub(crate) async fn workspace(command: WorkspaceCommand, global: &Global) -> anyhow::Result<Exit> {
    let remote = remote(global)?;
    match command {
        WorkspaceCommand::Create { name, tier, format } => {
            let body = body::CreateWorkspace {
                name: name.parse()?,
                tier: Some(tier.parse()?),
            };
            let workspace: body::Workspace = remote
                .post("/v1/workspaces", &body)
                .await
                .map_err(failure)?;
            answer(format, &workspace, &workspace.id.to_string());
        }
        WorkspaceCommand::List { format } => {
            let all: body::Items<body::Workspace> =
                remote.get("/v1/workspaces").await.map_err(failure)?;
            let lines = all
                .items
                .iter()
                .map(|w| format!("{}  {}  {}", w.id, w.name, w.tier));
            list(format, &all, lines);
        }
    }
    Ok(Exit::Success)
}

pub(crate) async fn cluster(command: ClusterCommand, global: &Global) -> anyhow::Result<Exit> {
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
            // Before the cluster exists: a file that cannot be written must not cost a registration.
            let mut out = create_private(&agent_file)?;
            let made: Result<body::RegisteredCluster, _> = remote.post("/v1/clusters", &body).await;
            let made = made
                .inspect_err(|_| drop(std::fs::remove_file(&agent_file)))
                .map_err(failure)?;
            let file = AgentFile {
                server: remote.server(),
                cluster_id: made.cluster.id,
                token: &made.agent_token,
                trusted_keys: [],
            };
            writeln!(out, "{}", serde_json::to_string_pretty(&file)?)?;
            eprintln!(
                "wrote {}; start the agent with `starform-shuttle run --agent-file {}`",
                agent_file.display(),
                agent_file.display()
            );
            answer(format, &made.cluster, &made.cluster.id.to_string());
        }
        ClusterCommand::Set {
            name,
            profile: file,
        } => {
            let id = cluster_id(&remote, &name).await?;
            let path = format!("/v1/clusters/{id}/profile");
            let _: serde_json::Value = remote
                .put(&path, &profile(Some(&file))?)
                .await
                .map_err(failure)?;
            eprintln!("the profile of `{name}` is set; it takes effect with the next plan");
        }
        ClusterCommand::List { format } => {
            let all: body::Items<body::Cluster> =
                remote.get("/v1/clusters").await.map_err(failure)?;
            let lines = all
                .items
                .iter()
                .map(|c| format!("{}  {}  generation {}", c.id, c.name, c.generation));
            list(format, &all, lines);
        }
    }
    Ok(Exit::Success)
}

pub(crate) async fn project(command: ProjectCommand, global: &Global) -> anyhow::Result<Exit> {
    let remote = remote(global)?;
    match command {
        ProjectCommand::Create {
            name,
            cluster,
            workspace,
            format,
        } => {
            let body = body::CreateProject {
                name,
                cluster,
                workspace,
            };
            let project: body::Project =
                remote.post("/v1/projects", &body).await.map_err(failure)?;
            answer(format, &project, &project.id.to_string());
        }
        ProjectCommand::List { format } => {
            let all: body::Items<body::Project> =
                remote.get("/v1/projects").await.map_err(failure)?;
            let lines = all
                .items
                .iter()
                .map(|p| format!("{}  {}  {}", p.id, p.name, p.namespace));
            list(format, &all, lines);
        }
    }
    Ok(Exit::Success)
}

pub(crate) async fn token(command: TokenCommand, global: &Global) -> anyhow::Result<Exit> {
    let remote = remote(global)?;
    let TokenCommand::Create {
        kind,
        project,
        environment,
        expires,
    } = command;
    let body = body::CreateToken {
        kind: match kind {
            TokenKind::Ci => token::TokenKind::Ci,
        },
        project: Some(project_id(&remote, &project).await?),
        environments: (!environment.is_empty()).then(|| environment.into_iter().collect()),
        expires_in: Some(expires.as_secs().into()),
    };
    let issued: body::IssuedToken = remote.post("/v1/tokens", &body).await.map_err(failure)?;
    eprintln!("keep it now: only its hash is stored");
    print(&format!("{}\n", issued.token));
    Ok(Exit::Success)
}

fn remote(global: &Global) -> anyhow::Result<Remote> {
    let server = global.server.as_deref().ok_or_else(|| {
        Failure::because(
            Exit::Error,
            "this command needs a control plane: give --server URL or set STARFORM_SERVER",
        )
    })?;
    Remote::new(server, global)
}

async fn cluster_id(remote: &Remote, name: &str) -> anyhow::Result<ClusterId> {
    let all: body::Items<body::Cluster> = remote.get("/v1/clusters").await.map_err(failure)?;
    let found = all
        .items
        .iter()
        .find(|cluster| cluster.name.to_string() == name);
    found.map(|cluster| cluster.id).with_context(|| {
        format!("there is no cluster `{name}`; `starform cluster list` shows those that are")
    })
}

fn answer(format: PlanFormat, document: &impl Serialize, id: &str) {
    match format {
        PlanFormat::Json => print_json(document),
        PlanFormat::Human => print(&format!("{id}\n")),
    }
}

fn list(format: PlanFormat, document: &impl Serialize, lines: impl Iterator<Item = String>) {
    match format {
        PlanFormat::Json => print_json(document),
        PlanFormat::Human => lines.for_each(|line| print(&format!("{line}\n"))),
    }
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
