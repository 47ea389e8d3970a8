//! `starform explain CODE | NODE | VALUE`: what a diagnostic, a node, or a value of a project is.
//!
//! Effects: prints. What is asked is told by its form: `SF2004` is a code, a word of the language
//! is a node, everything else is a path to a value.

use starform_dsl::reference;

use super::print;
use crate::{
    args::ExplainArgs,
    exit::{Exit, Failure},
};

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let subject = args.subject.as_str();
    if let Some(text) = reference::node(subject) {
        print(&text);
        return Ok(Exit::Success);
    }
    Err(unknown_node(subject))
}

/// The language has no such node; the next step is a near name or the list.
pub(super) fn unknown_node(name: &str) -> anyhow::Error {
    let next = match reference::closest_node(name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`starform schema node` lists all nodes".to_owned(),
    };
    Failure::because(Exit::Error, format!("there is no node `{name}`; {next}"))
}
