//! A rendered project to apply: services of one environment, and the index that wants them.
//!
//! Effects: none but new names. Always holds: what is consented to is what is given, so that a test of deletion says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::Client;
use serde_json::{Value, json};
use starform_contract::{
    Accepted, Bundle, ClusterId, ClusterProfile, Consent, Digest, EnvironmentBundle,
    EnvironmentName, EnvironmentState, Generation, Index, NameEntry, ObjectKey, ObjectName, PlanId,
    ProjectBundle, ProjectEntry, ProjectId, ProjectName, ServiceId, ServiceModel, ServiceName,
    ServiceState, WorkspaceId,
};
use starform_plan::render::render;
use starform_shuttle::{
    call::{call, get},
    engine::io::Desired,
    run::Place,
};

pub(crate) const ENVIRONMENT: &str = "production";

/// A project under construction: its name, each service's image, and what else of a service is not as usual.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    project: ProjectName,
    services: BTreeMap<ServiceName, String>,
    unusual: BTreeMap<ServiceName, Value>,
    delete: Vec<ObjectKey>,
}

impl Shop {
    /// Its project's name begins so, and no earlier run has used it.
    pub(crate) fn new(beginning: &str, services: &[(&str, &str)]) -> Self {
        let project = format!("{beginning}-{}", uuid::Uuid::now_v7().simple());
        Self {
            project: project[..beginning.len() + 13].parse().unwrap(),
            services: services
                .iter()
                .map(|(name, image)| (name.parse().unwrap(), (*image).to_owned()))
                .collect(),
            unusual: BTreeMap::new(),
            delete: Vec::new(),
        }
    }

    /// With these fields in the service's model.
    pub(crate) fn with(mut self, service: &str, fields: Value) -> Self {
        self.unusual.insert(service.parse().unwrap(), fields);
        self
    }

    pub(crate) fn image(mut self, service: &str, image: &str) -> Self {
        self.services
            .insert(service.parse().unwrap(), image.to_owned());
        self
    }

    /// Without this service, and with consent to delete what it had.
    pub(crate) fn without(mut self, service: &str) -> Self {
        let name: ServiceName = service.parse().unwrap();
        let bundle = self.environment();
        let entry = bundle.service(&name).unwrap();
        // Accepted plans stay in the index until a finished report.
        let keys = entry.objects.iter().filter_map(|object| object.key());
        self.delete.extend(keys);
        self.services.remove(&name);
        self
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(ServiceName::as_str)
    }

    /// What plans have listed to go.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = &ObjectKey> {
        self.delete.iter()
    }

    /// Every object of the project.
    pub(crate) fn wanted(&self) -> BTreeSet<ObjectKey> {
        let rendered = render(&self.state(), &ClusterProfile::default());
        let own = rendered.project.objects.iter();
        let objects = own.chain(rendered.environment.all_objects());
        objects.filter_map(|object| object.key()).collect()
    }

    pub(crate) fn namespace(&self) -> String {
        self.environment().namespace
    }

    pub(crate) fn key(&self, group: &str, kind: &str, service: &str) -> ObjectKey {
        let name = format!("{service}--{ENVIRONMENT}");
        ObjectKey::new(group, kind, Some(&self.namespace()), &name)
    }

    pub(crate) fn place(&self) -> Place {
        (
            ProjectId::local(&self.project),
            ENVIRONMENT.parse().unwrap(),
        )
    }

    pub(crate) fn environment(&self) -> starform_contract::EnvironmentBundle {
        render(&self.state(), &ClusterProfile::default()).environment
    }

    pub(crate) fn bundles(&self) -> (ProjectBundle, EnvironmentBundle) {
        let rendered = render(&self.state(), &ClusterProfile::default());
        (rendered.project, rendered.environment)
    }

    /// The generation after `index` that wants exactly this.
    pub(crate) fn after(&self, index: &Index) -> Desired {
        let (project, environment) = self.bundles();
        let (project, environment) = (Bundle::Project(project), Bundle::Environment(environment));
        let consent = Consent {
            delete: self.delete.iter().cloned().collect(),
            ..Consent::default()
        };
        let entry = entry(&project, &environment, index.generation.next(), consent);
        let index = index.successor(BTreeMap::from([(project.project_id(), entry)]));
        let bundles = [project, environment]
            .into_iter()
            .map(|bundle| (bundle.digest(), Arc::new(bundle)))
            .collect();
        Desired { index, bundles }
    }

    fn state(&self) -> EnvironmentState {
        let project_id = ProjectId::local(&self.project);
        let services: Vec<ServiceState> = self
            .services
            .iter()
            .map(|(name, image)| ServiceState {
                service_id: ServiceId::derive(project_id, name, 0),
                name: name.clone(),
                object_name: ObjectName::candidate(name, 1),
                model: model(image, self.unusual.get(name)),
            })
            .collect();
        EnvironmentState {
            workspace_id: WorkspaceId::local(),
            workspace: WorkspaceId::LOCAL_NAME.to_owned(),
            project_id,
            project: self.project.clone(),
            tier: "standard".to_owned(),
            environment: ENVIRONMENT.parse().unwrap(),
            ephemeral: false,
            drift: Default::default(),
            protect: false,
            groups: BTreeMap::new(),
            names: services.iter().map(name_entry).collect(),
            services,
            removed: Vec::new(),
        }
    }
}

