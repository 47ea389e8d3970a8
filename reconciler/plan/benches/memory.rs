//! How much memory a plan of ten thousand objects takes while it is made, beside that of the bundles it results in.
//!
//! Counts the allocator's bytes exactly and prints one JSON object a line: name, ours, floor, unit, n.
//! Read on in `world` for what is planned, and in `time`, which runs without the counting.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[allow(dead_code, reason = "`time` looks at more of it")]
mod world;

use peak_alloc::PeakAlloc;
use serde_json::json;
use world::{Changed, Stored, plans, rendered};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    let before = rendered(Changed::Nothing);
    let accepted = Stored::new(&before).read();
    drop(before);
    for (name, changed) in [
        ("1 % changed", Changed::OneInHundred),
        ("everything changed", Changed::Everything),
    ] {
        let start = ALLOCATED.current_usage();
        let after = rendered(changed);
        let bundles = ALLOCATED.current_usage() - start;
        ALLOCATED.reset_peak_usage();
        let made = plans(&accepted, after);
        let whole = ALLOCATED.peak_usage();
        let peak = whole - start;
        drop(made);
        print(
            &format!("plan/peak of 10000 objects, {name}, with all there is"),
            whole,
            start + bundles,
        );
        print(
            &format!("plan/peak of 10000 objects, {name}, beside what is accepted"),
            peak,
            bundles,
        );
    }
}

/// Bytes; the floor is what the accepted bundles, or the wanted ones, take by themselves.
fn print(name: &str, ours: usize, floor: usize) {
    println!(
        "{}",
        json!({
            "name": name,
            "ours": ours as f64 / MIB,
            "floor": floor as f64 / MIB,
            "unit": "MiB",
            "n": 1,
        })
    );
}
