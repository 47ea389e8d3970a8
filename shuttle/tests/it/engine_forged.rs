//! Forged, damaged, cut, replayed, older and other clusters' documents: each is refused under one
//! word, and the engine that is given one all the same asks for nothing.
//!
//! Pure: what an agent reads off the wire goes through the contract's reader, `trust` and the engine. That the
//! feed does so, and keeps nothing of it: `shell_feed`.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use starform_contract::{
    Bundle, Consent, Index,
    schema::read,
    signature::{SigningKey, verify_digest},
};
use starform_shuttle::{
    engine::io::{Desired, Input},
    trust::{Distrust, admit},
};

use crate::{
    engine_accepted::{Accepting, cluster, two},
    engine_world::{World, running},
};

/// What an agent has, and the documents that were or will be genuine.
struct Forge {
    dice: StdRng,
    key: SigningKey,
    stranger: SigningKey,
    renamed: SigningKey,
    older: Index,
    in_force: Index,
    next: Index,
    bundle: Bundle,
}

#[test]
fn no_forged_document_is_acted_on_and_each_is_refused_under_one_word() {
    try_documents(500);
}

#[test]
#[ignore = "two thousand documents: `cargo xtask soak agent`"]
fn soak_no_forged_document_is_acted_on_and_each_is_refused_under_one_word() {
    try_documents(2_000);
}

fn try_documents(documents: usize) {
    let (mut world, mut accepting) = running(&two());
    let mut forge = Forge::new(&mut world, &mut accepting);
    let asked = world.cluster.log.len();
    let mut words: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut tried = 0;
    while tried < documents {
        let (kind, document) = forge.index();
        let word = match forge.judge(&document) {
            // Damage that says the same as before is none.
            Ok(index) if index.digest == forge.next.digest && index.digest_holds() => continue,
            Ok(index) => panic!("{kind}: believed {index:#?}"),
            Err(word) => word,
        };
        tried += 1;
        *words.entry(word).or_default() += 1;
        if let Ok(index) = read::<Index>(&document)
            && admit(cluster(), Some(&forge.in_force), &index).is_err()
        {
            let bundles = accepting.bundles.clone();
            let refused = world.refused.len();
            world.tell(Input::Desired(Desired { index, bundles }));
            assert_eq!(world.refused.len(), refused + 1, "{kind}");
        }
        if tried % 10 == 0 {
            forge.judge_a_bundle();
        }
    }
    world.settle();
    let after = world.cluster.log[asked..].len();
    assert_eq!(after, 0, "nothing is asked for");
    println!("{tried} documents: {words:?}");
    for word in [
        "unreadable",
        "wrong-digest",
        "wrong-signature",
        "unknown-key",
        "not-signed",
        "went-back",
        "forked",
        "other-cluster",
    ] {
        assert!(
            words.contains_key(word),
            "{word} was never the word: {words:?}"
        );
    }
}

impl Forge {
    fn new(world: &mut World, accepting: &mut Accepting) -> Self {
        let older = accepting.index.clone();
        world.want(accepting.accept(&two(), Consent::default()));
        world.settle();
        let in_force = accepting.index.clone();
        let mut later = accepting.clone();
        let mut services = two();
        services[0].image = "app:2";
        later.accept(&services, Consent::default());
        let key = SigningKey::new("key", &[7; 32]).unwrap();
        let fresh = later.bundles.iter();
        let fresh = fresh.filter(|(digest, _)| !accepting.bundles.contains_key(*digest));
        let bundle = fresh.map(|(_, bundle)| (**bundle).clone()).next().unwrap();
        accepting.bundles.extend(later.bundles);
        Self {
            dice: StdRng::seed_from_u64(7),
            older: older.signed(&key),
            in_force,
            next: later.index.signed(&key),
            stranger: SigningKey::new("key", &[9; 32]).unwrap(),
            renamed: SigningKey::new("other", &[9; 32]).unwrap(),
            key,
            bundle,
        }
    }

