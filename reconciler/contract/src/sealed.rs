//! Secret values on their way into one cluster: sealed to its agent's key, opened only there.
//!
//! Pure; the caller draws the randomness. HPKE (RFC 9180) base mode with X25519, HKDF-SHA256 and
//! AES-256-GCM. Always holds: a value is never printed, compared by text or serialised in the clear,
//! and is wiped when it is dropped; what was sealed for one cluster, object, key and version opens for
//! no other. Read on in [`crate::bundle`] for the references.

use std::{collections::BTreeMap, fmt, hint::black_box, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::AesGcm256,
    kdf::HkdfSha256, kem::X25519HkdfSha256, rand_core::CryptoRng,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::{
    bundle::SealedRef,
    digest::{Digest, canonical},
    id::ClusterId,
    key::ObjectKey,
    schema,
    signature::{Signature, Signed},
    text::text_form,
};

const KEY_BYTES: usize = 32;

type Kem = X25519HkdfSha256;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type EncappedKey = <Kem as hpke::Kem>::EncappedKey;

/// A value in the clear. No `Serialize`; wiped when it is dropped; how long comparing takes tells the
/// lengths alone.
#[derive(Clone, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// The secret half of an agent's key. No `Debug`, no `Serialize`; wiped when it is dropped.
#[derive(Clone)]
pub struct AgentKey(PrivateKey);

/// The public half: base64 of 32 bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct AgentPublicKey(PublicKey);

/// One value, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SealedValue {
    /// Base64 of the encapsulated key.
    pub enc: String,
    /// Base64 of ciphertext and tag.
    pub ciphertext: String,
}

/// What a value is sealed for; a value that is moved to another place does not open there.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SealedFor<'a> {
    pub cluster: ClusterId,
    pub object: &'a ObjectKey,
    /// The key of the Secret's `data`.
    pub key: &'a str,
    pub reference: &'a SealedRef,
}

/// `PUT /v1/clusters/{id}/key`: what an agent posts on first contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentKeyPost {
    pub public_key: AgentPublicKey,
}

/// `POST /v1/clusters/{id}/sealed`: the values of one object of a bundle that the agent may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedRequest {
    pub bundle: Digest,
    pub object: ObjectKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum SealedSchema {
    #[serde(rename = "starform.sealed/v1")]
    V1,
}

impl<'de> Deserialize<'de> for SealedSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<SealedValues, D>(from).map(|()| Self::V1)
    }
}

/// The answer: all values of one object. Anybody can seal to a public key, so it says by a signature
/// that whoever signs desired state has sealed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SealedValues {
    pub schema: SealedSchema,
    pub cluster_id: ClusterId,
    pub object: ObjectKey,
    /// By key of the Secret's `data`: which secrets these are.
    pub references: BTreeMap<String, SealedRef>,
    /// By the same keys.
    pub values: BTreeMap<String, SealedValue>,
    /// Over the digest of all the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum SealedFileSchema {
    #[serde(rename = "starform.sealed-file/v1")]
    V1,
}

impl<'de> Deserialize<'de> for SealedFileSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<SealedFile, D>(from).map(|()| Self::V1)
    }
}

/// `sealed.json` beside an `index.json`: the values of all objects that need some, for a cluster
/// that reaches no control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SealedFile {
    pub schema: SealedFileSchema,
    pub objects: Vec<SealedValues>,
}

/// The text is no key; it is never quoted, for it may be a secret one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an agent's key is base64 of 32 bytes")]
pub struct NotAnAgentKey;

/// The public key is none that a value can be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed to the agent's public key; let the agent make a new one")]
pub struct UnusableKey;

/// A value that does not open: another key, another place, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was not sealed to this agent's key for this place, or it was damaged")]
pub struct NotOpened;

impl Signed for SealedValues {
    fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    fn set_signature(&mut self, signature: Option<Signature>) {
        self.signature = signature;
    }
}

impl SealedValues {
    pub fn new(
        cluster_id: ClusterId,
        object: ObjectKey,
        sealed: BTreeMap<String, (SealedRef, SealedValue)>,
    ) -> Self {
        let (references, values) = sealed
            .into_iter()
            .map(|(key, (reference, value))| ((key.clone(), reference), (key, value)))
            .unzip();
        Self {
            schema: SealedSchema::V1,
            cluster_id,
            object,
            references,
            values,
            signature: None,
        }
    }

    /// Whether these are the values of these secrets for this object.
    pub fn are_for(
        &self,
        cluster: ClusterId,
        object: &ObjectKey,
        references: &BTreeMap<String, SealedRef>,
    ) -> bool {
        self.cluster_id == cluster && self.object == *object && self.references == *references
    }
}

impl SealedFile {
    pub fn new(objects: Vec<SealedValues>) -> Self {
        Self {
            schema: SealedFileSchema::V1,
            objects,
        }
    }
}

/// Seals `value` so that only the holder of `to`'s secret half opens it, and only for `place`.
///
/// # Errors
/// [`UnusableKey`]
pub fn seal(
    to: &AgentPublicKey,
    place: SealedFor<'_>,
    value: &SecretValue,
    random: &mut impl CryptoRng,
) -> Result<SealedValue, UnusableKey> {
    let info = canonical(&place);
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
        &OpModeS::Base,
        &to.0,
        &info,
        value.expose(),
        b"",
        random,
    )
    .map_err(|_| UnusableKey)?;
    Ok(SealedValue {
        enc: STANDARD.encode(enc.to_bytes()),
        ciphertext: STANDARD.encode(ciphertext),
    })
}

impl AgentKey {
    /// A key of 32 bytes that the caller has drawn at random.
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(PrivateKey::from_bytes(bytes).expect("32 bytes are an X25519 key, whatever they are"))
    }

    pub fn public(&self) -> AgentPublicKey {
        AgentPublicKey(Kem::sk_to_pk(&self.0))
    }

    /// Base64: for the one Secret that keeps it, and nowhere else.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        self.0.write_exact(bytes.as_mut_slice());
        Zeroizing::new(STANDARD.encode(bytes.as_slice()))
    }

    /// # Errors
    /// [`NotOpened`]
    pub fn open(
        &self,
        place: SealedFor<'_>,
        sealed: &SealedValue,
    ) -> Result<SecretValue, NotOpened> {
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| NotOpened);
        let enc = EncappedKey::from_bytes(&bytes(&sealed.enc)?).map_err(|_| NotOpened)?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.0,
            &enc,
            &canonical(&place),
            &bytes(&sealed.ciphertext)?,
            b"",
        )
        .map(SecretValue::new)
        .map_err(|_| NotOpened)
    }
}

impl SecretValue {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes; whoever copies them wipes the copy.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(other.0.iter());
        let differing = pairs.fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
        differing == 0 && self.0.len() == other.0.len()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

impl FromStr for AgentKey {
    type Err = NotAnAgentKey;

    fn from_str(text: &str) -> Result<Self, NotAnAgentKey> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| NotAnAgentKey)?);
        PrivateKey::from_bytes(&bytes)
            .map(Self)
            .map_err(|_| NotAnAgentKey)
    }
}

impl FromStr for AgentPublicKey {
    type Err = NotAnAgentKey;

    fn from_str(text: &str) -> Result<Self, NotAnAgentKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NotAnAgentKey)?;
        PublicKey::from_bytes(&bytes)
            .map(Self)
            .map_err(|_| NotAnAgentKey)
    }
}

impl fmt::Display for AgentPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.to_bytes()))
    }
}

text_form!(AgentPublicKey, NotAnAgentKey);
