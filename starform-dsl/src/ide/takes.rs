//! Which variables a service takes from which groups and partial, so that a key can be told from another of its name.
//! Pure. A key that replaces one of a group or partial is that one's; the group used last counts first.
//! Read on in `collect`, which fills it, and `rename`, which asks.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{NameKind, Owner};

/// Keys by who gives them, and who takes from whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Takes {
    sources: BTreeMap<Owner, Sources>,
    /// Each key with the owner of the symbol that it is a name of.
    keys: BTreeMap<Owner, BTreeMap<String, Owner>>,
}

#[derive(Clone, Debug, Default)]
struct Sources {
    /// Groups in the order of `use`, of every layer.
    uses: Vec<Owner>,
    like: Option<Owner>,
}

impl Takes {
    pub(super) fn uses(&mut self, taker: &Owner, group: &str) {
        let group = Owner::new(NameKind::Group, group);
        self.sources
            .entry(taker.clone())
            .or_default()
            .uses
            .push(group);
    }

    pub(super) fn like(&mut self, taker: &Owner, partial: &str) {
        let partial = Owner::new(NameKind::Partial, partial);
        self.sources.entry(taker.clone()).or_default().like = Some(partial);
    }

    /// Somebody gives a key, as far as is known its own.
    pub(super) fn add(&mut self, owner: &Owner, key: &str) {
        let keys = self.keys.entry(owner.clone()).or_default();
        keys.insert(key.to_owned(), owner.clone());
    }

    /// Finds for every key whose it is; to be called once, when all is added.
    pub(super) fn settle(&mut self) {
        let mut settled = self.keys.clone();
        for (owner, keys) in &mut settled {
            // The nearest comes last and has the last word.
            for above in self.above(owner).into_iter().rev() {
                if let Some(given) = self.keys.get(above) {
                    hand_over(keys, given, above);
                }
            }
        }
        self.keys = settled;
    }

    /// Whose the key is that an owner gives.
    pub(super) fn whose(&self, owner: &Owner, key: &str) -> Option<&Owner> {
        self.keys.get(owner)?.get(key)
    }

    /// Whether one that takes from `owner`, or itself, has the key from anyone.
    pub(super) fn gives(&self, owner: &Owner, key: &str) -> bool {
        self.around(owner)
            .iter()
            .any(|around| self.gives_itself(around, key))
    }

    /// Another owner whose key of this name meets that of `owner` in a service.
    pub(super) fn rival(&self, owner: &Owner, key: &str) -> Option<&Owner> {
        self.around(owner)
            .into_iter()
            .filter_map(|around| self.whose(around, key))
            .find(|whose| *whose != owner)
    }

    fn gives_itself(&self, owner: &Owner, key: &str) -> bool {
        self.whose(owner, key).is_some()
    }

    /// Whom an owner takes from, the nearest first.
    fn above<'t>(&'t self, owner: &Owner) -> Vec<&'t Owner> {
        let Some(own) = self.sources.get(owner) else {
            return Vec::new();
        };
        let of_partial = own.like.as_ref().and_then(|like| self.sources.get(like));
        let groups = [Some(own), of_partial];
        let mut seen = BTreeSet::new();
        groups
            .into_iter()
            .flatten()
            .flat_map(|from| from.uses.iter().rev())
            .chain(&own.like)
            .filter(|above| seen.insert(*above))
            .collect()
    }

    /// The owner, everyone who takes from it, and whom those take from too.
    fn around<'t>(&'t self, owner: &'t Owner) -> Vec<&'t Owner> {
        let mut around = vec![owner];
        for taker in self.sources.keys() {
            let above = self.above(taker);
            if taker == owner || above.contains(&owner) {
                around.push(taker);
                around.extend(above);
            }
        }
        around
    }
}

/// Gives the keys that both have to the one above; walks over whichever are fewer.
fn hand_over(keys: &mut BTreeMap<String, Owner>, given: &BTreeMap<String, Owner>, above: &Owner) {
    if keys.len() <= given.len() {
        let both = keys.iter_mut().filter(|(key, _)| given.contains_key(*key));
        both.for_each(|(_, whose)| *whose = above.clone());
    } else {
        for key in given.keys() {
            if let Some(whose) = keys.get_mut(key) {
                *whose = above.clone();
            }
        }
    }
}
