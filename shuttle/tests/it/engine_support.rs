//! What the engine's tests share: desired states made by hand, and the loop between engine and model.
//!
//! Pure.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};
use starform_contract::{
    Accepted, Bundle, ClusterId, Consent, Deletion, Digest, EnvironmentBundle, EnvironmentName,
    Index, Kept, Object, ObjectKey, ObjectName, PlanId, ProjectBundle, ProjectEntry, ProjectId,
    ProjectName, Report, ServiceEntry, ServiceId, ServiceKind, ServiceName, WorkspaceId,
    bundle::{BundleSchema, RELEASE_ANNOTATION, Wave},
    state::DriftPolicy,
};
use starform_shuttle::engine::{
    Config, Engine,
    io::{Command, Desired, Event, Failure, Input, Millis, Request, RequestId, Response},
    step,
};

use crate::model_cluster::ModelCluster;

/// One service of the test's project.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) image: &'static str,
    /// `None`: an autoscaler owns the count.
    pub(crate) replicas: Option<i64>,
    pub(crate) routed: bool,
    /// A different one is a different selector, which is immutable.
    pub(crate) incarnation: u32,
    /// What its release runs; one that says `crash` fails.
    pub(crate) release: Option<&'static str>,
    /// It has a volume.
    pub(crate) disk: bool,
}

impl Service {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            image: "app:1",
            replicas: Some(1),
            routed: true,
            incarnation: 0,
            release: None,
            disk: false,
        }
    }

    /// The Job of its release.
    pub(crate) fn job(&self) -> ObjectKey {
        let release = self.release.expect("it has a release");
        key("Job", &format!("{}--production-r-{release}", self.name))
    }
}

/// The control plane's side: what was accepted last.
#[derive(Debug, Clone)]
pub(crate) struct Accepting {
    pub(crate) index: Index,
    pub(crate) bundles: BTreeMap<Digest, Arc<Bundle>>,
    pub(crate) drift: DriftPolicy,
    /// Volumes that the environment's services left behind.
    pub(crate) kept: Vec<Kept>,
}

/// Whose bundle is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Project,
    Environment,
}

pub(crate) fn cluster() -> ClusterId {
    "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap()
}

/// As the shell makes it when it starts now.
fn config(now: Millis) -> Config {
    Config {
        cluster: cluster(),
        sequence: now.0,
    }
}

pub(crate) fn project() -> ProjectId {
    ProjectId::local(&ProjectName::new("shop").unwrap())
}

pub(crate) fn production() -> EnvironmentName {
    EnvironmentName::new("production").unwrap()
}

pub(crate) fn key(kind: &str, name: &str) -> ObjectKey {
    let group = match kind {
        "Deployment" => "apps",
        "Job" => "batch",
        "HorizontalPodAutoscaler" => "autoscaling",
        "NetworkPolicy" => "networking.k8s.io",
        "RoleBinding" => "rbac.authorization.k8s.io",
        "HTTPRoute" => "gateway.networking.k8s.io",
        _ => "",
    };
    let namespace = (kind != "Namespace").then_some("sf-shop");
    ObjectKey::new(group, kind, namespace, name)
}

impl Accepting {
    pub(crate) fn new() -> Self {
        Self {
            index: Index::empty(cluster()),
            bundles: BTreeMap::new(),
            drift: DriftPolicy::Correct,
            kept: Vec::new(),
        }
    }

    /// Accepts a plan that makes the environment these services, with this consent.
    pub(crate) fn accept(&mut self, services: &[Service], consent: Consent) -> Desired {
        let environment = Bundle::Environment(self.environment(services));
        self.accepted(own(own_objects()), Some(environment), consent)
    }

    /// Accepts a plan by which the project has no policy of its own any more.
    pub(crate) fn without_policy(&mut self, consent: Consent) -> Desired {
        let mut objects = own_objects();
        objects.retain(|object| object.key().unwrap().kind != "NetworkPolicy");
        let environment = Bundle::Environment(self.environment(&two()));
        self.accepted(own(objects), Some(environment), consent)
    }

    /// Accepts the plan that deletes the project.
    pub(crate) fn end(&mut self, consent: Consent) -> Desired {
        self.accepted(own(Vec::new()), None, consent)
    }

