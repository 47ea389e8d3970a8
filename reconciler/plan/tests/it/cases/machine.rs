//! What holds of the views that programs read: the page, SARIF, annotations, events.
//!
//! Pure. [`check`] names the first law that does not hold.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_plan::{
    document::{Plan, PlanSchema, Plans},
    view::{PlanEvent, What, github, html, ndjson, sarif},
};

/// The page, SARIF, annotations, events, the document itself.
pub(super) type Views = [String; 5];

pub(super) fn views(plans: &Plans) -> Views {
    let document = serde_json::to_string(&plans.without_bundles()).unwrap();
    [
        html(plans),
        sarif(plans, ""),
        github(plans, ""),
        ndjson(plans),
        document,
    ]
}

pub(super) fn check(plans: &Plans, views: &Views) -> Result<(), String> {
    let [page, log, annotations, events, _] = views;
    nested(page)?;
    complete(plans, page)?;
    results(plans, log)?;
    commands(plans, annotations)?;
    reassembled(plans, events)
}

/// Elements and attributes that the page may have: none that runs, loads or submits.
const ELEMENTS: [&str; 40] = [
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "h4",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "code", "strong", "main", "section",
    "p", "ul", "li", "bdi", "article", "small", "span", "ins", "del", "pre", "em", "details",
    "summary", "footer", "nav", "ol", "b",
];
const ATTRIBUTES: [&str; 13] = [
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "href",
    "id",
    "scope",
    "aria-labelledby",
    "aria-hidden",
    "aria-label",
    "open",
];

/// Every element ends where it must, and is one of ours.
fn nested(page: &str) -> Result<(), String> {
    let body = page
        .strip_prefix("<!DOCTYPE html>")
        .ok_or("it does not begin as HTML does")?;
    if let Some(c) = body.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("{c:?} is on the page"));
    }
    let mut open: Vec<&str> = Vec::new();
    for piece in body.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').ok_or("a tag does not end")?;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> ends what did not begin"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !ELEMENTS.contains(&name) {
            return Err(format!("<{name}> is none of ours"));
        }
        for attribute in attributes.split("\" ").filter(|text| !text.is_empty()) {
            let (key, value) = attribute
                .split_once("=\"")
                .ok_or("an attribute without a value")?;
            if !ATTRIBUTES.contains(&key) {
                return Err(format!("the attribute {key} is none of ours"));
            }
            if key == "href" && !value.starts_with('#') {
                return Err(format!("a link leads away: {value}"));
            }
        }
        if name != "meta" {
            open.push(name);
        }
    }
    match open.as_slice() {
        [] => Ok(()),
        open => Err(format!("{open:?} are open at the end")),
    }
}

/// What is read of a page.
fn without_tags(page: &str) -> String {
    let pieces = page.split('<');
    pieces
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text))
        .collect()
}

/// The page says everything, each object by kind and name.
fn complete(plans: &Plans, page: &str) -> Result<(), String> {
    let text = super::lawful::dense(&without_tags(page));
    for plan in &plans.plans {
        let mut found = BTreeSet::new();
        for change in &plan.objects {
            if !super::lawful::is_named(plan, change, &text) {
                return Err(format!("{} is not on the page", change.key));
            }
            for field in &change.fields {
                let path = escaped(&super::lawful::shown_path(field));
                if found.contains(&path) {
                    continue;
                }
                if !super::lawful::names(plan, change, page, &path) {
                    return Err(format!("{path} is not on the page"));
                }
                found.insert(path);
            }
        }
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn results(plans: &Plans, log: &str) -> Result<(), String> {
    let log: Value = serde_json::from_str(log).map_err(|error| error.to_string())?;
    let run = &log["runs"][0];
    let found = run["results"].as_array().ok_or("no results")?;
    let findings: usize = plans
        .plans
        .iter()
        .map(|plan| {
            let verified = plans.verifications.get(&plan.plan_id);
            let said = verified.map_or(0, |verified| verified.findings(plan).len());
            plan.findings.len() + said
        })
        .sum();
    if found.len() != findings {
        return Err(format!("{} results of {findings} findings", found.len()));
    }
    for result in found {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap_or(u64::MAX)).unwrap();
        if run["tool"]["driver"]["rules"][index]["id"] != result["ruleId"] {
            return Err("a result names another rule".to_owned());
        }
    }
    Ok(())
}

fn commands(plans: &Plans, annotations: &str) -> Result<(), String> {
    let begins = |line: &str| {
        ["::notice ", "::warning ", "::error "]
            .iter()
            .any(|command| line.starts_with(command))
    };
    if let Some(line) = annotations.lines().find(|line| !begins(line)) {
        return Err(format!("{line:?} is no command"));
    }
    let summaries = annotations.matches("::notice title=").count();
    // As many as a code host shows.
    if summaries < plans.plans.len().min(10) {
        return Err("an environment has no notice".to_owned());
    }
    Ok(())
}

/// The events hold the document.
fn reassembled(plans: &Plans, events: &str) -> Result<(), String> {
    let mut found: Vec<Plan> = Vec::new();
    for (number, line) in (1..).zip(events.lines()) {
        let event: PlanEvent = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if event.seq != number {
            return Err(format!("event {} in line {number}", event.seq));
        }
        add(&mut found, event)?;
    }
    if found != plans.plans {
        return Err("the events are not the document".to_owned());
    }
    Ok(())
}

fn add(found: &mut Vec<Plan>, event: PlanEvent) -> Result<(), String> {
    let PlanEvent { plan_id, what, .. } = event;
    if let What::Plan {
        effect_id,
        project,
        environment,
        source,
    } = what
    {
        found.push(Plan {
            schema: PlanSchema::V1,
            plan_id,
            effect_id,
            project,
            environment,
            source,
            summary: starform_plan::document::Summary::default(),
            settings: Vec::new(),
            services: Vec::new(),
            objects: Vec::new(),
            findings: Vec::new(),
        });
        return Ok(());
    }
    let plan = found.last_mut().ok_or("an event before its plan")?;
    match what {
        // Beside the document.
        What::Plan { .. }
        | What::Approval { .. }
        | What::Verification { .. }
        | What::Standing { .. } => {}
        What::Setting { change } => plan.settings.push(change),
        What::Service { service } => plan.services.push(service),
        What::Object { object } => plan.objects.push(object),
        What::Finding { finding } => plan.findings.push(finding),
        What::Summary { summary } => plan.summary = summary,
    }
    Ok(())
}
