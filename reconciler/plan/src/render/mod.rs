//! From a resolved environment and a cluster's profile to the exact Kubernetes objects.
//!
//! Pure and total: it cannot fail, and permuted input gives equal bytes. Always holds: what the API
//! server would fill in is written out, so what is compared is what was written; every selector is
//! part of the labels of what it selects. See `docs/objects.md`.
//!
//! | module | what it makes |
//! |---|---|
//! | [`kind`] | the kinds, with their wave and when they may be deleted |
//! | [`labels`] | labels and selectors |
//! | [`project`] | what the project has once: Namespace, rights, quota |
//! | [`network`] | NetworkPolicies |
//! | [`secret`] | Secrets of Var Groups, of a service's own variables, and of the registry |
//! | [`pod`], [`env`], [`probe`], [`user`] | the pod template |
//! | [`deployment`], [`scaling`], [`cron`] | what runs pods |
//! | [`release`] | what runs before them |
//! | [`volume`] | disks, and where they stand in a container |
//! | [`service`], [`route`] | how they are reached |

mod cron;
mod deployment;
mod env;
mod kind;
mod labels;
mod network;
mod pod;
mod probe;
mod project;
mod release;
mod route;
mod scaling;
mod secret;
mod service;
mod user;
mod volume;

use serde_json::Value;
use starform_contract::{
    ClusterProfile, EnvironmentBundle, EnvironmentState, Object, ProjectBundle, ServiceEntry,
    ServiceState,
    bundle::BundleSchema,
    model::{Drain, Health, Metrics, Port, Running, Scale, Workload},
    name,
};

use kind::Kind;

pub(crate) use project::LARGEST_CPU;

/// The two bundles that one environment of a project needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub project: ProjectBundle,
    pub environment: EnvironmentBundle,
}

/// Renders one environment, and the project's own objects.
pub fn render(state: &EnvironmentState, profile: &ClusterProfile) -> Rendered {
    let scope = Scope {
        state,
        profile,
        namespace: name::namespace(&state.project, state.project_id),
    };
    Rendered {
        project: project_bundle(&scope),
        environment: environment_bundle(&scope),
    }
}

/// What every object of an environment is made from.
#[derive(Clone)]
struct Scope<'a> {
    state: &'a EnvironmentState,
    profile: &'a ClusterProfile,
    namespace: String,
}

/// What every object of a service is made from.
struct ServiceScope<'a> {
    scope: &'a Scope<'a>,
    service: &'a ServiceState,
    /// The name that all objects of the service share, but CronJob and HTTPRoutes.
    name: String,
}

/// What every service that keeps running has, whatever its kind.
#[derive(Clone, Copy)]
struct Serving<'a> {
    /// Empty for a worker.
    ports: &'a [Port],
    health: &'a Health,
    scale: &'a Scale,
    drain: Drain,
    running: &'a Running,
}

impl Scope<'_> {
    /// An object of the project's namespace.
    fn object(&self, kind: Kind, name: &str, labels: Value, body: Value) -> Object {
        kind::object(kind, Some(&self.namespace), name, labels, body)
    }
}

impl<'a> ServiceScope<'a> {
    fn new(scope: &'a Scope<'a>, service: &'a ServiceState) -> Self {
        Self {
            scope,
            service,
            name: name::service_object(&service.object_name, &scope.state.environment),
        }
    }

    /// Where the scraper reads; `None` also where telemetry leaves the service alone.
    fn scraped<'s>(&self, serving: Serving<'s>) -> Option<&'s Metrics> {
        let metrics = serving.running.metrics.as_ref();
        metrics.filter(|_| self.service.model.observability)
    }

    /// An object named like the service's Deployment.
    fn object(&self, kind: Kind, labels: Value, body: Value) -> Object {
        self.scope.object(kind, &self.name, labels, body)
    }
}

impl<'a> Serving<'a> {
    /// `None` for a cron job, which does not keep running.
    fn of(workload: &'a Workload) -> Option<Self> {
        match workload {
            Workload::Web(web) => Some(Self {
                ports: &web.ports,
                health: &web.health,
                scale: &web.scale,
                drain: web.drain,
                running: &web.running,
            }),
            Workload::Private(private) => Some(Self {
                ports: &private.ports,
                health: &private.health,
                scale: &private.scale,
                drain: private.drain,
                running: &private.running,
            }),
            Workload::Worker(worker) => Some(Self {
                ports: &[],
                health: &worker.health,
                scale: &worker.scale,
                drain: worker.drain,
                running: &worker.running,
            }),
            Workload::Cron(_) => None,
        }
    }
}

fn project_bundle(scope: &Scope<'_>) -> ProjectBundle {
    let state = scope.state;
    let mut names = state.names.clone();
    names.sort();
    ProjectBundle {
        schema: BundleSchema::V1,
        workspace_id: state.workspace_id,
        project_id: state.project_id,
        project: state.project.clone(),
        namespace: scope.namespace.clone(),
        tier: state.tier.clone(),
        objects: ordered(project::objects(scope)),
        names,
    }
}

fn environment_bundle(scope: &Scope<'_>) -> EnvironmentBundle {
    let state = scope.state;
    let mut objects = vec![network::egress(scope)];
    objects.extend(secret::groups(scope));
    let mut services: Vec<ServiceEntry> = state
        .services
        .iter()
        .map(|service| service_entry(scope, service))
        .collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    EnvironmentBundle {
        schema: BundleSchema::V1,
        workspace_id: state.workspace_id,
        project_id: state.project_id,
        project: state.project.clone(),
        namespace: scope.namespace.clone(),
        tier: state.tier.clone(),
        environment: state.environment.clone(),
        ephemeral: state.ephemeral,
        drift: state.drift,
        protect: state.protect,
        objects: ordered(objects),
        services,
        kept: Vec::new(),
    }
}

fn service_entry(scope: &Scope<'_>, service: &ServiceState) -> ServiceEntry {
    let state = scope.state;
    ServiceEntry {
        workspace_id: state.workspace_id,
        project_id: state.project_id,
        environment: state.environment.clone(),
        service_id: service.service_id,
        name: service.name.clone(),
        object_name: service.object_name.clone(),
        kind: service.model.kind(),
        model: serde_json::to_value(&service.model)
            .expect("a model has string keys and no floats, so it always serialises"),
        objects: ordered(service_objects(&ServiceScope::new(scope, service))),
    }
}

fn service_objects(scope: &ServiceScope<'_>) -> Vec<Object> {
    let mut objects = vec![service::account(scope), network::ingress(scope)];
    objects.extend(secret::own(scope));
    let workload = &scope.service.model.workload;
    match workload {
        Workload::Web(web) => {
            objects.push(service::service(scope, &web.ports));
            objects.extend(route::routes(scope, web));
        }
        Workload::Private(private) => objects.push(service::service(scope, &private.ports)),
        Workload::Worker(_) => {}
        Workload::Cron(cron) => objects.push(cron::cron_job(scope, cron)),
    }
    if let Some(serving) = Serving::of(workload) {
        objects.extend(volume::claims(scope, &serving.running.volumes));
        objects.extend(release::job(scope, serving));
        objects.push(deployment::deployment(scope, serving));
        objects.extend(scaling::autoscaler(scope, serving.scale));
        objects.extend(scaling::disruption_budget(scope, serving.scale));
    }
    objects
}

fn ordered(mut objects: Vec<Object>) -> Vec<Object> {
    objects.sort_by_cached_key(|object| (object.wave, object.key()));
    objects
}
