//! What a plan leaves out of its work, held against comparing everything with everything.
//!
//! Pure. Always holds: services that are the same on both sides are neither walked nor written anew, and the plan
//! is, byte by byte, the one of somebody who looked at every object and hashed every document. A failing case is
//! printed with its seed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection, prelude::*};
use starform_contract::{
    Bundle, Deletion, Digest, EnvironmentBundle, EnvironmentState, Kept, Object, ObjectKey,
    Origins, ServiceEntry, ServiceKind, ServiceName, bundle::Written, digest::canonical,
};
use starform_plan::{
    Proposal,
    diff::{fields, model},
    document::{Action, Owner, Plan},
};

use super::{laws::shop, propose::altered, world::World};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_that_of_comparing_every_object((a, b) in overlapping()) {
        let world = World::having(&a);
        for world in [world, World::new()] {
            is_exact(&world, &world.propose(&b))?;
        }
    }

    #[test]
    fn what_is_written_piece_by_piece_is_the_canonical_form((a, b) in overlapping()) {
        let mut environment = World::having(&a).propose(&b).environment;
        environment.kept = kept(&environment);
        let written = Written::new(&environment, |service| service.kind != ServiceKind::Cron);
        prop_assert_eq!(written.bytes(), canonical(&environment).len());
        prop_assert_eq!(written.digest(), &Digest::of(&environment));
        for (place, service) in environment.services.iter().enumerate() {
            let asked = (service.kind != ServiceKind::Cron).then(|| Digest::of(service));
            prop_assert_eq!(written.service_digest(place), asked.as_ref());
            prop_assert_eq!(service.digest(), Digest::of(service));
            prop_assert_eq!(written.service_bytes(place), canonical(service).len());
        }
        prop_assert_eq!(environment.digest(), Digest::of(&environment));
        let bundle = Bundle::Environment(environment);
        prop_assert_eq!(bundle.digest(), Digest::of(&bundle));
        prop_assert_eq!(bundle.to_text(), canonical(&bundle));
    }
}

/// A key that a same service has, and something else too: who has it last, counts, as it always did.
#[test]
fn an_object_that_stands_twice_is_not_left_out() {
    let state = crate::sample::shop();
    let world = World::having(&state);
    let proposal = altered(&world, &state, |rendered| {
        let twin = &rendered.environment.services[0].objects[0];
        let mut manifest = twin.manifest.clone();
        manifest["metadata"]["annotations"] = serde_json::json!({"example.org/other": "1"});
        let twin = Object::new(manifest, twin.wave, twin.deletion);
        rendered.environment.objects.push(twin);
    });
    assert_eq!(proposal.plan.objects, []);
    assert_eq!(proposal.plan.services, []);
}

/// An environment, and one in which some of its services are as they were.
fn overlapping() -> BoxedStrategy<(EnvironmentState, EnvironmentState)> {
    let stays = collection::vec(any::<bool>(), 8);
    (shop(), shop(), stays)
        .prop_map(|(a, mut b, stays)| {
            let named = |name: &ServiceName| a.services.iter().find(|one| one.name == *name);
            for (place, service) in b.services.iter_mut().enumerate() {
                if let Some(same) = named(&service.name).filter(|_| stays[place % 8]) {
                    *service = same.clone();
                }
            }
            let there: BTreeSet<ServiceName> = b.services.iter().map(|s| s.name.clone()).collect();
            let missing = a.services.iter().filter(|one| !there.contains(&one.name));
            let missing: Vec<_> = missing.zip(&stays).filter(|(_, stays)| **stays).collect();
            b.services
                .extend(missing.into_iter().map(|(one, _)| one.clone()));
            if stays[7] {
                b.groups = a.groups.clone();
            }
            (a, super::world::sound(b))
        })
        .boxed()
}

fn kept(environment: &EnvironmentBundle) -> Vec<Kept> {
    let of = |entry: &ServiceEntry| {
        let object = entry.objects.first()?.clone();
        Some(Kept {
            service_id: entry.service_id,
            service: entry.name.clone(),
            volume: "data".parse().unwrap(),
            meant: entry.objects.len().is_multiple_of(2),
            object: Object {
                deletion: Deletion::Retain,
                ..object
            },
        })
    };
    environment.services.iter().filter_map(of).collect()
}

