//! One node as `starform explain NODE` shows it, and the list of all of them.
//! Pure: gives text without colour; no line is wider than asked, but for an example's.
//! Read on in `crate::table` for the rows.

use super::words;
use crate::render::wrap;
use crate::table::{self, NodeSpec, PropSpec};

/// Column at which facts begin.
const COLUMN: usize = 12;

/// Column at which the list tells what a node is.
const LISTED: usize = 17;

/// So far forms and examples stand from the edge.
const INDENT: usize = 4;

/// Every row of a name, in `width` columns; `None` where the language has no such node.
pub fn node(name: &str, width: usize) -> Option<String> {
    let rows: Vec<String> = table::nodes()
        .filter(|spec| spec.name() == name)
        .map(|spec| row(spec, width))
        .collect();
    (!rows.is_empty()).then(|| rows.join("\n"))
}

/// Every node with its first sentence, by the place where it stands, in `width` columns.
pub fn list(width: usize) -> String {
    let rows: Vec<&NodeSpec> = table::nodes().collect();
    let mut text = String::new();
    let mut heading = "";
    for spec in rows {
        let place = spec.places.first().map_or("", |place| place.title());
        if place != heading {
            heading = place;
            text.push_str(&format!("\nin {place}\n"));
        }
        let later = match words::missing(spec.availability) {
            None => "",
            Some(_) => " (not available yet)",
        };
        let first = spec.doc.split_inclusive(". ").next().unwrap_or(spec.doc);
        let first = format!("{}{later}", first.trim_end());
        let first = hung(&first, width, LISTED);
        text.push_str(&format!("  {:<14} {first}\n", spec.name()));
    }
    text.trim_start().to_owned()
}

/// The text in lines that stand `columns` from the edge; the first one's place is the caller's.
fn hung(text: &str, width: usize, columns: usize) -> String {
    let indent = format!("\n{}", " ".repeat(columns));
    wrap(text, width.saturating_sub(columns), 0).replace('\n', &indent)
}

fn row(spec: &NodeSpec, width: usize) -> String {
    let indent = " ".repeat(INDENT);
    let form = hung(spec.form, width, INDENT);
    let mut text = format!("{}\n\n{indent}{form}\n\n", wrap(spec.doc, width, 0));
    let mut fact = |name: &str, what: Option<String>| {
        if let Some(what) = what {
            let what = hung(&what, width, COLUMN);
            text.push_str(&format!("{name:<COLUMN$}{what}\n"));
        }
    };
    fact("missing", words::missing(spec.availability));
    fact("stands in", Some(words::places(spec)));
    fact("kinds", words::kinds(spec));
    fact("may stand", Some(words::repeat(spec).to_owned()));
    fact("left out", Some(spec.default.to_owned()));
    fact(
        "taken back",
        spec.unset.then(|| format!("{} #null", spec.name())),
    );
    fact(
        "argument",
        words::arguments(spec, words::value).map(|(name, what)| format!("{name}: {what}")),
    );
    fact("inside", words::block(spec));
    for prop in spec.props {
        text.push_str(&property(prop, width));
    }
    if !spec.example.is_empty() {
        text.push_str(&format!("\nexample\n\n{indent}{}\n", spec.example));
    }
    text
}

/// What it takes, and below it what it means.
fn property(prop: &PropSpec, width: usize) -> String {
    let column = COLUMN + 2;
    let needed = if prop.required { " (needed)" } else { "" };
    let takes = format!("{}={needed}: {}", prop.name, words::value(prop.ty));
    let mut text = format!("{:<COLUMN$}{}\n", "property", hung(&takes, width, column));
    let missing = words::missing(prop.availability);
    for line in [Some(prop.doc.to_owned()), missing].into_iter().flatten() {
        let indent = " ".repeat(column);
        text.push_str(&format!("{indent}{}\n", hung(&line, width, column)));
    }
    text
}
