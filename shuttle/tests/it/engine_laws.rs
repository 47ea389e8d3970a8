//! What holds whatever happens: the engine is lost at every request, answers and watch events come
//! late, twice and in any order, and it converges to the same state without a wrong deletion.
//!
//! Pure. The random histories print their seed when they fail.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use starform_contract::{Consent, ObjectKey};
use starform_shuttle::engine::io::{Desired, Input, Millis, Request, RequestId, Response};

use crate::{
    engine_support::{Accepting, Service, World, deleting, key},
    model_cluster::ModelCluster,
    model_object::Path,
};

type State = BTreeMap<String, BTreeMap<Path, Value>>;

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
fn content(cluster: &ModelCluster) -> State {
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
fn difference(one: &State, other: &State) -> Vec<String> {
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

/// One thing that happens in a random history.
#[derive(Debug, Clone)]
enum Happens {
    /// The API server performs a request; its answer is under way.
    Perform(usize),
    /// An answer arrives.
    Answer(usize),
    /// The next watch event arrives, perhaps twice.
    Watch {
        twice: bool,
    },
    Control,
    Pass(u16),
    Relist,
    Crash,
    Want(usize),
    Edit(usize),
    Remove(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        30 => (0..8usize).prop_map(Happens::Perform),
        30 => (0..8usize).prop_map(Happens::Answer),
        30 => any::<bool>().prop_map(|twice| Happens::Watch { twice }),
        5 => Just(Happens::Control),
        5 => (0..8000u16).prop_map(Happens::Pass),
        1 => Just(Happens::Relist),
        2 => Just(Happens::Crash),
        3 => (0..6usize).prop_map(Happens::Want),
        2 => (0..20usize).prop_map(Happens::Edit),
        2 => (0..20usize).prop_map(Happens::Remove),
    ]
}

/// Environments that one plan after the other makes.
fn wishes() -> Vec<Vec<Service>> {
    let service = Service::new;
    let with = |name, change: fn(&mut Service)| {
        let mut made = service(name);
        change(&mut made);
        made
    };
    vec![
        vec![service("web"), service("api")],
        vec![with("web", |web| web.image = "app:2"), service("api")],
        vec![service("web")],
        vec![with("web", |web| web.replicas = None), service("jobs")],
        vec![
            with("web", |web| web.routed = false),
            with("api", |api| api.replicas = Some(4)),
        ],
        vec![with("web", |web| web.image = "app:crash"), service("api")],
    ]
}

struct History {
    world: World,
    accepting: Accepting,
    answers: Vec<(
        RequestId,
        Result<Response, starform_shuttle::engine::io::Failure>,
    )>,
    /// Everything that any accepted plan let go.
    may_go: BTreeSet<ObjectKey>,
    /// Whether each deletion was of an object that nothing wanted when it was asked for.
    wanted: BTreeSet<ObjectKey>,
}

impl History {
    fn new() -> Self {
        let accepting = Accepting::new();
        Self {
            world: World::start(ModelCluster::default(), Millis(0), None),
            accepting,
            answers: Vec::new(),
            may_go: BTreeSet::new(),
            wanted: BTreeSet::new(),
        }
    }

    fn take(&mut self, happens: &Happens) {
        match happens {
            Happens::Perform(place) => self.perform(*place),
            Happens::Answer(place) => {
                if !self.answers.is_empty() {
                    let (id, result) = self.answers.remove(place % self.answers.len());
                    self.world.answer(id, result);
                }
            }
            Happens::Watch { twice } => {
                if let Some(event) = self.world.cluster.watch.pop_front() {
                    if *twice {
                        self.world.tell(event.clone());
                    }
                    self.world.tell(event);
                }
            }
            Happens::Control => {
                self.world.cluster.control(self.world.now);
            }
            Happens::Pass(millis) => {
                self.world.now = self.world.now.plus(Millis(u64::from(*millis)));
                self.world.tell(Input::Tick);
            }
            Happens::Relist => {
                self.world.cluster.watch.clear();
                for event in self.world.cluster.list() {
                    self.world.tell(event);
                }
            }
            Happens::Crash => self.crash(),
            Happens::Want(wish) => self.want(&wishes()[*wish]),
            Happens::Edit(place) => {
                if let Some(key) = self.place(*place) {
                    let cluster = &mut self.world.cluster;
                    cluster.edit(
                        &key,
                        "kubectl-edit",
                        "metadata|labels|starform.io/tier",
                        json!("x"),
                    );
                    if key.kind == "Deployment" {
                        cluster.edit(
                            &key,
                            "kubectl-edit",
                            "spec|progressDeadlineSeconds",
                            json!(1),
                        );
                    }
                }
            }
            Happens::Remove(place) => {
                if let Some(key) = self.place(*place).filter(|key| key.kind != "Namespace") {
                    self.world.cluster.remove(&key);
                }
            }
        }
    }

    fn place(&self, place: usize) -> Option<ObjectKey> {
        let keys: Vec<ObjectKey> = self
            .world
            .cluster
            .state()
            .keys()
            .map(|key| key.parse().unwrap())
            .collect();
        (!keys.is_empty()).then(|| keys[place % keys.len()].clone())
    }

    fn perform(&mut self, place: usize) {
        if self.world.queue.is_empty() {
            return;
        }
        let place = place % self.world.queue.len();
        let (id, request) = self.world.queue.remove(place).unwrap();
        if let Request::Delete { key, .. } = &request {
            assert!(self.may_go.contains(key), "{key} may not go");
        }
        let result = self.world.cluster.perform(&request, self.world.now);
        self.answers.push((id, result));
    }

    fn crash(&mut self) {
        self.answers.clear();
        let desired =
            (self.accepting.index.generation.number() > 0).then(|| self.accepting.desired());
        let cluster = std::mem::take(&mut self.world.cluster);
        self.world = World::start(cluster, self.world.now, desired);
    }

    /// Accepts a plan that makes the environment so, and lets go of all that it no longer holds.
    fn want(&mut self, services: &[Service]) {
        let mut preview = self.accepting.clone();
        let desired = preview.accept(services, Consent::default());
        let wanted: BTreeSet<ObjectKey> = desired
            .index
            .bundles()
            .into_iter()
            .flat_map(|digest| {
                desired.bundles[digest]
                    .objects()
                    .filter_map(starform_contract::Object::key)
                    .collect::<Vec<_>>()
            })
            .collect();
        let gone: Vec<ObjectKey> = self.wanted.difference(&wanted).cloned().collect();
        self.may_go.extend(gone.iter().cloned());
        self.wanted = wanted;
        let desired = self.accepting.accept(services, deleting(&gone));
        self.world.tell(Input::Desired(desired));
    }

    /// Everything under way arrives, and nothing else happens.
    fn end(&mut self) {
        for (id, result) in std::mem::take(&mut self.answers) {
            self.world.answer(id, result);
        }
        self.world.settle();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_ends_where_a_quiet_one_does(
        history in proptest::collection::vec(happens(), 0..250),
        wish in 0..5usize,
    ) {
        let mut random = History::new();
        random.want(&wishes()[0]);
        for happens in &history {
            random.take(happens);
        }
        random.want(&wishes()[wish]);
        random.end();
        let mut quiet = History::new();
        quiet.want(&wishes()[wish]);
        quiet.end();
        let strip = |cluster: &ModelCluster| {
            let mut state = content(cluster);
            for fields in state.values_mut() {
                fields.remove(&["metadata", "labels", "starform.io/tier"].map(str::to_owned).to_vec());
            }
            state
        };
        let difference = difference(&strip(&random.world.cluster), &strip(&quiet.world.cluster));
        prop_assert!(difference.is_empty(), "{difference:#?}");
        let counts = random.world.engine.counts();
        prop_assert_eq!(counts.clean, counts.wanted);
        prop_assert!(random.world.most_in_flight <= 8);
        // And then nothing more happens.
        let asked = random.world.cluster.log.len();
        for _ in 0..10 {
            random.world.now = random.world.now.plus(Millis::from_secs(30));
            prop_assert_eq!(random.world.tell(Input::Tick), 0);
        }
        prop_assert_eq!(random.world.cluster.log.len(), asked);
    }
}
