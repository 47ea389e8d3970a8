//! The reference page `docs/reference/language.md`: prose from `language.md`, everything about nodes from the table.
//! Pure. A test compares the page with what stands in `docs`, and compiles every block of it.
//! Read on in `words` for single facts.

use std::fmt::Write as _;

use super::{limits, words};
use crate::table::{self, Alias, NodeSpec, Place, PropSpec, Type};

/// What people wrote; lines that begin with `<!-- ` name what is put in.
const PROSE: &str = include_str!("language.md");

/// In the order of the page: from the file inwards.
const PLACES: [Place; 10] = [
    Place::Root,
    Place::Project,
    Place::Environment,
    Place::Group,
    Place::Service,
    Place::Build,
    Place::Health,
    Place::Domain,
    Place::Partial,
    Place::ServiceIn,
];

/// The page as Markdown.
pub fn markdown() -> String {
    PROSE
        .replace("<!-- contents -->\n", &contents())
        .replace("<!-- nodes -->\n", &nodes())
        .replace("<!-- limits -->\n", &limits::table())
        .replace("<!-- aliases -->\n", &aliases())
}

fn contents() -> String {
    let mut text = String::new();
    for heading in PROSE.lines().filter_map(|line| line.strip_prefix("## ")) {
        if heading == "Contents" {
            continue;
        }
        let _ = writeln!(text, "- [{heading}](#{})", anchor(heading));
        if heading == "Values" {
            let links: Vec<String> = values()
                .map(|name| format!("[{name}](#{})", anchor(name)))
                .collect();
            let _ = writeln!(text, "  - {}", links.join(", "));
        }
        if heading == "Nodes" {
            for (place, rows) in by_place() {
                let names: Vec<String> = rows.iter().map(|row| link(row)).collect();
                let title = heading_of(place);
                let _ = writeln!(
                    text,
                    "  - [{title}](#{}): {}",
                    anchor(&title),
                    names.join(", ")
                );
            }
        }
    }
    text
}

/// The sections about values, in the order of the page.
fn values() -> impl Iterator<Item = &'static str> {
    let section = PROSE
        .split("\n## ")
        .find(|section| section.starts_with("Values\n"));
    let lines = section.unwrap_or_default().lines();
    lines.filter_map(|line| line.strip_prefix("### "))
}

/// Rows under the first place of the page where they may stand.
fn by_place() -> Vec<(Place, Vec<&'static NodeSpec>)> {
    let first = |spec: &NodeSpec| PLACES.into_iter().find(|place| spec.places.contains(place));
    PLACES
        .into_iter()
        .map(|place| {
            let rows = table::nodes().filter(|spec| first(spec) == Some(place));
            (place, rows.collect::<Vec<_>>())
        })
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

fn heading_of(place: Place) -> String {
    format!("In {}", place.title()).replace('`', "")
}

/// Names that stand in several places are told apart by the place.
fn title(row: &NodeSpec) -> String {
    let same = table::nodes()
        .filter(|spec| spec.name() == row.name())
        .count();
    let place = row.places.first().map_or("", |place| place.title());
    if same > 1 {
        format!("{} in {}", row.name(), place.replace('`', ""))
    } else {
        row.name().to_owned()
    }
}

fn link(row: &NodeSpec) -> String {
    format!("[{}](#{})", row.name(), anchor(&title(row)))
}

/// As Git hosts make it from a heading.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | ' ' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn nodes() -> String {
    let mut text = String::new();
    for (index, (place, rows)) in by_place().into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "### {}", heading_of(place));
        for row in rows {
            node(&mut text, row);
        }
    }
    text
}

fn node(text: &mut String, row: &NodeSpec) {
    let _ = writeln!(text, "\n#### {}\n\n{}\n", title(row), row.doc);
    if let Some(missing) = words::missing(row.availability) {
        let _ = writeln!(text, "> {}.\n", words::capital(&missing));
    }
    let _ = writeln!(text, "```text\n{}\n```\n\n| | |\n|---|---|", row.form);
    let mut fact = |name: &str, what: Option<String>| {
        if let Some(what) = what {
            let _ = writeln!(text, "| {name} | {} |", cell(&what));
        }
    };
    fact("stands in", Some(words::places(row)));
    fact("kinds of service", words::kinds(row));
    fact("may stand", Some(words::repeat(row).to_owned()));
    fact("left out", Some(row.default.to_owned()));
    let unset = row.unset.then(|| format!("`{} #null`", row.name()));
    fact("taken back by", unset);
    let argument = words::arguments(row, linked).map(|(name, what)| format!("`{name}`: {what}"));
    fact("argument", argument);
    fact("holds", words::block(row));
    if !row.props.is_empty() {
        text.push_str("\n| property | value | |\n|---|---|---|\n");
        for prop in row.props {
            property(text, prop);
        }
    }
    if !row.example.is_empty() {
        let _ = writeln!(text, "\n```kdl node\n{}\n```", row.example);
    }
}

/// What a value is, with a link to what is said about such values.
fn linked(ty: Type) -> String {
    let section = anchor(words::section(ty));
    format!("[{}](#{section})", words::value(ty))
}

fn property(text: &mut String, prop: &PropSpec) {
    let needed = if prop.required { " (needed)" } else { "" };
    let missing = words::missing(prop.availability).map_or(String::new(), |missing| {
        format!(" {}.", words::capital(&missing))
    });
    let _ = writeln!(
        text,
        "| `{}=`{needed} | {} | {} |",
        prop.name,
        cell(&linked(prop.ty)),
        cell(&format!("{}{missing}", prop.doc)),
    );
}

fn aliases() -> String {
    let mut text = "| elsewhere | here |\n|---|---|\n".to_owned();
    for alias in table::node_aliases() {
        counterpart(&mut text, alias, "");
    }
    for alias in table::property_aliases() {
        counterpart(&mut text, alias, "=");
    }
    text.push_str("\n| elsewhere | instead |\n|---|---|\n");
    for row in table::without_counterpart() {
        let _ = writeln!(
            text,
            "| {} | {} |",
            words_of(row.words),
            words::capital(&cell(row.help))
        );
    }
    text
}

fn counterpart(text: &mut String, alias: &Alias, ending: &str) {
    let ours = alias.ours;
    let _ = writeln!(text, "| {} | `{ours}{ending}` |", words_of(alias.words));
}

/// `` `one`, `two` ``
fn words_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// A text that a table's cell can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
