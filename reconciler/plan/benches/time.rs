//! How fast plans of ten thousand objects are made and shown, beside one plain pass over the bytes of what they result
//! in and those bytes' SHA-256, which a plan's digests cost at least.
//!
//! Measures time and prints one JSON object a line: name, ours, floor, unit, n. Figures are medians.
//! Read on in `world` for what is planned, and in `memory`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints what it measured"
)]

mod world;

use std::{hint::black_box, time::Instant};

use serde_json::json;
use starform_contract::{Bundle, ClusterProfile, Digest, digest::canonical};
use starform_plan::{
    document::Plan,
    render::{Rendered, render},
    view::{MarkdownOptions, TextOptions, markdown, text},
};
use world::{Changed, accepted, plans, rendered, states};

const RUNS: usize = 15;

fn main() {
    let before = rendered(Changed::Nothing);
    let objects: usize = before
        .iter()
        .map(|one| one.environment.all_objects().count())
        .sum();
    assert!((10_000..11_000).contains(&objects), "{objects} objects");
    let floor = median(|| before.iter().map(plain_digest).collect::<Vec<_>>());
    planning(&before, floor);
    bytes(&before[0]);
    views(&before);
}

/// What every plan costs at least: its result is written once and hashed.
fn plain_digest(one: &Rendered) -> Digest {
    Digest::of_bytes(&serde_json::to_vec(&one.environment).expect("JSON"))
}

fn planning(before: &[Rendered], floor: f64) {
    let accepted = accepted(before);
    for (name, changed) in [
        ("nothing changed", Changed::Nothing),
        ("1 % changed", Changed::OneInHundred),
        ("everything changed", Changed::Everything),
    ] {
        let after = rendered(changed);
        let seconds = median_of(|| after.clone(), |after| plans(&accepted, after));
        let name = format!("plan/10000 objects, {name}");
        print(&name, seconds * 1e3, Some(floor * 1e3), "ms");
    }
    let states = states(Changed::OneInHundred);
    let profile = ClusterProfile::default();
    let seconds = median(|| -> Vec<Rendered> {
        states.iter().map(|state| render(state, &profile)).collect()
    });
    print(
        "plan/10000 objects rendered",
        seconds * 1e3,
        Some(floor * 1e3),
        "ms",
    );
}

/// The canonical form beside the same JSON in the order that fields are declared in.
fn bytes(one: &Rendered) {
    let bundle = Bundle::Environment(one.environment.clone());
    let size = canonical(&bundle).len();
    let rate = |seconds: f64| size as f64 / seconds / 1e6;
    let ours = rate(median(|| canonical(&bundle)));
    let plain = rate(median(|| serde_json::to_vec(&bundle)));
    print(
        "plan/canonical bytes beside serde_json",
        ours,
        Some(plain),
        "MB/s",
    );
}

/// Plans in which everything changed, again and again until they list 100 000 changes.
fn views(before: &[Rendered]) {
    let proposals = plans(&accepted(before), rendered(Changed::Everything));
    let of_one: Vec<Plan> = proposals
        .into_iter()
        .map(|proposal| proposal.plan)
        .collect();
    let changes = |plans: &[Plan]| -> usize {
        plans
            .iter()
            .flat_map(|plan| &plan.objects)
            .map(|object| object.fields.len())
            .sum()
    };
    let times = 100_000_usize.div_ceil(changes(&of_one));
    let many: Vec<Plan> = (0..times).flat_map(|time| renamed(&of_one, time)).collect();
    assert!(changes(&many) >= 100_000);
    for (form, full) in [("short", false), ("full", true)] {
        let options = TextOptions {
            width: 120,
            color: true,
            full,
        };
        let seconds = median(|| text(&many, &options));
        print(
            &format!("plan/100000 changes to {form} text"),
            seconds * 1e3,
            None,
            "ms",
        );
    }
    let options = MarkdownOptions::default();
    let seconds = median(|| markdown(&many, &options));
    print("plan/100000 changes to Markdown", seconds * 1e3, None, "ms");
}

/// Of environments of other names.
fn renamed(plans: &[Plan], time: usize) -> Vec<Plan> {
    let name = |plan: &Plan| {
        format!("{}-{time}", plan.environment)
            .parse()
            .expect("a name")
    };
    plans
        .iter()
        .map(|plan| Plan {
            environment: name(plan),
            ..plan.clone()
        })
        .collect()
}

/// Seconds.
fn median<T>(work: impl Fn() -> T) -> f64 {
    median_of(|| (), |()| work())
}

/// Seconds; what is needed is made, and what is made is dropped, outside the clock.
fn median_of<I, T>(make: impl Fn() -> I, work: impl Fn(I) -> T) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let input = make();
            let started = Instant::now();
            let made = black_box(work(input));
            let took = started.elapsed().as_secs_f64();
            drop(made);
            took
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn print(name: &str, ours: f64, floor: Option<f64>, unit: &str) {
    println!(
        "{}",
        json!({"name": name, "ours": ours, "floor": floor, "unit": unit, "n": RUNS})
    );
}