/// Fields of a service that runs once a year: nothing of it starts in a test, so nothing waits for it.
pub(crate) fn yearly() -> Value {
    json!({
        "kind": "cron",
        "schedule": "0 0 1 1 *",
        "timezone": "Etc/UTC",
        "overlap": "forbid",
        "retries": 0,
        "timeout": "60s",
        "keep": {"succeeded": 1, "failed": 1},
    })
}

/// What an accepted plan of these two bundles makes of a project.
pub(crate) fn entry(
    project: &Bundle,
    environment: &Bundle,
    generation: Generation,
    consent: Consent,
) -> ProjectEntry {
    let name: EnvironmentName = ENVIRONMENT.parse().unwrap();
    ProjectEntry {
        namespace: project.namespace().to_owned(),
        bundle: project.digest(),
        environments: BTreeMap::from([(name.clone(), environment.digest())]),
        accepted: vec![Accepted {
            plan_id: PlanId::new(Digest::of_bytes(b"plan")),
            environment: name,
            revision: None,
            generation,
            consent,
        }],
    }
}

/// The index of the tests' cluster before anything was accepted.
pub(crate) async fn nothing_here(client: &Client) -> Index {
    let system = call(client, get("/api/v1/namespaces/kube-system"))
        .await
        .unwrap();
    let uid = system["metadata"]["uid"].as_str().unwrap();
    Index::empty(uid.parse().unwrap())
}

/// The same of a cluster that is not there.
pub(crate) fn nothing() -> Index {
    let cluster: ClusterId = "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap();
    Index::empty(cluster)
}

fn model(image: &str, unusual: Option<&Value>) -> ServiceModel {
    let mut model = json!({
        "kind": "private",
        "image": image,
        "size": {"cpu": "10m", "memory": "16Mi"},
        "observability": true,
        "ports": [{"name": "http", "port": 8080, "protocol": "http"}],
        "health": {"startup-within": "60s"},
        "scale": {"min": 1, "max": 1},
        "drain": {"before-term": "5s", "grace": "20s"},
        "allow-from": "environment",
    });
    let unusual = unusual.and_then(Value::as_object).into_iter().flatten();
    for (field, value) in unusual {
        model[field] = value.clone();
    }
    serde_json::from_value(model).unwrap()
}

fn name_entry(service: &ServiceState) -> NameEntry {
    NameEntry {
        name: service.name.clone(),
        incarnation: 0,
        service_id: service.service_id,
        object_name: service.object_name.clone(),
        retired: false,
    }
}
