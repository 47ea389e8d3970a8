//! What is sealed opens with one key at one place, and is printed nowhere.

use std::collections::BTreeMap;

use hpke::rand_core::{TryCryptoRng, TryRng};
use proptest::prelude::*;
use starform_contract::{
    ClusterId, ObjectKey, SecretValue,
    bundle::SealedRef,
    schema::read,
    sealed::{AgentKey, AgentPublicKey, SealedFile, SealedFor, SealedValue, SealedValues, seal},
    signature::{Signed as _, SigningKey, Unsigned, verify_digest},
};

/// Numbers that only look random: these tests are about places and keys.
struct Counting(u64);

impl TryRng for Counting {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            *byte = (self.try_next_u64()? >> 56) as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn object() -> ObjectKey {
    ObjectKey::new("", "Secret", Some("sf-shop-1a2b3c4d"), "api--production")
}

fn reference() -> SealedRef {
    SealedRef {
        secret: "stripe-api-key".to_owned(),
        version: 3,
        environment: None,
    }
}

fn cluster(last: u8) -> ClusterId {
    format!("6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f{last:02x}")
        .parse()
        .unwrap()
}

fn sealed(key: &AgentPublicKey, value: &[u8]) -> SealedValue {
    let (object, reference) = (object(), reference());
    let place = place(&object, &reference);
    seal(
        key,
        place,
        &SecretValue::new(value.to_vec()),
        &mut Counting(1),
    )
    .unwrap()
}

fn place<'a>(object: &'a ObjectKey, reference: &'a SealedRef) -> SealedFor<'a> {
    SealedFor {
        cluster: cluster(0),
        object,
        key: "STRIPE_API_KEY",
        reference,
    }
}

/// RFC 7748, section 6.1: Alice's keys.
#[test]
fn keys_are_those_of_the_rfc() {
    let secret = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
    let public = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
    let key: AgentKey = secret.parse().ok().unwrap();
    assert_eq!(key.public().to_string(), public);
    assert_eq!(key.public(), public.parse().unwrap());
    for wrong in ["", "dwdtCnMYpX08FsFyUbJmRd9M", "no base64!"] {
        assert!(wrong.parse::<AgentKey>().is_err(), "{wrong}");
        assert!(wrong.parse::<AgentPublicKey>().is_err(), "{wrong}");
    }
}

#[test]
fn a_value_opens_at_its_own_place_alone() {
    let key = AgentKey::new(&[7; 32]);
    let sealed = sealed(&key.public(), b"swordfish");
    let (object, reference) = (object(), reference());
    let own = place(&object, &reference);
    assert!(key.open(own, &sealed) == Ok(SecretValue::new(b"swordfish".to_vec())));
    let other = AgentKey::new(&[8; 32]);
    assert!(other.open(own, &sealed).is_err());
    let elsewhere = ObjectKey {
        name: "worker--production".to_owned(),
        ..object.clone()
    };
    let newer = SealedRef {
        version: 4,
        ..reference.clone()
    };
    let named = SealedRef {
        secret: "other".to_owned(),
        ..reference.clone()
    };
    let of_staging = SealedRef {
        environment: Some("staging".parse().unwrap()),
        ..reference.clone()
    };
    for moved in [
        SealedFor {
            cluster: cluster(1),
            ..own
        },
        SealedFor {
            object: &elsewhere,
            ..own
        },
        SealedFor {
            key: "OTHER",
            ..own
        },
        SealedFor {
            reference: &newer,
            ..own
        },
        SealedFor {
            reference: &named,
            ..own
        },
        SealedFor {
            reference: &of_staging,
            ..own
        },
    ] {
        assert!(key.open(moved, &sealed).is_err(), "{moved:?}");
    }
}

#[test]
fn a_value_is_not_printed() {
    let value = SecretValue::new(b"swordfish".to_vec());
    assert_eq!(format!("{value:?}"), "SecretValue(…)");
    let json = serde_json::to_string(&sealed(&AgentKey::new(&[7; 32]).public(), b"swordfish"));
    assert!(!json.unwrap().contains("swordfish"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_comes_back(value in proptest::collection::vec(any::<u8>(), 0..200), flip in any::<proptest::sample::Index>()) {
        let key = AgentKey::new(&[9; 32]);
        let sealed = sealed(&key.public(), &value);
        let (object, reference) = (object(), reference());
        let opened = key.open(place(&object, &reference), &sealed).unwrap();
        prop_assert!(opened.expose() == value);
        // One changed letter is seen, wherever it is.
        let mut letters: Vec<char> = sealed.ciphertext.chars().collect();
        let at = flip.index(letters.len());
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        let damaged = SealedValue { ciphertext: letters.into_iter().collect(), ..sealed };
        prop_assert!(key.open(place(&object, &reference), &damaged).is_err());
    }
}

/// Anybody can seal to a public key; only who signs desired state is believed.
#[test]
fn what_is_sealed_is_signed_for_one_object_of_one_cluster() {
    let signer = SigningKey::new("k-1", &[1; 32]).unwrap();
    let key = AgentKey::new(&[7; 32]);
    let of = |value: &[u8]| (reference(), sealed(&key.public(), value));
    let made = |value: &[u8]| {
        let values = BTreeMap::from([("STRIPE_API_KEY".to_owned(), of(value))]);
        SealedValues::new(cluster(0), object(), values)
    };
    let good = made(b"swordfish").signed(&signer);
    let verdict = |values: &SealedValues| {
        verify_digest(
            &[signer.trusted()],
            &values.digest(),
            values.signature.as_ref(),
        )
    };
    assert_eq!(verdict(&good), Ok(()));
    assert!(good.are_for(cluster(0), &object(), &good.references));
    assert!(!good.are_for(cluster(1), &object(), &good.references));
    assert_eq!(verdict(&made(b"swordfish")), Err(Unsigned::Missing));
    let wrong = Err(Unsigned::Wrong("k-1".to_owned()));
    let injected = SealedValues {
        values: made(b"injected").values,
        ..good.clone()
    };
    let of_other_cluster = SealedValues {
        cluster_id: cluster(1),
        ..good.clone()
    };
    let mut renamed = good.clone();
    for reference in renamed.references.values_mut() {
        reference.version += 1;
    }
    for forged in [injected, of_other_cluster, renamed] {
        assert_eq!(verdict(&forged), wrong);
    }
    let stranger = SigningKey::new("k-1", &[2; 32]).unwrap();
    assert_eq!(verdict(&made(b"injected").signed(&stranger)), wrong);
    let text = serde_json::to_string(&SealedFile::new(vec![good.clone()])).unwrap();
    assert_eq!(read::<SealedFile>(text.as_bytes()).unwrap().objects, [good]);
}
