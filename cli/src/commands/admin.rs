//! `starform workspace|project|token …`: what an operator sets up on a control plane.
//!
//! Effects: HTTP, prints. Always holds: a token is printed once, where it was asked for, and never
//! told in an error. Clusters stand in `cluster.rs`.

use serde::Serialize;
use starform_reconciler::{api::body, token};

use super::{print, print_json, removal};
use crate::{
    args::{Global, PlanFormat, ProjectCommand, TokenCommand, TokenKind, WorkspaceCommand},
    backend::project_id,
    exit::{Exit, Failure},
    remote::{Remote, failure},
    terminal::Terminal,
};

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

pub(crate) async fn project(
    command: ProjectCommand,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
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
            let project: body::Project = remote(global)?
                .post("/v1/projects", &body)
                .await
                .map_err(failure)?;
            answer(format, &project, &project.id.to_string());
        }
        ProjectCommand::Delete { name, removal } => {
            return removal::project(&name, &removal, global, terminal).await;
        }
        ProjectCommand::List { all, format } => {
            let path = format!("/v1/projects?deleted={all}");
            let all: body::Items<body::Project> =
                remote(global)?.get(&path).await.map_err(failure)?;
            list(format, &all, all.items.iter().map(project_line));
        }
    }
    Ok(Exit::Success)
}

pub(crate) async fn token(command: TokenCommand, global: &Global) -> anyhow::Result<Exit> {
    let remote = remote(global)?;
    let TokenCommand::Create {
        kind,
        person,
        role,
        project,
        environment,
        expires,
    } = command;
    let body = body::CreateToken {
        kind: match kind {
            TokenKind::Ci => token::TokenKind::Ci,
            TokenKind::User => token::TokenKind::User,
        },
        person,
        role,
        project: Some(project_id(&remote, &project).await?),
        environments: (!environment.is_empty()).then(|| environment.into_iter().collect()),
        expires_in: Some(expires.as_secs().into()),
    };
    let issued: body::IssuedToken = remote.post("/v1/tokens", &body).await.map_err(failure)?;
    say!("keep it now: only its hash is stored");
    print(&format!("{}\n", issued.token));
    Ok(Exit::Success)
}

fn project_line(project: &body::Project) -> String {
    let state = match (project.ended_at, project.deleted_at) {
        (_, Some(_)) => "  deleted",
        (Some(_), None) => "  deleted, but its Namespace is still there",
        (None, None) => "",
    };
    format!(
        "{}  {}  {}{state}",
        project.id, project.name, project.namespace
    )
}

pub(super) fn remote(global: &Global) -> anyhow::Result<Remote> {
    let server = global.server.as_deref().ok_or_else(|| {
        Failure::because(
            Exit::Error,
            "this command needs a control plane: give --server URL or set STARFORM_SERVER",
        )
    })?;
    Remote::new(server, global)
}

pub(super) fn answer(format: PlanFormat, document: &impl Serialize, id: &str) {
    match format {
        PlanFormat::Json => print_json(document),
        PlanFormat::Human => print(&format!("{id}\n")),
    }
}

pub(super) fn list(
    format: PlanFormat,
    document: &impl Serialize,
    lines: impl Iterator<Item = String>,
) {
    match format {
        PlanFormat::Json => print_json(document),
        PlanFormat::Human => lines.for_each(|line| print(&format!("{line}\n"))),
    }
}