fn is_exact(world: &World, proposal: &Proposal) -> Result<(), TestCaseError> {
    let Proposal {
        plan,
        project,
        environment,
    } = proposal;
    let accepted = world.accepted(project.project_id);
    let now = accepted.environment(&environment.environment);
    prop_assert_eq!(&plan.source.result, &Digest::of(environment));
    prop_assert_eq!(&plan.source.project_result, &Digest::of(project));
    let own = accepted.project().map_or(&[] as &[_], |own| &own.objects);
    let old = objects(own, now);
    let new = objects(&project.objects, Some(environment));
    let listed: BTreeMap<&ObjectKey, _> = plan.objects.iter().map(|one| (&one.key, one)).collect();
    prop_assert_eq!(listed.len(), plan.objects.len());
    let keys: BTreeSet<&ObjectKey> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        let Some(change) = listed.get(key) else {
            prop_assert_eq!(before, after, "{} is not listed", key);
            continue;
        };
        prop_assert_ne!(before, after, "{} is listed", key);
        let (before, after) = (before.map(|placed| placed.0), after.map(|placed| placed.0));
        prop_assert_eq!(&change.before, &before.map(|object| object.digest.clone()));
        if !matches!(change.action, Action::Retain | Action::Forget) {
            prop_assert_eq!(&change.after, &after.map(|object| object.digest.clone()));
            prop_assert_eq!(&change.fields, &fields::between(before, after));
        }
        if let Owner::Service(name) = &change.owner {
            prop_assert!(is_own_change(now, environment, name));
        }
    }
    services_are_exact(plan, now, environment)
}

fn services_are_exact(
    plan: &Plan,
    now: Option<&EnvironmentBundle>,
    environment: &EnvironmentBundle,
) -> Result<(), TestCaseError> {
    let nothing: &[ServiceEntry] = &[];
    let all = now
        .map_or(nothing, |now| &now.services)
        .iter()
        .chain(&environment.services);
    for name in all.map(|entry| &entry.name) {
        let (before, after) = (
            now.and_then(|now| now.service(name)),
            environment.service(name),
        );
        let change = plan
            .services
            .iter()
            .find(|change| change.name == *name && !change.held);
        let Some(change) = change else {
            prop_assert_eq!(before, after, "{} is not listed", name);
            continue;
        };
        prop_assert_ne!(before, after, "{} is listed", name);
        prop_assert_eq!(&change.before, &before.map(Digest::of));
        prop_assert_eq!(&change.after, &after.map(Digest::of));
        let changes = model::between(name, before, after, &Origins::default());
        prop_assert_eq!(&change.changes, &changes);
    }
    Ok(())
}

fn is_own_change(
    now: Option<&EnvironmentBundle>,
    environment: &EnvironmentBundle,
    name: &ServiceName,
) -> bool {
    let words = |entry: &ServiceEntry| {
        (
            entry.model.clone(),
            entry.kind,
            entry.service_id,
            entry.object_name.clone(),
        )
    };
    let before = now.and_then(|now| now.service(name)).map(words);
    before != environment.service(name).map(words)
}

/// With the name of the service that has it.
fn objects<'a>(
    own: &'a [Object],
    environment: Option<&'a EnvironmentBundle>,
) -> BTreeMap<ObjectKey, (&'a Object, Option<&'a ServiceName>)> {
    let of_environment = environment.into_iter().flat_map(|one| &one.objects);
    let unowned = own
        .iter()
        .chain(of_environment)
        .map(|object| (object, None));
    let services = environment.into_iter().flat_map(|one| &one.services);
    let owned = services.flat_map(|entry| {
        let objects = entry.objects.iter();
        objects.map(|object| (object, Some(&entry.name)))
    });
    let kept = environment.into_iter().flat_map(|one| &one.kept);
    let kept = kept.map(|kept| (&kept.object, None));
    kept.chain(unowned)
        .chain(owned)
        .map(|(object, name)| (object.key().unwrap(), (object, name)))
        .collect()
}
