//! `starform plan`: shows what would change.
//!
//! Effects: reads files, asks a control plane or a cluster, prints; `--out` writes a plan file, `--format
//! github` the job summary.

use std::{env, fs, io::Write as _, path::Path};

use anyhow::Context;
use starform_contract::{ProjectName, spelling::instead};
use starform_plan::{document::Plans, standing::Standing, view};

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
    if let Some(file) = &args.out {
        refuse_to_replace(file)?;
    }
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
        let text = serde_json::to_string(&plans.without_approvals())?;
        fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let folder = super::check::folder(&args.path);
    show(&plans, &args.view, &folder, terminal)?;
    let behind = plans.standings.values().any(Standing::is_behind);
    let changes = behind || plans.plans.iter().any(|plan| !plan.is_empty());
    Ok(if args.exit_code && changes {
        Exit::Changes
    } else {
        Exit::Success
    })
}

/// A plan may be made again over an older one, and over an empty file; anything else is somebody's work.
fn refuse_to_replace(file: &Path) -> anyhow::Result<()> {
    // What is no regular file, such as a pipe, holds nothing.
    let is_file = fs::metadata(file).is_ok_and(|known| known.is_file() && known.len() > 0);
    let is_plan = |text: Vec<u8>| {
        let word = serde_json::from_slice::<serde_json::Value>(&text).ok();
        let word = word.as_ref().and_then(|file| file.get("schema")?.as_str());
        word.is_some_and(|word| word.starts_with("starform.plans/"))
    };
    let replaces = is_file && !fs::read(file).is_ok_and(is_plan);
    if replaces {
        let message = format!(
            "`{}` is no plan file, and --out would write over it; name another file",
            file.display()
        );
        return Err(Failure::because(Exit::Error, message));
    }
    Ok(())
}

/// `folder` stands before the files' paths where a code host reads them.
pub(crate) fn show(
    plans: &Plans,
    options: &ViewOptions,
    folder: &str,
    terminal: Terminal,
) -> anyhow::Result<()> {
    match options.format {
        ViewFormat::Json => print_json(&plans.without_bundles()),
        ViewFormat::Human => show_human(plans, options.full, terminal),
        ViewFormat::Markdown => print(&comment(plans, options, options.budget).map_err(roomier)?),
        ViewFormat::Html => print(&view::html(plans)),
        ViewFormat::Sarif => print(&view::sarif(plans, folder)),
        ViewFormat::Github => {
            print(&view::github(plans, folder));
            if let Some(file) = env::var_os("GITHUB_STEP_SUMMARY") {
                append(Path::new(&file), &comment(plans, options, JOB_SUMMARY)?)?;
            }
        }
        ViewFormat::Ndjson => print(&view::ndjson(plans)),
    }
    match options.format {
        // They say it themselves.
        ViewFormat::Human | ViewFormat::Markdown | ViewFormat::Html | ViewFormat::Github => {}
        ViewFormat::Json | ViewFormat::Sarif | ViewFormat::Ndjson => {
            for plan in &plans.plans {
                if let Some(obstacle) = view::obstacle(plan, &plans.approvals) {
                    say!("{}/{}: {obstacle}", plan.project, plan.environment);
                }
            }
        }
    }
    Ok(())
}

/// A job summary has at most 1 MiB; a character, at most four bytes.
const JOB_SUMMARY: usize = 250_000;

fn comment(plans: &Plans, options: &ViewOptions, budget: usize) -> Result<String, view::TooFew> {
    let link = options.link.clone();
    view::markdown(plans, &view::MarkdownOptions { budget, link })
}

fn roomier(few: view::TooFew) -> anyhow::Error {
    let least = few.least;
    Failure::because(Exit::Error, format!("{few}; give --budget {least} or more"))
}

/// Earlier steps of the job may have written there.
fn append(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    let opened = options.append(true).create(true).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write the job summary to `{}`", file.display()))
}

pub(crate) fn show_human(plans: &Plans, full: bool, terminal: Terminal) {
    let options = view::TextOptions {
        width: terminal.width,
        color: terminal.color,
        full,
    };
    print(&view::text(plans, &options));
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
        "the project has no {what} `{name}`; {}",
        instead(name, known)
    );
    Failure::because(Exit::Error, message)
}
