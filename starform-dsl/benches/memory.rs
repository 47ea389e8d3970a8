//! How many bytes a tree holds for each byte of its text, beside the peers in the same run.
//! Counts the allocator's bytes exactly and prints one JSON object a line: name, ours, floor, unit, n.
//! Always holds: the text itself is allocated before and belongs to nobody's figure but that of who copies it.
//! Read on in `time`, which runs without the counting.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[allow(dead_code, reason = "projects without mistakes are what `time` reads")]
mod documents;

use std::sync::Arc;

use kdl::KdlDocument;
use peak_alloc::PeakAlloc;
use serde_json::json;
use starform_dsl::source::FileId;
use starform_dsl::syntax::parse;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const SERVICES: usize = 2_000;

/// Bytes for each byte of text: while it was made, and after.
struct Held {
    peak: f64,
    retained: f64,
}

fn main() {
    let documents::Equal { kdl, toml, json } = documents::equal(SERVICES);
    // Shared with the tree, as the files of a source tree are.
    let text: Arc<str> = Arc::from(&*kdl);
    let ours = held(text.len(), || parse(FileId(0), text.clone()));
    let dense: Arc<str> = Arc::from("a;".repeat(90_000));
    let densest = held(dense.len(), || parse(FileId(0), dense.clone()));
    let peers = [
        ("kdl", held(kdl.len(), || KdlDocument::parse(&kdl))),
        ("toml", held(toml.len(), || toml.parse::<toml::Table>())),
        (
            "serde_json",
            held(json.len(), || {
                serde_json::from_str::<serde_json::Value>(&json)
            }),
        ),
    ];
    for (peer, theirs) in peers {
        print(
            &format!("compile/tree's peak beside {peer}"),
            ours.peak,
            Some(theirs.peak),
        );
        print(
            &format!("compile/tree retained beside {peer}"),
            ours.retained,
            Some(theirs.retained),
        );
    }
    print("compile/densest tree's peak", densest.peak, None);
    print("compile/densest tree retained", densest.retained, None);
}

fn held<T>(bytes: usize, work: impl FnOnce() -> T) -> Held {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let made = work();
    let (peak, after) = (ALLOCATED.peak_usage(), ALLOCATED.current_usage());
    drop(made);
    let each = |held: usize| (held - before) as f64 / bytes as f64;
    Held {
        peak: each(peak),
        retained: each(after),
    }
}

fn print(name: &str, ours: f64, floor: Option<f64>) {
    println!(
        "{}",
        json!({"name": name, "ours": ours, "floor": floor, "unit": "B/B", "n": 1})
    );
}
