//! All objects of two states of an environment, key by key, each change with its owner and risk.
//!
//! Pure. Always holds: an object whose digest differs is listed, one whose digest is equal is not; each
//! change names the model, the settings or the platform as its cause.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Deletion, Digest, EnvironmentBundle, Kept, KeyRef, Object, ObjectKey, ProjectBundle,
    ServiceEntry, ServiceName, bundle::Wave,
};

use crate::{
    diff::{fields, risk, settings},
    document::{Action, ModelChange, ObjectChange, Owner},
    pairs::{Compared, Pairs},
};

/// One environment with the project-scope objects around it.
#[derive(Clone, Copy)]
pub(crate) struct State<'a> {
    pub(crate) project: Option<&'a ProjectBundle>,
    pub(crate) environment: Option<&'a EnvironmentBundle>,
}

/// A change, with what the document does not carry.
pub(crate) struct Changed {
    pub(crate) change: ObjectChange,
    pub(crate) wave: Wave,
    /// The services that have or had the object, one that is renamed under its new name.
    pub(crate) services: BTreeSet<ServiceName>,
}

/// Where an object stands in a state.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Project,
    Environment,
    Service(&'a ServiceEntry),
    /// Left behind by a service, so that nobody manages it.
    Kept(&'a Kept),
}

/// Whose an object is, as far as a change of it is a change of the object.
#[derive(PartialEq)]
enum Holder<'a> {
    Project,
    Environment,
    Service(&'a ServiceName),
    Nobody { meant: bool },
}

#[derive(Clone, Copy)]
struct Placed<'a> {
    scope: Scope<'a>,
    object: &'a Object,
}

impl<'a> Placed<'a> {
    /// What is compared: the object, and whose it is, so that one that passes from a service to the
    /// environment is listed (with no changed field).
    fn content(self) -> (&'a Digest, Holder<'a>) {
        let holder = match self.scope {
            Scope::Project => Holder::Project,
            Scope::Environment => Holder::Environment,
            Scope::Service(entry) => Holder::Service(&entry.name),
            Scope::Kept(kept) => Holder::Nobody { meant: kept.meant },
        };
        (&self.object.digest, holder)
    }

    fn is_nameless_data(self) -> bool {
        self.object.deletion == Deletion::Retain && self.object.volume().is_none()
    }

    fn kept(self) -> Option<&'a Kept> {
        match self.scope {
            Scope::Kept(kept) => Some(kept),
            Scope::Project | Scope::Environment | Scope::Service(_) => None,
        }
    }
}

/// Every changed object, by risk, then wave, then key.
pub(crate) fn between(
    before: State<'_>,
    after: State<'_>,
    compared: &Compared<'_>,
    changed_settings: &[ModelChange],
    adopt: &BTreeSet<ObjectKey>,
) -> Vec<Changed> {
    let (old, new) = placed(before, after, compared);
    let causes = Causes {
        before,
        renamed: renamed(&compared.pairs),
        project: settings::shape_objects(&settings::PROJECT, changed_settings),
        environment: settings::shape_objects(&settings::ENVIRONMENT, changed_settings),
        services: own_changes(before, after, compared),
        after,
    };
    let keys: BTreeSet<KeyRef<'_>> = old.keys().chain(new.keys()).copied().collect();
    let mut changes: Vec<Changed> = keys
        .into_iter()
        .filter_map(|key| {
            changed(
                key,
                old.get(&key).copied(),
                new.get(&key).copied(),
                adopt,
                &causes,
            )
        })
        .collect();
    changes.sort_by(|a, b| {
        (b.change.risk, a.wave, &a.change.key).cmp(&(a.change.risk, b.wave, &b.change.key))
    });
    changes
}

/// The objects of one state.
type Objects<'a> = BTreeMap<KeyRef<'a>, Placed<'a>>;

