//! One node as `starform explain NODE` shows it, and the list of all of them.
//! Pure: gives text without colour, lines as long as the table's sentences.
//! Read on in `crate::table` for the rows.

use super::words;
use crate::table::{self, NodeSpec, PropSpec};

/// Column at which facts begin.
const COLUMN: usize = 12;

/// Every row of a name; `None` where the language has no such node.
pub fn node(name: &str) -> Option<String> {
    let rows: Vec<String> = table::nodes()
        .filter(|spec| spec.name == name)
        .map(row)
        .collect();
    (!rows.is_empty()).then(|| rows.join("\n"))
}

/// Every node with its first sentence, by the place where it stands.
pub fn list() -> String {
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
        text.push_str(&format!(
            "  {:<14} {}{later}\n",
            spec.name,
            first.trim_end()
        ));
    }
    text.trim_start().to_owned()
}

fn row(spec: &NodeSpec) -> String {
    let mut text = format!("{}\n\n    {}\n\n", spec.doc, spec.form);
    let mut fact = |name: &str, what: Option<String>| {
        if let Some(what) = what {
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
        spec.unset.then(|| format!("{} #null", spec.name)),
    );
    fact(
        "argument",
        words::arguments(spec).map(|(name, what)| format!("{name}: {what}")),
    );
    for prop in spec.props {
        fact("property", Some(property(prop)));
    }
    fact("inside", words::block(spec));
    if !spec.example.is_empty() {
        text.push_str(&format!("\nexample\n\n    {}\n", spec.example));
    }
    text
}

fn property(prop: &PropSpec) -> String {
    let needed = if prop.required { " (needed)" } else { "" };
    let indent = " ".repeat(COLUMN + 2);
    let mut text = format!(
        "{}={needed}: {}\n{indent}{}",
        prop.name,
        words::value(prop.ty),
        prop.doc
    );
    if let Some(missing) = words::missing(prop.availability) {
        text.push_str(&format!("\n{indent}{missing}"));
    }
    text
}