    fn accepted(&mut self, own: Bundle, environment: Option<Bundle>, consent: Consent) -> Desired {
        let entry = self.index.projects.get(&project());
        let mut accepted = entry
            .map(|entry| entry.accepted.clone())
            .unwrap_or_default();
        let generation = self.index.generation.next();
        accepted.push(Accepted {
            plan_id: PlanId::new(Digest::of(&generation.number())),
            environment: production(),
            revision: Some(format!("commit-{generation}")),
            generation,
            consent,
        });
        let entry = ProjectEntry {
            namespace: "sf-shop".to_owned(),
            bundle: own.digest(),
            environments: environment
                .iter()
                .map(|bundle| (production(), bundle.digest()))
                .collect(),
            accepted,
        };
        for bundle in environment.into_iter().chain([own]) {
            self.bundles.insert(bundle.digest(), Arc::new(bundle));
        }
        self.index = self.index.successor(BTreeMap::from([(project(), entry)]));
        self.desired()
    }

    /// The state of now, but one bundle of it says that it is another project's.
    pub(crate) fn spoil(&mut self, scope: Scope) -> Desired {
        let mut projects = self.index.projects.clone();
        let entry = projects.get_mut(&project()).unwrap();
        let named = match scope {
            Scope::Project => &mut entry.bundle,
            Scope::Environment => entry.environments.get_mut(&production()).unwrap(),
        };
        let mut bundle = (*self.bundles[named]).clone();
        let objects = match &mut bundle {
            Bundle::Project(bundle) => &mut bundle.objects,
            Bundle::Environment(bundle) => &mut bundle.objects,
        };
        let Object {
            manifest,
            wave,
            deletion,
            ..
        } = &mut objects[0];
        manifest["metadata"]["labels"]["starform.io/project-id"] = json!("another");
        objects[0] = Object::new(manifest.clone(), *wave, *deletion);
        *named = bundle.digest();
        self.bundles.insert(bundle.digest(), Arc::new(bundle));
        self.index = self.index.successor(projects);
        self.desired()
    }

    pub(crate) fn desired(&self) -> Desired {
        Desired {
            index: self.index.clone(),
            bundles: self.bundles.clone(),
        }
    }

    fn environment(&self, services: &[Service]) -> EnvironmentBundle {
        EnvironmentBundle {
            schema: BundleSchema::V1,
            workspace_id: WorkspaceId::local(),
            project_id: project(),
            project: ProjectName::new("shop").unwrap(),
            namespace: "sf-shop".to_owned(),
            tier: "standard".to_owned(),
            environment: production(),
            ephemeral: false,
            drift: self.drift,
            protect: false,
            objects: vec![object(
                2,
                manifest(
                    "v1",
                    "Secret",
                    "starform-vg-common--production",
                    Some(None),
                    json!({}),
                ),
            )],
            services: services.iter().map(service).collect(),
            kept: self.kept.clone(),
        }
    }
}

fn own(objects: Vec<Object>) -> Bundle {
    Bundle::Project(ProjectBundle {
        schema: BundleSchema::V1,
        workspace_id: WorkspaceId::local(),
        project_id: project(),
        project: ProjectName::new("shop").unwrap(),
        namespace: "sf-shop".to_owned(),
        tier: "standard".to_owned(),
        objects,
        names: Vec::new(),
    })
}

fn own_objects() -> Vec<Object> {
    let policy = json!({"podSelector": {}});
    let deny = manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "deny",
        None,
        policy,
    );
    let rights = "rbac.authorization.k8s.io/v1";
    vec![
        object(0, manifest("v1", "Namespace", "sf-shop", None, json!({}))),
        object(
            0,
            manifest(rights, "RoleBinding", "starform-applier", None, json!({})),
        ),
        object(1, deny),
    ]
}

