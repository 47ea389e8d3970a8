//! API tokens: `sf_<kind>_<id>_<secret><crc>`, random, checked for typing errors before any look-up.
//!
//! Effects: [`Token::issue`] draws from the operating system's randomness. Always holds: the store
//! keeps the id and the SHA-256 of the whole token, never the token; comparing takes the same time
//! wherever the first difference is. The secret has 256 bits, so a plain hash is enough.

use std::{fmt, hint::black_box};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 22 of 62 letters: 130 bits.
const ID_LENGTH: usize = 22;
/// 43 of 62 letters: 256 bits.
const SECRET_LENGTH: usize = 43;
/// A CRC-32 in base 62.
const CHECK_LENGTH: usize = 6;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// The operator: everything but the agents' routes.
    Admin,
    /// Plans and applies of one project.
    Ci,
    /// A person's: what their role in one project allows.
    User,
    /// One cluster's agent: that cluster's agent routes.
    Cluster,
}

/// A whole token. No `Debug`, no `Serialize`: it is shown once, where it is issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The public part; safe in logs and in the audit trail.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenId(String);

/// SHA-256 of a whole token.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no Starform token: one is `sf_<kind>_<id>_<secret>`; check for a cut or mistyped copy"
)]
pub struct NotAToken;

impl TokenKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Ci => "ci",
            Self::User => "user",
            Self::Cluster => "cluster",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::Ci, Self::User, Self::Cluster]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl Token {
    /// A new random token.
    pub fn issue(kind: TokenKind) -> Self {
        let (id, secret) = (random(ID_LENGTH), random(SECRET_LENGTH));
        let body = format!("sf_{}_{id}_{secret}", kind.as_str());
        let check = check(&body);
        Self(body + &check)
    }

    /// Checks form and check sum; says nothing about whether the token opens anything.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        let mut parts = text.split('_');
        let known = parts.next() == Some("sf") && parts.next().and_then(TokenKind::parse).is_some();
        let id = parts.next().is_some_and(|id| is_random(id, ID_LENGTH));
        let secret = parts
            .next()
            .is_some_and(|secret| is_random(secret, SECRET_LENGTH + CHECK_LENGTH));
        if !(known && id && secret && parts.next().is_none()) {
            return Err(NotAToken);
        }
        let (body, sum) = text.split_at(text.len() - CHECK_LENGTH);
        if check(body) == sum {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAToken)
        }
    }

    pub fn kind(&self) -> TokenKind {
        self.part(1)
            .and_then(TokenKind::parse)
            .expect("a token has a known kind")
    }

    pub fn id(&self) -> TokenId {
        TokenId(self.part(2).expect("a token has an id").to_owned())
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The whole token, to be handed to its holder.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn part(&self, n: usize) -> Option<&str> {
        self.0.split('_').nth(n)
    }
}

impl TokenId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TokenHash {
    /// 64 hex digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `stored`, 64 hex digits, is this hash; every digit is looked at.
    pub fn matches(self, stored: &str) -> bool {
        let own = self.to_hex();
        let difference = own
            .bytes()
            .zip(stored.bytes())
            .fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
        own.len() == stored.len() && difference == 0
    }
}

fn random(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

fn is_random(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Six base-62 letters of the CRC-32 (IEEE 802.3, reflected) of `text`.
fn check(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut letters = [b'0'; CHECK_LENGTH];
    for letter in letters.iter_mut().rev() {
        *letter = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    letters.iter().copied().map(char::from).collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let remainder = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !remainder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn an_issued_token_parses_and_matches_only_itself() {
        for kind in [
            TokenKind::Admin,
            TokenKind::Ci,
            TokenKind::User,
            TokenKind::Cluster,
        ] {
            let token = Token::issue(kind);
            let parsed = Token::parse(token.reveal()).unwrap();
            assert_eq!(parsed.kind(), kind);
            assert_eq!(parsed.id(), token.id());
            assert!(parsed.hash().matches(&token.hash().to_hex()));
            assert!(!Token::issue(kind).hash().matches(&token.hash().to_hex()));
        }
        assert!(!Token::issue(TokenKind::Ci).hash().matches(""));
    }

    #[test]
    fn every_single_mistyped_letter_is_seen() {
        let token = Token::issue(TokenKind::Ci);
        for at in 0..token.reveal().len() {
            let mut bytes = token.reveal().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let text = String::from_utf8(bytes).unwrap();
            assert!(Token::parse(&text).is_err(), "{text}");
        }
        for text in ["", "sf", "sf_ci__", "Bearer x", &token.reveal()[1..]] {
            assert!(Token::parse(text).is_err(), "{text}");
        }
    }
}
