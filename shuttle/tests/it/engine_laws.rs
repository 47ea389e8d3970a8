//! What holds whatever happens: the engine is lost at every request, and it converges to the same state
//! without a wrong deletion.
//!
//! Pure. Random histories: `engine_histories`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use starform_contract::{Consent, ObjectKey};
use starform_shuttle::engine::io::{Desired, Millis};

use crate::{
    engine_accepted::{Accepting, Service, deleting, key},
    engine_world::World,
    model_cluster::ModelCluster,
    model_object::Path,
};

pub(crate) type State = BTreeMap<String, BTreeMap<Path, Value>>;

/// A situation: a cluster, what happens to it, and what is wanted then.
struct Situation {
    name: &'static str,
    cluster: ModelCluster,
    desired: Desired,
    may_go: BTreeSet<ObjectKey>,
}

fn services() -> Vec<Service> {
    vec![Service::new("web"), Service::new("api")]
}

fn of_service(name: &str) -> Vec<ObjectKey> {
    ["ServiceAccount", "Service", "Deployment", "HTTPRoute"]
        .map(|kind| key(kind, &format!("{name}--production")))
        .into()
}

fn running_model(services: &[Service]) -> (ModelCluster, Accepting) {
    let mut accepting = Accepting::new();
    let desired = accepting.accept(services, Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    (world.cluster, accepting)
}

fn situation(
    name: &'static str,
    before: &[Service],
    after: &[Service],
    consent: Consent,
    happens: impl FnOnce(&mut ModelCluster),
) -> Situation {
    let (mut cluster, mut accepting) = running_model(before);
    happens(&mut cluster);
    let may_go = consent.delete.union(&consent.replace);
    let may_go = may_go.chain(&consent.destroy).cloned().collect();
    Situation {
        name,
        desired: accepting.accept(after, consent),
        cluster,
        may_go,
    }
}

fn situations() -> Vec<Situation> {
    let nothing = |_: &mut ModelCluster| {};
    let with = |change: fn(&mut Service)| {
        let mut services = services();
        change(&mut services[0]);
        services
    };
    let three = with(|web| web.replicas = Some(3));
    let scaled = with(|web| web.replicas = None);
    let autoscaler = key("HorizontalPodAutoscaler", "web--production");
    let web = key("Deployment", "web--production");
    let mut created = Accepting::new();
    let none = Consent::default;
    let mut all = by_hand();
    all.push(ended());
    all.extend(with_data());
    all.extend([
        Situation {
            name: "create",
            cluster: ModelCluster::default(),
            desired: created.accept(&services(), none()),
            may_go: BTreeSet::new(),
        },
        situation(
            "image",
            &services(),
            &with(|web| web.image = "app:2"),
            none(),
            nothing,
        ),
        situation(
            "prune",
            &services(),
            &services()[..1],
            deleting(&of_service("api")),
            nothing,
        ),
        situation("autoscaling on", &three, &scaled, none(), nothing),
        situation(
            "autoscaling off",
            &scaled,
            &three,
            deleting(&[autoscaler]),
            nothing,
        ),
        situation(
            "replace",
            &services(),
            &with(|web| web.incarnation = 1),
            Consent {
                replace: [web].into(),
                ..Consent::default()
            },
            nothing,
        ),
    ]);
    all
}

fn ended() -> Situation {
    let (cluster, mut accepting) = running_model(&services());
    let consent = deleting(&everything(&cluster));
    Situation {
        name: "project deleted",
        cluster,
        may_go: consent.delete.clone(),
        desired: accepting.end(consent),
    }
}

fn everything(cluster: &ModelCluster) -> Vec<ObjectKey> {
    let keys = cluster.state().into_keys();
    keys.map(|key| key.parse().unwrap()).collect()
}

/// Releases and volumes.
fn with_data() -> Vec<Situation> {
    let nothing = |_: &mut ModelCluster| {};
    let having = |release: Option<&'static str>, disk: bool| {
        let mut services = services();
        services[0].release = release;
        services[0].disk = disk;
        services
    };
    let (first, second) = (having(Some("one"), true), having(Some("two"), true));
    let claim = key("PersistentVolumeClaim", "web--production--data");
    let former = first[0].job();
    let destroy = Consent {
        destroy: [claim.clone()].into(),
        ..Consent::default()
    };
    vec![
        situation(
            "first release",
            &services(),
            &first,
            Consent::default(),
            nothing,
        ),
        situation(
            "next release",
            &first,
            &second,
            deleting(&[former]),
            nothing,
        ),
        situation(
            "a claim left behind",
            &first,
            &having(Some("one"), false),
            Consent::default(),
            nothing,
        ),
        // A deletion is consented to, not the destruction of what it holds.
        situation(
            "a claim deleted",
            &first,
            &having(Some("one"), false),
            deleting(&[claim]),
            nothing,
        ),
        situation(
            "a claim destroyed",
            &first,
            &having(Some("one"), false),
            destroy,
            nothing,
        ),
    ]
}

