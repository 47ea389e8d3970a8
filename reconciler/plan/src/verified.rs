//! What a cluster's own API server says of the objects that a plan writes, as it stands beside the plan.
//!
//! Pure. Always holds: nothing of it is part of a document or an id, and it blocks nothing; what is
//! accepted by it saves the agent a dry-run and allows nothing else. Read on in
//! [`starform_contract::verify`] for the words, in [`crate::accept`] for what becomes of them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use starform_contract::{
    Digest, EnvironmentBundle, ObjectKey, PlanId, ProjectBundle,
    verify::{Asked, ObjectVerdict, Verdict, Verification, Way},
};

use crate::{
    accept::Next,
    codes,
    document::{Action, Finding, FindingSeverity, Owner, Plan, ServiceAction},
    size,
    view::told,
};

/// Of one plan, as its cluster answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// The name of the cluster that was asked.
    pub cluster: String,
    #[serde(flatten)]
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Answer {
    Answered {
        /// When (RFC 3339).
        at: String,
        verdicts: Vec<ObjectVerdict>,
    },
    /// The cluster's agent was asked so many seconds ago.
    Waiting { seconds: u64 },
    /// It has not been heard for so many seconds; it is asked when it comes back.
    Away { seconds: u64 },
    /// It did not answer in time, and will not any more.
    Expired,
}

/// By plan.
pub type Verifications = BTreeMap<PlanId, Verified>;

impl Verified {
    /// None where there is no answer.
    pub fn verdicts(&self) -> &[ObjectVerdict] {
        match &self.answer {
            Answer::Answered { verdicts, .. } => verdicts,
            Answer::Waiting { .. } | Answer::Away { .. } | Answer::Expired => &[],
        }
    }

    /// What its cluster would not store as it is written, as findings at the services that make it. They
    /// stand beside the plan and block nothing.
    pub fn findings(&self, plan: &Plan) -> Vec<Finding> {
        let verdicts = self.verdicts().iter();
        let finding = |said: &ObjectVerdict| {
            let (code, severity) = match said.verdict {
                Verdict::Rejected { .. } => (&codes::CLUSTER_REJECTS, FindingSeverity::Blocking),
                Verdict::Owned { .. } => (&codes::CLUSTER_OWNED, FindingSeverity::Blocking),
                Verdict::Changed { .. } => (&codes::CLUSTER_CHANGES, FindingSeverity::Warning),
                Verdict::Accepted | Verdict::Approximate { .. } | Verdict::Unchecked { .. } => {
                    return None;
                }
            };
            Some(Finding {
                code: code.code.to_owned(),
                severity,
                title: told(said)?,
                at: place(plan, &said.key),
            })
        };
        verdicts.filter_map(finding).collect()
    }

    pub fn is_waiting(&self) -> bool {
        match self.answer {
            Answer::Waiting { .. } => true,
            Answer::Answered { .. } | Answer::Away { .. } | Answer::Expired => false,
        }
    }
}

/// Where the first change of the service stands that the object belongs to.
fn place(plan: &Plan, key: &ObjectKey) -> Option<String> {
    let mut services = plan.services.iter();
    let service = services.find(|service| service.objects.contains(key))?;
    service.changes.iter().find_map(|change| change.at.clone())
}

/// What the plan writes, in the order in which it is written: what an API server can be asked about.
pub fn asked(plan: &Plan, project: &ProjectBundle, environment: &EnvironmentBundle) -> Vec<Asked> {
    let ways: BTreeMap<&ObjectKey, Way> = plan
        .objects
        .iter()
        .filter_map(|change| Some((&change.key, way(change.action)?)))
        .collect();
    let objects = project.objects.iter().chain(environment.all_objects());
    let mut asked: Vec<Asked> = objects
        .filter_map(|object| {
            let way = *ways.get(&object.key()?)?;
            let object = object.clone();
            Some(Asked { object, way })
        })
        .collect();
    asked.sort_by_key(|asked| asked.object.wave);
    asked.truncate(Verification::MOST_OBJECTS);
    asked
}

/// `None`: nothing of it is written.
fn way(action: Action) -> Option<Way> {
    match action {
        Action::Create | Action::Update => Some(Way::Write),
        Action::Replace => Some(Way::Replace),
        Action::Adopt => Some(Way::Adopt),
        Action::Delete | Action::Retain | Action::Forget | Action::None => None,
    }
}

/// The next generation, with the consent that what was accepted by the cluster needs no dry-run. Only
/// what is written to a service that runs is dry-run at all; where the index had no room, nothing is
/// said, since it is no more than a saving.
#[must_use]
pub fn with_verified(next: Next, plan: &Plan, verdicts: &[ObjectVerdict]) -> Next {
    let created: BTreeSet<_> = plan
        .services
        .iter()
        .filter(|service| service.action == ServiceAction::Create)
        .map(|service| &service.name)
        .collect();
    let is_new = |owner: &Owner| match owner {
        Owner::Service(name) => created.contains(name),
        Owner::Environment | Owner::Project | Owner::Platform => false,
    };
    let written: BTreeSet<(&ObjectKey, Option<&Digest>)> = plan
        .objects
        .iter()
        .filter(|change| !is_new(&change.owner))
        .map(|change| (&change.key, change.after.as_ref()))
        .collect();
    let accepted = verdicts
        .iter()
        .filter(|said| said.verdict == Verdict::Accepted);
    let digests: BTreeSet<Digest> = accepted
        .filter(|said| written.contains(&(&said.key, Some(&said.digest))))
        .map(|said| said.digest.clone())
        .collect();
    if digests.is_empty() {
        return next;
    }
    let project = next.project.project_id;
    let index = next.index.clone();
    let index = index.with_verified(project, &plan.plan_id, digests);
    match size::of_index(&index) {
        None => Next { index, ..next },
        Some(_) => next,
    }
}
