//! Documents of any size as ConfigMaps of a bounded one: zstd, then cut into parts.
//!
//! Pure. Always holds: the parts of a document, in order, give the document back; none is above
//! [`PART_BYTES`]; a part says which document it belongs to, which number it has, and of how many.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use starform_contract::{Digest, Generation, schema::Unreadable};

use super::NAMESPACE;

/// The compressed bytes that one ConfigMap takes at most; a ConfigMap may hold 1 MiB.
pub const PART_BYTES: usize = 700 * 1000;

/// A document that unpacks to more is damaged, or an attack: bundles end at 8 MiB.
const DOCUMENT_BYTES: u64 = 64 << 20;

const LEVEL: i32 = 9;

/// The key of `binaryData` that holds the bytes.
const BYTES: &str = "part.zst";

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What kind of document a ConfigMap holds: `index`, `bundle` or `inventory`.
pub(super) const STORES: &str = "starform.io/stores";
const DIGEST: &str = "starform.io/digest";
const GENERATION: &str = "starform.io/generation";
const PART: &str = "starform.io/part";

/// One ConfigMap's worth of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub digest: Digest,
    /// The generation that it was written for.
    pub generation: Generation,
    pub number: usize,
    pub of: usize,
    pub bytes: Vec<u8>,
}

/// The text is not what was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("{0} is missing or not of its form")]
    Field(&'static str),
    #[error("part {0} of {1} is missing")]
    MissingPart(usize, usize),
    #[error("it does not unpack: {0}")]
    Unpack(String),
    #[error(transparent)]
    Document(#[from] Unreadable),
    #[error("its content is {found}, not {expected}")]
    Digest { found: Digest, expected: Digest },
}

/// Compresses and cuts `document`.
pub fn pack(document: &[u8], digest: &Digest, generation: Generation) -> Vec<Part> {
    let packed = compress(document);
    let chunks: Vec<&[u8]> = packed.chunks(PART_BYTES).collect();
    chunks
        .iter()
        .enumerate()
        .map(|(number, bytes)| Part {
            digest: digest.clone(),
            generation,
            number,
            of: chunks.len(),
            bytes: bytes.to_vec(),
        })
        .collect()
}

/// The document of these parts, whatever their order.
///
/// # Errors
/// [`Damage`] when one is missing or they do not unpack.
pub fn unpack(parts: &[Part]) -> Result<Vec<u8>, Damage> {
    let of = parts.first().map_or(1, |part| part.of);
    let by_number: BTreeMap<usize, &Part> = parts
        .iter()
        .filter(|part| part.of == of)
        .map(|part| (part.number, part))
        .collect();
    let mut packed = Vec::new();
    for number in 0..of {
        let part = by_number
            .get(&number)
            .ok_or(Damage::MissingPart(number, of))?;
        packed.extend_from_slice(&part.bytes);
    }
    decompress(&packed)
}

impl Part {
    /// The ConfigMap `name` that holds the part.
    pub fn to_config_map(&self, name: &str, stores: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "labels": labels(stores),
                "annotations": {
                    DIGEST: self.digest,
                    GENERATION: self.generation.to_string(),
                    PART: format!("{}/{}", self.number, self.of),
                },
            },
            "binaryData": { BYTES: BASE64.encode(&self.bytes) },
        })
    }

    /// # Errors
    /// [`Damage::Field`] naming what is not there.
    pub fn from_config_map(map: &Value) -> Result<Self, Damage> {
        let annotation = |name: &'static str| {
            map.pointer("/metadata/annotations")
                .and_then(|annotations| annotations.get(name))
                .and_then(Value::as_str)
                .ok_or(Damage::Field(name))
        };
        let (number, of) = annotation(PART)?
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)))
            .ok_or(Damage::Field(PART))?;
        let generation: u64 = annotation(GENERATION)?
            .parse()
            .map_err(|_| Damage::Field(GENERATION))?;
        Ok(Self {
            digest: annotation(DIGEST)?
                .parse()
                .map_err(|_| Damage::Field(DIGEST))?,
            generation: Generation::new(generation),
            number,
            of,
            bytes: map
                .pointer(&format!("/binaryData/{BYTES}"))
                .and_then(Value::as_str)
                .and_then(|text| BASE64.decode(text).ok())
                .ok_or(Damage::Field(BYTES))?,
        })
    }
}

/// Of every ConfigMap that Shuttle keeps; not `starform`, so that no watch of the engine sees it.
pub(super) fn labels(stores: &str) -> Value {
    json!({ MANAGED_BY: "starform-shuttle", STORES: stores })
}

pub(super) fn compress(document: &[u8]) -> Vec<u8> {
    let mut encoder =
        zstd::Encoder::new(Vec::new(), LEVEL).expect("the level is within zstd's range");
    encoder
        .write_all(document)
        .and_then(|()| encoder.finish())
        .expect("writing to memory cannot fail")
}

pub(super) fn decompress(packed: &[u8]) -> Result<Vec<u8>, Damage> {
    let damaged = |error: std::io::Error| Damage::Unpack(error.to_string());
    let mut document = Vec::new();
    zstd::Decoder::new(packed)
        .map_err(damaged)?
        .take(DOCUMENT_BYTES + 1)
        .read_to_end(&mut document)
        .map_err(damaged)?;
    if document.len() as u64 > DOCUMENT_BYTES {
        return Err(Damage::Unpack(format!(
            "it is above {DOCUMENT_BYTES} bytes"
        )));
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest() -> Digest {
        Digest::of_bytes(b"x")
    }

    /// Bytes that do not compress, so that few of them make several parts.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect()
    }

    #[test]
    fn a_large_document_takes_several_parts_and_comes_back() {
        let document = noise(3 * PART_BYTES);
        let mut parts = pack(&document, &digest(), Generation::new(7));
        assert!(parts.len() > 3, "{}", parts.len());
        assert!(parts.iter().all(|part| part.bytes.len() <= PART_BYTES));
        parts.reverse();
        assert_eq!(unpack(&parts).unwrap(), document);
        let missing = parts.remove(1);
        assert_eq!(
            unpack(&parts),
            Err(Damage::MissingPart(missing.number, missing.of))
        );
    }

    #[test]
    fn no_part_is_a_document() {
        assert_eq!(unpack(&[]), Err(Damage::MissingPart(0, 1)));
    }

    proptest! {
        #[test]
        fn parts_survive_the_config_map(document in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let parts = pack(&document, &digest(), Generation::new(3));
            let back: Vec<Part> = parts
                .iter()
                .map(|part| Part::from_config_map(&part.to_config_map("n", "bundle")).unwrap())
                .collect();
            prop_assert_eq!(&back, &parts);
            prop_assert_eq!(unpack(&back).unwrap(), document);
        }
    }
}
