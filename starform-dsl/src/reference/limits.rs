//! The limits of a text and of a project as the reference page shows them: the very constants that the checks ask.
//! Pure.
//! Read on in `page`, which puts them into the page.

use std::fmt::Write as _;

use crate::check::{MOST_ENVIRONMENTS, MOST_PLACES, MOST_SERVICES};
use crate::compile;
use crate::diag::{Code, KEPT, codes};
use crate::include::{DEEPEST, MOST_FILES, MOST_INCLUDES};
use crate::lower::{MOST_DECLARATIONS, MOST_ENTRIES, MOST_OF_A_KIND};
use crate::render::SHOWN;
use crate::syntax::{MAX_DEPTH, MAX_FILE, MAX_NODES};

/// A Markdown table: what, at most how much, and the code of what is more.
pub(super) fn table() -> String {
    let mut text = "| of | at most | else |\n|---|---|---|\n".to_owned();
    for (what, most, code) in rows() {
        let _ = writeln!(text, "| {what} | {most} | [{code}](../errors/{code}.md) |");
    }
    text
}

fn rows() -> [(&'static str, String, Code); 15] {
    let many = codes::TOO_MANY_OF_ONE_THING;
    [
        ("one file", mebibytes(MAX_FILE), codes::FILE_TOO_LARGE),
        (
            "all files of a project",
            mebibytes(compile::MOST_BYTES),
            codes::PROJECT_TOO_LARGE,
        ),
        ("nesting", format!("{MAX_DEPTH} levels"), codes::TOO_DEEP),
        ("nodes in a file", spaced(MAX_NODES), codes::TOO_MANY_NODES),
        ("included files", spaced(MOST_FILES), many),
        ("`include` nodes", spaced(MOST_INCLUDES), many),
        (
            "files that include each other in a row",
            spaced(DEEPEST),
            codes::INCLUDED_TOO_DEEP,
        ),
        (
            "environments",
            spaced(MOST_ENVIRONMENTS),
            codes::TOO_MANY_ENVIRONMENTS,
        ),
        (
            "var-groups and partials, each",
            spaced(MOST_DECLARATIONS),
            many,
        ),
        ("services", spaced(MOST_SERVICES), codes::TOO_MANY_SERVICES),
        (
            "services over all environments",
            spaced(MOST_PLACES),
            codes::TOO_MANY_INSTANCES_OF_SERVICES,
        ),
        (
            "ports, domains, aliases, groups, `in` blocks of one service, each",
            spaced(MOST_OF_A_KIND),
            many,
        ),
        (
            "variables of one service or group, arguments of one node",
            spaced(MOST_ENTRIES),
            many,
        ),
        ("problems kept", spaced(KEPT), codes::TOO_MANY_DIAGNOSTICS),
        (
            "problems shown to a person",
            spaced(SHOWN),
            codes::TOO_MANY_DIAGNOSTICS,
        ),
    ]
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

/// `100 000`
fn spaced(number: usize) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        thousands => format!("{} {:03}", spaced(thousands), number % 1_000),
    }
}
