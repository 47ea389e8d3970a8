//! Whether an object is as we left it, and what is done when it is not: one policy by field manager.
//!
//! Pure; reads no values, only who owns which fields. Always holds: what foreign managers add in
//! labels and annotations asks for nothing; the same manager is not fought for ever.

use std::collections::BTreeMap;

use starform_contract::{
    Generation, Object, ObjectKey,
    report::{Drift, DriftKind},
};

use super::io::{FieldManager, FieldsDigest, Foreign, InventoryEntry, Millis, Observed};

/// So many times a manager may take back a field before the object is called contested.
const TAKES: u32 = 3;
const HOUR: Millis = Millis::from_secs(3600);

/// Their fields are theirs: they move them as part of what an object is for.
const CONTROLLERS: [&str; 6] = [
    "kube-controller-manager",
    "kube-scheduler",
    "kube-apiserver",
    "kubelet",
    "cloud-controller-manager",
    FieldManager::Handoff.name(),
];

/// Tools that people use: what they change is put back, however often.
const PEOPLE: [&str; 5] = [
    "kubectl*",
    "before-first-apply",
    "helm",
    "k9s",
    "node-fetch",
];

/// How a live object stands to what we last wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Clean,
    Absent,
    /// It is going; nothing can be written until it is gone.
    Deleting,
    /// Written from another state of the contract.
    Outdated,
    /// Written from this state; which fields we owned then is not known.
    Unrecorded,
    /// Somebody took or removed a field of ours.
    Moved,
    /// An engine that acts on this newer generation wrote it.
    Superseded(Generation),
}

/// Why an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The API server has not had this content yet.
    Fresh,
    /// It had, and nothing says that anybody changed it.
    Record,
    Drift(DriftKind, Option<Foreign>),
}

/// How often managers took our fields in one object.
#[derive(Debug, Clone, Default)]
pub(super) struct Takes(BTreeMap<String, (u32, Millis)>);

pub(super) fn condition(
    live: Option<&Observed>,
    entry: Option<&InventoryEntry>,
    wanted: &starform_contract::Digest,
) -> Condition {
    let Some(live) = live else {
        return Condition::Absent;
    };
    if live.deleting {
        return Condition::Deleting;
    }
    if live.stamps.digest.as_ref() != Some(wanted) {
        return Condition::Outdated;
    }
    let recorded: Option<&FieldsDigest> = entry.and_then(|entry| entry.fields.as_ref());
    match (recorded, &live.own) {
        (None, _) => Condition::Unrecorded,
        (Some(recorded), Some(own)) if own.fields == *recorded => Condition::Clean,
        (Some(_), _) => Condition::Moved,
    }
}

/// Who most probably took our fields: the latest writer that is no controller.
pub(super) fn suspect(live: Option<&Observed>) -> Option<&Foreign> {
    let mut foreign = live?.foreign.iter();
    foreign.find(|foreign| !is_controller(&foreign.manager))
}

/// What of an accepted object is not as we left it, as one look at the cluster shows it. Which values differ
/// is for who has read the whole object.
pub fn standing(
    wanted: &Object,
    key: &ObjectKey,
    live: Option<&Observed>,
    entry: Option<&InventoryEntry>,
) -> Vec<Drift> {
    // What a release ran is done; its Job may be gone.
    if wanted.release().is_some() {
        return Vec::new();
    }
    let left = |drift: Drift| Drift {
        corrected: false,
        ..drift
    };
    match condition(live, entry, &wanted.digest) {
        Condition::Absent => vec![left(corrected(key, DriftKind::Deleted, None))],
        Condition::Moved | Condition::Outdated => {
            vec![left(corrected(key, DriftKind::Changed, suspect(live)))]
        }
        Condition::Clean
        | Condition::Deleting
        | Condition::Unrecorded
        | Condition::Superseded(_) => live.map(additions).unwrap_or_default(),
    }
}

/// What others added beside our fields and left there.
pub(super) fn additions(live: &Observed) -> Vec<Drift> {
    live.foreign
        .iter()
        .filter(|foreign| !is_controller(&foreign.manager))
        .map(|Foreign { manager, paths }| Drift {
            key: live.key.clone(),
            manager: Some(manager.clone()),
            kind: DriftKind::Added,
            paths: paths.clone(),
            corrected: false,
        })
        .collect()
}

/// `by`: who did it, with the fields that are theirs.
pub(super) fn corrected(key: &ObjectKey, kind: DriftKind, by: Option<&Foreign>) -> Drift {
    Drift {
        key: key.clone(),
        manager: by.map(|foreign| foreign.manager.clone()),
        kind,
        paths: by.map(|foreign| foreign.paths.clone()).unwrap_or_default(),
        corrected: true,
    }
}

impl Takes {
    pub(super) fn count(&mut self, manager: Option<&str>, now: Millis) {
        let (count, last) = self
            .0
            .entry(manager.unwrap_or_default().to_owned())
            .or_default();
        // A contested object stays so: each hourly try that is taken back keeps it there.
        if *count < TAKES && now.since(*last) > HOUR {
            *count = 0;
        }
        *count += 1;
        *last = now;
    }

    /// Until when nothing is done about what this manager took.
    pub(super) fn contested_until(
        &self,
        manager: Option<&str>,
        people: &[String],
        now: Millis,
    ) -> Option<Millis> {
        let manager = manager.unwrap_or_default();
        let (count, last) = self.0.get(manager)?;
        let until = last.plus(HOUR);
        (*count >= TAKES && until > now && !is_person(manager, people)).then_some(until)
    }
}

fn is_controller(manager: &str) -> bool {
    CONTROLLERS.contains(&manager)
}

fn is_person(manager: &str, people: &[String]) -> bool {
    PEOPLE
        .iter()
        .copied()
        .chain(people.iter().map(String::as_str))
        .any(|pattern| matches_glob(pattern, manager))
}

/// `*` stands for any text.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len())
        .filter(|start| rest.is_char_boundary(*start))
        .any(|start| matches_glob(tail, &rest[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_name_people() {
        assert!(is_person("kubectl-edit", &[]));
        assert!(is_person("kubectl", &[]));
        assert!(!is_person("my-kubectl", &[]));
        assert!(is_person("deploy-bot-7", &["deploy-*-7".to_owned()]));
        assert!(!is_person("deploy-bot-8", &["deploy-*-7".to_owned()]));
    }
}
