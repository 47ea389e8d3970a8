//! The keys that sign desired state, from the one file that keeps them.
//!
//! Effects: those of `keyfile`. The first key signs, agents trust all of them, so a new key is added
//! at the end, and moved to the front once every agent has it.

use std::{fmt::Write as _, path::Path, sync::Arc};

use rand::RngExt as _;
use starform_contract::{
    Digest, Index,
    signature::{Signed, SigningKey, TrustedKey},
};
use zeroize::Zeroizing;

use crate::keyfile::{self, FileKey, KeyFileError};

/// At least one key. Cheap to clone.
#[derive(Clone)]
pub struct SigningKeys(Arc<[SigningKey]>);

impl SigningKeys {
    /// The keys of the file; where there is none, a new one in a new file, and `true`.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn open(path: &Path) -> Result<(Self, bool), KeyFileError> {
        Ok(match keyfile::read(path)? {
            Some(keys) => (Self(keys.into()), false),
            None => (Self(Arc::from([keyfile::create(path)?])), true),
        })
    }

    /// # Errors
    /// [`KeyFileError`] with the line, never with what stands there.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        keyfile::parse(text).map(|keys| Self(keys.into()))
    }

    /// Signed by the first key.
    pub fn sign(&self, index: Index) -> Index {
        index.signed(&self.0[0])
    }

    /// Signed by the first key.
    pub fn sign_document<D: Signed>(&self, document: D) -> D {
        document.signed(&self.0[0])
    }

    /// What agents pin.
    pub fn trusted(&self) -> Vec<TrustedKey> {
        self.0.iter().map(SigningKey::trusted).collect()
    }
}

impl FileKey for SigningKey {
    fn id(&self) -> &str {
        self.id()
    }

    /// Named after its public half.
    fn generate() -> Self {
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(rand::rng().random());
        let named = |id: &str| Self::new(id, &secret).expect("the id is made of hex digits");
        let public = Digest::of_bytes(named("k").trusted().to_string().as_bytes());
        let mut id = String::from("k-");
        id.write_str(&public.hex()[..8])
            .expect("writing to a String cannot fail");
        named(&id)
    }

    fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(self.reveal())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_made_once_and_then_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let (made, new) = SigningKeys::open(&path).unwrap();
        assert!(new);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (read, new) = SigningKeys::open(&path).unwrap();
        assert!(!new);
        assert_eq!(made.trusted(), read.trusted());
    }

    #[test]
    fn the_first_key_signs_and_all_are_trusted() {
        let (first, second) = (SigningKey::generate(), SigningKey::generate());
        let text = format!("# in use\n{}\n\n{}\n", first.reveal(), second.reveal());
        let keys = SigningKeys::parse(&text).unwrap();
        assert_eq!(keys.trusted(), [first.trusted(), second.trusted()]);
        let cluster = "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap();
        let signed = keys.sign(Index::empty(cluster));
        assert_eq!(signed.signature.unwrap().key_id, first.id());
    }

    #[test]
    fn a_wrong_file_is_told_by_line_and_without_its_text() {
        let key = SigningKey::generate();
        let told = |text: &str| SigningKeys::parse(text).err().unwrap().to_string();
        let twice = format!("{0}\n{0}", key.reveal());
        assert!(told(&twice).contains("lines 1 and 2"));
        assert!(told("# nothing\n").contains("no key"));
        let cut = key.reveal()[..30].to_owned();
        let said = told(&format!("\n{cut}"));
        assert!(
            said.contains("line 2") && !said.contains(&cut[12..]),
            "{said}"
        );
    }
}
