//! `starform plan`: shows what would change.
//!
//! Effects: reads files, asks a control plane or a cluster, prints; `--out` writes a plan file.

use std::fs;

use anyhow::Context;
use starform_contract::ProjectName;
use starform_plan::{document::Plans, view};

use super::{checked, print, print_json};
use crate::{
    args::{Global, PlanArgs, PlanOptions, ViewFormat, ViewOptions},
    backend::Backend,
    exit::{Exit, Failure},
    sources,
    terminal::Terminal,
};
use starform_dsl::project::Project;

pub(crate) async fn run(
    args: &PlanArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let (sources, project) = checked(&args.path, terminal)?;
    check_options(&project, &args.options)?;
    refuse_project_without_server(&args.options, global)?;
    let backend = Backend::new(global, &sources::folder(&args.path))?;
    let plans = backend
        .plan(
            &name(&project, &args.options),
            &sources,
            &project,
            &args.options,
            args.exit_code,
        )
        .await?;
    if let Some(file) = &args.out {
        let text = serde_json::to_string(&plans)?;
        fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    show(&plans, &args.view, terminal);
    let changes = plans.plans.iter().any(|plan| !plan.is_empty());
    Ok(if args.exit_code && changes {
        Exit::Changes
    } else {
        Exit::Success
    })
}

pub(crate) fn show(plans: &Plans, options: &ViewOptions, terminal: Terminal) {
    match options.format {
        ViewFormat::Json => print_json(&plans.without_bundles()),
        ViewFormat::Human => show_human(plans, options.full, terminal),
        ViewFormat::Markdown => {
            let options = view::MarkdownOptions {
                budget: options.budget,
                link: options.link.clone(),
            };
            print(&view::markdown(&plans.plans, &options));
        }
    }
}

pub(crate) fn show_human(plans: &Plans, full: bool, terminal: Terminal) {
    let options = view::TextOptions {
        width: terminal.width,
        color: terminal.color,
        full,
    };
    print(&view::text(&plans.plans, &options));
}

/// `--project` names it on the control plane; the file's own name is the default.
pub(crate) fn name(project: &Project, options: &PlanOptions) -> ProjectName {
    options
        .project
        .clone()
        .unwrap_or_else(|| project.name().clone())
}

/// Without a control plane a project is known by the name in its file, and profiles are kept by one.
pub(crate) fn refuse_project_without_server(
    options: &PlanOptions,
    global: &Global,
) -> anyhow::Result<()> {
    let refused = match (&global.server, &options.project, &options.profile) {
        (None, Some(_), _) => {
            "--project names a project of a control plane; give --server too, or leave it out"
        }
        (Some(_), _, Some(_)) => {
            "--profile is for work without a control plane; there, `starform cluster set` keeps it"
        }
        (None, None, _) | (Some(_), _, None) => return Ok(()),
    };
    Err(Failure::because(Exit::Error, refused))
}

/// Names in options that the project does not have: told before anything is asked of anybody.
pub(crate) fn check_options(project: &Project, options: &PlanOptions) -> anyhow::Result<()> {
    let environments: Vec<&str> = project
        .environments()
        .map(|(name, _)| name.as_str())
        .collect();
    for environment in &options.env {
        let declared = project.environment(environment).is_some();
        if !declared && project.preview(environment).is_none() {
            return Err(unknown("environment", environment.as_str(), &environments));
        }
    }
    let services: Vec<&str> = project.services().map(|name| name.as_str()).collect();
    let named = options
        .image
        .iter()
        .map(|(service, _)| service)
        .chain(&options.service);
    for service in named {
        if !services.contains(&service.as_str()) {
            return Err(unknown("service", service.as_str(), &services));
        }
    }
    Ok(())
}

fn unknown(what: &str, name: &str, known: &[&str]) -> anyhow::Error {
    let message = format!(
        "the project has no {what} `{name}`; it has {}",
        known.join(", ")
    );
    Failure::because(Exit::Error, message)
}
