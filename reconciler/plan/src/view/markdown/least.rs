//! The lowest rungs of a comment: counts, and what is lost or opened as far as there is room.
//!
//! Pure. Always holds: the shortest form is short however many environments, objects and findings there
//! are; the gravest line is the last to be left out, and what is left out is counted.

use super::{body, fenced};
use crate::view::{
    outline::{self, Hidden, Loss, Numbers, Part, Policy, Said, Weight},
    values,
};

/// What is lost or opened.
pub(super) fn protected(out: &mut String, part: &Part, most: usize) -> Hidden {
    fenced(out, &first(&part.losses(), most));
    part.all
}

/// So many lines; of the others, how many there are.
fn first(losses: &[Loss], most: usize) -> String {
    let (seen, unseen) = losses.split_at(losses.len().min(most));
    let mut text = String::new();
    for loss in seen {
        text.push_str(&body::of_loss(loss));
        text.push('\n');
    }
    if let Some(more) = outline::more(unseen) {
        text.push_str(&format!("- {more}\n"));
    }
    text
}

/// Without a table: one line for all environments, and what is lost or opened in them.
pub(super) fn counts(parts: &[Part], total: Numbers, most: usize) -> String {
    let mut out = format!("**{}**\n\n", numbers(parts, total));
    out.push_str(&findings(parts));
    if parts.iter().any(|part| !part.beside.is_empty()) {
        out.push_str("**The cluster is not as accepted, or that is not known.**\n\n");
    }
    let headings = parts.iter().flat_map(|part| &part.headings);
    let said = headings.flat_map(|heading| heading.said());
    let (errors, others): (Vec<&Said>, Vec<&Said>) =
        said.partition(|said| said.weight == Weight::Error);
    for (said, word) in [(errors, "not be stored"), (others, "be stored otherwise")] {
        if !said.is_empty() {
            let objects = values::count(said.len(), "object");
            out.push_str(&format!("**{objects} would {word} by the cluster**\n\n"));
        }
    }
    let obstacles = parts.iter().filter_map(|part| part.obstacle.as_ref());
    for obstacle in outline::together(obstacles) {
        out.push_str(&format!("**{obstacle}**\n\n"));
    }
    let mut lost: Vec<Loss> = parts.iter().flat_map(Part::losses).collect();
    outline::gravest_first(&mut lost);
    fenced(&mut out, &first(&lost, most));
    out.push_str(&left_out(parts));
    out
}

/// The numbers of all environments, as the summary of one.
fn numbers(parts: &[Part], total: Numbers) -> String {
    let mut text = outline::counts("Plan", total);
    let headings = || parts.iter().flat_map(|part| &part.headings);
    let destroyed: usize = headings().map(|heading| heading.destroyed).sum();
    if destroyed > 0 {
        let objects = values::count(destroyed, "object");
        text.push_str(&format!(" · {objects} destroyed, with all data"));
    }
    let unprotected = headings().filter(|heading| heading.is_unprotected);
    match unprotected.count() {
        0 => {}
        some => {
            let environments = values::count(some, "environment");
            text.push_str(&format!(" · protect taken from {environments}"));
        }
    }
    text
}

fn findings(parts: &[Part]) -> String {
    let headings = || parts.iter().flat_map(|part| &part.headings);
    let text = format!(
        "{}; {}, {}",
        values::count(headings().count(), "environment"),
        values::count(headings().map(|h| h.errors).sum(), "error"),
        values::count(headings().map(|h| h.warnings).sum(), "warning"),
    );
    let waiting = headings().filter(|heading| heading.policy == Policy::ApprovalNeeded);
    match waiting.count() {
        0 => format!("{text}\n\n"),
        several => format!(
            "{text}; **{} needed**\n\n",
            values::count(several, "approval")
        ),
    }
}

/// Everything is; the command tells the environment of the gravest change.
fn left_out(parts: &[Part]) -> String {
    let all = parts.iter().map(|part| part.all.times(part.headings.len()));
    let all = all.fold(Hidden::default(), Hidden::and);
    // Of several the last is taken.
    let gravest = parts.iter().rev().max_by_key(|part| part.risk);
    let command = gravest.and_then(|part| Some(&part.headings.first()?.whole));
    let environments: usize = parts.iter().map(|part| part.headings.len()).sum();
    let more = match environments {
        0 | 1 => String::new(),
        several => format!(" and {} more", several - 1),
    };
    match command {
        Some(command) => format!("Not shown: {}: `{command}`{more}\n", all.count()),
        None => String::new(),
    }
}
