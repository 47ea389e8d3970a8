//! The laws of all views over generated plans: of two environments, from nothing, and with hostile texts
//! wherever a document has a text.
//!
//! Pure. A failing case is printed with its seed. `cargo xtask soak plans` runs the full size.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    prelude::*,
    sample,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::Value;
use starform_contract::{Digest, EnvironmentBundle, EnvironmentState};
use starform_plan::{
    Proposal,
    document::{Finding, FindingSeverity, ModelChange, Opening, Plan, Plans},
    view::{TextOptions, text},
};

use super::lawful::{self, Views};
use crate::plan::{
    laws,
    renames::renaming,
    world::{World, environment, of_environment},
};

/// In every run of the tests.
const SLICE: u32 = 6;
/// Of each half. Each case makes seven plans: more than 100 000 of them.
const HALF: u32 = 7_200;
/// Whose bytes are compared between processes.
const COMPARED: u32 = 300;
/// How often a soak says how far it is.
const STEP: usize = 5_000;

/// Never in any view: it stands only where Secrets get their content from.
const CANARY: &str = "c4n4ry";

#[test]
fn every_view_of_a_generated_plan_is_lawful() {
    all_are_lawful(TestRunner::new(config(SLICE)), |_, _| ());
}

#[test]
#[ignore = "the full size, for cargo xtask soak plans"]
fn soak_first_half_of_100_000_plans_is_lawful() {
    soak(1);
}

/// Beside the other half: each has one core.
#[test]
#[ignore = "the full size, for cargo xtask soak plans"]
fn soak_second_half_of_100_000_plans_is_lawful() {
    soak(2);
}

/// `cargo xtask soak plans` runs it in two processes and compares what they print.
#[test]
#[ignore = "the full size, for cargo xtask soak plans"]
#[allow(clippy::print_stdout, reason = "what is compared with another process")]
fn bytes_of_generated_plans_and_views() {
    let digests = RefCell::new(String::new());
    let plans = all_are_lawful(seeded(COMPARED, 3), |_, views| {
        let mut digests = digests.borrow_mut();
        for shown in views.all() {
            *digests += Digest::of_bytes(shown.as_bytes()).as_str();
        }
    });
    let all = Digest::of_bytes(digests.borrow().as_bytes());
    println!("bytes of {plans} plans and their views, seed 3: {all}");
}

#[allow(clippy::print_stdout, reason = "what a soak has held is its result")]
fn soak(seed: u8) {
    let next = Cell::new(STEP);
    let plans = all_are_lawful(seeded(HALF, seed), |plans, _| {
        if plans >= next.get() {
            println!("seed {seed}: {plans} plans so far");
            next.set(next.get() + STEP);
        }
    });
    println!("seed {seed}: {plans} plans, all views of each are lawful");
    assert!(plans >= 50_000, "{plans}");
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        // A failing case of full size is made smaller in minutes, not in hours.
        max_shrink_iters: 1_000,
        ..ProptestConfig::default()
    }
}

/// The same cases every time.
fn seeded(cases: u32, seed: u8) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(config(cases), rng)
}

/// How many plans they were; so many as there are by then, and the views of the last ones, are shown to
/// `look` too.
fn all_are_lawful(mut runner: TestRunner, look: impl Fn(usize, &Views)) -> usize {
    let count = Cell::new(0);
    let shops = (laws::shop(), laws::shop(), laws::shop(), renaming());
    let strategy = (shops, hostile(), hostile(), any::<u64>());
    runner
        .run(&strategy, |((a, b, c, renaming), left, right, order)| {
            let (a, b) = (laws::with_canary(a, CANARY), laws::with_canary(b, CANARY));
            let world = World::having(&a);
            let change = world.propose(&b);
            let other = world.propose(&c).plan;
            laws::fields_turn_before_into_after(&world, &change)?;
            hosts_are_told(&world, &change)?;
            laws::ids_are_of_what_is_done(&world, &b, [&change.plan, &other])?;
            let turned = laws::propose_turned(&world, &b, order);
            prop_assert_eq!(&change, &turned);
            let turned = Views::of(&envelope(vec![turned.plan]));
            let first = World::new().propose(&b).plan;
            let worse = poisoned(change.plan.clone(), &[left, right]);
            let beside = side_by_side(world, &a, &b)?;
            let renamed = renaming.world().propose(&renaming.after).plan;
            let worse = vec![worse, other];
            let groups = [vec![change.plan], vec![first], worse, beside, vec![renamed]];
            for (n, plans) in groups.map(envelope).iter().enumerate() {
                let views = Views::of(plans);
                let held = lawful::check(plans, &views, &canaries());
                prop_assert!(held.is_ok(), "{}", held.unwrap_err());
                let same = n > 0 || views == turned;
                prop_assert!(same, "the order of the input reaches a view");
                count.set(count.get() + plans.plans.len());
                look(count.get(), &views);
            }
            Ok(())
        })
        .unwrap();
    count.get()
}

