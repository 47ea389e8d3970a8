//! What a file says and this version does not carry into the cluster: refused, so that nothing is silently without effect.
//! Pure. Looks at what holds in the environment, not at what stands in the file.
//! Read on in `crate::table::Availability` for what decides.

use crate::diag::{Diagnostic, codes};
use crate::project::Project;
use crate::resolve::Resolved;
use crate::source::Span;
use crate::table::{self, Availability, ImageNode, NodeName, ProjectNode};

/// One diagnostic for each node of the project and these services.
pub(super) fn checked_only(project: &Project, resolved: &[Resolved<'_>]) -> Vec<Diagnostic> {
    let of_services = resolved.iter().flat_map(nodes);
    let removed = project.model.removed.iter().filter_map(|removed| {
        let refused = outside_services(ProjectNode::Removed.node(), removed.node)?;
        Some(refused.node_path("project.removed"))
    });
    let mut refused: Vec<Diagnostic> = of_services.chain(removed).collect();
    refused.sort_by_key(|diagnostic| diagnostic.primary.span);
    // A partial's node is one mistake, however many services take it.
    refused.dedup_by_key(|diagnostic| diagnostic.primary.span);
    refused
}

/// A service that is built is refused by `super::images`, which knows the images that the caller gave.
const LEFT_TO_IMAGES: NodeName = ImageNode::Build.node();

fn outside_services(node: NodeName, span: Span) -> Option<Diagnostic> {
    match table::row(node).availability {
        Availability::Checked { instead } => {
            Some(refusal(&format!("`{}`", node.as_str()), span, instead))
        }
        Availability::Ready | Availability::Later { .. } => None,
    }
}

fn nodes<'m>(resolved: &Resolved<'m>) -> impl Iterator<Item = Diagnostic> + use<'m> {
    let path = resolved.service.path();
    resolved
        .holding()
        .into_iter()
        .filter(|child| !child.unset && child.node != LEFT_TO_IMAGES)
        .filter_map(move |child| match table::row(child.node).availability {
            Availability::Checked { instead } => {
                let what = format!("`{}`", child.node.as_str());
                let path = format!("{path}.{}", child.node.as_str());
                Some(refusal(&what, child.span, instead).node_path(path))
            }
            Availability::Ready | Availability::Later { .. } => None,
        })
}

fn refusal(what: &str, span: Span, instead: &str) -> Diagnostic {
    let title = format!("{what} is not deployed by this version");
    Diagnostic::new(codes::NOT_DEPLOYED, span, title).help(instead)
}
