//! The contract's documents as JSON: read by their version, and their JSON Schemas.
//!
//! Pure. Always holds: a document of another schema is refused with the schema that is read, whatever
//! else is in it. `schemas/` holds what [`all`] returns; a test compares them, so a change of a type is
//! seen.

use schemars::schema_for;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{bundle::Bundle, index::Index, profile::ClusterProfile, report::Report};

/// A document that names its schema.
pub trait Document: DeserializeOwned {
    const SCHEMA: &'static str;
}

impl Document for Index {
    const SCHEMA: &'static str = "starform.desired-state/v1";
}

impl Document for Bundle {
    const SCHEMA: &'static str = "starform.bundle/v1";
}

impl Document for Report {
    const SCHEMA: &'static str = "starform.report/v1";
}

/// Why a text is not the document that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "it is of schema `{found}`, and this version reads `{known}`; use the version of Starform that wrote it, or a newer one"
    )]
    Other { found: String, known: &'static str },
    #[error("it names no schema, and `{known}` was expected")]
    None { known: &'static str },
    #[error("it is no document: {0}")]
    Shape(String),
}

/// Reads a document; its schema is looked at before anything else.
///
/// # Errors
/// [`Unreadable`]
pub fn read<T: Document>(text: &[u8]) -> Result<T, Unreadable> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<String>,
    }
    let shape = |error: serde_json::Error| Unreadable::Shape(error.to_string());
    let head: Head = serde_json::from_slice(text).map_err(shape)?;
    let known = T::SCHEMA;
    match head.schema {
        Some(found) if found == known => serde_json::from_slice(text).map_err(shape),
        Some(found) => Err(Unreadable::Other { found, known }),
        None => Err(Unreadable::None { known }),
    }
}

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