/// Every host that is routed from now on, or no more, has its line.
fn hosts_are_told(world: &World, proposal: &Proposal) -> Result<(), TestCaseError> {
    let accepted = world.accepted(proposal.project.project_id);
    let name = &proposal.environment.environment;
    let before = accepted.environment(name).map(routed).unwrap_or_default();
    let after = routed(&proposal.environment);
    let options = TextOptions {
        width: 80,
        color: false,
        full: false,
    };
    let shown = lawful::dense(&text(std::slice::from_ref(&proposal.plan), &options));
    let opened = after.difference(&before);
    let closed = before.difference(&after);
    let lines = opened.map(|host| format!("opens https://{host}"));
    let lines = lines.chain(closed.map(|host| format!("no longer answers https://{host}")));
    for line in lines {
        prop_assert!(shown.contains(&lawful::dense(&line)), "{line}: {shown}");
    }
    Ok(())
}

fn routed(environment: &EnvironmentBundle) -> BTreeSet<String> {
    let objects = environment.all_objects();
    let routes = objects.filter(|object| object.manifest["kind"] == "HTTPRoute");
    let hosts = routes.filter_map(|route| route.manifest["spec"]["hostnames"].as_array());
    let hosts = hosts.flatten().filter_map(Value::as_str);
    hosts.map(str::to_owned).collect()
}

fn envelope(plans: Vec<Plan>) -> Plans {
    Plans::new(plans, BTreeMap::new())
}

fn canaries() -> Vec<String> {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(CANARY);
    vec![CANARY.to_owned(), encoded]
}

/// The same change of two environments, of which `world` has accepted one.
fn side_by_side(
    mut world: World,
    a: &EnvironmentState,
    b: &EnvironmentState,
) -> Result<Vec<Plan>, TestCaseError> {
    let names = [a.environment.clone(), environment("staging")];
    let [_, staging] = &names;
    let proposal = world.propose(&of_environment(a, staging));
    let accepted = world.accept(&proposal);
    prop_assert!(accepted.is_ok(), "{:?}", accepted);
    let plans = names.map(|name| world.propose(&of_environment(b, &name)).plan);
    Ok(plans.to_vec())
}

/// Texts that try to be something else, one or several of them.
fn hostile() -> BoxedStrategy<String> {
    let known = sample::select(vec![
        "```",
        "`````\n",
        "~~~",
        "</details>",
        "<details>",
        "<!--",
        "-->",
        "<script>alert(1)</script>",
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\u{9b}31m",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\u{fdd0}service\u{fdd1}",
        "‹service›",
        "(secret changed)",
        "Plan: 0 to create",
        "\r\n",
        "\n",
        "\t",
        " ",
        "\\u{1b}",
        "\\",
        "\"",
        "→",
        "@@ x @@",
        "::error::x",
        "%0A::error::x",
        "| a | b |",
        "@team",
        "設定",
        "👩‍👩‍👧",
        "e\u{301}",
        "{\"a\":1}",
        "~1",
        "/",
        "[",
        "]",
        "&lt;",
        "' onload='x",
    ]);
    let any = any::<String>().prop_map(|text| text.chars().take(20).collect());
    let piece = prop_oneof![3 => known.prop_map(str::to_owned), 1 => any];
    proptest::collection::vec(piece, 1..4)
        .prop_map(|pieces| pieces.concat())
        .boxed()
}

/// Hostile texts in every place of the document that can hold one.
fn poisoned(mut plan: Plan, hostile: &[String]) -> Plan {
    let text = |n: usize| hostile[n % hostile.len()].clone();
    plan.source.revision = Some(text(0));
    for (n, change) in plan.settings.iter_mut().enumerate() {
        poison_model(change, &text(n));
    }
    for service in &mut plan.services {
        for (n, change) in service.changes.iter_mut().enumerate() {
            poison_model(change, &text(n));
        }
    }
    for (n, object) in plan.objects.iter_mut().enumerate() {
        for opening in &mut object.opens {
            match opening {
                Opening::Host(own)
                | Opening::Path(own)
                | Opening::Right(own)
                | Opening::Subject(own) => own.push_str(&text(n)),
                Opening::Traffic => {}
            }
        }
        for (m, field) in object.fields.iter_mut().enumerate() {
            let text = text(n + m);
            field.path.push_str(&text);
            if let Some(words) = &mut field.words {
                words.push_str(&text);
            }
            for side in [&mut field.before, &mut field.after].into_iter().flatten() {
                poison_value(side, &text);
            }
        }
    }
    for severity in [
        FindingSeverity::Blocking,
        FindingSeverity::Approval,
        FindingSeverity::Warning,
    ] {
        plan.findings.push(Finding {
            code: "SF6101".to_owned(),
            severity,
            title: text(1),
            at: Some(format!("{}:1:2", text(0))),
        });
    }
    plan
}

fn poison_model(change: &mut ModelChange, text: &str) {
    change.path.push_str(text);
    change.at = Some(text.to_owned());
    for side in [&mut change.before, &mut change.after]
        .into_iter()
        .flatten()
    {
        poison_value(side, text);
    }
}

fn poison_value(value: &mut Value, text: &str) {
    match value {
        Value::String(own) => own.push_str(text),
        Value::Array(items) => items.push(Value::from(text)),
        Value::Object(fields) => drop(fields.insert(text.to_owned(), Value::from(text))),
        Value::Null | Value::Bool(_) | Value::Number(_) => *value = Value::from(text),
    }
}
