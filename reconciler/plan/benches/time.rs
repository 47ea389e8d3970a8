//! How fast plans of ten thousand objects are made, beside one pass over their canonical bytes and the same bytes'
//! SHA-256, which a plan's digests cost at least.
//!
//! Measures time and prints one JSON object a line: name, ours, floor, unit, n. Always holds: before and after are what
//! the language, the names and the renderer make of a project's text; figures are medians.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints what it measured"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    hint::black_box,
    time::Instant,
};

use serde_json::json;
use starform_contract::{
    Bundle, ClusterId, ClusterProfile, Digest, EnvironmentState, Index, Origins, ProjectEntry,
    digest::canonical,
};
use starform_dsl::{Bindings, compile, emit, source::SourceTree};
use starform_plan::{
    AcceptedProject, Proposal, ProposeInput,
    propose::propose,
    render::{Rendered, render},
};

/// In three environments, because a bundle has at most 8 MiB; seven objects each.
const SERVICES: usize = 480;
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "testing"];
const CLUSTER: &str = "6f1f1a52-7b1c-4f0e-9a55-2f8a3b7a9c11";
const RUNS: usize = 15;

/// One service in how many has another image in the changed project.
#[derive(Clone, Copy)]
enum Changed {
    Nothing,
    OneInHundred,
    Everything,
}

fn main() {
    let before = rendered(Changed::Nothing);
    let accepted = accepted(&before);
    let objects: usize = before
        .iter()
        .map(|one| one.environment.all_objects().count())
        .sum();
    assert!((10_000..11_000).contains(&objects), "{objects} objects");
    let floor = median(|| {
        for one in &before {
            black_box(Digest::of_bytes(
                &serde_json::to_vec(&one.environment).expect("JSON"),
            ));
        }
    });
    for (name, changed) in [
        ("plan/10000 objects, nothing changed", Changed::Nothing),
        ("plan/10000 objects, 1 % changed", Changed::OneInHundred),
        (
            "plan/10000 objects, everything changed",
            Changed::Everything,
        ),
    ] {
        let after = rendered(changed);
        let seconds = median_of(|| after.clone(), |after| plans(&accepted, after));
        print(name, seconds * 1e3, Some(floor * 1e3));
    }
    let states = states(Changed::OneInHundred);
    let profile = ClusterProfile::default();
    let rendering = median(|| {
        states
            .iter()
            .map(|state| render(state, &profile))
            .collect::<Vec<_>>()
    });
    print(
        "plan/10000 objects rendered",
        rendering * 1e3,
        Some(floor * 1e3),
    );
    let bundle = Bundle::Environment(before[0].environment.clone());
    let bytes = canonical(&bundle);
    let rate = |seconds: f64| bytes.len() as f64 / seconds / 1e6;
    let ours = median(|| canonical(&bundle));
    let plain = median(|| serde_json::to_vec(&bundle));
    println!(
        "{}",
        json!({"name": "plan/canonical bytes beside serde_json", "ours": rate(ours), "floor": rate(plain), "unit": "MB/s", "n": RUNS})
    );
}

fn plans(accepted: &AcceptedProject, after: Vec<Rendered>) -> Vec<Proposal> {
    let (origins, none, nothing) = (Origins::default(), BTreeSet::new(), BTreeSet::new());
    after
        .into_iter()
        .map(
            |Rendered {
                 project,
                 environment,
             }| {
                propose(ProposeInput {
                    accepted,
                    project,
                    environment,
                    origins: &origins,
                    revision: None,
                    only: None,
                    adopt: &none,
                    again: &nothing,
                    removed: &[],
                })
            },
        )
        .collect()
}

fn accepted(before: &[Rendered]) -> AcceptedProject {
    let cluster = CLUSTER.parse::<ClusterId>().expect("a UUID");
    let own = &before[0].project;
    let environments = before.iter().map(|one| &one.environment);
    let entry = ProjectEntry {
        namespace: own.namespace.clone(),
        bundle: own.digest(),
        environments: environments
            .map(|one| (one.environment.clone(), one.digest()))
            .collect(),
        accepted: Vec::new(),
    };
    let bundles = before.iter().flat_map(|one| {
        [
            Bundle::Project(one.project.clone()),
            Bundle::Environment(one.environment.clone()),
        ]
    });
    let bundles: BTreeMap<Digest, Bundle> =
        bundles.map(|bundle| (bundle.digest(), bundle)).collect();
    let index = Index::empty(cluster).successor(BTreeMap::from([(own.project_id, entry)]));
    AcceptedProject::from_index(&index, own.project_id, |digest| {
        bundles.get(digest).cloned()
    })
    .expect("all bundles")
}

fn rendered(changed: Changed) -> Vec<Rendered> {
    let profile = ClusterProfile::default();
    states(changed)
        .iter()
        .map(|state| render(state, &profile))
        .collect()
}

fn states(changed: Changed) -> Vec<EnvironmentState> {
    let sources = SourceTree::single("starform.kdl", &project(changed));
    let project = compile(&sources).project.expect("no errors");
    let bindings = Bindings::first(&project);
    project
        .environments()
        .map(|(environment, _)| {
            emit(&project, environment, &bindings)
                .expect("a state")
                .state
        })
        .collect()
}

/// What services mostly have; each is a Deployment with an account, a route, a Service, a NetworkPolicy, an autoscaler
/// and a disruption budget.
fn project(changed: Changed) -> String {
    let mut text = String::from("project shop contract=1 {\n");
    for environment in ENVIRONMENTS {
        let _ = writeln!(text, "  environment {environment} branch={environment}");
    }
    for index in 0..SERVICES {
        let moves = match changed {
            Changed::Nothing => false,
            Changed::OneInHundred => index % 100 == 7,
            Changed::Everything => true,
        };
        let digest = if moves { "1" } else { "0" }.repeat(64);
        let level = if moves { "debug" } else { "info" };
        let _ = write!(
            text,
            "
  web service-{index} {{
    image \"ghcr.io/acme/service-{index}@sha256:{digest}\"
    port 8080 name=http
    port 9090 name=grpc
    health ready=\"/readyz\" live=\"/healthz\" startup-within=\"90s\"
    size cpu=\"250m\" memory=\"512Mi\"
    scale min=3 max=12 cpu=65
    vars {{
      LOG_LEVEL {level}
      GREETING \"Hello \\\"world\\\"\\n\"
      LIMIT 1000
      RATIO \"0.75\"
      FEATURE #true
    }}
  }}
"
        );
    }
    text.push_str("}\n");
    text
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

fn print(name: &str, ours: f64, floor: Option<f64>) {
    println!(
        "{}",
        json!({"name": name, "ours": ours, "floor": floor, "unit": "ms", "n": RUNS})
    );
}