fn service(service: &Service) -> ServiceEntry {
    let name = ServiceName::new(service.name).unwrap();
    let id = ServiceId::derive(project(), &name, service.incarnation);
    let object_name = format!("{name}--production");
    let make = |wave, api: &str, kind: &str, spec: Value| {
        object(
            wave,
            manifest(api, kind, &object_name, Some(Some(id)), spec),
        )
    };
    let mut spec = json!({
        "selector": {"matchLabels": {"starform.io/service-id": id.to_string()}},
        "progressDeadlineSeconds": 180,
        "template": {"spec": {"containers": [{"name": "app", "image": service.image}]}},
    });
    if let Some(replicas) = service.replicas {
        spec["replicas"] = json!(replicas);
    }
    let mut objects = vec![
        make(1, "v1", "ServiceAccount", json!({})),
        make(4, "v1", "Service", json!({"clusterIP": "auto"})),
        make(4, "apps/v1", "Deployment", spec),
    ];
    if service.disk {
        let name = format!("{object_name}--data");
        let claim = manifest(
            "v1",
            "PersistentVolumeClaim",
            &name,
            Some(Some(id)),
            json!({}),
        );
        objects.push(Object::new(claim, Wave(2), Deletion::Retain));
    }
    if let Some(release) = service.release {
        let name = service.job().name;
        let spec = json!({
            "activeDeadlineSeconds": 60,
            // The API server's own.
            "selector": {"matchLabels": {"job-name": name}},
            "template": {"spec": {"containers": [{"name": "app", "image": release}]}},
        });
        let mut job = manifest("batch/v1", "Job", &name, Some(Some(id)), spec);
        let runs = Digest::of(&release).to_string();
        job["metadata"]["annotations"] = json!({RELEASE_ANNOTATION: runs});
        objects.push(object(3, job));
    }
    if service.replicas.is_none() {
        let spec = json!({"minReplicas": 2, "maxReplicas": 9});
        objects.push(make(4, "autoscaling/v2", "HorizontalPodAutoscaler", spec));
    }
    if service.routed {
        let spec = json!({"hostnames": [service.name]});
        objects.push(make(5, "gateway.networking.k8s.io/v1", "HTTPRoute", spec));
    }
    ServiceEntry {
        workspace_id: WorkspaceId::local(),
        project_id: project(),
        environment: production(),
        service_id: id,
        object_name: ObjectName::candidate(&name, service.incarnation + 1),
        name,
        kind: ServiceKind::Web,
        model: json!({}),
        objects,
    }
}

/// `scope`: `None` the project's, `Some(None)` the environment's.
fn manifest(
    api: &str,
    kind: &str,
    name: &str,
    scope: Option<Option<ServiceId>>,
    spec: Value,
) -> Value {
    let mut labels = json!({
        "app.kubernetes.io/managed-by": "starform",
        "starform.io/project-id": project().to_string(),
        "starform.io/workspace-id": WorkspaceId::local().to_string(),
    });
    if let Some(service) = scope {
        labels["starform.io/environment"] = json!("production");
        if let Some(service) = service {
            labels["starform.io/service-id"] = json!(service.to_string());
        }
    }
    let mut manifest = json!({
        "apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels},
    });
    if kind != "Namespace" {
        manifest["metadata"]["namespace"] = json!("sf-shop");
    }
    if spec != json!({}) {
        manifest["spec"] = spec;
    }
    manifest
}

fn object(wave: u8, manifest: Value) -> Object {
    Object::new(manifest, Wave(wave), Deletion::Delete)
}

pub(crate) fn deleting(keys: &[ObjectKey]) -> Consent {
    Consent {
        delete: keys.iter().cloned().collect(),
        ..Consent::default()
    }
}

/// Engine and model, and what is under way between them.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) cluster: ModelCluster,
    pub(crate) now: Millis,
    pub(crate) queue: VecDeque<(RequestId, Request)>,
    pub(crate) refused: Vec<String>,
    pub(crate) most_in_flight: usize,
    /// Requests performed since the world began, to name one for a crash.
    pub(crate) performed: usize,
}

impl World {
    /// A process that begins with what the cluster stores.
    pub(crate) fn start(cluster: ModelCluster, now: Millis, desired: Option<Desired>) -> Self {
        let mut world = Self {
            engine: Engine::new(config(now)),
            cluster,
            now,
            queue: VecDeque::new(),
            refused: Vec::new(),
            most_in_flight: 0,
            performed: 0,
        };
        if let Some(desired) = desired {
            world.tell(Input::Desired(desired));
        }
        let shards = world.cluster.shards.values().cloned().collect();
        world.tell(Input::Inventory(shards));
        world.cluster.watch.clear();
        for event in world.cluster.list() {
            world.tell(event);
        }
        world
    }

