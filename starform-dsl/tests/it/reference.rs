//! The reference page says of values what the compiler does with them, and of limits what the checks ask.
//! Reads `docs`.
//! Read on in `blocks` for the page as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use starform_contract::{
    EnvironmentName, GroupName, PortName, ProjectName, SecretName, ServiceName,
};
use starform_dsl::diag::codes;
use starform_dsl::table::{self, NodeSpec};
use starform_dsl::{compile, reference, source::SourceTree};

use crate::table::around;

/// A line of a table: where a value stands, and values with the code that they give, if any.
struct Line {
    pattern: String,
    values: Vec<(String, Option<String>)>,
}

/// The sections about values with the tables of examples in them.
fn sections(page: &str) -> BTreeMap<String, Vec<Line>> {
    let values = page
        .split("\n## ")
        .find(|part| part.starts_with("Values\n"));
    let sections = values
        .expect("the page is about values")
        .split("\n### ")
        .skip(1);
    let lines = |section: &str| section.lines().filter_map(line).collect();
    sections
        .map(|section| section.split_once('\n').expect("a heading ends"))
        .map(|(heading, text)| (heading.to_owned(), lines(text)))
        .collect()
}

/// ``| `port …` | `8080` | `0` [SF5012](…) |``
fn line(text: &str) -> Option<Line> {
    let cells: Vec<&str> = text.trim_matches('|').split(" | ").map(str::trim).collect();
    let [pattern, right, wrong] = cells.as_slice() else {
        return None;
    };
    let pattern = pattern.strip_prefix('`')?.strip_suffix('`')?;
    let right = right.split('`').skip(1).step_by(2);
    let mut values: Vec<(String, Option<String>)> =
        right.map(|value| (value.to_owned(), None)).collect();
    for one in wrong.split(" · ") {
        let (value, code) = one.rsplit_once("` [").expect("a value and its code");
        let code = code.split_once(']').expect("a link").0.to_owned();
        values.push((value.trim_start_matches('`').to_owned(), Some(code)));
    }
    pattern.contains('…').then(|| Line {
        pattern: pattern.to_owned(),
        values,
    })
}

/// The row of the node that a pattern begins with, as it stands in services where it may.
fn row(pattern: &str) -> &'static NodeSpec {
    let name = pattern.split(' ').next().expect("a node");
    table::nodes()
        .find(|spec| spec.name() == name)
        .unwrap_or_else(|| panic!("{name} is no node"))
}

fn errors(pattern: &str, value: &str) -> BTreeSet<String> {
    let text = around(row(pattern), &pattern.replace('…', value));
    let files = [
        ("starform.kdl".to_owned(), text.into()),
        (
            "services/more.kdl".to_owned(),
            "partial more { size cpu=1; }".into(),
        ),
    ];
    let said = compile(&SourceTree::new(files.into())).diagnostics;
    let errors = said.iter().filter(|d| d.is_error());
    errors.map(|d| d.code.to_string()).collect()
}

#[test]
fn every_example_of_a_value_is_judged_as_the_page_says() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for (section, lines) in sections(&reference::markdown()) {
        assert!(!lines.is_empty(), "{section} shows nothing");
        for Line { pattern, values } in lines {
            for (value, code) in values {
                let wanted: BTreeSet<String> = code.into_iter().collect();
                let said = errors(&pattern, &value);
                if said != wanted {
                    wrong.push(format!("{section}: {pattern} {value} gives {said:?}"));
                }
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 100, "only {tried} values were tried");
}

#[test]
fn every_section_names_its_source() {
    let page = reference::markdown();
    let (_, values) = page.split_once("\n## Values\n").expect("a part");
    let (values, _) = values.split_once("\n## ").expect("it ends");
    for section in values.split("\n### ").skip(1) {
        let heading = section.lines().next().expect("a heading");
        assert!(section.contains("\nSource: "), "{heading} has no source");
    }
}

#[test]
fn a_node_fits_the_terminal() {
    for width in [40, 80, 120] {
        let rows = table::nodes().map(|spec| (spec.name(), spec.example));
        for (name, example) in rows {
            let shown = reference::node(name, width).expect("it has a row");
            let wide = |line: &&str| line.chars().count() > width && !line.contains(example);
            // A word is not broken, and what stands between backquotes is one.
            let broken = |line: &str| line.trim_start().contains(' ') && !line.contains('`');
            let wide = shown.lines().find(|line| wide(line) && broken(line));
            assert_eq!(wide, None, "{name} at {width} columns");
            assert!(shown.contains(example), "{name} keeps its example");
        }
        let wide = reference::list(width);
        let wide = wide.lines().find(|line| line.chars().count() > width);
        assert_eq!(wide, None, "the list at {width} columns");
    }
    assert_eq!(reference::node("replicas", 80), None);
}

/// Lengths of names: the longest is one, a longer one is none.
#[test]
fn the_lengths_of_names_are_those_of_the_page() {
    let page = reference::markdown();
    let longest = |takes: &dyn Fn(&str) -> bool| {
        let length = (1..300).take_while(|length| takes(&"a".repeat(*length)));
        length.last().expect("some length")
    };
    let lengths: [(&str, usize); 6] = [
        ("project", longest(&|text| ProjectName::new(text).is_ok())),
        ("service", longest(&|text| ServiceName::new(text).is_ok())),
        (
            "var-group, partial, volume",
            longest(&|text| GroupName::new(text).is_ok()),
        ),
        (
            "environment",
            longest(&|text| EnvironmentName::new(text).is_ok()),
        ),
        ("port", longest(&|text| PortName::new(text).is_ok())),
        ("secret", longest(&|text| SecretName::new(text).is_ok())),
    ];
    for (of, length) in lengths {
        let row = format!("\n| {of} | {length} |");
        assert!(page.contains(&row), "the page lacks{row}");
    }
}

/// Titles and pages of codes name the limit that the page names.
#[test]
fn codes_of_limits_name_the_same_limits() {
    let page = reference::markdown();
    let (_, limits) = page.split_once("\n## Limits\n").expect("a part");
    let limits = limits.split("\n## ").next().expect("it ends");
    let mut seen = 0;
    for line in limits.lines().filter(|line| line.contains("](")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [what, most, link] = cells.as_slice() else {
            panic!("{line}");
        };
        let code = link[1..].split(']').next().expect("a link");
        let entry = codes::Code::parse(code).expect("a code");
        let number = most.trim_end_matches(" levels");
        let says = [entry.title, entry.doc, entry.page]
            .iter()
            .any(|text| text.contains(number));
        assert!(says, "{what}: {code} does not say {number}");
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} limits");
}

/// Links of the page to other pages lead to files.
#[test]
fn the_pages_that_are_linked_are_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    let page = reference::markdown();
    let links = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let mut seen = 0;
    for link in links.filter(|link| !link.starts_with('#') && !link.starts_with("https://")) {
        assert!(docs.join(link).exists(), "{link} is not there");
        seen += 1;
    }
    assert!(seen > 50);
}
