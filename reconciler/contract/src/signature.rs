//! Who may say what a cluster should have: Ed25519 signatures over the digest of an index, and of the
//! sealed values that belong to it.
//!
//! Pure. Always holds: a secret key is never printed, compared by text or serialised; a signature is
//! judged by the strict rules of RFC 8032, so that one key and one digest have one signature. Keys
//! are written `id:base64 of 32 bytes`; several may stand together, which is how they are changed
//! without a gap: first every agent trusts the new one, then the control plane signs with it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    Signature as Raw, Signer as _, SigningKey as SecretHalf, VerifyingKey as PublicHalf,
};
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, index::Index, text::text_form};

/// The one algorithm there is.
pub const ALGORITHM: &str = "ed25519";
const KEY_BYTES: usize = 32;
const ID_LENGTH: usize = 40;

/// A document that carries a signature over the digest of all the rest of it. Its `schema` keeps that digest apart
/// from the one of anything else that is signed.
pub trait Signed: Clone + Serialize {
    fn signature(&self) -> Option<&Signature>;

    fn set_signature(&mut self, signature: Option<Signature>);

    /// Of everything but the signature.
    fn digest(&self) -> Digest {
        let mut bare = self.clone();
        bare.set_signature(None);
        Digest::of(&bare)
    }

    /// With the signature of `key`, in place of any other.
    #[must_use]
    fn signed(mut self, key: &SigningKey) -> Self {
        let signature = key.sign(&self.digest());
        self.set_signature(Some(signature));
        self
    }
}

/// What an [`Index`] and every [`Signed`] document carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Signature {
    /// Which of the trusted keys made it.
    pub key_id: String,
    /// `ed25519`.
    pub alg: String,
    /// Base64, over the bytes of the digest's text.
    pub value: String,
}

/// The secret half. No `Debug`, no `Serialize`; wiped when it is dropped.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    secret: SecretHalf,
}

/// The public half, as an agent pins it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustedKey {
    id: String,
    public: PublicHalf,
}

/// Why a text is no key; never quotes the text, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    #[error("a key is `id:base64`, and here is no colon")]
    NoColon,
    #[error("a key's id is 1 to 40 lower-case letters, digits and hyphens")]
    Id,
    #[error("behind the colon stands no base64 of 32 bytes")]
    Bytes,
    #[error("these 32 bytes are no usable Ed25519 public key")]
    Point,
}

/// Why an index, or what belongs to it, is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    #[error("it is not signed")]
    Missing,
    #[error("it is signed with `{0}`, which is not one of the trusted keys")]
    UnknownKey(String),
    #[error("its signature is of kind `{0}`; ed25519 is the one that counts")]
    Algorithm(String),
    #[error("the signature by `{0}` does not fit its content")]
    Wrong(String),
}

impl SigningKey {
    /// A key of 32 bytes that the caller has drawn at random.
    ///
    /// # Errors
    /// [`NotAKey::Id`].
    pub fn new(id: &str, secret: &[u8; KEY_BYTES]) -> Result<Self, NotAKey> {
        Ok(Self {
            id: checked_id(id)?,
            secret: SecretHalf::from_bytes(secret),
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn trusted(&self) -> TrustedKey {
        TrustedKey {
            id: self.id.clone(),
            public: self.secret.verifying_key(),
        }
    }

    pub fn sign(&self, digest: &Digest) -> Signature {
        let signature = self.secret.sign(digest.as_str().as_bytes());
        Signature {
            key_id: self.id.clone(),
            alg: ALGORITHM.to_owned(),
            value: STANDARD.encode(signature.to_bytes()),
        }
    }

    /// `id:base64`: for the one file that keeps it, and nowhere else.
    pub fn reveal(&self) -> String {
        format!("{}:{}", self.id, STANDARD.encode(self.secret.as_bytes()))
    }
}

/// The keys of a file, one `id:base64` a line, each with the number of its line from 1; empty lines and those that
/// begin with `#` are left out.
pub fn key_lines<T>(text: &str) -> impl Iterator<Item = (usize, Result<T, NotAKey>)>
where
    T: FromStr<Err = NotAKey>,
{
    let lines = (1..).zip(text.lines().map(str::trim));
    lines
        .filter(|(_, text)| !text.is_empty() && !text.starts_with('#'))
        .map(|(line, text)| (line, text.parse()))
}

/// Whether one of `keys` signed the digest of `index`. The digest itself is checked elsewhere.
///
/// # Errors
/// [`Unsigned`]: nothing of the index may be acted upon.
pub fn verify(keys: &[TrustedKey], index: &Index) -> Result<(), Unsigned> {
    verify_digest(keys, &index.digest, index.signature.as_ref())
}

/// Whether one of `keys` signed what has this digest.
///
/// # Errors
/// [`Unsigned`]: nothing of it may be acted upon.
pub fn verify_digest(
    keys: &[TrustedKey],
    digest: &Digest,
    signature: Option<&Signature>,
) -> Result<(), Unsigned> {
    let signature = signature.ok_or(Unsigned::Missing)?;
    if signature.alg != ALGORITHM {
        return Err(Unsigned::Algorithm(signature.alg.clone()));
    }
    let mut named = keys
        .iter()
        .filter(|key| key.id == signature.key_id)
        .peekable();
    if named.peek().is_none() {
        return Err(Unsigned::UnknownKey(signature.key_id.clone()));
    }
    let fits = STANDARD
        .decode(&signature.value)
        .ok()
        .and_then(|bytes| Raw::from_slice(&bytes).ok())
        .is_some_and(|raw| {
            let signed = digest.as_str().as_bytes();
            named.any(|key| key.public.verify_strict(signed, &raw).is_ok())
        });
    fits.then_some(())
        .ok_or_else(|| Unsigned::Wrong(signature.key_id.clone()))
}

impl TrustedKey {
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl FromStr for SigningKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (id, bytes) = parts(text)?;
        Self::new(id, &bytes)
    }
}

impl FromStr for TrustedKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (id, bytes) = parts(text)?;
        let public = PublicHalf::from_bytes(&bytes).map_err(|_| NotAKey::Point)?;
        // A key of small order "signs" everything.
        if public.is_weak() {
            return Err(NotAKey::Point);
        }
        Ok(Self {
            id: checked_id(id)?,
            public,
        })
    }
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, STANDARD.encode(self.public.as_bytes()))
    }
}

text_form!(TrustedKey, NotAKey);

/// Id and bytes of a key in its text form, also of keys that sign nothing.
///
/// # Errors
/// [`NotAKey`], but for [`NotAKey::Point`].
pub fn parts(text: &str) -> Result<(&str, [u8; KEY_BYTES]), NotAKey> {
    let (id, encoded) = text.trim().split_once(':').ok_or(NotAKey::NoColon)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| NotAKey::Bytes)?;
    let bytes = bytes.try_into().map_err(|_| NotAKey::Bytes)?;
    checked_id(id)?;
    Ok((id, bytes))
}

fn checked_id(id: &str) -> Result<String, NotAKey> {
    let fits = (1..=ID_LENGTH).contains(&id.len())
        && id
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    fits.then(|| id.to_owned()).ok_or(NotAKey::Id)
}
