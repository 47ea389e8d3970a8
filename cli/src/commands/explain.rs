//! `starform explain CODE | NODE | VALUE`: what a diagnostic, a node, or a value of a project is.
//!
//! Effects: reads files for a value, prints. What is asked is told by its form: `SF2004` and `2004`
//! are codes, a word of the language is a node, a word of another platform is told by what it is here, everything
//! else is a path to a value. Nothing asked:
//! the list of codes.

use serde_json::json;
use starform_dsl::{
    Bindings, explain,
    reference::{self, Elsewhere},
    render,
};

use super::{print, print_json, say};
use crate::{
    args::{ExplainArgs, PlanFormat},
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
        None => match reference::elsewhere(subject) {
            Some(known) if !names_a_value(subject, args) => print(&elsewhere(&known, terminal)),
            Some(_) | None => value(subject, args, terminal)?,
        },
    }
    Ok(Exit::Success)
}

/// Whether the project at hand has something of that name; it may be called as other platforms call theirs.
fn names_a_value(subject: &str, args: &ExplainArgs) -> bool {
    let compiled = sources::read(&args.path).map(|sources| starform_dsl::compile(&sources));
    let Some((project, secrets)) = compiled
        .ok()
        .and_then(|compiled| Some((compiled.project?, compiled.secrets)))
    else {
        return false;
    };
    let bindings = Bindings::first(&project);
    explain::explain(&project, subject, args.env.as_ref(), &bindings, &secrets).is_ok()
}

/// What is known of the word, and the page of the node that it is called here.
fn elsewhere(known: &Elsewhere, terminal: Terminal) -> String {
    let said = render::wrap(&known.said, terminal.width, 0);
    let page = known
        .node
        .and_then(|name| reference::node(name, terminal.width));
    match page {
        Some(page) => format!("{said}\n\n{page}"),
        None => format!("{said}\n"),
    }
}

fn value(subject: &str, args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<()> {
    let a_word = !subject.contains('.');
    let sources = match sources::read(&args.path) {
        Ok(sources) => sources,
        Err(_) if a_word => return Err(unknown_node(subject)),
        Err(error) => return Err(error.into()),
    };
    let compiled = starform_dsl::compile(&sources);
    if compiled.project.is_none() && a_word {
        let error = unknown_node(subject);
        let next = "values of the project are explained once `starform check` finds no error";
        return Err(Failure::because(Exit::Error, format!("{error}; {next}")));
    }
    // Warnings are not what was asked for; errors are why there is no answer.
    let Some(project) = &compiled.project else {
        say(&sources, &compiled, terminal);
        return Err(Failure::shown(Exit::Error));
    };
    let bindings = Bindings::first(project);
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
    let next = match (reference::elsewhere(name), reference::closest_node(name)) {
        (Some(known), _) => known.said,
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => "`starform schema node` lists all nodes".to_owned(),
    };
    Failure::because(Exit::Error, format!("there is no node `{name}`; {next}"))
}
