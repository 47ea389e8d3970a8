//! The JSON Schemas of the plan document, its events and those of an apply, generated from the types.
//!
//! Pure. `schemas/` holds what [`all`] returns; a test compares them, so a change of a type is seen.

use schemars::schema_for;
use serde_json::Value;

use crate::{
    document::{Plan, Plans},
    view::{PlanEvent, progress::ProgressEvent},
};

/// File name in `schemas/` and the schema: one plan, the envelope of several, an event of
/// either.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("plan.v1.json", schema_for!(Plan).to_value()),
        ("plans.v1.json", schema_for!(Plans).to_value()),
        ("plan-event.v1.json", schema_for!(PlanEvent).to_value()),
        ("apply-event.v1.json", schema_for!(ProgressEvent).to_value()),
    ]
}
