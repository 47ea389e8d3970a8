//! P11: what RBAC cannot say about the agent's own rights.
//!
//! Pure. Always holds: with the agent's token alone nobody makes a foreign Namespace ours, deletes one,
//! or gives the applier rights outside of our Namespaces.

use starform_contract::name::NAMESPACE_PREFIX;

use super::{
    agent_user,
    policy::{Check, PART, Policy, Rule, Scope, WRITES},
    shape::labels_of,
};
use crate::engine::fields::{MANAGED_LABEL, PROJECT_LABEL};

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
                format!("variables.kind != 'rolebindings' || {around}"),
                "the agent gives rights in Namespaces of projects only",
            ),
            Check::new(
                "variables.kind != 'services' || (request.operation == 'UPDATE' && variables.part == '' && object.spec == oldObject.spec)",
                "of the Service before the Gateway the agent changes annotations only",
            ),
        ],
    }
}