    /// As the feed does with what it is answered.
    fn judge(&self, document: &[u8]) -> Result<Index, &'static str> {
        let index: Index = read(document).map_err(|_| "unreadable")?;
        let keys = [self.key.trusted()];
        let verdict = admit(cluster(), Some(&self.in_force), &index).and_then(|_| {
            verify_digest(&keys, &index.digest, index.signature.as_ref()).map_err(Distrust::from)
        });
        verdict.map_err(|distrust| distrust.word())?;
        Ok(index)
    }

    /// A document that nobody may act on, and how it was made.
    fn index(&mut self) -> (&'static str, Vec<u8>) {
        let next = text(&self.next);
        match self.dice.random_range(0..12) {
            0..3 => ("damaged", self.damaged(next)),
            3 => (
                "cut",
                next[..self.dice.random_range(0..next.len())].to_vec(),
            ),
            4..7 => ("changed", self.changed(&next)),
            7 => ("older", text(&self.older)),
            8 => {
                let people = vec![format!("somebody-{}", self.dice.random_range(0..1_000))];
                let before = Index {
                    people,
                    ..self.older.clone()
                };
                let fork = before.successor(self.next.projects.clone());
                ("forked", text(&fork.signed(&self.key)))
            }
            9 => {
                let other = format!(
                    "00000000-0000-4000-8000-{:012}",
                    self.dice.random_range(1..999)
                );
                let other = Index::empty(other.parse().unwrap());
                let other = other.successor(self.next.projects.clone());
                ("another cluster's", text(&other.signed(&self.key)))
            }
            10 => {
                let signers = [&self.stranger, &self.renamed];
                let signer = signers[self.dice.random_range(0..2)];
                ("signed by others", text(&self.next.clone().signed(signer)))
            }
            _ => {
                let signatures = [None, self.older.signature.clone()];
                let signature = signatures[self.dice.random_range(0..2)].clone();
                let forged = Index {
                    signature,
                    ..self.next.clone()
                };
                ("with another signature", text(&forged))
            }
        }
    }

    /// Bytes are lost, added or turned into others.
    fn damaged(&mut self, mut document: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.dice.random_range(1..4) {
            let place = self.dice.random_range(0..document.len());
            let byte = self.dice.random_range(0x20..0x7f);
            match self.dice.random_range(0..3) {
                0 => document[place] = byte,
                1 => document.insert(place, byte),
                _ => drop(document.remove(place)),
            }
        }
        document
    }

    /// One value says something else: JSON as well-formed as before.
    fn changed(&mut self, document: &[u8]) -> Vec<u8> {
        let mut whole: Value = serde_json::from_slice(document).unwrap();
        let mut place = &mut whole;
        while place.as_object().is_some_and(|o| !o.is_empty())
            || place.as_array().is_some_and(|a| !a.is_empty())
        {
            place = match place {
                Value::Object(members) => {
                    let any = self.dice.random_range(0..members.len());
                    members.values_mut().nth(any).unwrap()
                }
                Value::Array(items) => {
                    let any = self.dice.random_range(0..items.len());
                    &mut items[any]
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => break,
            };
        }
        *place = match &*place {
            Value::String(text) => {
                let turned = if text.ends_with('0') { '1' } else { '0' };
                let mut text = text.clone();
                text.pop();
                text.push(turned);
                json!(text)
            }
            Value::Number(number) => {
                json!(number.as_u64().unwrap_or(0) + self.dice.random_range(1..9))
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                json!(["apps/Deployment/sf-shop/api--production"])
            }
        };
        serde_json::to_vec(&whole).unwrap()
    }

    /// What comes in place of a bundle is that bundle, or none.
    fn judge_a_bundle(&mut self) {
        let document = serde_json::to_vec(&self.bundle).unwrap();
        let damaged = match self.dice.random_bool(0.5) {
            true => self.damaged(document),
            false => self.changed(&document),
        };
        if let Ok(bundle) = read::<Bundle>(&damaged)
            && bundle.digest() == self.bundle.digest()
        {
            assert_eq!(bundle, self.bundle, "another one under the same digest");
        }
    }
}

fn text(index: &Index) -> Vec<u8> {
    serde_json::to_vec(index).unwrap()
}
