//! `starform schema`: the language as data, for people and for other tools.
//!
//! Effects: reads a file for `document`, prints. Always holds: what looks like a credential is never printed.

use std::path::Path;

use starform_dsl::{fmt, reference, render, schema, syntax};

use super::{explain::unknown_node, human, print, print_json};
use crate::{
    args::{PlanFormat, SchemaCommand},
    exit::{Exit, Failure},
    sources::{self, Large},
    terminal::Terminal,
};

pub(crate) fn run(command: &SchemaCommand, terminal: Terminal) -> anyhow::Result<Exit> {
    match command {
        SchemaCommand::Node { name, format } => node(name.as_deref(), *format, terminal)?,
        SchemaCommand::JsonSchema => print_json(&schema::json_schema()),
        SchemaCommand::Document { path } => document(path, terminal)?,
    }
    Ok(Exit::Success)
}

fn node(name: Option<&str>, format: PlanFormat, terminal: Terminal) -> anyhow::Result<()> {
    let unknown = || unknown_node(name.unwrap_or_default());
    match (name, format) {
        (None, PlanFormat::Human) => print(&reference::list(terminal.width)),
        (None, PlanFormat::Json) => print_json(&schema::all_nodes()),
        (Some(name), PlanFormat::Human) => {
            print(&reference::node(name, terminal.width).ok_or_else(unknown)?);
        }
        (Some(name), PlanFormat::Json) => {
            print_json(&schema::nodes_named(name).ok_or_else(unknown)?);
        }
    }
    Ok(())
}

/// A file that is no KDL has no form; one that compiles is not asked for, so that included files have theirs.
fn document(path: &Path, terminal: Terminal) -> anyhow::Result<()> {
    let sources = if path == Path::new("-") {
        sources::read_stdin(Large::Refused)?
    } else {
        sources::read_one(path)?
    };
    for (id, file) in sources.files() {
        let parse = syntax::read(id, file.text().clone());
        if !parse.diagnostics.is_empty() {
            let (diagnostics, secrets) = fmt::mistakes(&sources, id);
            let said = render::human(&sources, &diagnostics, human(terminal, &secrets));
            say_part!("{said}");
            return Err(Failure::shown(Exit::Error));
        }
        if !starform_dsl::compile(&sources).secrets.is_empty() {
            let message = "the file holds what looks like a credential, which is never printed; `starform check` shows where";
            return Err(Failure::because(Exit::Error, message));
        }
        print_json(&schema::document(&parse.cst));
    }
    Ok(())
}
