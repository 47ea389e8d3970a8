//! How fast plans of ten thousand objects are made and shown, beside the SHA-256 of the bytes that they result in:
//! what is hashed could all be there already, and nothing of a plan can be had for less.
//!
//! Measures the processor time of its one thread, where the system tells it, so that a busy machine does not count;
//! prints one JSON object a line: name, ours, floor, unit, n. Figures are medians.
//!
//! | row | begins with | ends with |
//! |---|---|---|
//! | `… changed` | accepted and wanted bundles in memory | three plan documents with findings, digests and ids |
//! | `… changed, from text` | the text of the project, and accepted bundles in memory | the same |
//! | `accepted read` | canonical text, as a store or the cluster gives it | accepted bundles in memory |
//!
//! Not measured here: the network, compression, the start of the process, views (rows of their own).
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
use world::{Changed, Stored, plans, plans_of_text, project, rendered, states};

const RUNS: usize = 15;

fn main() {
    let before = rendered(Changed::Nothing);
    let objects: usize = before
        .iter()
        .map(|one| one.environment.all_objects().count())
        .sum();
    assert!((10_000..11_000).contains(&objects), "{objects} objects");
    let texts: Vec<Vec<u8>> = before
        .iter()
        .map(|one| canonical(&one.environment))
        .collect();
    let floor = median(|| {
        texts
            .iter()
            .map(|text| Digest::of_bytes(text))
            .collect::<Vec<_>>()
    });
    planning(&before, floor);
    bytes(&before[0]);
    views(&before);
}

fn planning(before: &[Rendered], floor: f64) {
    let stored = Stored::new(before);
    let accepted = stored.read();
    let floor = Some(floor * 1e3);
    for (name, changed) in [
        ("nothing changed", Changed::Nothing),
        ("1 % changed", Changed::OneInHundred),
        ("everything changed", Changed::Everything),
    ] {
        let after = rendered(changed);
        let seconds = median_of(|| after.clone(), |after| plans(&accepted, after));
        let name = format!("plan/10000 objects, {name}");
        print(&name, seconds * 1e3, floor, "ms");
        let text = project(changed);
        let seconds = median(|| plans_of_text(&accepted, &text));
        print(&format!("{name}, from text"), seconds * 1e3, floor, "ms");
    }
    let states = states(Changed::OneInHundred);
    let profile = ClusterProfile::default();
    let seconds = median(|| -> Vec<Rendered> {
        states.iter().map(|state| render(state, &profile)).collect()
    });
    print("plan/10000 objects rendered", seconds * 1e3, floor, "ms");
    let seconds = median(|| stored.read());
    print(
        "plan/10000 objects, accepted read",
        seconds * 1e3,
        floor,
        "ms",
    );
}

/// The canonical form beside the same JSON in the order that fields are declared in.
fn bytes(one: &Rendered) {
    let bundle = Bundle::Environment(one.environment.clone());
    let size = canonical(&bundle).len();
    let rate = |seconds: f64| size as f64 / seconds / 1e6;
    let ours = rate(median(|| bundle.to_text()));
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
    let proposals = plans(&Stored::new(before).read(), rendered(Changed::Everything));
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
    let seconds = median(|| markdown(&many, &options).expect("there is room"));
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
            let started = Moment::now();
            let made = black_box(work(input));
            let took = started.elapsed();
            drop(made);
            took
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A point in this thread's processor time, or on the clock where the system does not tell that.
enum Moment {
    Thread(f64),
    Clock(Instant),
}

impl Moment {
    fn now() -> Self {
        Self::thread().map_or_else(|| Self::Clock(Instant::now()), Self::Thread)
    }

    /// Seconds.
    fn elapsed(&self) -> f64 {
        match self {
            Self::Thread(then) => Self::thread().map_or(f64::NAN, |now| now - then),
            Self::Clock(then) => then.elapsed().as_secs_f64(),
        }
    }

    /// Linux: nanoseconds on a processor are the first word.
    fn thread() -> Option<f64> {
        // Giving way brings the count up to now.
        std::thread::yield_now();
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
        Some(nanoseconds / 1e9)
    }
}

fn print(name: &str, ours: f64, floor: Option<f64>, unit: &str) {
    println!(
        "{}",
        json!({"name": name, "ours": ours, "floor": floor, "unit": unit, "n": RUNS})
    );
}
