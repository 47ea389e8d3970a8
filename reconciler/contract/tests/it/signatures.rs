//! Which indexes are believed: signed by a pinned key, and not one byte different.

use std::collections::BTreeMap;

use proptest::prelude::*;
use starform_contract::{
    ClusterId, Generation, Index,
    signature::{NotAKey, SigningKey, TrustedKey, Unsigned, verify},
};

fn key(id: &str, seed: u8) -> SigningKey {
    SigningKey::new(id, &[seed; 32]).unwrap()
}

fn index() -> Index {
    let cluster: ClusterId = "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap();
    Index::empty(cluster).successor(BTreeMap::new())
}

/// RFC 8032, section 7.1, test 1: the secret and public halves of one key.
#[test]
fn keys_are_those_of_the_rfc() {
    let secret = "rfc:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    let public = "rfc:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let key: SigningKey = secret.parse().ok().unwrap();
    assert_eq!(key.trusted().to_string(), public);
    assert_eq!(key.trusted(), public.parse().unwrap());
    assert_eq!(key.reveal(), secret);
}

#[test]
fn keys_change_without_a_gap() {
    let (old, new) = (key("2026-1", 1), key("2026-2", 2));
    let both = [old.trusted(), new.trusted()];
    let signed = index().signed(&old);
    let changed = signed.clone().signed(&new);
    assert_eq!(signed.digest, changed.digest);
    assert_eq!(verify(&both, &signed), Ok(()));
    assert_eq!(verify(&both, &changed), Ok(()));
    assert_eq!(
        verify(&[new.trusted()], &signed),
        Err(Unsigned::UnknownKey("2026-1".to_owned()))
    );
}

#[test]
fn what_no_trusted_key_signed_is_not_believed() {
    let (own, other) = (key("a", 1), key("a", 2));
    let trusted = [own.trusted()];
    assert_eq!(verify(&trusted, &index()), Err(Unsigned::Missing));
    assert_eq!(
        verify(&[], &index().signed(&own)),
        Err(Unsigned::UnknownKey("a".to_owned()))
    );
    // The id of a trusted key, and another key behind it.
    let forged = index().signed(&other);
    assert_eq!(
        verify(&trusted, &forged),
        Err(Unsigned::Wrong("a".to_owned()))
    );
    let mut weaker = index().signed(&own);
    weaker.signature.as_mut().unwrap().alg = "none".to_owned();
    assert_eq!(
        verify(&trusted, &weaker),
        Err(Unsigned::Algorithm("none".to_owned()))
    );
    // The signature of one generation under another.
    let mut moved = index().overtaking(Generation::new(7));
    moved.signature = index().signed(&own).signature;
    assert_eq!(
        verify(&trusted, &moved),
        Err(Unsigned::Wrong("a".to_owned()))
    );
}

#[test]
fn texts_that_are_no_keys_say_why_and_never_what() {
    let public = key("a", 1).trusted().to_string();
    let bytes = public.strip_prefix("a:").unwrap();
    let cases = [
        (bytes.to_owned(), NotAKey::NoColon),
        (format!("A:{bytes}"), NotAKey::Id),
        (format!(":{bytes}"), NotAKey::Id),
        (format!("{}:{bytes}", "a".repeat(41)), NotAKey::Id),
        ("a:AAAA".to_owned(), NotAKey::Bytes),
        ("a:not base64".to_owned(), NotAKey::Bytes),
        // The neutral element: everything would be signed with it.
        (format!("a:AQ{}=", "A".repeat(41)), NotAKey::Point),
    ];
    for (text, why) in cases {
        let said = text.parse::<TrustedKey>().unwrap_err();
        assert_eq!(said, why, "{text}");
        assert!(!said.to_string().contains(bytes));
    }
}

#[test]
fn a_store_that_was_restored_overtakes_what_its_agent_has_seen() {
    let index = index();
    let next = index.overtaking(Generation::new(17));
    assert_eq!(next.generation, Generation::new(18));
    assert_eq!(next.parent, Some(index.digest.clone()));
    assert!(next.digest_holds());
    assert_eq!(
        index.overtaking(Generation::new(0)).generation,
        index.generation.next()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any other bit of the signature makes it another.
    #[test]
    fn one_bit_of_a_signature_breaks_it(bit in 0usize..512) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let own = key("a", 3);
        let mut signed = index().signed(&own);
        let signature = signed.signature.as_mut().unwrap();
        let mut bytes = STANDARD.decode(&signature.value).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        signature.value = STANDARD.encode(bytes);
        prop_assert_eq!(
            verify(&[own.trusted()], &signed),
            Err(Unsigned::Wrong("a".to_owned()))
        );
    }
}