    pub(crate) fn tell(&mut self, input: Input) -> usize {
        let event = Event {
            now: self.now,
            input,
        };
        let engine = std::mem::replace(&mut self.engine, Engine::new(config(self.now)));
        let (engine, commands) = step(engine, event);
        self.engine = engine;
        let count = commands.len();
        for command in commands {
            match command {
                Command::Send { id, request } => self.queue.push_back((id, request)),
                Command::Refused { reason } => self.refused.push(reason),
            }
        }
        let objects = self
            .queue
            .iter()
            .filter(|(_, request)| is_about_objects(request));
        self.most_in_flight = self.most_in_flight.max(objects.count());
        count
    }

    pub(crate) fn answer(&mut self, id: RequestId, result: Result<Response, Failure>) {
        self.tell(Input::Response { id, result });
    }

    /// Performs the request at this place of the queue and answers it.
    pub(crate) fn perform(&mut self, place: usize) {
        let (id, request) = self.queue.remove(place).unwrap();
        self.performed += 1;
        let result = self.cluster.perform(&request, self.now);
        self.answer(id, result);
    }

    /// One thing that can happen next; whether anything could.
    pub(crate) fn turn(&mut self) -> bool {
        if !self.queue.is_empty() {
            self.perform(0);
            return true;
        }
        if let Some(event) = self.cluster.watch.pop_front() {
            self.tell(event);
            return true;
        }
        self.cluster.control(self.now)
    }

    /// Lets time pass until the engine wants it, by at most `limit`.
    pub(crate) fn pass(&mut self, limit: Millis) -> bool {
        match self.engine.wake_at() {
            Some(at) if at <= self.now.plus(limit) => {
                self.now = self.now.max(at);
                self.tell(Input::Tick);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Until nothing is left to do; fails when that takes too long.
    pub(crate) fn settle(&mut self) {
        let until = self.now.plus(Millis::from_secs(3600));
        for _ in 0..20_000 {
            if self.turn() {
                continue;
            }
            if self.engine.settled() {
                return;
            }
            assert!(
                self.pass(Millis::from_secs(600)),
                "stuck: {:#?}",
                self.last_report()
            );
            assert!(
                self.now < until,
                "an hour passed: {:#?}",
                self.last_report()
            );
        }
        panic!("it never settles: {:#?}", self.last_report());
    }

    pub(crate) fn last_report(&self) -> Option<&Report> {
        self.cluster.reports.last()
    }

    /// Requests about objects since the log had this length.
    pub(crate) fn since(&self, length: usize) -> Vec<String> {
        self.cluster.log[length..]
            .iter()
            .filter(|request| is_about_objects(request))
            .map(short)
            .collect()
    }

    pub(crate) fn mark(&self) -> usize {
        self.cluster.log.len()
    }

    pub(crate) fn deleted(&self) -> BTreeSet<ObjectKey> {
        self.cluster.deleted.iter().cloned().collect()
    }
}

pub(crate) fn is_about_objects(request: &Request) -> bool {
    match request {
        Request::Apply(_)
        | Request::Delete { .. }
        | Request::Get { .. }
        | Request::ListPods { .. }
        | Request::Survey { .. } => true,
        Request::PutInventory(_) | Request::Report(_) => false,
    }
}

/// `apply Deployment/web--production`.
pub(crate) fn short(request: &Request) -> String {
    let name = |key: &ObjectKey| format!("{}/{}", key.kind, key.name);
    match request {
        Request::Apply(apply) if apply.dry_run => format!("dry-run {}", name(&apply.key)),
        Request::Apply(apply) if apply.manager.name() != "starform-shuttle" => {
            format!("hold {}", name(&apply.key))
        }
        Request::Apply(apply) => format!("apply {}", name(&apply.key)),
        Request::Delete { key, .. } => format!("delete {}", name(key)),
        Request::Get { key } => format!("get {}", name(key)),
        Request::ListPods { .. } => "pods".to_owned(),
        Request::Survey { namespace } => format!("survey {namespace}"),
        Request::PutInventory(shard) => format!("inventory {}", shard.number),
        Request::Report(report) => format!("report {}", report.finished),
    }
}

/// A world where these services run.
pub(crate) fn running(services: &[Service]) -> (World, Accepting) {
    let mut accepting = Accepting::new();
    let desired = accepting.accept(services, Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    let report = world.last_report().unwrap();
    assert!(report.finished, "{report:#?}");
    (world, accepting)
}

pub(crate) fn two() -> Vec<Service> {
    vec![Service::new("web"), Service::new("api")]
}
