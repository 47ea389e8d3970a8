//! One canonical form, one hash: `sha256:<hex>` over RFC 8785 (JCS) JSON.
//!
//! Pure. Equality of digests is equality of meaning: contract documents hold no floats and no
//! integers beyond ±(2^53−1), so two implementations of RFC 8785 agree on every byte.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// `sha256:` and 64 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Digest(String);

/// The text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest; one is `sha256:` and 64 lower-case hex digits")]
pub struct NotADigest(String);

impl Digest {
    /// The digest of the canonical form of `value`.
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self::of_bytes(&canonical(value))
    }

    /// The digest of exactly these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hash = Hash::default();
        hash.add(bytes);
        hash.digest()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hex digits, for file and object names.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }
}

/// A digest whose bytes come piece by piece.
#[derive(Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn digest(self) -> Digest {
        Digest(["sha256:", &hex(&self.0.finalize())].concat())
    }
}

/// Digest and size of a document, from one pass over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    pub digest: Digest,
    /// Of the canonical form, which is what is stored and sent.
    pub bytes: usize,
}

impl Measured {
    pub fn of<T: Serialize>(value: &T) -> Self {
        let bytes = canonical(value);
        Self {
            digest: Digest::of_bytes(&bytes),
            bytes: bytes.len(),
        }
    }
}

/// The canonical bytes (RFC 8785) of a contract document.
pub fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    crate::canonical::to_vec(value)
        .expect("contract types have string keys and no floats, so they always serialise")
}

/// The first `digits` hex digits of sha256 of `text`; for name suffixes. At most 64.
pub fn short_hex(text: &str, digits: usize) -> String {
    let mut full = hex(&Sha256::digest(text.as_bytes()));
    full.truncate(digits);
    full
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        let valid = text.strip_prefix("sha256:").is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        });
        if valid {
            Ok(Self(text))
        } else {
            Err(NotADigest(text))
        }
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        Self::try_from(text.to_owned())
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
