//! `starform status`: what is accepted and how it does.
//!
//! Effects: reads files, asks a control plane or a cluster, prints.

use starform_contract::report::Health;
use starform_dsl::render::wrap;
use starform_plan::view;
use starform_reconciler::{
    api::body::{EnvironmentStatus, HostState, HostStatus, TxtRecord},
    time::Timestamp,
};

use super::{asked, known, print, print_json};
use crate::{
    args::{Global, PlanFormat, StatusArgs},
    backend::Backend,
    exit::Exit,
    progress::{object, word},
    remote::standing::SILENT,
    sources,
    terminal::Terminal,
};

/// Columns that a reason gets at least.
const NARROWEST: usize = 24;

pub(crate) async fn run(
    args: &StatusArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let (_, project) = known(&args.path, terminal)?;
    let options = crate::args::PlanOptions {
        env: args.env.clone(),
        project: args.project.clone(),
        ..Default::default()
    };
    super::plan::refuse_project_without_server(&options, global)?;
    super::plan::check_options(&project, &options)?;
    let environments = asked(&project, &args.env);
    let backend = Backend::new(global, &sources::folder(&args.path))?;
    let name = args
        .project
        .clone()
        .unwrap_or_else(|| project.name().clone());
    let all = backend.status(&name, &environments).await?;
    match args.format {
        PlanFormat::Json => print_json(&serde_json::json!({ "environments": all })),
        PlanFormat::Human => {
            let texts = all
                .iter()
                .map(|status| text(status, backend.reports(), terminal.width));
            texts.for_each(|text| print(&text));
            if !backend.reports() && !all.is_empty() {
                say!(
                    "nobody watches the cluster between applies; `starform drift --env ENV` compares it with this"
                );
            }
        }
    }
    Ok(Exit::Success)
}

/// That what is shown of the services may be older than what is accepted.
fn outdated(status: &EnvironmentStatus) -> String {
    let mut text = String::new();
    if let (Some(reported), Some(last)) = (&status.reported, &status.last_apply)
        && reported.generation < last.generation
    {
        text.push_str(&format!(
            "  ! generation {} is accepted and not reported on yet; this is how it was before\n",
            last.generation
        ));
    }
    if let Some(seen) = status.agent_seen_at {
        let silent = Timestamp::now().since(seen);
        if silent > SILENT {
            text.push_str(&format!(
                "  ! the agent was last heard of {} minutes ago; nothing is applied until it is back\n",
                silent.as_secs() / 60
            ));
        }
    }
    text
}

/// What of what is accepted is not what runs.
fn beside(status: &EnvironmentStatus, width: usize) -> String {
    let standing = status.standing.as_ref();
    let all = standing.map(|standing| view::standing(&status.environment, standing));
    let mut text = String::new();
    for (title, objects) in all.unwrap_or_default() {
        text.push_str(&format!("  ! {}\n", under(&title, 4, width)));
        for object in objects {
            text.push_str(&format!("    {}\n", under(&object, 6, width)));
        }
    }
    text
}

/// The text behind `indent` columns, its further lines below its first.
fn under(text: &str, indent: usize, width: usize) -> String {
    let lines = wrap(text, width.saturating_sub(indent).max(NARROWEST), 0);
    lines.trim_end().replace('\n', &format!("\n{:indent$}", ""))
}

/// Its URL, or why there is none; a record on a line of its own, to be copied.
fn host_lines(host: &HostStatus) -> String {
    let name = &host.host;
    let line = match (host.state, &host.redirects_to) {
        (HostState::Routed, None) => host.url.clone(),
        (HostState::Routed, Some(to)) => format!("{} redirects to https://{to}", host.url),
        (HostState::Proved, _) => {
            format!("! {name} is shown since; the next apply routes it")
        }
        (HostState::Taken, _) => {
            format!("! {name} belongs to another project and is not routed; use another host")
        }
        (HostState::Unproved, _) => {
            format!("! {name} is not routed; make this TXT record and apply again:")
        }
    };
    let mut lines = format!("      {line}\n");
    if let Some(TxtRecord { name, text }) = &host.record {
        lines.push_str(&format!("          {name}  {text}\n"));
    }
    lines
}

/// Objects that are not put right for a while, and volumes that services left behind.
fn left_alone(status: &EnvironmentStatus) -> String {
    let mut text = String::new();
    for glass in &status.break_glass {
        text.push_str(&format!(
            "  ! {}: {}\n",
            object(&glass.key),
            glass.suspension
        ));
    }
    for kept in &status.kept {
        let (service, volume) = (&kept.service, &kept.volume);
        let word = match kept.meant {
            true => "kept on purpose".to_owned(),
            false if status.services.is_empty() => format!(
                "`starform environment delete {} --destroy {service}.{volume}` deletes it",
                status.environment
            ),
            false => "nothing declares it; decide with `removed volume`".to_owned(),
        };
        let standing = status.standing.as_ref();
        let is_lost = standing.is_some_and(|standing| standing.lost.contains(&kept.key));
        let stays = match is_lost {
            true => "was left behind; it is not there any more, so its data is gone",
            false => "is left behind with its data",
        };
        text.push_str(&format!("  . volume {service}.{volume} {stays} ({word})\n"));
    }
    text
}

/// `reports`: whether an agent tells how it goes; else the cluster itself was asked just now.
fn text(status: &EnvironmentStatus, reports: bool, width: usize) -> String {
    let reported = match &status.reported {
        Some(reported) if reported.finished => {
            format!(" · reported at generation {}", reported.generation)
        }
        Some(reported) => format!(
            " · reported at generation {}, still moving",
            reported.generation
        ),
        None if reports => " · nothing reported yet".to_owned(),
        None => String::new(),
    };
    let mut text = format!(
        "{}/{} · generation {}{reported} · namespace {}\n",
        status.project, status.environment, status.generation, status.namespace
    );
    text.push_str(&outdated(status));
    text.push_str(&beside(status, width));
    let widest = status
        .services
        .iter()
        .map(|service| service.name.as_str().len())
        .max()
        .unwrap_or(0);
    for service in &status.services {
        let mark = match service.health {
            // It does well, but as something else than what is accepted.
            Health::Current if service.reason.is_some() => '!',
            Health::Current => '✓',
            Health::Failed => '✗',
            Health::InProgress | Health::Terminating | Health::NotFound | Health::Unknown => '…',
        };
        let reason = service
            .reason
            .as_ref()
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        let line = match (service.health, &service.reason) {
            (Health::Current, Some(reason)) => reason.clone(),
            (_, _) => format!("{}{reason}", word(service.health)),
        };
        let indent = widest + 14;
        text.push_str(&format!(
            "  {mark} {:widest$}  {:8}{}\n",
            service.name.as_str(),
            service.kind.as_str(),
            under(&line, indent, width)
        ));
        service
            .hosts
            .iter()
            .for_each(|host| text.push_str(&host_lines(host)));
    }
    if status.services.is_empty() {
        text.push_str("  no services accepted\n");
    }
    text.push_str(&left_alone(status));
    text
}
