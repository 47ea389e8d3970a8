//! Secrets at rest: each value under a data key of its own, each data key wrapped by a key of a file.
//!
//! Effects: randomness; reading the file is `keyfile`'s. Always holds: a value is encrypted with
//! AES-256-GCM under a key that encrypts nothing else, so no nonce is ever used twice under one key;
//! what was stored for one place (scope, name, version) decrypts for no other; changing the key of the
//! file rewrites the wrapped keys alone. Nothing here has `Debug` or is serialised in the clear.

use std::{path::Path, str::FromStr, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::RngExt as _;
use starform_contract::{
    Digest, SecretValue,
    digest::canonical,
    signature::{self, NotAKey},
};
use zeroize::Zeroizing;

use crate::keyfile::{self, FileKey, KeyFileError};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// At least one key; the first wraps, all unwrap. Cheap to clone.
#[derive(Clone)]
pub struct SecretKeys(Arc<[WrappingKey]>);

/// One key of the file.
pub(crate) struct WrappingKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// Where a value stands; it decrypts nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub scope: &'a str,
    pub name: &'a str,
    pub version: u64,
}

/// A value as the store keeps it; texts are base64 of nonce, ciphertext and tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Of the key that wraps the data key.
    pub key_id: String,
    pub wrapped_key: String,
    pub ciphertext: String,
}

/// Why a stored value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "it is encrypted under the key `{0}`, which the secrets key file lacks; put that key back from its backup"
    )]
    NoKey(String),
    #[error(
        "it does not decrypt: it was damaged, moved, or the key file holds another key under that id"
    )]
    Damaged,
}

impl SecretKeys {
    /// The keys of the file; `None`: there is no file.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn read(path: &Path) -> Result<Option<Self>, KeyFileError> {
        Ok(keyfile::read(path)?.map(|keys| Self(keys.into())))
    }

    /// A new key in a new file.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        Ok(Self(Arc::from([keyfile::create(path)?])))
    }

    /// # Errors
    /// [`KeyFileError`] with the line, never with what stands there.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        keyfile::parse(text).map(|keys| Self(keys.into()))
    }

    /// The id of the key that wraps what is encrypted now.
    pub fn current(&self) -> &str {
        &self.0[0].id
    }

    pub fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    pub fn encrypt(&self, place: Place<'_>, value: &SecretValue) -> Record {
        let data_key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(rand::rng().random());
        Record {
            key_id: self.current().to_owned(),
            wrapped_key: self.0[0].wrap(place, &data_key),
            ciphertext: lock(&data_key, &place.bound("value", ""), value.expose()),
        }
    }

    /// # Errors
    /// [`Unreadable`]
    pub fn decrypt(&self, place: Place<'_>, record: &Record) -> Result<SecretValue, Unreadable> {
        let data_key = self.unwrap(place, record)?;
        unlock(&data_key, &place.bound("value", ""), &record.ciphertext).map(SecretValue::new)
    }

    /// The same value under the first key of the file.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn rewrap(&self, place: Place<'_>, record: &Record) -> Result<Record, Unreadable> {
        let data_key = self.unwrap(place, record)?;
        Ok(Record {
            key_id: self.current().to_owned(),
            wrapped_key: self.0[0].wrap(place, &data_key),
            ciphertext: record.ciphertext.clone(),
        })
    }

    fn unwrap(
        &self,
        place: Place<'_>,
        record: &Record,
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, Unreadable> {
        let key = self.0.iter().find(|key| key.id == record.key_id);
        let key = key.ok_or_else(|| Unreadable::NoKey(record.key_id.clone()))?;
        let bound = place.bound("key", &key.id);
        let bytes = Zeroizing::new(unlock(&key.bytes, &bound, &record.wrapped_key)?);
        let bytes: [u8; KEY_BYTES] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Unreadable::Damaged)?;
        Ok(Zeroizing::new(bytes))
    }
}

impl WrappingKey {
    fn wrap(&self, place: Place<'_>, data_key: &[u8; KEY_BYTES]) -> String {
        lock(&self.bytes, &place.bound("key", &self.id), data_key)
    }
}

