//! P11: what RBAC cannot say about the agent's own rights.
//!
//! Pure. Always holds: with the agent's token alone nobody makes a foreign Namespace ours, deletes one,
//! gives the applier rights outside of our Namespaces, or gets pods there that reach into their nodes.

use starform_contract::name::NAMESPACE_PREFIX;

use super::{
    agent_user,
    policy::{Check, PART, Policy, Rule, Scope, WRITES},
    shape::{labels_of, list},
};
use crate::engine::fields::{MANAGED_LABEL, PROJECT_LABEL};

/// Levels under which no pod shares what its node has (Pod Security Standards).
const FENCED_PODS: [&str; 2] = ["baseline", "restricted"];
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// Lists of the Service before the Gateway that decide over its life: the garbage collector deletes what
/// belongs to an object that is gone.
const LIVES_BY: [&str; 2] = ["finalizers", "ownerReferences"];

pub(super) fn policy() -> Policy {
    let (label, value) = MANAGED_LABEL;
    let is_ours = |labels: &str| {
        format!(
            "('{label}' in {labels} && {labels}['{label}'] == '{value}' && '{PROJECT_LABEL}' in {labels})"
        )
    };
    let (before, after, around) = (
        is_ours("variables.before"),
        is_ours("variables.after"),
        is_ours("variables.around"),
    );
    let of = |object: &str| format!("{object} == null ? {{}} : {}", labels_of(object));
    Policy {
        name: "starform-p11-agent",
        scope: Scope::Cluster,
        rules: vec![
            Rule {
                group: "",
                resources: &["namespaces", "namespaces/*", "services", "services/*"],
                operations: WRITES,
            },
            Rule {
                group: "rbac.authorization.k8s.io",
                resources: &["rolebindings"],
                operations: WRITES,
            },
        ],
        conditions: vec![(
            "the-agent",
            format!("request.userInfo.username == '{}'", agent_user()),
        )],
        variables: vec![
            ("kind", "request.resource.resource".to_owned()),
            ("part", PART.to_owned()),
            ("before", of("oldObject")),
            ("after", of("object")),
            ("around", of("namespaceObject")),
        ],
        checks: vec![
            Check::new(
                format!(
                    "variables.kind != 'namespaces' || (request.name.startsWith('{NAMESPACE_PREFIX}') && (oldObject == null || {before}) && (object == null || {after}))"
                ),
                "the agent writes and deletes Namespaces of projects only, and makes no other one of them",
            ),
            Check::new(
                format!(
                    "variables.kind != 'namespaces' || oldObject == null || object == null || variables.before['{PROJECT_LABEL}'] == variables.after['{PROJECT_LABEL}']"
                ),
                "a Namespace stays with its project",
            ),
            Check::new(
                format!(
                    "variables.kind != 'namespaces' || object == null || ({})",
                    fenced_pods()
                ),
                format!(
                    "a project's Namespace has {ENFORCE}={}, of the latest version",
                    FENCED_PODS.join(" or ")
                ),
            ),
            Check::new(
                format!("variables.kind != 'rolebindings' || {around}"),
                "the agent gives rights in Namespaces of projects only",
            ),
            Check::new(
                format!(
                    "variables.kind != 'services' || (request.operation == 'UPDATE' && variables.part == '' && object.spec == oldObject.spec && variables.after == variables.before && {})",
                    LIVES_BY.map(unchanged).join(" && ")
                ),
                "of the Service before the Gateway the agent changes annotations only",
            ),
        ],
    }
}

/// CEL: an older version of a level lets through what nobody knew then.
fn fenced_pods() -> String {
    let levels = list(&FENCED_PODS);
    format!(
        "'{ENFORCE}' in variables.after && variables.after['{ENFORCE}'] in {levels} && (!('{ENFORCE}-version' in variables.after) || variables.after['{ENFORCE}-version'] == 'latest')"
    )
}

/// CEL: this list of the metadata is as it was.
fn unchanged(field: &str) -> String {
    let of =
        |object: &str| format!("(has({object}.metadata.{field}) ? {object}.metadata.{field} : [])");
    format!("{} == {}", of("object"), of("oldObject"))
}
