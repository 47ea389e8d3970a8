//! P7: who may write what Starform manages, and pods.
//!
//! Pure. Always holds: an agent's own identity writes one kind in a project's namespace, the RoleBinding
//! that it acts by there, so a request about anything else that forgets whom it acts for is refused even
//! where RBAC would let it through; the labels
//! that the other policies stand on are changed by the agent alone. In an emergency a person joins the
//! group `starform:break-glass`, which the audit log shows: nobody else has an object left alone by its
//! annotation `starform.io/break-glass-until`.

use starform_contract::{ClusterProfile, report::BREAK_GLASS_ANNOTATION};

use super::{
    agent_user,
    policy::{Check, PART, Policy, Rule, Says, Scope, WRITES},
    shape::{labels_of, list},
};
use crate::engine::fields::MANAGED_LABEL;

/// Whoever may impersonate this group, or is in it, writes past P7.
pub const BREAK_GLASS: &str = "starform:break-glass";

/// The API server itself, and controllers that run as themselves; see [`SYSTEM_NAMESPACE`] for others.
const SYSTEM: [&str; 3] = [
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
];
const RBAC: &str = "rbac.authorization.k8s.io";
/// The cluster's controllers, each with a ServiceAccount of its own.
const SYSTEM_NAMESPACE: &str = "system:serviceaccount:kube-system:";

pub(super) fn policies(profile: &ClusterProfile) -> Vec<Policy> {
    vec![writers(profile), namespaces()]
}

fn writers(profile: &ClusterProfile) -> Policy {
    let applier =
        "variables.user == 'system:serviceaccount:' + request.namespace + ':starform-applier'";
    let system = format!(
        "variables.user.startsWith('{SYSTEM_NAMESPACE}') || variables.user in {}",
        list(&SYSTEM)
    );
    // A kubelet runs pods, says how much room a volume has, and fetches tokens for what it runs.
    let node = "'system:nodes' in variables.groups && (request.resource.resource == 'pods' || (request.resource.resource == 'persistentvolumeclaims' && variables.part == 'status') || (request.resource.resource == 'serviceaccounts' && variables.part == 'token'))";
    let gateway = format!(
        "variables.user == '{}' && request.resource.group == 'gateway.networking.k8s.io' && variables.part == 'status'",
        profile.gateway.controller
    );
    let agent = format!(
        "variables.user == '{}' && request.resource.group == '{RBAC}'",
        agent_user()
    );
    Policy {
        name: "starform-p7-writers",
        scope: Scope::Projects,
        rules: managed(),
        // An eviction deletes a pod as its disruption budget allows, and changes nothing that is declared.
        conditions: vec![(
            "no-eviction",
            "!(request.resource.resource == 'pods' && has(request.subResource) && request.subResource == 'eviction')".to_owned(),
        )],
        variables: vec![
            ("user", "request.userInfo.username".to_owned()),
            ("groups", groups()),
            ("part", PART.to_owned()),
            ("applier", applier.to_owned()),
            ("agent", agent),
            ("system", system),
            ("node", node.to_owned()),
            ("gateway", gateway),
            ("person", break_glass()),
        ],
        checks: vec![Check {
            holds: "variables.applier || variables.agent || variables.system || variables.node || variables.gateway || variables.person".to_owned(),
            says: Says::Cel(format!(
                "'{what} is written by Starform, and not by ' + variables.user + '; change starform.kdl and apply it, or in an emergency act in the group {BREAK_GLASS}'",
                what = "what a project consists of"
            )),
        }],
    }
}

/// What Starform writes into a project, what makes pods or traffic beside it, and pods.
fn managed() -> Vec<Rule> {
    let every = |group| Rule {
        group,
        resources: &["*/*"],
        operations: WRITES,
    };
    vec![
        Rule {
            group: "",
            resources: &[
                "bindings",
                "endpoints",
                "limitranges",
                "persistentvolumeclaims",
                "persistentvolumeclaims/*",
                "pods",
                "pods/*",
                "replicationcontrollers",
                "replicationcontrollers/*",
                "resourcequotas",
                "resourcequotas/*",
                "secrets",
                "serviceaccounts",
                "serviceaccounts/*",
                "services",
                "services/*",
            ],
            operations: WRITES,
        },
        // A shell in a pod, a port into it, a way past the Gateway.
        Rule {
            group: "",
            resources: &["pods/*", "services/*"],
            operations: &["CONNECT"],
        },
        every("apps"),
        every("autoscaling"),
        every("batch"),
        every("discovery.k8s.io"),
        every("gateway.networking.k8s.io"),
        every("networking.k8s.io"),
        every("policy"),
        // The applier's: without it nothing is written in the project, nor healed.
        Rule {
            group: RBAC,
            resources: &["rolebindings"],
            operations: WRITES,
        },
    ]
}

/// Our Namespaces come and go by the agent; of their labels it alone changes those that policies, pod
/// security and the agent itself go by.
fn namespaces() -> Policy {
    let (label, value) = MANAGED_LABEL;
    let ours = |object: &str| {
        format!(
            "({object} != null && has({object}.metadata.labels) && '{label}' in {object}.metadata.labels && {object}.metadata.labels['{label}'] == '{value}')"
        )
    };
    let guarded = format!(
        "(k == '{label}' || k.startsWith('starform.io/') || k.startsWith('pod-security.kubernetes.io/'))"
    );
    let kept = format!(
        "variables.before.all(k, !{guarded} || (k in variables.after && variables.after[k] == variables.before[k])) && variables.after.all(k, !{guarded} || k in variables.before)"
    );
    let asked = |object: &str| {
        format!(
            "({object} != null && has({object}.metadata.annotations) && '{BREAK_GLASS_ANNOTATION}' in {object}.metadata.annotations ? {object}.metadata.annotations['{BREAK_GLASS_ANNOTATION}'] : '')"
        )
    };
    let kept = format!("{kept} && {} == {}", asked("oldObject"), asked("object"));
    Policy {
        name: "starform-p7-namespaces",
        scope: Scope::Cluster,
        rules: vec![Rule {
            group: "",
            resources: &["namespaces", "namespaces/finalize", "namespaces/status"],
            operations: WRITES,
        }],
        conditions: vec![(
            "ours",
            format!("{} || {}", ours("object"), ours("oldObject")),
        )],
        variables: vec![
            ("groups", groups()),
            (
                "before",
                format!("oldObject == null ? {{}} : {}", labels_of("oldObject")),
            ),
            (
                "after",
                format!("object == null ? {{}} : {}", labels_of("object")),
            ),
            (
                "trusted",
                format!(
                    "request.userInfo.username == '{}' || {}",
                    agent_user(),
                    break_glass()
                ),
            ),
        ],
        checks: vec![Check::new(
            format!("variables.trusted || (request.operation == 'UPDATE' && {kept})"),
            format!(
                "a project's Namespace comes, goes and is labelled by Starform; other labels and annotations are free, but for {BREAK_GLASS_ANNOTATION}, and in an emergency the group {BREAK_GLASS} may do it"
            ),
        )],
    }
}

fn groups() -> String {
    "has(request.userInfo.groups) ? request.userInfo.groups : []".to_owned()
}

fn break_glass() -> String {
    format!("'{BREAK_GLASS}' in variables.groups")
}