/// Both sides' objects; those of services that are the same on both are left out, since nothing of them is listed.
fn placed<'a>(
    before: State<'a>,
    after: State<'a>,
    compared: &Compared<'_>,
) -> (Objects<'a>, Objects<'a>) {
    let listed = |state: State<'a>| state.placed(|entry| !compared.stays(entry));
    let sides = (listed(before), listed(after));
    // An object that stands twice is that of the last who has it, so nothing may be left out if one might.
    let names: BTreeSet<&str> = sides
        .0
        .keys()
        .chain(sides.1.keys())
        .map(|key| key.name)
        .collect();
    let left_out = compared.unchanged().flat_map(|entry| &entry.objects);
    let mut left_out = left_out.filter_map(|object| object.manifest.get("metadata")?.get("name"));
    let stands_twice = left_out.any(|name| name.as_str().is_some_and(|name| names.contains(name)));
    if stands_twice {
        return (before.placed(|_| true), after.placed(|_| true));
    }
    sides
}

/// Services whose words or names differ, so that their objects differ by their own doing; by the names of either
/// side, so that one that is renamed differs under both.
fn own_changes<'a>(
    before: State<'a>,
    after: State<'a>,
    compared: &Compared<'_>,
) -> BTreeSet<&'a ServiceName> {
    let by_name = |state: State<'a>| -> BTreeMap<&'a ServiceName, &'a ServiceEntry> {
        let services: Vec<&ServiceEntry> = state.services().collect();
        let first_counts = services.into_iter().rev();
        first_counts.map(|entry| (&entry.name, entry)).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let differs = |name: &&ServiceName| match (old.get(*name), new.get(*name)) {
        (Some(before), Some(after)) if compared.stays(before) && compared.stays(after) => false,
        (Some(before), Some(after)) => {
            before.model != after.model
                || before.kind != after.kind
                || before.service_id != after.service_id
                || before.object_name != after.object_name
        }
        (None, _) | (_, None) => true,
    };
    old.keys()
        .chain(new.keys())
        .copied()
        .filter(differs)
        .collect()
}

/// New names by the old ones.
fn renamed<'a>(pairs: &Pairs<'a>) -> BTreeMap<&'a ServiceName, &'a ServiceName> {
    let all = pairs.iter();
    all.filter_map(|(name, (before, _))| Some((&before.as_ref()?.name, *name)))
        .filter(|(was, name)| was != name)
        .collect()
}

impl<'a> State<'a> {
    pub(crate) fn of(project: &'a ProjectBundle, environment: &'a EnvironmentBundle) -> Self {
        Self {
            project: Some(project),
            environment: Some(environment),
        }
    }

    fn placed(self, is_listed: impl Fn(&ServiceEntry) -> bool) -> Objects<'a> {
        let project = self.project.into_iter().flat_map(|bundle| {
            bundle.objects.iter().map(|object| Placed {
                scope: Scope::Project,
                object,
            })
        });
        let environment = self.environment.into_iter().flat_map(|bundle| {
            bundle.objects.iter().map(|object| Placed {
                scope: Scope::Environment,
                object,
            })
        });
        let services = self.services().filter(|entry| is_listed(entry));
        let services = services.flat_map(|entry| {
            entry.objects.iter().map(move |object| Placed {
                scope: Scope::Service(entry),
                object,
            })
        });
        let kept = self.environment.into_iter().flat_map(|bundle| {
            bundle.kept.iter().map(|kept| Placed {
                scope: Scope::Kept(kept),
                object: &kept.object,
            })
        });
        kept.chain(project)
            .chain(environment)
            .chain(services)
            .filter_map(|placed| Some((placed.object.key_ref()?, placed)))
            .collect()
    }

    fn services(self) -> impl Iterator<Item = &'a ServiceEntry> {
        self.environment
            .into_iter()
            .flat_map(|bundle| &bundle.services)
    }
}

/// What else changed, so that a change of an object can be laid at its door.
struct Causes<'a> {
    before: State<'a>,
    after: State<'a>,
    /// A setting of the project, or of the environment, that shapes objects.
    project: bool,
    environment: bool,
    /// See [`own_changes`].
    services: BTreeSet<&'a ServiceName>,
    /// See [`renamed`].
    renamed: BTreeMap<&'a ServiceName, &'a ServiceName>,
}

