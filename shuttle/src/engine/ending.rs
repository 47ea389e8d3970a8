//! The end of a project: its Namespace goes last, and only if nothing stands in it that has to stay.
//!
//! Pure. Always holds: a Namespace goes by an accepted deletion of its project alone, after everything
//! else that may go is gone, and after a look at all that stands in it, ours or not. The rights by which
//! the rest is deleted go with it, never before. Read on in `leftover.rs`.

use starform_contract::{ObjectKey, ProjectId};

use super::{
    Engine,
    agenda::Timer,
    desired::State,
    flight::Task,
    io::{Failure, Observed, Request, Response},
    leftover::Leftover,
    order::{UnitKey, is},
};

/// What every namespace has of its own: group, kind and name.
const BUILT_IN: [(&str, &str, &str); 2] = [
    ("", "ServiceAccount", "default"),
    ("", "ConfigMap", "kube-root-ca.crt"),
];
/// So often a Namespace is looked at for what the garbage collector takes: a minute in all.
const LOOKS: u32 = 10;
/// So many are named to a person; more are counted.
const NAMED: usize = 3;

impl Engine {
    /// Whether something else of the project has to go before it.
    pub(super) fn waits_for_others(&self, key: &ObjectKey, leftover: &Leftover) -> bool {
        self.others(key, leftover.unit.project()).next().is_some()
    }

    /// Whether what it waits for will not go by waiting.
    pub(super) fn others_are_settled(&self, state: &State, key: &ObjectKey) -> bool {
        let Some(leftover) = self.leftovers.get(key) else {
            return true;
        };
        self.others(key, leftover.unit.project())
            .all(|other| !self.flight.is_busy(other) && self.leftover_is_settled(state, other))
    }

    /// What goes before a Namespace: everything but the rights. Before the rights: the Namespace too.
    fn others<'a>(
        &'a self,
        key: &'a ObjectKey,
        project: ProjectId,
    ) -> impl Iterator<Item = &'a ObjectKey> {
        let last = key.is_namespace() || key.is_rights();
        let before = move |other: &ObjectKey| {
            last && other != key && !other.is_rights() && (key.is_rights() || !other.is_namespace())
        };
        let going = self.leftovers.iter().filter(move |(other, leftover)| {
            leftover.consent
                && !leftover.is_disowned()
                && leftover.unit.project() == project
                && before(other)
        });
        going.map(|(other, _)| other)
    }

    /// Looks at what stands in the Namespace, whoever made it.
    pub(super) fn survey(&mut self, namespace: &ObjectKey) {
        let request = Request::Survey {
            namespace: namespace.name.clone(),
        };
        let key = namespace.clone();
        self.send(Task::Survey { key }, request);
    }

    pub(super) fn surveyed(&mut self, key: &ObjectKey, result: Result<Response, Failure>) {
        let found = match result {
            Ok(Response::Found(found)) => found,
            Ok(_) => Vec::new(),
            Err(failure) => return self.leftover_failed(key, &failure),
        };
        // Meanwhile something else may be wanted, or not.
        let state = self.state();
        let Some(leftover) = self.leftovers.get(key) else {
            return;
        };
        let project = leftover.unit.project();
        if !leftover.consent || state.objects.contains_key(key) {
            return;
        }
        let (dependents, others): (Vec<&Observed>, Vec<&Observed>) = found
            .iter()
            .filter(|object| !is_built_in(&object.key) && !object.key.is_rights())
            .partition(|object| !object.owner.managed && object.owner.project == Some(project));
        if !others.is_empty() {
            self.retain(key, &others);
        } else if dependents.is_empty() {
            self.release(key);
            self.prune(key);
        } else {
            self.look_again(key, &dependents);
        }
    }

    /// Why the Namespace stays, and its project's rights with it.
    pub(super) fn stays_because(&self, key: &ObjectKey) -> Option<String> {
        let leftover = self.leftovers.get(key)?;
        if !key.is_rights() {
            return leftover.retained().map(str::to_owned);
        }
        let namespace = self
            .others(key, leftover.unit.project())
            .find(|other| other.is_namespace())?;
        let retained = self.leftovers.get(namespace)?.retained();
        retained.map(|_| "its Namespace stays".to_owned())
    }

    /// It is what keeps a Namespace that was to go, which says so.
    pub(super) fn keeps_namespace(&self, key: &ObjectKey) -> bool {
        let name = key.namespace.as_deref();
        let namespace = name.map(|name| ObjectKey::new("", "Namespace", None, name));
        let leftover = namespace.and_then(|namespace| self.leftovers.get(&namespace));
        leftover.is_some_and(|leftover| leftover.retained().is_some())
    }

    /// Something of the project is gone: perhaps it was what kept the Namespace.
    pub(super) fn release_namespace(&mut self, unit: &UnitKey) {
        let project = unit.project();
        let mut namespaces = self.leftovers.iter().filter(|(key, leftover)| {
            key.is_namespace() && leftover.unit.project() == project && leftover.consent
        });
        if let Some(key) = namespaces.next().map(|(key, _)| key.clone()) {
            self.release(&key);
            self.agenda.leftover(key);
        }
    }

    fn release(&mut self, namespace: &ObjectKey) {
        if let Some(leftover) = self.leftovers.get_mut(namespace) {
            leftover.release();
        }
    }

    fn retain(&mut self, key: &ObjectKey, because: &[&Observed]) {
        let now = self.now;
        let mut names: Vec<String> = because
            .iter()
            .take(NAMED)
            .map(|object| format!("{} {}", object.key.kind, object.key.name))
            .collect();
        if because.len() > NAMED {
            names.push(format!("{} more", because.len() - NAMED));
        }
        let Some(leftover) = self.leftovers.get_mut(key) else {
            return;
        };
        let because = format!("it stays, since it still holds {}", names.join(", "));
        let at = leftover.retain(because, now);
        let unit = leftover.unit.clone();
        // Nothing tells when what others made goes.
        self.agenda.at(at, Timer::Leftover(key.clone()));
        self.touch(&unit);
    }

    /// What our objects had made goes with them, a moment later.
    fn look_again(&mut self, key: &ObjectKey, dependents: &[&Observed]) {
        let now = self.now;
        let Some(leftover) = self.leftovers.get_mut(key) else {
            return;
        };
        let at = leftover.rest(now);
        if leftover.attempts() > LOOKS {
            self.retain(key, dependents);
        } else {
            self.agenda.at(at, Timer::Leftover(key.clone()));
        }
    }
}

fn is_built_in(key: &ObjectKey) -> bool {
    BUILT_IN
        .iter()
        .any(|(group, kind, name)| is(key, group, kind) && key.name == *name)
}
