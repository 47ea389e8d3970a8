//! Desired states made by hand, as a control plane would have accepted them.
//!
//! Pure. Read on in `engine_world` for what engine and model make of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use starform_contract::{
    Accepted, Bundle, ClusterId, Consent, Deletion, Digest, EnvironmentBundle, EnvironmentName,
    Index, Kept, Object, ObjectKey, ObjectName, PlanId, ProjectBundle, ProjectEntry, ProjectId,
    ProjectName, ServiceEntry, ServiceId, ServiceKind, ServiceName, WorkspaceId,
    bundle::{BundleSchema, RELEASE_ANNOTATION, SealedRef, Wave},
    state::DriftPolicy,
};
use starform_shuttle::engine::io::Desired;

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
    /// The name by which it came, when that was another one: its id and the names of its objects stay.
    pub(crate) was: Option<&'static str>,
    /// The version of its secret, when it has one.
    pub(crate) secret: Option<u64>,
    pub(crate) port: Option<u16>,
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
            was: None,
            secret: None,
            port: None,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// What its objects are called.
    pub(crate) fn object_name(&self) -> String {
        format!("{}--production", self.was.unwrap_or(self.name))
    }

    /// The Job of its release.
    pub(crate) fn job(&self) -> ObjectKey {
        let release = self.release.expect("it has a release");
        key("Job", &format!("{}-r-{release}", self.object_name()))
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

    /// All accepted plans are finished: the next index does not carry them.
    pub(crate) fn finish(&mut self) {
        for entry in self.index.projects.values_mut() {
            entry.accepted.clear();
        }
    }

    /// Every object of the state of now.
    pub(crate) fn wanted(&self) -> BTreeSet<ObjectKey> {
        let bundles = self.index.bundles().into_iter();
        let objects = bundles.flat_map(|digest| self.bundles[digest].objects());
        objects.filter_map(Object::key).collect()
    }

    /// What is wanted now and would not be after a plan that makes the environment these services.
    pub(crate) fn dropped(&self, services: &[Service]) -> Vec<ObjectKey> {
        let mut after = self.clone();
        after.accept(services, Consent::default());
        self.wanted().difference(&after.wanted()).cloned().collect()
    }

    /// Accepts a plan by which the project has no policy of its own any more.
    pub(crate) fn without_policy(&mut self, consent: Consent) -> Desired {
        let mut objects = own_objects();
        objects.retain(|object| object.key().unwrap().kind != "NetworkPolicy");
        let environment = Bundle::Environment(self.environment(&two()));
        self.accepted(own(objects), Some(environment), consent)
    }

    /// Accepts the plan that deletes the environment, and leaves the project.
    pub(crate) fn without_environment(&mut self, consent: Consent) -> Desired {
        self.accepted(own(own_objects()), None, consent)
    }

    /// A state of no project, as a store that lost all of them would serve it.
    pub(crate) fn lose_all(&mut self) -> Desired {
        self.index = self.index.successor(BTreeMap::new());
        self.desired()
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
    let first = ServiceName::new(service.was.unwrap_or(service.name)).unwrap();
    let id = ServiceId::derive(project(), &first, service.incarnation);
    let mut access = json!({"clusterIP": "auto"});
    if let Some(port) = service.port {
        access["ports"] = json!([{"name": "http", "port": port}]);
    }
    let mut objects = vec![
        service.made(id, 1, "v1", "ServiceAccount", json!({})),
        service.made(id, 4, "v1", "Service", access),
        service.made(id, 4, "apps/v1", "Deployment", deployment(service, id)),
    ];
    objects.extend(service.secret.map(|version| secret(service, id, version)));
    objects.extend(service.disk.then(|| claim(service, id)));
    objects.extend(service.release.map(|release| job(service, id, release)));
    if service.replicas.is_none() {
        let spec = json!({"minReplicas": 2, "maxReplicas": 9});
        objects.push(service.made(id, 4, "autoscaling/v2", "HorizontalPodAutoscaler", spec));
    }
    if service.routed {
        let spec = json!({"hostnames": [service.name]});
        objects.push(service.made(id, 5, "gateway.networking.k8s.io/v1", "HTTPRoute", spec));
    }
    ServiceEntry {
        workspace_id: WorkspaceId::local(),
        project_id: project(),
        environment: production(),
        service_id: id,
        object_name: ObjectName::candidate(&first, service.incarnation + 1),
        name: ServiceName::new(service.name).unwrap(),
        kind: ServiceKind::Web,
        model: json!({}),
        objects,
    }
}

impl Service {
    /// An object that has the service's own name.
    fn made(&self, id: ServiceId, wave: u8, api: &str, kind: &str, spec: Value) -> Object {
        let mut made = manifest(api, kind, &self.object_name(), Some(Some(id)), spec);
        made["metadata"]["labels"]["starform.io/service-name"] = json!(self.name);
        object(wave, made)
    }
}

fn deployment(service: &Service, id: ServiceId) -> Value {
    let checksum = format!("{:?}", service.secret);
    let mut spec = json!({
        "selector": {"matchLabels": {"starform.io/service-id": id.to_string()}},
        "progressDeadlineSeconds": 180,
        "template": {
            "metadata": {"annotations": {"starform.io/config-checksum": checksum}},
            "spec": {"containers": [{"name": "app", "image": service.image}]},
        },
    });
    if let Some(replicas) = service.replicas {
        spec["replicas"] = json!(replicas);
    }
    spec
}

fn secret(service: &Service, id: ServiceId, version: u64) -> Object {
    let reference = SealedRef {
        secret: "password".to_owned(),
        version,
        environment: None,
    };
    let sealed = BTreeMap::from([("PASSWORD".to_owned(), reference)]);
    let secret = service.made(id, 2, "v1", "Secret", json!({}));
    Object::with_sealed(secret.manifest, secret.wave, secret.deletion, sealed)
}

fn claim(service: &Service, id: ServiceId) -> Object {
    let name = format!("{}--data", service.object_name());
    let claim = manifest(
        "v1",
        "PersistentVolumeClaim",
        &name,
        Some(Some(id)),
        json!({}),
    );
    Object::new(claim, Wave(2), Deletion::Retain)
}

fn job(service: &Service, id: ServiceId, release: &str) -> Object {
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
    object(3, job)
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

pub(crate) fn two() -> Vec<Service> {
    vec![Service::new("web"), Service::new("api")]
}
