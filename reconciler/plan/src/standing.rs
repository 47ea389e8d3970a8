//! What the cluster shows of the state that a plan was made against, as it stands beside the plan: what of
//! it is not there as accepted, and how well that is known.
//!
//! Pure data. Always holds: nothing of it is part of a document or an id; it holds no values. Every view
//! joins it by [`crate::view`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use starform_contract::{Generation, ObjectKey, report::DriftKind};

/// By plan.
pub type Standings = BTreeMap<starform_contract::PlanId, Standing>;

/// Of the accepted state of one plan's environment, with the project's own objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    pub known: Known,
    /// Accepted, and not so in the cluster; by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Differing>,
    /// An accepted plan deletes them, and they are still there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<ObjectKey>,
    /// Volumes that services left behind with their data, and that are not there any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<ObjectKey>,
}

/// How it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Known {
    /// The cluster itself was asked, just now.
    Cluster,
    /// Its agent tells.
    Agent {
        /// What was accepted last for the environment.
        accepted: Generation,
        /// What the last report is of; `None`: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reported: Option<Reported>,
        /// So long nothing was heard of the agent, where that is longer than it ever takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silent_seconds: Option<u64>,
    },
    /// The cluster answers, but not what its objects are.
    Unread { why: String },
    /// Nobody could be asked: the plan was made against what was seen accepted last.
    Memory {
        /// The API server that was asked then.
        server: String,
        generation: Generation,
        why: String,
    },
    /// Nobody could be asked, and nothing was seen before: the plan was made against nothing.
    Nothing { why: String },
}

/// An agent's last report of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reported {
    pub generation: Generation,
    /// Nothing of it moves any more.
    pub finished: bool,
    /// Not all of it could be done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    pub age_seconds: u64,
}

/// An object that is not as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differing {
    pub key: ObjectKey,
    pub kind: DriftKind,
    /// The fields that are not as accepted, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Who wrote it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// An apply leaves it: the environment only reports drift, or others keep taking it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// What can be said of it in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// The cluster has it as it was accepted.
    AsAccepted,
    /// It may or may not.
    Unknown,
    /// It has not.
    NotAsAccepted,
}

impl Standing {
    /// Nothing is known to differ.
    pub fn of(known: Known) -> Self {
        Self {
            known,
            differs: Vec::new(),
            remains: Vec::new(),
            lost: Vec::new(),
        }
    }

    pub fn word(&self) -> Word {
        if !self.differs.is_empty() || !self.remains.is_empty() {
            return Word::NotAsAccepted;
        }
        match &self.known {
            Known::Cluster => Word::AsAccepted,
            Known::Agent {
                reported: Some(reported),
                ..
            } if reported.partial => Word::NotAsAccepted,
            Known::Agent {
                accepted,
                reported: Some(reported),
                silent_seconds: None,
            } if reported.finished && reported.generation >= *accepted => Word::AsAccepted,
            Known::Agent { .. }
            | Known::Unread { .. }
            | Known::Memory { .. }
            | Known::Nothing { .. } => Word::Unknown,
        }
    }

    /// Whether something that is accepted is known not to be there, or to be still on its way.
    pub fn is_behind(&self) -> bool {
        let on_its_way = match &self.known {
            Known::Agent {
                accepted, reported, ..
            } => !reported.is_some_and(|last| last.finished && last.generation >= *accepted),
            Known::Cluster
            | Known::Unread { .. }
            | Known::Memory { .. }
            | Known::Nothing { .. } => false,
        };
        on_its_way || self.word() == Word::NotAsAccepted
    }

    /// Whether an object that is accepted, or was left behind, is known not to be there.
    pub fn is_gone(&self, key: &ObjectKey) -> bool {
        let mut differs = self.differs.iter();
        let is_deleted = differs.any(|one| one.key == *key && one.kind == DriftKind::Deleted);
        is_deleted || self.lost.contains(key)
    }

    /// Whether an apply has something to write or to delete besides its plan.
    pub fn is_to_do(&self) -> bool {
        !self.remains.is_empty() || self.differs.iter().any(|differing| !differing.left)
    }
}
