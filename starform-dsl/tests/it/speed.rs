//! How fast a text becomes a tree, beside the crate `kdl` in the same run.
//! Measures time and prints it. Ignored: it says something only in release on a quiet machine.
//! Run `cargo test --release -p starform-dsl --test it speed -- --ignored --nocapture`.
#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use kdl::KdlDocument;
use starform_dsl::source::FileId;
use starform_dsl::syntax::{Value, parse, read};

/// MB/s, of the text's own bytes.
const GOAL: f64 = 100.0;

#[test]
#[ignore = "a measurement; only meaningful in release on a quiet machine"]
fn a_text_becomes_a_tree_at_a_hundred_megabytes_a_second() {
    let text = services(1_000);
    let tree = rate(&text, 50, || parse(FileId(0), &*text).cst.nodes().count());
    let checked = rate(&text, 50, || read(FileId(0), &*text).cst.nodes().count());
    let decoded = rate(&text, 50, || decoded(&text));
    let kdl = rate(&text, 3, || {
        KdlDocument::parse(&text).map_or(0, |document| document.nodes().len())
    });
    println!(
        "{} KB: parse {tree:.0} MB/s, read {checked:.0} MB/s, with every value {decoded:.0} MB/s",
        text.len() / 1_000
    );
    println!(
        "the crate kdl: {kdl:.1} MB/s, so {:.0} times slower",
        tree / kdl
    );
    assert!(
        tree >= GOAL,
        "{tree:.0} MB/s is under the goal of {GOAL} MB/s"
    );
}

/// The best of several runs.
fn rate(text: &str, runs: u32, work: impl Fn() -> usize) -> f64 {
    let took = (0..runs).map(|_| {
        let started = Instant::now();
        std::hint::black_box(work());
        started.elapsed()
    });
    let best = took.min().unwrap_or(Duration::MAX);
    text.len() as f64 / best.as_secs_f64() / 1e6
}

fn decoded(text: &str) -> usize {
    let parse = parse(FileId(0), text);
    let mut work = vec![parse.cst.nodes()];
    let mut bytes = 0;
    while let Some(mut nodes) = work.pop() {
        let Some(node) = nodes.next() else { continue };
        work.push(nodes);
        bytes += node.name().len();
        for entry in node.entries() {
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

/// A project of so many services, as people write them.
fn services(count: usize) -> String {
    let mut text = String::from("project shop {\n  environment production branch=main\n");
    for index in 0..count {
        let _ = write!(
            text,
            "\n  // Service number {index}, which shows the goods.\n  web service-{index} root=\"services/{index}\" {{\n    \
             image \"ghcr.io/acme/service-{index}@sha256:0123456789abcdef\"\n    port 8080 name=http\n    port 9090 name=grpc\n    \
             health ready=\"/readyz\" live=\"/healthz\" startup-within=\"90s\"\n    size cpu=\"250m\" memory=\"512Mi\"\n    \
             vars {{\n      LOG_LEVEL info\n      GREETING \"Hello \\\"world\\\"\\n\"\n      LIMIT 1_000\n      RATIO 0.75\n      \
             DATABASE (secret)database-url\n      FEATURE #true\n    }}\n    in production {{ scale min=3 max=12 cpu=65; }}\n  }}\n"
        );
    }
    text.push_str("}\n");
    text
}