fn by_hand() -> Vec<Situation> {
    let same = |name, happens: fn(&mut ModelCluster)| {
        situation(name, &services(), &services(), Consent::default(), happens)
    };
    vec![
        same("deleted by hand", |cluster| {
            cluster.remove(&key("Deployment", "web--production"));
        }),
        same("changed by hand", |cluster| {
            let web = key("Deployment", "web--production");
            cluster.edit(&web, "kubectl-edit", "spec|replicas", json!(5));
        }),
    ]
}

/// Content at the end; a count that an autoscaler owns is nobody's content.
pub(crate) fn content(cluster: &ModelCluster) -> State {
    let mut state = cluster.state();
    let scaled: BTreeSet<String> = state
        .keys()
        .filter(|key| key.contains("/HorizontalPodAutoscaler/"))
        .map(|key| key.replace("autoscaling/HorizontalPodAutoscaler", "apps/Deployment"))
        .collect();
    for (key, fields) in &mut state {
        if scaled.contains(key) {
            fields.remove(&vec!["spec".to_owned(), "replicas".to_owned()]);
        }
    }
    state
}

/// Fields that are not the same in both, with both values.
pub(crate) fn difference(one: &State, other: &State) -> Vec<String> {
    let flat = |state: &State| -> BTreeMap<(String, Path), Value> {
        let fields = state.iter().flat_map(|(key, fields)| {
            fields
                .iter()
                .map(move |(path, value)| ((key.clone(), path.clone()), value.clone()))
        });
        fields.collect()
    };
    let (one, other) = (flat(one), flat(other));
    let places: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    places
        .into_iter()
        .filter(|place| one.get(place) != other.get(place))
        .map(|place| format!("{place:?}: {:?}, {:?}", one.get(place), other.get(place)))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    BeforeRequest,
    BeforeAnswer,
}

/// Goes on until request `at` and loses the engine there; whether there was such a request.
fn crash(world: &mut World, at: usize, lost: Lost) -> bool {
    for _ in 0..20_000 {
        if world.performed == at && !world.queue.is_empty() {
            if lost == Lost::BeforeAnswer {
                let (_, request) = world.queue.pop_front().unwrap();
                let _ = world.cluster.perform(&request, world.now);
            }
            return true;
        }
        if !world.turn() {
            if world.engine.settled() {
                return false;
            }
            assert!(
                world.pass(Millis::from_secs(600)),
                "stuck before request {at}"
            );
        }
    }
    panic!("it never comes to request {at}");
}

#[test]
fn an_engine_lost_at_any_request_converges_without_a_wrong_deletion() {
    let mut crashes = 0;
    for situation in situations() {
        let start = |cluster: &ModelCluster| {
            World::start(cluster.clone(), Millis(0), Some(situation.desired.clone()))
        };
        let mut whole = start(&situation.cluster);
        whole.settle();
        let expected = content(&whole.cluster);
        for at in 0.. {
            let mut reached = true;
            for lost in [Lost::BeforeRequest, Lost::BeforeAnswer] {
                let place = format!("{}, request {at}, {lost:?}", situation.name);
                let mut world = start(&situation.cluster);
                reached = crash(&mut world, at, lost);
                if !reached {
                    break;
                }
                crashes += 1;
                let mut again =
                    World::start(world.cluster, world.now, Some(situation.desired.clone()));
                again.settle();
                let difference = difference(&content(&again.cluster), &expected);
                assert!(difference.is_empty(), "{place}: {difference:#?}");
                let deleted = again.deleted();
                assert!(
                    deleted.is_subset(&situation.may_go),
                    "{place}: {deleted:#?}"
                );
                let claim = key("PersistentVolumeClaim", "web--production--data");
                let destroyed = situation.name == "a claim destroyed";
                assert!(destroyed || !deleted.contains(&claim), "{place}");
                let runs = &again.cluster.begun;
                assert!(runs.values().all(|times| *times == 1), "{place}: {runs:?}");
                let counts = again.engine.counts();
                assert_eq!(counts.clean, counts.wanted, "{place}");
                for (key, fewest) in &again.cluster.fewest {
                    let floor = if situation.name.starts_with("autoscaling")
                        && key.name.starts_with("web")
                    {
                        3
                    } else {
                        1
                    };
                    let began = situation.cluster.fewest.get(key).copied().unwrap_or(floor);
                    assert!(*fewest >= floor.min(began), "{place}: {key} at {fewest}");
                }
            }
            if !reached {
                break;
            }
        }
    }
    assert!(crashes > 100, "only {crashes} places to be lost at");
}
