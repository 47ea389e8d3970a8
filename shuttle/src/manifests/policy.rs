//! What a ValidatingAdmissionPolicy is made of, and its binding.
//!
//! Pure. Always holds: a policy fails closed; its binding refuses and leaves a mark in the audit log; a
//! policy about objects of projects looks at namespaces that carry our label, and at no others.

use serde_json::{Value, json};

use super::object;
use crate::engine::fields::MANAGED_LABEL;

const VERSION: &str = "admissionregistration.k8s.io/v1";

/// One policy, before it is bound to the whole cluster.
pub(super) struct Policy {
    /// `starform-p1-pod-labels`; the numbers are those of the documentation.
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    pub(super) rules: Vec<Rule>,
    /// CEL: the policy is about a request when all of them hold.
    pub(super) conditions: Vec<(&'static str, String)>,
    /// CEL, evaluated when it is first needed.
    pub(super) variables: Vec<(&'static str, String)>,
    pub(super) checks: Vec<Check>,
}

/// Whose objects a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// In namespaces with our label.
    Projects,
    /// Everywhere: the conditions narrow it. The label of a Namespace would leave out the request that
    /// takes it away.
    Cluster,
}

/// Resources of one API group, with these operations.
pub(super) struct Rule {
    pub(super) group: &'static str,
    pub(super) resources: &'static [&'static str],
    pub(super) operations: &'static [&'static str],
}

/// What has to hold, and what is said where it does not.
pub(super) struct Check {
    pub(super) holds: String,
    pub(super) says: Says,
}

/// A text, or CEL that gives one.
pub(super) enum Says {
    Text(String),
    Cel(String),
}

pub(super) const WRITES: &[&str] = &["CREATE", "UPDATE", "DELETE"];
/// What leaves another object behind.
pub(super) const CHANGES: &[&str] = &["CREATE", "UPDATE"];

/// CEL: the subresource, which a request about the whole object lacks.
pub(super) const PART: &str = "has(request.subResource) ? request.subResource : ''";

impl Policy {
    /// The policy and its binding.
    pub(super) fn objects(self) -> [Value; 2] {
        let name = self.name;
        let body = json!({ "spec": self.spec() });
        let bound = json!({ "spec": {
            "policyName": name,
            "validationActions": ["Deny", "Audit"],
        } });
        [
            object(VERSION, "ValidatingAdmissionPolicy", None, name, body),
            object(
                VERSION,
                "ValidatingAdmissionPolicyBinding",
                None,
                name,
                bound,
            ),
        ]
    }

    fn spec(self) -> Value {
        let rules: Vec<Value> = self.rules.iter().map(Rule::value).collect();
        let mut constraints = json!({ "resourceRules": rules });
        match self.scope {
            Scope::Projects => {
                let (label, value) = MANAGED_LABEL;
                constraints["namespaceSelector"] = json!({ "matchLabels": { label: value } });
            }
            Scope::Cluster => {}
        }
        json!({
            "failurePolicy": "Fail",
            "matchConstraints": constraints,
            "matchConditions": named(self.conditions),
            "variables": named(self.variables),
            "validations": self.checks.into_iter().map(Check::value).collect::<Vec<_>>(),
        })
    }
}

impl Rule {
    fn value(&self) -> Value {
        json!({
            "apiGroups": [self.group],
            "apiVersions": ["*"],
            "operations": self.operations,
            "resources": self.resources,
        })
    }
}

impl Check {
    pub(super) fn new(holds: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            holds: holds.into(),
            says: Says::Text(says.into()),
        }
    }

    fn value(self) -> Value {
        let mut value = json!({ "expression": self.holds, "reason": "Forbidden" });
        match self.says {
            Says::Text(text) => value["message"] = json!(text),
            Says::Cel(expression) => value["messageExpression"] = json!(expression),
        }
        value
    }
}

fn named(expressions: Vec<(&'static str, String)>) -> Vec<Value> {
    expressions
        .into_iter()
        .map(|(name, expression)| json!({ "name": name, "expression": expression }))
        .collect()
}