impl Place<'_> {
    /// What is authenticated beside the ciphertext.
    fn bound(&self, what: &str, key_id: &str) -> Vec<u8> {
        let Self {
            scope,
            name,
            version,
        } = self;
        canonical(&("starform.secret/v1", what, key_id, scope, name, version))
    }
}

impl FromStr for WrappingKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (id, bytes) = signature::parts(text)?;
        Ok(Self {
            id: id.to_owned(),
            bytes: Zeroizing::new(bytes),
        })
    }
}

impl FileKey for WrappingKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn generate() -> Self {
        let name: [u8; 16] = rand::rng().random();
        Self {
            id: format!("s-{}", &Digest::of_bytes(&name).hex()[..8]),
            bytes: Zeroizing::new(rand::rng().random()),
        }
    }

    fn reveal(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(STANDARD.encode(self.bytes.as_slice()));
        Zeroizing::new(format!("{}:{}", self.id, bytes.as_str()))
    }
}

/// Base64 of nonce, ciphertext and tag.
fn lock(key: &[u8; KEY_BYTES], bound: &[u8], plain: &[u8]) -> String {
    let nonce: [u8; NONCE_BYTES] = rand::rng().random();
    let payload = Payload {
        msg: plain,
        aad: bound,
    };
    let locked = Aes256Gcm::new(key.into())
        .encrypt(&nonce.into(), payload)
        .expect("what is encrypted is far below the limit of AES-GCM");
    STANDARD.encode([nonce.as_slice(), &locked].concat())
}

fn unlock(key: &[u8; KEY_BYTES], bound: &[u8], text: &str) -> Result<Vec<u8>, Unreadable> {
    let bytes = STANDARD.decode(text).map_err(|_| Unreadable::Damaged)?;
    let (nonce, locked) = bytes
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(Unreadable::Damaged)?;
    let payload = Payload {
        msg: locked,
        aad: bound,
    };
    Aes256Gcm::new(key.into())
        .decrypt(nonce.into(), payload)
        .map_err(|_| Unreadable::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place {
        scope: "environment/p/production",
        name: "stripe-api-key",
        version: 3,
    };

    fn keys(keys: &[&WrappingKey]) -> SecretKeys {
        let lines: Vec<String> = keys.iter().map(|key| key.reveal().to_string()).collect();
        SecretKeys::parse(&lines.join("\n")).unwrap()
    }

    fn value() -> SecretValue {
        SecretValue::new(b"swordfish".to_vec())
    }

    #[test]
    fn a_value_is_read_back_at_its_own_place_alone() {
        let own = keys(&[&WrappingKey::generate()]);
        let record = own.encrypt(PLACE, &value());
        assert!(own.decrypt(PLACE, &record) == Ok(value()));
        for other in [
            Place {
                scope: "environment/p/staging",
                ..PLACE
            },
            Place {
                name: "stripe-api",
                ..PLACE
            },
            Place {
                version: 2,
                ..PLACE
            },
        ] {
            assert_eq!(
                own.decrypt(other, &record).unwrap_err(),
                Unreadable::Damaged
            );
        }
        assert!(own.encrypt(PLACE, &value()).ciphertext != record.ciphertext);
    }

    #[test]
    fn keys_change_without_a_gap() {
        let (old, new) = (WrappingKey::generate(), WrappingKey::generate());
        let record = keys(&[&old]).encrypt(PLACE, &value());
        let both = keys(&[&new, &old]);
        let moved = both.rewrap(PLACE, &record).unwrap();
        assert_eq!(moved.key_id, new.id);
        assert_eq!(moved.ciphertext, record.ciphertext);
        let after = keys(&[&new]);
        assert!(after.decrypt(PLACE, &moved) == Ok(value()));
        let lost = after.decrypt(PLACE, &record).unwrap_err();
        assert_eq!(lost, Unreadable::NoKey(old.id.clone()));
    }

    #[test]
    fn every_damaged_byte_is_seen() {
        let own = keys(&[&WrappingKey::generate()]);
        let record = own.encrypt(PLACE, &value());
        let mut bytes = STANDARD.decode(&record.ciphertext).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let damaged = Record {
                ciphertext: STANDARD.encode(&bytes),
                ..record.clone()
            };
            assert_eq!(
                own.decrypt(PLACE, &damaged).unwrap_err(),
                Unreadable::Damaged
            );
            bytes[at] ^= 1;
        }
    }
}
