//! `starform environment delete` and `starform project delete`: a plan that deletes, shown and applied.
//!
//! Effects: reads a file for the project's name, asks, accepts plans, prints. Always holds: what goes by
//! such a plan is listed in it, and it is applied as any other.

use std::{collections::BTreeSet, path::Path};

use starform_contract::{Bundle, EnvironmentName, ObjectKey, ProjectName};
use starform_plan::document::{Plan, Plans};

use super::{
    apply::{self, Carrying},
    known,
};
use crate::{
    args::{EnvironmentCommand, Global, PlanOptions, RemovalOptions},
    backend::Backend,
    exit::{Exit, Failure},
    progress::Voice,
    sources,
    terminal::Terminal,
};

pub(crate) async fn environment(
    command: EnvironmentCommand,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let EnvironmentCommand::Delete {
        name,
        path,
        project,
        removal,
    } = command;
    let project = match project {
        Some(project) => project,
        None => known(&path, terminal)?.1.name().clone(),
    };
    let folder = sources::folder(&path);
    remove(&project, Some(&name), &removal, &folder, global, terminal).await
}

pub(crate) async fn project(
    name: &ProjectName,
    removal: &RemovalOptions,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    remove(name, None, removal, Path::new("."), global, terminal).await
}

async fn remove(
    project: &ProjectName,
    environment: Option<&EnvironmentName>,
    removal: &RemovalOptions,
    folder: &Path,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let backend = Backend::new(global, folder)?;
    let destroy = removal.destroy.iter().cloned().collect();
    let Some(plans) = backend.removal(project, environment, &destroy).await? else {
        let question = format!("Delete {project}, to which nothing was ever applied?");
        if !removal.auto_approve && !apply::approved(&question, terminal)? {
            return Err(Failure::because(Exit::Cancelled, "nothing was deleted"));
        }
        backend.forget(project).await?;
        say!("{project} is deleted");
        return Ok(Exit::Success);
    };
    let options = PlanOptions {
        project: global.server.is_some().then(|| project.clone()),
        ..PlanOptions::default()
    };
    let carrying = Carrying {
        options: &options,
        auto_approve: removal.auto_approve,
        wait: removal.wait,
        voice: Voice::person(terminal),
    };
    let exit = apply::carry_out(&backend, &plans, carrying, terminal).await?;
    if exit == Exit::Success {
        say!("{}", ended(project, environment, &plans));
    }
    Ok(exit)
}

/// That it is done, and how what stays is deleted too.
fn ended(project: &ProjectName, environment: Option<&EnvironmentName>, plans: &Plans) -> String {
    let kept: BTreeSet<String> = plans
        .plans
        .iter()
        .flat_map(|plan| stays(plan, plans))
        .collect();
    let (what, command) = match environment {
        Some(environment) => (
            format!("{project}/{environment}"),
            format!("starform environment delete {environment} --project {project}"),
        ),
        None => (
            project.to_string(),
            format!("starform project delete {project}"),
        ),
    };
    let mut text = format!("the deletion of {what} is done");
    if !kept.is_empty() {
        let names: Vec<&str> = kept.iter().map(String::as_str).collect();
        let options: String = names
            .iter()
            .map(|name| format!(" --destroy {name}"))
            .collect();
        text.push_str(&format!(
            "; {} stays with its data until `{command}{options}`",
            names.join(", ")
        ));
    }
    text
}

/// Volumes that a plan leaves behind, but for those that the cluster has lost.
fn stays(plan: &Plan, plans: &Plans) -> Vec<String> {
    let Some(Bundle::Environment(result)) = plans.bundles.get(&plan.source.result) else {
        return Vec::new();
    };
    let standing = plans.standings.get(&plan.plan_id);
    let is_there = |key: &ObjectKey| standing.is_none_or(|standing| !standing.is_gone(key));
    let kept = result.kept.iter();
    let kept = kept.filter(|kept| kept.object.key().is_none_or(|key| is_there(&key)));
    kept.map(|kept| format!("{}.{}", kept.service, kept.volume))
        .collect()
}
