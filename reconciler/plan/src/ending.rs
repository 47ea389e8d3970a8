//! A project whose deletion is accepted: what of it may still be there, and whether nothing is any more.
//!
//! Pure. Always holds: its Namespace, and the rights in it, may go as long as the index lists them; what
//! is still to go can be asked for again by a plan like any other. Read on in [`crate::removal`].

use std::borrow::Cow;

use serde_json::json;
use starform_contract::{
    Deletion, EnvironmentBundle, EnvironmentName, Object, ObjectKey, ProjectBundle, ProjectEntry,
    Report,
    bundle::{BundleSchema, Wave},
    report::{Outcome, Verdict},
    state::DriftPolicy,
};

use crate::{
    accepted::AcceptedProject,
    document::{Action, Plan},
    merge,
};

/// What an accepted deletion of a project has still to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The one whose plan took what belongs to the project itself.
    pub environment: EnvironmentName,
    /// The Namespace, and the rights in it.
    pub objects: Vec<ObjectKey>,
}

/// `None`: the project stands, or its deletion lists nothing of its own.
pub(crate) fn of_entry(entry: &ProjectEntry, own: &ProjectBundle) -> Option<Ending> {
    if !own.objects.is_empty() {
        return None;
    }
    entry.accepted.iter().rev().find_map(|accepted| {
        let keys = accepted.consent.delete.iter();
        let objects: Vec<ObjectKey> = keys.filter(|key| ends_with_project(key)).cloned().collect();
        (!objects.is_empty()).then(|| Ending {
            environment: accepted.environment.clone(),
            objects,
        })
    })
}

/// The Namespace, and the rights in it.
pub(crate) fn ends_with_project(key: &ObjectKey) -> bool {
    key.is_namespace() || key.is_rights()
}

/// Whether nothing of the project is in its cluster any more, as the report of an environment of it
/// shows: its deletion is accepted and done, and its Namespace is gone.
pub fn is_gone(entry: &ProjectEntry, own: &ProjectBundle, report: &Report) -> bool {
    let accepted = entry.accepted.iter().map(|accepted| accepted.generation);
    let covers_all = accepted.max().is_none_or(|last| last <= report.generation);
    let is_namespace = |key: &ObjectKey| key.is_namespace() && key.name == entry.namespace;
    let mut told = report.objects.iter().filter(|told| is_namespace(&told.key));
    let gone = match told.next() {
        Some(told) => told.outcome == Outcome::Deleted,
        // An agent that was started since has nothing to tell of what is not there.
        None => entry.environments.is_empty(),
    };
    own.objects.is_empty()
        && covers_all
        && report.verdict() == Verdict::Converged
        && gone
        && !report.orphans.iter().any(is_namespace)
}

impl AcceptedProject {
    /// Nothing of the project is wanted any more.
    pub fn is_ended(&self) -> bool {
        let own = self.project();
        own.is_some_and(|own| own.objects.is_empty())
    }

    /// For a plan that asks once more for what is still to go: with that as if it were accepted.
    pub(crate) fn still_there(&self) -> Cow<'_, Self> {
        let (Some(ending), Some(own)) = (&self.ending, self.project()) else {
            return Cow::Borrowed(self);
        };
        let mut objects: Vec<Object> = ending.objects.iter().map(bare).collect();
        merge::sort(&mut objects);
        let environment = self.environments().is_empty();
        let environment = environment.then(|| emptied(own, &ending.environment));
        let own = ProjectBundle {
            objects,
            ..own.clone()
        };
        Cow::Owned(self.supposing(own, environment))
    }

    /// What `plan` was made against: with what is still to go where it asks for that again.
    pub(crate) fn as_planned(&self, plan: &Plan) -> Cow<'_, Self> {
        let again = self.ending.iter().flat_map(|ending| &ending.objects);
        let listed = again.into_iter().any(|key| {
            let mut changes = plan.objects.iter();
            changes.any(|change| change.action == Action::Delete && change.key == *key)
        });
        match listed {
            true => self.still_there(),
            false => Cow::Borrowed(self),
        }
    }
}

/// Its name alone: nothing more is needed to delete it.
fn bare(key: &ObjectKey) -> Object {
    let api_version = match key.group.as_str() {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    };
    let mut metadata = json!({ "name": key.name });
    if let Some(namespace) = &key.namespace {
        metadata["namespace"] = json!(namespace);
    }
    let manifest = json!({"apiVersion": api_version, "kind": key.kind, "metadata": metadata});
    Object::new(manifest, Wave(0), Deletion::WithProject)
}

fn emptied(own: &ProjectBundle, environment: &EnvironmentName) -> EnvironmentBundle {
    EnvironmentBundle {
        schema: BundleSchema::V1,
        workspace_id: own.workspace_id,
        project_id: own.project_id,
        project: own.project.clone(),
        namespace: own.namespace.clone(),
        tier: own.tier.clone(),
        environment: environment.clone(),
        ephemeral: false,
        drift: DriftPolicy::default(),
        protect: false,
        objects: Vec::new(),
        services: Vec::new(),
        kept: Vec::new(),
    }
}
