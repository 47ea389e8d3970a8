//! Writes the contract that a project goes by where it does not say it, so that a later default changes nothing for it.
//! Pure. Only the one `project` of a file gets it, and only where its head is no broken line.
//! Read on in `super::format`.

use super::broken;
use crate::lower::CONTRACT;
use crate::syntax::{self, Node, Survey};
use crate::table::RootNode;

/// The text with the contract; `None` where it says one, or has no room for it.
pub(super) fn written(survey: &Survey) -> Option<Survey> {
    let at = place(survey)?;
    let (before, after) = survey.cst.text().split_at(at as usize);
    let with_contract = syntax::survey(format!("{before} contract={CONTRACT}{after}"));
    with_contract.sound.then_some(with_contract)
}

/// The byte behind the last value of the head.
fn place(survey: &Survey) -> Option<u32> {
    if !survey.sound {
        return None;
    }
    let mut nodes = survey.cst.nodes();
    let project = nodes.next().filter(is_project)?;
    let head = project.head_span().range;
    let tokens = survey.cst.token_list();
    let untouched = broken::untouched(survey).into_iter().any(|lines| {
        tokens.start(lines.start) < head.end() && head.start() < tokens.start(lines.end)
    });
    (nodes.next().is_none() && !untouched).then_some(head.end())
}

fn is_project(node: &Node<'_>) -> bool {
    node.name() == RootNode::Project.as_str()
        && node.ty().is_none()
        && node.args().count() == 1
        && node.prop("contract").is_none()
}
