//! P1, P4, P5, P6, P10: what an object of a project may be, whoever writes it.
//!
//! Pure. Always holds: what is refused here has no use in a project, so nobody is exempt. An object
//! from before a policy may be updated as long as the update makes nothing worse. Read on in
//! `writers.rs` for who may write.

use starform_contract::{ClusterProfile, name::APPLIER};

use super::policy::{CHANGES, Check, Policy, Rule, Scope};

/// What telemetry, NetworkPolicies and selectors read off a pod.
const LABELS: [&str; 9] = [
    "app.kubernetes.io/managed-by",
    "starform.io/environment",
    "starform.io/observability-enabled",
    "starform.io/project-id",
    "starform.io/role",
    "starform.io/service-id",
    "starform.io/service-name",
    "starform.io/service-type",
    "starform.io/workspace-id",
];
/// Those that a pod shares with its namespace.
const SHARED: [&str; 3] = [
    "app.kubernetes.io/managed-by",
    "starform.io/project-id",
    "starform.io/workspace-id",
];
/// Filters of a route that change a request or its answer, or lead it to what can be looked at here.
/// Others name objects that nobody checks.
const FILTERS: [&str; 5] = [
    "RequestHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "ResponseHeaderModifier",
    "URLRewrite",
];
const GATEWAY_API: &str = "gateway.networking.k8s.io";

pub(super) fn policies(profile: &ClusterProfile) -> Vec<Policy> {
    vec![
        pod_labels(),
        services(),
        route_names(),
        route_targets(profile),
        role_bindings(),
    ]
}

fn pod_labels() -> Policy {
    let (all, shared) = (list(&LABELS), list(&SHARED));
    Policy {
        name: "starform-p1-pod-labels",
        scope: Scope::Projects,
        rules: vec![Rule {
            group: "",
            resources: &[
                "pods",
                "pods/ephemeralcontainers",
                "pods/resize",
                "pods/status",
            ],
            operations: CHANGES,
        }],
        conditions: Vec::new(),
        variables: vec![
            ("labels", labels_of("object")),
            (
                "before",
                format!("oldObject == null ? {{}} : {}", labels_of("oldObject")),
            ),
            ("own", labels_of("namespaceObject")),
        ],
        checks: vec![
            Check::new(
                format!(
                    "oldObject != null || {all}.all(k, k in variables.labels && variables.labels[k] != '')"
                ),
                format!(
                    "a pod of a project carries all of the labels {}; the workload's pod template lacks one",
                    LABELS.join(", ")
                ),
            ),
            Check::new(
                format!(
                    "oldObject != null || {shared}.all(k, k in variables.labels && k in variables.own && variables.labels[k] == variables.own[k])"
                ),
                "the pod's project and workspace are not those of its namespace",
            ),
            Check::new(
                format!(
                    "oldObject == null || {all}.all(k, (k in variables.before) == (k in variables.labels) && (!(k in variables.before) || variables.before[k] == variables.labels[k]))"
                ),
                "the labels that say whose a pod is do not change; make another pod",
            ),
        ],
    }
}

fn services() -> Policy {
    Policy {
        name: "starform-p4-services",
        scope: Scope::Projects,
        rules: vec![Rule {
            group: "",
            resources: &["services"],
            operations: CHANGES,
        }],
        conditions: Vec::new(),
        variables: Vec::new(),
        checks: vec![
            Check::new(
                "!has(object.spec.type) || object.spec.type == 'ClusterIP'",
                "a Service of a project is of type ClusterIP: the platform's Gateway is the only way in",
            ),
            Check::new(
                "!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0",
                "a Service of a project has no externalIPs: they take other people's traffic",
            ),
            Check::new(
                "!has(object.spec.externalName) || object.spec.externalName == ''",
                "a Service of a project has no externalName: it would lead out past the policies of its namespace",
            ),
        ],
    }
}

/// Envoy's metrics know whose a request was by the route's name alone.
fn route_names() -> Policy {
    let id = |label: &str| format!("variables.labels['{label}'].replace('-', '')");
    Policy {
        name: "starform-p5-route-names",
        scope: Scope::Projects,
        rules: routes(),
        conditions: Vec::new(),
        variables: vec![
            ("name", "object.metadata.name".to_owned()),
            ("labels", labels_of("object")),
            ("own", labels_of("namespaceObject")),
            (
                "named",
                "variables.name.matches('^[0-9a-f]{64}-[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?([.][1-9][0-9]{0,3})?$')".to_owned(),
            ),
            (
                "labelled",
                "['starform.io/project-id', 'starform.io/service-id', 'starform.io/environment'].all(k, k in variables.labels)".to_owned(),
            ),
        ],
        checks: vec![
            Check::new(
                "variables.named",
                "a route is named <project id><service id>-<environment>, ids of 32 hex digits, and further ones .1, .2 …",
            ),
            Check::new(
                format!(
                    "!variables.named || variables.labelled && variables.name.substring(0, 32) == {} && variables.name.substring(32, 64) == {} && variables.name.substring(65).split('.')[0] == variables.labels['starform.io/environment']",
                    id("starform.io/project-id"),
                    id("starform.io/service-id"),
                ),
                "the ids in the route's name are not those of its labels",
            ),
            Check::new(
                "!variables.labelled || ('starform.io/project-id' in variables.own && variables.labels['starform.io/project-id'] == variables.own['starform.io/project-id'])",
                "the route's project is not that of its namespace",
            ),
        ],
    }
}

