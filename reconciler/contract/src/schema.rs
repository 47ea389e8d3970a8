//! The contract's documents as JSON: read by their version, and their JSON Schemas.
//!
//! Pure. Always holds: a document of another schema is refused by [`check`] alone, with the schema that
//! it has and the one that is understood, whatever else is in it and whatever it stands in. `schemas/`
//! holds what [`all`] returns; a test compares them, so a change of a type is seen.

use schemars::schema_for;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

use crate::{
    bundle::Bundle,
    index::Index,
    numbers::Exact,
    profile::ClusterProfile,
    report::Report,
    sealed::{AgentKeyPost, SealedFile, SealedRequest, SealedValues},
    verify::{Verdicts, Verifications},
};

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

/// A profile that a person writes may leave its schema out: [`ClusterProfile::read`].
impl Document for ClusterProfile {
    const SCHEMA: &'static str = "starform.cluster-profile/v1";
}

impl Document for SealedValues {
    const SCHEMA: &'static str = "starform.sealed/v1";
}

impl Document for SealedFile {
    const SCHEMA: &'static str = "starform.sealed-file/v1";
}

/// Why a text is not the document that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "it is of schema `{found}`, which a newer Starform wrote, and `{known}` is understood here; upgrade the side that reads it"
    )]
    Newer { found: String, known: &'static str },
    #[error(
        "it is of schema `{found}`, and `{known}` is expected here; check that it is the right document"
    )]
    Other { found: String, known: &'static str },
    #[error(
        "it names no schema, and `{known}` is expected here; check that it is the right document"
    )]
    None { known: &'static str },
    #[error("it does not read: {0}")]
    Shape(String),
}

/// Judges the schema `found` of a document where `known` is understood.
///
/// # Errors
/// [`Unreadable`], but never [`Unreadable::Shape`].
pub fn check(found: Option<&str>, known: &'static str) -> Result<(), Unreadable> {
    match found {
        Some(found) if found == known => Ok(()),
        Some(found) if is_newer(found, known) => Err(Unreadable::Newer {
            found: found.to_owned(),
            known,
        }),
        Some(found) => Err(Unreadable::Other {
            found: found.to_owned(),
            known,
        }),
        None => Err(Unreadable::None { known }),
    }
}

/// Reads the `schema` of a document of type `T`, as which it may stand in anything.
///
/// # Errors
/// What [`check`] says, in the reader's own kind of error.
pub fn word<'de, T: Document, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    let found = String::deserialize(from)?;
    check(Some(&found), T::SCHEMA).map_err(D::Error::custom)
}

/// Judges the schema of a parsed document, before anything else of it is read.
///
/// # Errors
/// As [`check`].
pub fn check_value<T: Document>(document: &Value) -> Result<(), Unreadable> {
    check(document.get("schema").and_then(Value::as_str), T::SCHEMA)
}

/// Reads a document; its schema is looked at before anything else. Numbers that not everybody reads
/// as the same are refused: a digest would not tell them apart.
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
    check(head.schema.as_deref(), T::SCHEMA)?;
    serde_json::from_slice::<Exact>(text).map_err(shape)?;
    serde_json::from_slice(text).map_err(shape)
}

/// File name in `schemas/` and the schema, for every document.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("desired-state.v1.json", schema_for!(Index).to_value()),
        ("bundle.v1.json", schema_for!(Bundle).to_value()),
        ("report.v1.json", schema_for!(Report).to_value()),
        ("agent-key.v1.json", schema_for!(AgentKeyPost).to_value()),
        (
            "sealed-request.v1.json",
            schema_for!(SealedRequest).to_value(),
        ),
        ("sealed.v1.json", schema_for!(SealedValues).to_value()),
        ("sealed-file.v1.json", schema_for!(SealedFile).to_value()),
        (
            "verifications.v1.json",
            schema_for!(Verifications).to_value(),
        ),
        ("verdicts.v1.json", schema_for!(Verdicts).to_value()),
        (
            "cluster-profile.v1.json",
            schema_for!(ClusterProfile).to_value(),
        ),
    ]
}

/// `NAME/v3` is newer than `NAME/v2`.
fn is_newer(found: &str, known: &str) -> bool {
    let version = |schema: &str| -> Option<(String, u32)> {
        let (name, number) = schema.rsplit_once("/v")?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    match (version(found), version(known)) {
        (Some((found, newer)), Some((known, number))) => found == known && newer > number,
        (None, _) | (_, None) => false,
    }
}
