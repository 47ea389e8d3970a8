//! What would be reachable, or allowed, that was not: said in one line each, never folded.
//!
//! Pure. Reads only the document. Always holds: every [`Opening`] of a change is in one of its lines, and what
//! widens has a line.

use crate::{
    document::{ObjectChange, Opening, Risk},
    view::values,
};

/// Hosts and paths a line each, an object's new rights on one.
pub(crate) fn lines(change: &ObjectChange) -> Vec<String> {
    let at = format!(
        "{} {}",
        values::name(&change.key.kind),
        values::name(&change.key.name)
    );
    let mut rights = Vec::new();
    let mut lines = Vec::new();
    for opening in &change.opens {
        match opening {
            Opening::Host(host) => lines.push(format!("opens https://{}", values::visible(host))),
            Opening::Path(path) => {
                lines.push(format!("opens the path {}", values::visible(path)));
            }
            Opening::Right(right) => rights.push(values::visible(right)),
            Opening::Subject(who) => {
                let who = values::visible(who);
                lines.push(format!("gives its rights to {who} by {at}"));
            }
            Opening::Traffic => lines.push(format!("admits more traffic by {at}")),
        }
    }
    // As plans of earlier versions have it, which say no more.
    if change.opens.is_empty() && change.risk == Risk::Widen {
        lines.push(format!("opens {at} to more"));
    }
    if !rights.is_empty() {
        lines.push(format!("gains rights in {at}: {}", rights.join(", ")));
    }
    lines
}
