//! Services that say `hold`: a plan leaves what is accepted of them as it is unless it names them.
//!
//! Pure. Always holds: a held service that is accepted does not change while the files have it, and until
//! it may change no Secret of a Var Group goes; taken out of the files it goes like any other. One that
//! was never accepted has nothing to be left and is created. Read on in [`crate::propose`].

use std::collections::BTreeSet;

use serde_json::Value;
use starform_contract::{EnvironmentBundle, ServiceEntry, ServiceName};

use crate::{merge, pairs::pairs};

const HOLD: &str = "hold";

/// The held services that would change, by the names that they have or would have.
pub(crate) fn left_alone(
    current: Option<&EnvironmentBundle>,
    wanted: &EnvironmentBundle,
) -> BTreeSet<ServiceName> {
    if !wanted.services.iter().any(holds) {
        return BTreeSet::new();
    }
    pairs(current, Some(wanted))
        .into_iter()
        .filter_map(|(name, sides)| {
            let (before, after) = (sides.0?, sides.1?);
            (holds(after) && differ(before, after)).then(|| name.clone())
        })
        .collect()
}

/// `wanted`, with the services of `left` as they are accepted.
pub(crate) fn leave(
    current: &EnvironmentBundle,
    wanted: EnvironmentBundle,
    left: &BTreeSet<ServiceName>,
) -> EnvironmentBundle {
    if left.is_empty() {
        return wanted;
    }
    let accepted: Vec<ServiceEntry> = pairs(Some(current), Some(&wanted))
        .into_iter()
        .filter(|(name, _)| left.contains(name))
        .filter_map(|(_, (before, _))| before.cloned())
        .collect();
    let others = wanted
        .services
        .into_iter()
        .filter(|entry| !left.contains(&entry.name));
    EnvironmentBundle {
        services: others.chain(accepted).collect(),
        objects: merge::keep(wanted.objects, &current.objects, |_| true),
        ..wanted
    }
}

fn holds(entry: &ServiceEntry) -> bool {
    entry.model.get(HOLD) == Some(&Value::Bool(true))
}

/// In more than the word itself, which is taken: nothing that runs depends on it.
fn differ(before: &ServiceEntry, after: &ServiceEntry) -> bool {
    let without = |entry: &ServiceEntry| {
        let mut entry = entry.clone();
        if let Some(model) = entry.model.as_object_mut() {
            model.remove(HOLD);
        }
        entry
    };
    without(before) != without(after)
}
