//! The pod template: one container, run by the user that [`user`] says.
//!
//! Pure. Always holds: it does not depend on the scale, so scaling never replaces pods. Sources:
//! Kubernetes' Pod Security Standards; `docs/objects.md` for the reason of each default.

use serde_json::{Value, json};
use starform_contract::model::{Drain, Port, Release};

use super::{
    ServiceScope, Serving, env,
    labels::{self, Role},
    probe, user, volume,
};

/// The name of the only container.
const CONTAINER: &str = "app";
/// What a container may write beside its volumes, and what the scheduler sets aside for it.
pub(super) const EPHEMERAL_REQUEST: &str = "128Mi";
pub(super) const EPHEMERAL_LIMIT: &str = "2Gi";
/// A command that ends by itself has no traffic to drain.
const RUN_GRACE_SECONDS: u32 = 30;

/// Of a service that keeps running.
pub(super) fn serving(scope: &ServiceScope<'_>, serving: Serving<'_>) -> Value {
    let (state, service) = (scope.scope.state, scope.service);
    let mut container = container(scope, &scope.service.model.run, serving.ports);
    probe::add(&mut container, serving.health);
    add_pre_stop(&mut container, serving.drain);
    let mut spec = pod(scope, container);
    volume::mount(scope, &serving.running.volumes, &mut spec);
    let Drain { before_term, grace } = serving.drain;
    spec["restartPolicy"] = json!("Always");
    spec["terminationGracePeriodSeconds"] = json!(before_term.as_secs() + grace.as_secs());
    spec["topologySpreadConstraints"] = json!(spread(&labels::selector(state, service)));
    let mut template = template(scope, Role::Serve, spec);
    if let Some(metrics) = scope.scraped(serving) {
        let annotations = &mut template["metadata"]["annotations"];
        annotations["prometheus.io/scrape"] = json!("true");
        annotations["prometheus.io/port"] = json!(metrics.port.to_string());
        annotations["prometheus.io/path"] = json!(metrics.path);
    }
    template
}

/// Of one run of a cron job.
pub(super) fn run(scope: &ServiceScope<'_>) -> Value {
    once(
        scope,
        Role::Cron,
        container(scope, &scope.service.model.run, &[]),
    )
}

/// Of one attempt at a release: what the service's own container knows, another command, and none of
/// its disks, which the old pod still holds.
pub(super) fn release(scope: &ServiceScope<'_>, ports: &[Port], release: &Release) -> Value {
    let mut container = container(scope, &release.run, &[]);
    container["env"] = json!(env::variables(scope, ports));
    once(scope, Role::Release, container)
}

/// A command that ends.
fn once(scope: &ServiceScope<'_>, role: Role, container: Value) -> Value {
    let mut spec = pod(scope, container);
    // A failed run stays as it ended, with its log; a retry is a new pod.
    spec["restartPolicy"] = json!("Never");
    spec["terminationGracePeriodSeconds"] = json!(RUN_GRACE_SECONDS);
    template(scope, role, spec)
}

fn template(scope: &ServiceScope<'_>, role: Role, spec: Value) -> Value {
    json!({
        "metadata": {
            "labels": labels::workload(scope.scope.state, scope.service, role),
            "annotations": { "starform.io/config-checksum": env::checksum(scope) },
        },
        "spec": spec,
    })
}

fn pod(scope: &ServiceScope<'_>, container: Value) -> Value {
    json!({
        "automountServiceAccountToken": false,
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": false,
        "schedulerName": "default-scheduler",
        "securityContext": user::pod_context(scope.service.model.run_as),
        "serviceAccountName": scope.name,
    })
}

fn container(scope: &ServiceScope<'_>, run: &[String], ports: &[Port]) -> Value {
    let model = &scope.service.model;
    let (cpu, memory) = (model.size.cpu, model.size.memory);
    let mut container = json!({
        "name": CONTAINER,
        "image": model.image,
        "imagePullPolicy": pull_policy(&model.image),
        "env": env::variables(scope, ports),
        // No CPU limit: it throttles a service that its neighbours leave room for.
        "resources": {
            "requests": { "cpu": cpu, "memory": memory, "ephemeral-storage": EPHEMERAL_REQUEST },
            "limits": { "memory": memory, "ephemeral-storage": EPHEMERAL_LIMIT },
        },
        "securityContext": user::container_context(model.run_as),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    });
    if !run.is_empty() {
        let argv: Vec<String> = run.iter().map(|word| env::escape(word)).collect();
        container["command"] = json!(argv);
    }
    if !ports.is_empty() {
        container["ports"] = ports.iter().map(container_port).collect();
    }
    container
}

fn container_port(port: &Port) -> Value {
    json!({ "name": port.name, "containerPort": port.port, "protocol": "TCP" })
}

/// Endpoints are removed while TERM is sent, so a container goes on serving for a while first.
fn add_pre_stop(container: &mut Value, drain: Drain) {
    let seconds = drain.before_term.as_secs();
    if seconds > 0 {
        container["lifecycle"] = json!({ "preStop": { "sleep": { "seconds": seconds } } });
    }
}

/// Soft, so that a cluster of one node still schedules; counted for each revision on its own.
fn spread(selector: &Value) -> Vec<Value> {
    ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        .map(|key| {
            json!({
                "labelSelector": { "matchLabels": selector },
                "matchLabelKeys": ["pod-template-hash"],
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
            })
        })
        .into()
}

/// A tag that moves is asked for at every start; what a digest or another tag names stays.
fn pull_policy(image: &str) -> &'static str {
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        _ if image.contains('@') => "IfNotPresent",
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}
