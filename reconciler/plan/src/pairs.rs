//! Which service of an environment before is which one after: by name, and by id where it is renamed.
//!
//! Pure. Always holds: each service of either side is in exactly one pair, under the name that it has
//! or had last. Read on in [`crate::names`] for how a renamed service keeps its id.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{Digest, EnvironmentBundle, Object, ServiceEntry, ServiceId, ServiceName};

/// Before and after.
pub(crate) type Sides<'a> = (Option<&'a ServiceEntry>, Option<&'a ServiceEntry>);

pub(crate) type Pairs<'a> = BTreeMap<&'a ServiceName, Sides<'a>>;

/// The services of two states of an environment, each looked at once.
pub(crate) struct Compared<'a> {
    pub(crate) pairs: Pairs<'a>,
    /// Those of which nothing differs.
    same: Pairs<'a>,
}

impl<'a> Compared<'a> {
    pub(crate) fn new(
        before: Option<&'a EnvironmentBundle>,
        after: Option<&'a EnvironmentBundle>,
    ) -> Self {
        let pairs = pairs(before, after);
        let mut same = pairs.clone();
        same.retain(|_, (before, after)| before.zip(*after).is_some_and(|(b, a)| is_same(b, a)));
        Self { pairs, same }
    }

    /// The services that differ, by the name that they have or had last.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&'a ServiceName, Sides<'a>)> {
        let pairs = self.pairs.iter().map(|(name, sides)| (*name, *sides));
        pairs.filter(|(name, _)| !self.same.contains_key(name))
    }

    /// As they were accepted.
    pub(crate) fn unchanged(&self) -> impl Iterator<Item = &'a ServiceEntry> {
        self.same.values().filter_map(|(before, _)| *before)
    }

    /// Whether this very entry is on either side of a service of which nothing differs.
    pub(crate) fn stays(&self, entry: &ServiceEntry) -> bool {
        let (before, after) = self.same.get(&entry.name).copied().unwrap_or_default();
        let mut sides = before.into_iter().chain(after);
        sides.any(|one| std::ptr::eq(one, entry))
    }
}

/// By the name that it has or had last; a service that is renamed is one pair, under its new name.
pub(crate) fn pairs<'a>(
    before: Option<&'a EnvironmentBundle>,
    after: Option<&'a EnvironmentBundle>,
) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    for entry in before.into_iter().flat_map(|bundle| &bundle.services) {
        pairs.entry(&entry.name).or_default().0 = Some(entry);
    }
    for entry in after.into_iter().flat_map(|bundle| &bundle.services) {
        pairs.entry(&entry.name).or_default().1 = Some(entry);
    }
    for (was, name) in renames(&pairs) {
        let before = pairs.remove(was).and_then(|(before, _)| before);
        pairs.entry(name).or_default().0 = before;
    }
    pairs
}

/// The services that are asked for, under their accepted and their wanted names: whoever names one
/// that is renamed means both, or a part of the rename would be planned.
pub(crate) fn by_either_name(
    current: Option<&EnvironmentBundle>,
    wanted: &EnvironmentBundle,
    only: &BTreeSet<ServiceName>,
) -> BTreeSet<ServiceName> {
    let renamed = pairs(current, Some(wanted));
    let other_names = renamed.into_iter().filter_map(|(name, (before, _))| {
        let was = &before?.name;
        (only.contains(name) || only.contains(was)).then_some([name, was])
    });
    let other_names: BTreeSet<ServiceName> = other_names.flatten().cloned().collect();
    only.union(&other_names).cloned().collect()
}

/// Whether nothing of a service differs, its name included. An object's digest says all of the object.
pub(crate) fn is_same(before: &ServiceEntry, after: &ServiceEntry) -> bool {
    let ServiceEntry {
        workspace_id,
        project_id,
        environment,
        service_id,
        name,
        object_name,
        kind,
        model,
        objects,
    } = before;

    *service_id == after.service_id
        && *name == after.name
        && *object_name == after.object_name
        && *kind == after.kind
        && *environment == after.environment
        && (*project_id, *workspace_id) == (after.project_id, after.workspace_id)
        && objects
            .iter()
            .map(digest)
            .eq(after.objects.iter().map(digest))
        && *model == after.model
}

/// What a service was called before, where it is renamed.
pub(crate) fn former_name(
    name: &ServiceName,
    before: Option<&ServiceEntry>,
) -> Option<ServiceName> {
    let was = &before?.name;
    (was != name).then(|| was.clone())
}

fn digest(object: &Object) -> &Digest {
    &object.digest
}

/// Old and new names of services that go on under another name.
fn renames<'a>(pairs: &Pairs<'a>) -> Vec<(&'a ServiceName, &'a ServiceName)> {
    let gone: BTreeMap<ServiceId, &ServiceName> = pairs
        .values()
        .filter(|(_, after)| after.is_none())
        .filter_map(|(before, _)| before.map(|entry| (entry.service_id, &entry.name)))
        .collect();
    pairs
        .values()
        .filter(|(before, _)| before.is_none())
        .filter_map(|(_, after)| after.as_ref())
        .filter_map(|entry| Some((*gone.get(&entry.service_id)?, &entry.name)))
        .collect()
}
