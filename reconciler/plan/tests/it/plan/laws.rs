//! Laws of plans over any two environments.
//!
//! Pure. A failing case is printed with its seed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use starform_contract::{
    EnvironmentBundle, EnvironmentState, Object, ObjectKey, ProjectBundle, ProjectId, ProjectName,
    WorkspaceId,
    model::{AllowFrom, Variable, Workload},
};
use starform_plan::{
    Proposal, Refusal,
    diff::fields,
    document::{Action, FindingSeverity, Owner, Plan, Plans, Risk, ServiceAction},
    ids,
    view::{TextOptions, summary, text, values},
};

use super::{
    applied,
    propose::altered,
    world::{Asked, World, environment, sound},
};
use crate::arbitrary::{self, Identity};

const CASES: u32 = 32;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_is_what_was_proposed_and_then_nothing_differs(a in shop(), b in shop()) {
        let mut world = World::new();
        for state in [&a, &b] {
            let proposal = world.propose(state);
            let Some(did) = accepted_unless_blocked(&mut world, &proposal)? else {
                return Ok(());
            };
            prop_assert_eq!(did, !proposal.plan.is_empty());
            let accepted = world.accepted(state.project_id);
            prop_assert_eq!(accepted.project(), Some(&proposal.project));
            let stored = accepted.environment(&state.environment).unwrap();
            prop_assert_eq!(stored, &proposal.environment);
            let again = world.propose(state).plan;
            prop_assert!(again.is_empty(), "{:?}", again);
            prop_assert_eq!(again.source.base.as_ref(), Some(&again.source.result));
        }
    }

    #[test]
    fn the_fields_of_a_plan_turn_before_into_after(a in shop(), b in shop()) {
        let world = World::having(&a);
        fields_turn_before_into_after(&world, &world.propose(&b))?;
    }

    #[test]
    fn a_value_differs_from_itself_in_nothing(state in shop()) {
        let world = World::new();
        for object in world.propose(&state).environment.all_objects() {
            prop_assert_eq!(fields::between(Some(object), Some(object)), vec![]);
        }
    }

    #[test]
    fn both_levels_account_for_each_other(a in shop(), b in shop()) {
        let world = World::having(&a);
        levels_agree(&world.propose(&b).plan)?;
        levels_agree(&World::new().propose(&b).plan)?;
    }

    #[test]
    fn permuted_input_gives_the_same_bytes(a in shop(), b in shop(), order in any::<u64>()) {
        let world = World::having(&a);
        let straight = world.propose(&b);
        let turned = propose_turned(&world, &b, order);
        prop_assert_eq!(bytes(&straight.plan), bytes(&turned.plan));
        prop_assert_eq!(straight, turned);
    }

    #[test]
    fn ids_change_exactly_when_they_must(a in shop(), b in shop(), c in shop()) {
        let world = World::having(&a);
        ids_are_of_what_is_done(&world, &b, [&world.propose(&b).plan, &world.propose(&c).plan])?;
    }

    #[test]
    fn no_secret_value_is_in_any_view(a in shop(), b in shop()) {
        let canaries = ["c4n4ry-one", "c4n4ry-two"];
        let (a, b) = (with_canary(a, canaries[0]), with_canary(b, canaries[1]));
        let world = World::having(&a);
        for plan in [world.propose(&b).plan, World::new().propose(&b).plan] {
            let full = TextOptions { width: 100, color: false, full: true };
            let shown = text(std::slice::from_ref(&plan), &full);
            let json = String::from_utf8(bytes(&plan)).unwrap();
            for canary in canaries {
                for form in [canary.to_owned(), base64(canary)] {
                    prop_assert!(!shown.contains(&form), "{}", shown);
                    prop_assert!(!json.contains(&form), "{}", json);
                }
            }
        }
    }

    #[test]
    fn a_view_stays_within_its_page_and_prints_every_change(
        a in shop(), b in shop(), width in 40usize..140, full in any::<bool>(),
    ) {
        let world = World::having(&a);
        let plan = world.propose(&b).plan;
        let shown = |color| text(std::slice::from_ref(&plan), &TextOptions { width, color, full });
        let plain = shown(false);
        prop_assert!(!plain.chars().any(|c| c.is_control() && c != '\n'), "{}", plain);
        for line in plain.lines().filter(|line| *line != summary(&plan, None)) {
            prop_assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{:?}", line);
        }
        prop_assert_eq!(uncolored(&shown(true)), plain.clone());
        // Without the mark of what goes on, which may stand inside a long path.
        let dense: String = plain.split_whitespace().filter(|word| *word != "↳").collect();
        for change in &plan.objects {
            let lost = matches!(change.action, Action::Delete | Action::Replace | Action::Retain);
            prop_assert!(!(lost || full) || dense.contains(&change.key.name), "{}", plain);
        }
        for service in plan.services.iter().filter(|service| full || service.action == ServiceAction::Update) {
            for change in service.changes.iter().filter(|change| change.path != "kind") {
                prop_assert!(dense.contains(&change.path), "{} in {}", change.path, plain);
            }
        }
        prop_assert!(!full || !plain.contains("Not shown"));
    }

    #[test]
    fn no_text_reaches_the_reader_with_what_cannot_be_seen(text in any::<String>()) {
        let shown = values::inline(&Value::from(text.as_str()));
        prop_assert!(shown.starts_with('"') && shown.ends_with('"'));
        let hides = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        prop_assert!(!shown.chars().any(hides), "{:?}", shown);
        let inner = &shown[1..shown.len() - 1];
        let bare = inner.replace("\\\\", "").replace("\\\"", "");
        prop_assert!(!bare.contains('"'), "a text ends its own quotes: {}", shown);
    }

    #[test]
    fn a_proposal_from_a_file_is_accepted_as_it_was_made(a in shop(), b in shop()) {
        let mut world = World::having(&a);
        let made = world.propose(&b);
        let read = Proposal {
            plan: reread(&made.plan),
            project: reread(&made.project),
            environment: reread(&made.environment),
        };
        prop_assert_eq!(&read, &made);
        let did = accepted_unless_blocked(&mut world, &read)?;
        prop_assert!(did.is_none_or(|did| did != made.plan.is_empty()));
    }

    #[test]
    fn plans_of_different_services_commute(a in shop(), b in shop()) {
        let a = without_references(a);
        let world = World::having(&a);
        let names: BTreeSet<_> = a.services.iter().chain(&b.services).map(|s| s.name.clone()).collect();
        let (left, right): (BTreeSet<_>, BTreeSet<_>) =
            names.into_iter().partition(|name| name.as_str() < "b");
        let ask = |only: &BTreeSet<_>| {
            let asked = Asked { only: Some(only.clone()), ..Asked::default() };
            world.propose_asked(&without_references(b.clone()), &asked)
        };
        let (left, right) = (ask(&left), ask(&right));
        prop_assume!(!is_blocked(&left) && !is_blocked(&right));
        let run = |first: &Proposal, second: &Proposal| {
            let mut world = world.clone();
            for proposal in [first, second] {
                world.accept(proposal).ok()?;
            }
            let accepted = world.accepted(a.project_id);
            // The generation aside.
            let environments = accepted.environments().into_values().cloned();
            Some((accepted.project().cloned(), environments.collect::<Vec<_>>()))
        };
        let result = run(&left, &right);
        prop_assert!(result.is_some(), "one of two unrelated plans was refused");
        prop_assert_eq!(result, run(&right, &left));
    }
}

