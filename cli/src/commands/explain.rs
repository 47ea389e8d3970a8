//! `starform explain CODE | NODE | VALUE`: what a diagnostic, a node, or a value of a project is.
//!
//! Effects: reads files for a value, prints. What is asked is told by its form: `SF2004` and `2004`
//! are codes, a word of the language is a node, everything else is a path to a value. Nothing asked:
//! the list of codes.

use serde_json::json;
use starform_dsl::{explain, reference};

use super::{print, print_json, say};
use crate::{
    args::{ExplainArgs, PlanFormat},
    embedded,
    exit::{Exit, Failure},
    sources,
    terminal::Terminal,
};

mod code;

pub(crate) fn run(args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let Some(subject) = args.subject.as_deref() else {
        print(&code::list(terminal));
        return Ok(Exit::Success);
    };
    if code::is_meant(subject) {
        print(&code::page(subject, terminal)?);
        return Ok(Exit::Success);
    }
    match reference::node(subject, terminal.width) {
        Some(text) => print(&text),
        None => value(subject, args, terminal)?,
    }
    Ok(Exit::Success)
}

fn value(subject: &str, args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<()> {
    let sources = sources::read(&args.path)?;
    let compiled = starform_dsl::compile(&sources);
    // Warnings are not what was asked for; errors are why there is no answer.
    let Some(project) = &compiled.project else {
        say(&sources, &compiled, terminal);
        return Err(Failure::shown(Exit::Error));
    };
    let bindings = embedded::first_bindings(project);
    let found = explain::explain(
        project,
        subject,
        args.env.as_ref(),
        &bindings,
        &compiled.secrets,
    )
    .map_err(|error| Failure::because(Exit::Error, error.to_string()))?;
    match args.format {
        PlanFormat::Human => print(&explain::text(&found)),
        PlanFormat::Json => print_json(&json!({ "explained": found })),
    }
    Ok(())
}

/// The language has no such node; the next step is a near name or the list.
pub(super) fn unknown_node(name: &str) -> anyhow::Error {
    let next = match reference::closest_node(name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`starform schema node` lists all nodes".to_owned(),
    };
    Failure::because(Exit::Error, format!("there is no node `{name}`; {next}"))
}
