//! How fast texts become trees and projects become contracts, beside the peers in the same run.
//! Measures time and prints one JSON object a line: name, ours, floor, unit, n; `floor` is the peer's figure.
//! Always holds: every parser reads the same text, or equal content in its own format; figures are medians.
//! Read on in `documents` for what is read, and in `memory`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints what it measured"
)]

mod documents;

use std::hint::black_box;
use std::time::Instant;

use kdl::KdlDocument;
use serde_json::json;
use starform_dsl::fmt;
use starform_dsl::source::{FileId, SourceTree};
use starform_dsl::syntax::{Nodes, Value, parse, read};
use starform_dsl::{Bindings, compile, emit};

const SERVICES: usize = 1_000;
const RUNS: usize = 31;
/// The crate `kdl` takes a quarter of a second for each.
const SLOW_RUNS: usize = 3;

/// One figure, beside that of a peer.
struct Figure<'a> {
    name: &'a str,
    ours: f64,
    floor: Option<f64>,
    unit: &'static str,
    n: usize,
}

fn main() {
    // `cargo bench` itself adds `--bench`.
    let only = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    let parts = [
        ("parsers", parsers as fn()),
        ("formatting", formatting),
        ("contract", contract),
    ];
    for (name, part) in parts {
        if only.as_deref().is_none_or(|only| only == name) {
            part();
        }
    }
}

/// Text to tree, beside the crate `kdl` on the same text and two other formats on equal content.
fn parsers() {
    let documents::Equal { kdl, toml, json } = documents::equal(SERVICES);
    let tree = median(RUNS, || parse(FileId(0), &*kdl));
    let read = median(RUNS, || read(FileId(0), &*kdl));
    let values = median(RUNS, || decoded(parse(FileId(0), &*kdl).cst.nodes()));
    let by_kdl = median(SLOW_RUNS, || KdlDocument::parse(&kdl).expect("a document"));
    let by_toml = median(RUNS, || toml.parse::<toml::Table>().expect("a table"));
    let by_json = median(RUNS, || {
        serde_json::from_str::<serde_json::Value>(&json).expect("a value")
    });
    let rate = |text: &str, seconds: f64| text.len() as f64 / seconds / 1e6;
    let beside = |name, seconds, (text, peer): (&str, f64)| {
        Figure {
            name,
            ours: rate(&kdl, seconds),
            floor: Some(rate(text, peer)),
            unit: "MB/s",
            n: RUNS,
        }
        .print();
    };
    beside("compile/tree beside kdl", tree, (&kdl, by_kdl));
    beside("compile/read beside kdl", read, (&kdl, by_kdl));
    beside("compile/values beside kdl", values, (&kdl, by_kdl));
    beside("compile/values beside toml", values, (&toml, by_toml));
    beside("compile/values beside serde_json", values, (&json, by_json));
    let same_content = |name, peer: f64| {
        Figure {
            name,
            ours: values * 1e3,
            floor: Some(peer * 1e3),
            unit: "ms",
            n: RUNS,
        }
        .print();
    };
    same_content("compile/equal content beside kdl", by_kdl);
    same_content("compile/equal content beside toml", by_toml);
    same_content("compile/equal content beside serde_json", by_json);
}

/// Text to text in the one style, beside the crate `kdl` on the same text; and a text that needs nothing.
fn formatting() {
    let untidy = documents::equal(SERVICES).kdl.replace("\n    ", "\n\t");
    let tidy = fmt::format(&untidy).expect("the meaning stays").text;
    let rate = |text: &str, seconds: f64| text.len() as f64 / seconds / 1e6;
    let by_kdl = median(SLOW_RUNS, || {
        let mut document = KdlDocument::parse(&untidy).expect("a document");
        document.autoformat();
        document.to_string()
    });
    let of_untidy = median(RUNS, || fmt::format(&untidy).expect("the meaning stays"));
    let of_tidy = median(RUNS, || fmt::format(&tidy).expect("the meaning stays"));
    for (name, ours, floor) in [
        (
            "compile/fmt beside kdl",
            rate(&untidy, of_untidy),
            Some(rate(&untidy, by_kdl)),
        ),
        ("compile/fmt of formatted text", rate(&tidy, of_tidy), None),
    ] {
        Figure {
            name,
            ours,
            floor,
            unit: "MB/s",
            n: RUNS,
        }
        .print();
    }
}

/// A thousand services in two environments, from text to the contract's state of both.
fn contract() {
    let text = documents::project(SERVICES, 2);
    // A tree keeps what was read of it, so each run has one of its own.
    let project = || {
        let sources = SourceTree::single("starform.kdl", &text);
        compile(&sources).project.expect("no errors")
    };
    let checked = median(RUNS, project);
    let whole = median(RUNS, || {
        let project = project();
        let bindings = Bindings::first(&project);
        let states: Vec<_> = project
            .environments()
            .map(|(environment, _)| emit(&project, environment, &bindings).expect("a state"))
            .collect();
        assert_eq!(states.len(), 2);
        states
    });
    for (name, seconds) in [
        ("compile/1000 services checked", checked),
        ("compile/1000 services x 2 environments to contract", whole),
    ] {
        Figure {
            name,
            ours: seconds * 1e3,
            floor: None,
            unit: "ms",
            n: RUNS,
        }
        .print();
    }
}

impl Figure<'_> {
    fn print(&self) {
        println!(
            "{}",
            json!({"name": self.name, "ours": self.ours, "floor": self.floor, "unit": self.unit, "n": self.n})
        );
    }
}

/// Seconds; what is made is dropped outside the clock.
fn median<T>(runs: usize, work: impl Fn() -> T) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let started = Instant::now();
            let made = black_box(work());
            let took = started.elapsed().as_secs_f64();
            drop(made);
            took
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Reads every name and value, and counts their bytes.
fn decoded(nodes: Nodes<'_>) -> usize {
    let mut work = vec![nodes];
    let mut bytes = 0;
    while let Some(mut nodes) = work.pop() {
        let Some(node) = nodes.next() else { continue };
        work.push(nodes);
        bytes += node.name().len();
        for entry in node.entries() {
            bytes += entry.name().map_or(0, |name| name.text.len());
            bytes += match entry.value() {
                Value::String(text) => text.len(),
                Value::Integer(_)
                | Value::Decimal(_)
                | Value::Bool(_)
                | Value::Null
                | Value::Invalid => 1,
            };
        }
        work.extend(node.children());
    }
    bytes
}