/// Whether anything was accepted; `None` for a plan that says itself that it is blocked, and is refused for it.
pub(super) fn accepted_unless_blocked(
    world: &mut World,
    proposal: &Proposal,
) -> Result<Option<bool>, TestCaseError> {
    let blocked = is_blocked(proposal);
    match world.accept(proposal) {
        Ok(did) if !blocked => Ok(Some(did)),
        Err(Refusal::Blocked(_)) if blocked => Ok(None),
        other => Err(TestCaseError::fail(format!(
            "blocked: {blocked}, but {other:?}"
        ))),
    }
}

fn is_blocked(proposal: &Proposal) -> bool {
    let mut findings = proposal.plan.findings.iter();
    findings.any(|finding| finding.severity == FindingSeverity::Blocking)
}

pub(crate) fn fields_turn_before_into_after(
    world: &World,
    proposal: &Proposal,
) -> Result<(), TestCaseError> {
    let before = world.accepted(proposal.project.project_id);
    let stood = before
        .environments()
        .get(&proposal.plan.environment)
        .copied();
    let old = keyed(before.project(), stood);
    let new = keyed(Some(&proposal.project), Some(&proposal.environment));
    let veil = |(key, object): (&ObjectKey, &&Object)| (key.clone(), veiled(object));
    let mut result: BTreeMap<ObjectKey, Value> = old.iter().map(veil).collect();
    for change in &proposal.plan.objects {
        let manifest = result.remove(&change.key).unwrap_or(Value::Null);
        let after = applied::apply(&change.key, manifest, &change.fields);
        if !matches!(change.action, Action::Delete | Action::Retain) {
            result.insert(change.key.clone(), after);
        }
    }
    let wanted: BTreeMap<ObjectKey, Value> = new.iter().map(veil).collect();
    prop_assert_eq!(result, wanted);
    Ok(())
}

/// As it is proposed with its objects, services and names in another order.
pub(crate) fn propose_turned(world: &World, state: &EnvironmentState, order: u64) -> Proposal {
    let mut dice = Dice(order);
    let mut state = state.clone();
    dice.shuffle(&mut state.services);
    dice.shuffle(&mut state.names);
    altered(world, &state, |rendered| {
        dice.shuffle(&mut rendered.environment.services);
        dice.shuffle(&mut rendered.environment.objects);
        dice.shuffle(&mut rendered.project.objects);
        dice.shuffle(&mut rendered.project.names);
    })
}

/// Orders, the same for the same number.
struct Dice(u64);

impl Dice {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            // Knuth's constants for a linear congruence; its high bits are the good ones.
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let other = usize::try_from(self.0 >> 33).unwrap() % (place + 1);
            items.swap(place, other);
        }
    }
}