fn route_targets(profile: &ClusterProfile) -> Policy {
    let gateway = &profile.gateway;
    let local = |backend: &str| {
        format!(
            "(!has({backend}.namespace) || {backend}.namespace == request.namespace) && (!has({backend}.kind) || {backend}.kind == 'Service') && (!has({backend}.group) || {backend}.group == '')"
        )
    };
    let filters = |filters: &str| {
        format!(
            "(!has({filters}) || {filters}.all(f, f.type in variables.filters && (!has(f.requestMirror) || {})))",
            local("f.requestMirror.backendRef")
        )
    };
    let listener = gateway.listener.as_ref().map_or_else(String::new, |name| {
        format!(" && has(p.sectionName) && p.sectionName == '{name}'")
    });
    let named = gateway
        .listener
        .as_ref()
        .map_or_else(String::new, |name| format!(", by its listener {name}"));
    Policy {
        name: "starform-p6-route-targets",
        scope: Scope::Projects,
        rules: routes(),
        conditions: Vec::new(),
        variables: vec![
            (
                "rules",
                "has(object.spec.rules) ? object.spec.rules : []".to_owned(),
            ),
            ("filters", list(&FILTERS)),
            // A field of the Gateway API's experimental channel: dyn, for where it is not served.
            ("spec", "dyn(object.spec)".to_owned()),
        ],
        checks: vec![
            Check::new(
                "!has(variables.spec.useDefaultGateways) || variables.spec.useDefaultGateways == 'None'",
                "a project's route names its Gateway, and uses no default ones",
            ),
            Check::new(
                format!(
                    "has(object.spec.parentRefs) && object.spec.parentRefs.all(p, p.name == '{}' && has(p.namespace) && p.namespace == '{}' && (!has(p.kind) || p.kind == 'Gateway') && (!has(p.group) || p.group == '{GATEWAY_API}'){listener})",
                    gateway.name, gateway.namespace
                ),
                format!(
                    "the only parent of a project's route is the Gateway {}/{}{named}",
                    gateway.namespace, gateway.name
                ),
            ),
            Check::new(
                format!(
                    "variables.rules.all(r, !has(r.backendRefs) || r.backendRefs.all(b, {} && {}))",
                    local("b"),
                    filters("b.filters")
                ),
                "a route's backends are Services of its own namespace, with filters as the route's",
            ),
            Check::new(
                format!("variables.rules.all(r, {})", filters("r.filters")),
                format!(
                    "a route's filters are of the types {}, and mirror to Services of its own namespace",
                    FILTERS.join(", ")
                ),
            ),
        ],
    }
}

fn role_bindings() -> Policy {
    let known = format!(
        "object.metadata.name == '{APPLIER}' && object.roleRef.kind == 'ClusterRole' && object.roleRef.name == '{APPLIER}' && has(object.subjects) && size(object.subjects) == 1 && object.subjects.all(s, s.kind == 'ServiceAccount' && s.name == '{APPLIER}' && s.namespace == request.namespace)"
    );
    Policy {
        name: "starform-p10-role-bindings",
        scope: Scope::Projects,
        rules: vec![
            Rule {
                group: "rbac.authorization.k8s.io",
                resources: &["rolebindings"],
                operations: CHANGES,
            },
            Rule {
                group: "",
                resources: &["serviceaccounts"],
                operations: CHANGES,
            },
        ],
        conditions: Vec::new(),
        variables: Vec::new(),
        checks: vec![
            Check::new(
                format!("request.resource.resource != 'rolebindings' || ({known})"),
                format!("the only RoleBinding of a project is {APPLIER}, for its applier"),
            ),
            Check::new(
                format!(
                    "request.resource.resource != 'serviceaccounts' || object.metadata.name != '{APPLIER}'"
                ),
                format!("{APPLIER} is no ServiceAccount: nobody may have a token for it"),
            ),
        ],
    }
}

fn routes() -> Vec<Rule> {
    vec![Rule {
        group: GATEWAY_API,
        resources: &["httproutes"],
        operations: CHANGES,
    }]
}

/// CEL for the labels of an object that may have none.
pub(super) fn labels_of(object: &str) -> String {
    format!("has({object}.metadata.labels) ? {object}.metadata.labels : {{}}")
}

/// CEL for a list of texts.
pub(super) fn list(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("'{text}'")).collect();
    format!("[{}]", quoted.join(", "))
}
