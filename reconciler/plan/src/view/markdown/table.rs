//! The table of environments of a comment: how many objects come, change and go, and how each stands.
//!
//! Pure. Always holds: a user's text stands in a span of code, without a line break.

use super::fence;
use crate::view::outline::{Cell, Heading};

pub(super) fn of(headings: &[&Heading]) -> String {
    let retains = headings.iter().any(|h| h.numbers.objects.retain > 0);
    let adopts = headings.iter().any(|h| h.numbers.objects.adopt > 0);
    let mut columns = vec!["create", "update", "replace", "delete"];
    columns.extend(retains.then_some("keep"));
    columns.extend(adopts.then_some("adopt"));
    let settings = headings.iter().any(|h| h.numbers.settings > 0);
    columns.extend(settings.then_some("settings"));
    let policies = headings.iter().any(|h| !h.policy.is_free());
    let (policy, line) = if policies {
        (" | policy", "---|")
    } else {
        ("", "")
    };
    let mut out = format!(
        "| environment | plan | {} | findings{policy} | state |\n|---|---|{}---|{line}---|\n",
        columns.join(" | "),
        "--:|".repeat(columns.len()),
    );
    for heading in headings {
        let objects = &heading.numbers.objects;
        let mut counts = vec![
            objects.create.to_string(),
            objects.update.to_string(),
            strong(objects.replace),
            strong(objects.delete),
        ];
        counts.extend(retains.then(|| strong(objects.retain)));
        counts.extend(adopts.then(|| objects.adopt.to_string()));
        counts.extend(settings.then(|| heading.numbers.settings.to_string()));
        let policy = if policies {
            format!(" | {}", cell(&heading.policy()))
        } else {
            String::new()
        };
        let findings: Vec<String> = heading.findings().iter().map(cell).collect();
        out.push_str(&format!(
            "| {} | `{}` | {} | {}{policy} | {} |\n",
            heading.name,
            heading.named(),
            counts.join(" | "),
            findings.join(", "),
            cell(&heading.state()),
        ));
    }
    out
}

fn strong(count: u32) -> String {
    if count == 0 {
        count.to_string()
    } else {
        format!("**{count}**")
    }
}

fn cell(cell: &Cell) -> String {
    let text = if cell.is_grave {
        format!("**{}**", cell.text)
    } else {
        cell.text.clone()
    };
    match &cell.who {
        Some(who) => format!("{text} {}", fence::span(who)),
        None => text,
    }
}
