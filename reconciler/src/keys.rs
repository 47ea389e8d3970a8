//! The keys that sign desired state, from the one file that keeps them.
//!
//! Effects: reads the file, or makes it with a new key (mode 0600). Always holds: an existing file is
//! never written; no key is told in an error. The file holds `id:base64` of 32 bytes, one key a line;
//! the first signs, agents trust all of them, so a new key is added at the end, and moved to the
//! front once every agent has it.

use std::{fmt::Write as _, fs, io, path::Path, sync::Arc};

use rand::RngExt as _;
use starform_contract::{
    Digest, Index,
    signature::{NotAKey, SigningKey, TrustedKey, key_lines},
};

use crate::private;

/// At least one key. Cheap to clone.
#[derive(Clone)]
pub struct SigningKeys(Arc<[SigningKey]>);

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: NotAKey },
    #[error("it holds no key; remove it to get a new one, which agents must then be told of")]
    Empty,
    #[error("lines {first} and {second} have the same id; give the later one another")]
    Twice { first: usize, second: usize },
}

impl SigningKeys {
    /// The keys of the file; where there is none, a new one in a new file, and `true`.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn open(path: &Path) -> Result<(Self, bool), KeyFileError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok((Self::parse(&text)?, false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = generate();
                private::create(path, &key.reveal())?;
                Ok((Self(Arc::from([key])), true))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One key a line; empty lines and those that begin with `#` are left out.
    ///
    /// # Errors
    /// [`KeyFileError`] with the line, never with what stands there.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut keys: Vec<(usize, SigningKey)> = Vec::new();
        for (line, key) in key_lines::<SigningKey>(text) {
            let key = key.map_err(|reason| KeyFileError::Line { line, reason })?;
            if let Some((first, _)) = keys.iter().find(|(_, other)| other.id() == key.id()) {
                let first = *first;
                return Err(KeyFileError::Twice {
                    first,
                    second: line,
                });
            }
            keys.push((line, key));
        }
        if keys.is_empty() {
            return Err(KeyFileError::Empty);
        }
        Ok(Self(keys.into_iter().map(|(_, key)| key).collect()))
    }

    /// Signed by the first key.
    pub fn sign(&self, index: Index) -> Index {
        index.signed(&self.0[0])
    }

    /// What agents pin.
    pub fn trusted(&self) -> Vec<TrustedKey> {
        self.0.iter().map(SigningKey::trusted).collect()
    }
}

/// A new random key, named after its public half: two keys never share a name by accident.
fn generate() -> SigningKey {
    let secret: [u8; 32] = rand::rng().random();
    let named = |id: &str| SigningKey::new(id, &secret).expect("the id is made of hex digits");
    let public = Digest::of_bytes(named("k").trusted().to_string().as_bytes());
    let mut id = String::from("k-");
    id.write_str(&public.hex()[..8])
        .expect("writing to a String cannot fail");
    named(&id)
}

#[cfg(test)]
mod tests {
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
        let (first, second) = (generate(), generate());
        let text = format!("# in use\n{}\n\n{}\n", first.reveal(), second.reveal());
        let keys = SigningKeys::parse(&text).unwrap();
        assert_eq!(keys.trusted(), [first.trusted(), second.trusted()]);
        let cluster = "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap();
        let signed = keys.sign(Index::empty(cluster));
        assert_eq!(signed.signature.unwrap().key_id, first.id());
    }

    #[test]
    fn a_wrong_file_is_told_by_line_and_without_its_text() {
        let key = generate();
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