impl<'a> Causes<'a> {
    /// What the service is called in the plan: one that is renamed is one change under its new name, and so
    /// is what it had under the old one.
    fn name(&self, entry: &'a ServiceEntry) -> &'a ServiceName {
        let name = &entry.name;
        self.renamed.get(name).copied().unwrap_or(name)
    }

    fn owner(&self, placed: Placed<'a>, is_update: bool) -> Owner {
        match placed.scope {
            Scope::Service(entry) if self.services.contains(&entry.name) => {
                Owner::Service(self.name(entry).clone())
            }
            Scope::Service(_) if self.environment => Owner::Environment,
            Scope::Service(_) => Owner::Platform,
            Scope::Kept(_) => Owner::Environment,
            Scope::Environment if self.environment || self.is_new_or_empty() => Owner::Environment,
            // Only Var Groups become objects of the environment by what the project says.
            Scope::Environment if holds_variables(placed.object) => Owner::Environment,
            Scope::Environment => Owner::Platform,
            Scope::Project if self.project || !is_update && self.begins_or_ends() => Owner::Project,
            Scope::Project => Owner::Platform,
        }
    }

    /// The project is made, or deleted.
    fn begins_or_ends(&self) -> bool {
        let is_nothing = |state: State<'_>| state.project.is_none_or(|own| own.objects.is_empty());
        is_nothing(self.before) || is_nothing(self.after)
    }

    fn is_new_or_empty(&self) -> bool {
        self.before.environment.is_none() || self.after.services().next().is_none()
    }
}

fn changed<'a>(
    key: KeyRef<'_>,
    before: Option<Placed<'a>>,
    after: Option<Placed<'a>>,
    adopt: &BTreeSet<ObjectKey>,
    causes: &Causes<'a>,
) -> Option<Changed> {
    if before.map(Placed::content) == after.map(Placed::content) {
        return None;
    }
    let key = key.to_key();
    let managed = after.filter(|after| after.kept().is_none());
    let (old, new) = (before.map(|b| b.object), managed.map(|a| a.object));
    let fields = fields::between(old, new);
    let action = match (before, after) {
        (_, Some(after)) if after.kept().is_some_and(|kept| kept.meant) => Action::Forget,
        (_, Some(after)) if after.kept().is_some() => Action::Retain,
        // What holds data and has no name to be destroyed by is never deleted.
        (Some(before), None) if before.is_nameless_data() => Action::Retain,
        (_, None) => Action::Delete,
        (Some(before), Some(_)) if before.kept().is_some() => Action::Adopt,
        (None, Some(_)) if adopt.contains(&key) => Action::Adopt,
        (None, Some(_)) => Action::Create,
        (Some(_), Some(_)) if risk::needs_replacement(&key, &fields) => Action::Replace,
        (Some(_), Some(_)) => Action::Update,
    };
    let (was, will) = (
        old.map(|object| &object.manifest),
        new.map(|object| &object.manifest),
    );
    let opens = risk::opens(&key, &fields, was, will);
    let risk = risk::of(&key, action, &fields, &opens);
    let placed = managed.or(before)?;
    let services = [before, after].into_iter().flatten();
    Some(Changed {
        wave: placed.object.wave,
        services: services
            .filter_map(|placed| match placed.scope {
                Scope::Service(entry) => Some(causes.name(entry).clone()),
                Scope::Environment | Scope::Project | Scope::Kept(_) => None,
            })
            .collect(),
        change: ObjectChange {
            key,
            owner: causes.owner(placed, before.is_some() && after.is_some()),
            action,
            risk,
            opens,
            before: old.map(|object| object.digest.clone()),
            after: new.map(|object| object.digest.clone()),
            fields,
        },
    })
}

fn holds_variables(object: &Object) -> bool {
    object
        .manifest
        .get("kind")
        .and_then(serde_json::Value::as_str)
        == Some("Secret")
}
