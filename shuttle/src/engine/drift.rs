//! Whether an object is as we left it, and what is done when it is not: one policy by field manager.
//!
//! Pure; reads no values, only who owns which fields. Always holds: what foreign managers add in
//! labels and annotations asks for nothing; the same manager is not fought for ever.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use starform_contract::{
    Generation, Object, ObjectKey,
    report::{Drift, DriftKind},
};

use super::{
    io::{FieldManager, FieldsDigest, Foreign, InventoryEntry, Millis, Observed},
    order::is,
    ownership,
};

/// So many times a manager may take back a field, or add one again, before the object is called contested.
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
    wanted: &Object,
) -> Condition {
    let Some(live) = live else {
        return Condition::Absent;
    };
    if live.deleting {
        return Condition::Deleting;
    }
    if live.stamps.digest.as_ref() != Some(&wanted.digest) {
        return Condition::Outdated;
    }
    let recorded: Option<&FieldsDigest> = entry.and_then(|entry| entry.fields.as_ref());
    match (recorded, &live.own) {
        (None, _) => Condition::Unrecorded,
        (Some(recorded), Some(own)) if own.fields == *recorded => Condition::Clean,
        // What is missing is a controller's now, and nothing else is.
        (Some(recorded), Some(own))
            if own.yielded.as_ref() == Some(recorded) && controllers_hold_only(live, wanted) =>
        {
            Condition::Clean
        }
        (Some(_), _) => Condition::Moved,
    }
}

/// Who took fields that we state, and which: the latest writer that is no controller.
pub(super) fn taker(live: Option<&Observed>, wanted: &Object) -> Option<Foreign> {
    let mut others = others(live?).peekable();
    others.peek()?;
    let states = states(wanted);
    let mut taken = others.map(|foreign| Foreign {
        manager: foreign.manager.clone(),
        fields: Arc::new(ownership::stated(&foreign.fields, &states)),
    });
    taken.find(|foreign| !ownership::is_empty(&foreign.fields))
}

/// Who most probably took or removed our fields: whoever only removed some leaves no trace but what they
/// added.
pub(super) fn suspect(live: Option<&Observed>, wanted: &Object) -> Option<Foreign> {
    taker(live, wanted).or_else(|| {
        Some(Foreign {
            manager: others(live?).next()?.manager.clone(),
            fields: Arc::default(),
        })
    })
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
    let added = || {
        let added = live.map(|live| additions(live, wanted));
        let added = added.unwrap_or_default().into_iter();
        let told = added.map(|foreign| left(corrected(key, DriftKind::Added, Some(&foreign))));
        told.collect()
    };
    match condition(live, entry, wanted) {
        Condition::Absent => vec![left(corrected(key, DriftKind::Deleted, None))],
        Condition::Moved | Condition::Outdated => {
            let by = suspect(live, wanted);
            let changed = left(corrected(key, DriftKind::Changed, by.as_ref()));
            [vec![changed], added()].concat()
        }
        Condition::Clean
        | Condition::Deleting
        | Condition::Unrecorded
        | Condition::Superseded(_) => added(),
    }
}

/// What others than controllers added beside what is wanted, without what is rightly theirs.
pub fn additions(live: &Observed, wanted: &Object) -> Vec<Foreign> {
    let others: Vec<&Foreign> = others(live).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let states = states(wanted);
    let added = others.into_iter().map(|foreign| {
        let unstated = ownership::unstated(&foreign.fields, &states);
        let theirs = theirs(&live.key).iter();
        Foreign {
            manager: foreign.manager.clone(),
            fields: Arc::new(theirs.fold(unstated, |left, path| ownership::without(left, path))),
        }
    });
    added
        .filter(|foreign| !ownership::is_empty(&foreign.fields))
        .collect()
}

/// `by`: who did it, with the fields that are theirs.
pub(super) fn corrected(key: &ObjectKey, kind: DriftKind, by: Option<&Foreign>) -> Drift {
    Drift {
        key: key.clone(),
        manager: by.map(|foreign| foreign.manager.clone()),
        kind,
        paths: by.map(Foreign::paths).unwrap_or_default(),
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

/// What we let go of ourselves was not taken from us.
fn controllers_hold_only(live: &Observed, stated: &Object) -> bool {
    let controllers = live.foreign.iter();
    let mut controllers = controllers.filter(|foreign| is_controller(&foreign.manager));
    let states = states(stated);
    controllers.all(|foreign| ownership::is_empty(&ownership::unstated(&foreign.fields, &states)))
}

fn others(live: &Observed) -> impl Iterator<Item = &Foreign> {
    let foreign = live.foreign.iter();
    foreign.filter(|foreign| !is_controller(&foreign.manager))
}

/// The manifest, with the names of what is filled in.
fn states(wanted: &Object) -> Cow<'_, Value> {
    if wanted.sealed.is_empty() {
        return Cow::Borrowed(&wanted.manifest);
    }
    let mut manifest = wanted.manifest.clone();
    for name in wanted.sealed.keys() {
        manifest["data"][name] = json!("");
    }
    Cow::Owned(manifest)
}

/// Fields that are others' business where we state none, whoever holds them: what an autoscaler counts, what
/// the API server gives and never takes back, and when somebody last asked for new pods.
fn theirs(key: &ObjectKey) -> &'static [&'static [&'static str]] {
    const RESTARTED: [&str; 5] = [
        "f:spec",
        "f:template",
        "f:metadata",
        "f:annotations",
        "f:kubectl.kubernetes.io/restartedAt",
    ];
    if is(key, "apps", "Deployment") {
        &[&["f:spec", "f:replicas"], &RESTARTED]
    } else if is(key, "", "Service") {
        &[
            &["f:spec", "f:clusterIP"],
            &["f:spec", "f:clusterIPs"],
            &["f:spec", "f:ipFamilies"],
            &["f:spec", "f:ipFamilyPolicy"],
        ]
    } else if is(key, "", "PersistentVolumeClaim") {
        &[
            &["f:spec", "f:accessModes"],
            &["f:spec", "f:dataSource"],
            &["f:spec", "f:dataSourceRef"],
            &["f:spec", "f:selector"],
            &["f:spec", "f:storageClassName"],
            &["f:spec", "f:volumeAttributesClassName"],
            &["f:spec", "f:volumeMode"],
            &["f:spec", "f:volumeName"],
        ]
    } else if is(key, "batch", "Job") {
        &[
            &["f:spec", "f:completionMode"],
            &["f:spec", "f:completions"],
            &["f:spec", "f:manualSelector"],
            &["f:spec", "f:podReplacementPolicy"],
            &["f:spec", "f:selector"],
            &["f:spec", "f:template"],
        ]
    } else if is(key, "", "Namespace") {
        &[&["f:spec", "f:finalizers"]]
    } else if is(key, "", "Secret") {
        &[&["f:type"]]
    } else {
        &[]
    }
}

pub(super) fn is_controller(manager: &str) -> bool {
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
