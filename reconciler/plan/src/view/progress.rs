//! An apply as events, one JSON object a line, for programs that follow it.
//!
//! Pure data. Always holds: `seq` counts up from 1 over all lines of one command; what ends an environment comes
//! once, last. Read on in [`super::events`] for the events of a plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use starform_contract::{
    EnvironmentName, Generation, PlanId, ProjectName, ServiceName,
    report::{Drift, Health},
};

use crate::document::Summary;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProgressSchema {
    #[serde(rename = "starform.apply-event/v1")]
    V1,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgressEvent {
    pub schema: ProgressSchema,
    pub seq: u64,
    pub plan_id: PlanId,
    pub project: ProjectName,
    pub environment: EnvironmentName,
    #[serde(flatten)]
    pub what: Step,
}

/// What a line tells, by its `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Step {
    /// The environment's turn begins; nothing was accepted for it yet.
    Begin { summary: Summary },
    /// The plan's result is the desired state.
    Accepted { generation: Generation },
    /// A service moved.
    Service {
        service: ServiceName,
        health: Health,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// What somebody had changed by hand is as it was accepted.
    Restored { drift: Drift },
    /// Nothing moved for a while; `on`: what is waited for, nothing where that is the agent.
    Waiting { seconds: u64, on: Vec<ServiceName> },
    /// The environment's turn ends. `exit`: the code that the command ends with if this is its last line.
    End {
        exit: u8,
        done: Vec<ServiceName>,
        failed: Vec<Failed>,
        not_started: Vec<ServiceName>,
    },
}

/// A service or an object that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
