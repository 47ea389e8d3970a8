//! `starform schema`: the language as data, for people and for other tools.
//!
//! Effects: prints.

use starform_dsl::reference;

use super::{explain::unknown_node, print};
use crate::{args::SchemaCommand, exit::Exit};

pub(crate) fn run(command: &SchemaCommand) -> anyhow::Result<Exit> {
    match command {
        SchemaCommand::Node { name: None } => print(&reference::list()),
        SchemaCommand::Node { name: Some(name) } => {
            let text = reference::node(name).ok_or_else(|| unknown_node(name))?;
            print(&text);
        }
    }
    Ok(Exit::Success)
}