/// Of `state`, which is what `plan` leads to: another revision or generation is another plan of the same effect; another effect is another in both.
pub(crate) fn ids_are_of_what_is_done(
    world: &World,
    state: &EnvironmentState,
    [plan, other]: [&Plan; 2],
) -> Result<(), TestCaseError> {
    prop_assert!(ids::hold(plan));
    let asked = Asked {
        revision: Some("9c1e".to_owned()),
        ..Asked::default()
    };
    let elsewhere = world.propose_asked(state, &asked).plan;
    prop_assert_eq!(&plan.effect_id, &elsewhere.effect_id);
    prop_assert_ne!(&plan.plan_id, &elsewhere.plan_id);
    let mut later = world.clone();
    later.index = later.index.successor(later.index.projects.clone());
    let later = later.propose(state).plan;
    prop_assert_eq!(&plan.effect_id, &later.effect_id);
    prop_assert_ne!(&plan.plan_id, &later.plan_id);
    let same_effect = plan.services == other.services
        && plan.objects == other.objects
        && plan.settings == other.settings;
    prop_assert_eq!(same_effect, plan.effect_id == other.effect_id);
    Ok(())
}

/// Any sound production environment of one project.
pub(crate) fn shop() -> BoxedStrategy<EnvironmentState> {
    let project = ProjectName::new("shop").unwrap();
    let identity = Identity {
        workspace_id: WorkspaceId::local(),
        project_id: ProjectId::local(&project),
        project,
        tier: "standard".to_owned(),
    };
    arbitrary::state_of(identity, environment("production"))
        .prop_map(sound)
        .boxed()
}

fn without_references(mut state: EnvironmentState) -> EnvironmentState {
    for service in &mut state.services {
        service.model.refs.clear();
        match &mut service.model.workload {
            Workload::Web(web) => web.allow_from = AllowFrom::Environment,
            Workload::Private(private) => private.allow_from = AllowFrom::Environment,
            Workload::Worker(_) | Workload::Cron(_) => {}
        }
    }
    state
}

pub(crate) fn with_canary(mut state: EnvironmentState, canary: &str) -> EnvironmentState {
    let group = starform_contract::GroupName::new("canary").unwrap();
    let literal = Variable::Literal(canary.to_owned());
    state
        .groups
        .insert(group, BTreeMap::from([("KEY".to_owned(), literal)]));
    state
}

pub(crate) fn levels_agree(plan: &Plan) -> Result<(), TestCaseError> {
    let listed: BTreeSet<&ObjectKey> = plan.objects.iter().map(|change| &change.key).collect();
    prop_assert_eq!(listed.len(), plan.objects.len());
    let of_services: BTreeSet<&ObjectKey> = plan
        .services
        .iter()
        .flat_map(|service| &service.objects)
        .collect();
    prop_assert!(of_services.is_subset(&listed));
    for change in &plan.objects {
        prop_assert_ne!(change.before.as_ref(), change.after.as_ref());
        let opens = !change.opens.is_empty() && change.risk < Risk::Replace;
        prop_assert_eq!(change.risk == Risk::Widen, opens, "{}", change.key);
        let is_told = !change.fields.is_empty();
        prop_assert!(is_told, "{} has no changed field", change.key);
        if let Owner::Service(name) = &change.owner {
            let service = plan
                .services
                .iter()
                .find(|service| service.name == *name)
                .unwrap();
            prop_assert!(service.objects.contains(&change.key));
            prop_assert!(!service.changes.is_empty());
        }
    }
    for service in plan
        .services
        .iter()
        .filter(|service| service.action != ServiceAction::None)
    {
        prop_assert_ne!(service.before.as_ref(), service.after.as_ref());
        prop_assert!(!service.changes.is_empty() || !service.objects.is_empty());
    }
    let same = plan.source.base.as_ref() == Some(&plan.source.result)
        && plan.source.project_base.as_ref() == Some(&plan.source.project_result);
    prop_assert_eq!(plan.is_empty(), same);
    Ok(())
}

fn keyed<'a>(
    project: Option<&'a ProjectBundle>,
    environment: Option<&'a EnvironmentBundle>,
) -> BTreeMap<ObjectKey, &'a Object> {
    let own = project.into_iter().flat_map(|bundle| &bundle.objects);
    let objects = own.chain(
        environment
            .into_iter()
            .flat_map(EnvironmentBundle::all_objects),
    );
    objects
        .map(|object| (object.key().unwrap(), object))
        .collect()
}

/// Without what a plan does not carry: the content of Secrets.
fn veiled(object: &Object) -> Value {
    applied::veil(object.manifest.clone())
}

fn bytes(plan: &Plan) -> Vec<u8> {
    let plans = Plans::new(vec![plan.clone()], BTreeMap::new());
    serde_json::to_vec(&plans).unwrap()
}

fn reread<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_slice(&serde_json::to_vec(value).unwrap()).unwrap()
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Without Select Graphic Rendition sequences.
fn uncolored(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut out, part| {
        out.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
        out
    })
}
