//! The JSON Schemas of the contract's documents, generated from the types.
//!
//! Pure. `schemas/` holds what [`all`] returns; a test compares them, so a change of a type is seen.

use schemars::schema_for;
use serde_json::Value;

use crate::{bundle::Bundle, index::Index, profile::ClusterProfile, report::Report};

/// File name in `schemas/` and the schema, for every document.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("desired-state.v1.json", schema_for!(Index).to_value()),
        ("bundle.v1.json", schema_for!(Bundle).to_value()),
        ("report.v1.json", schema_for!(Report).to_value()),
        (
            "cluster-profile.v1.json",
            schema_for!(ClusterProfile).to_value(),
        ),
    ]
}
