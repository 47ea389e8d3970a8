//! What is wanted, indexed by object and by unit; bundles that are not believed are left out whole.
//!
//! Pure. Always holds: an object is wanted by one unit only; of a refused bundle nothing is written
//! and nothing is deleted. Which index and bundle is believed stands in `trust.rs`.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use serde_json::{Value, json};
use starform_contract::{
    Accepted, Bundle, Digest, EnvironmentBundle, EnvironmentName, Index, Object, ObjectKey,
    ProjectId, bundle::DIGEST_ANNOTATION, bundle::Wave, index::ProjectEntry, state::DriftPolicy,
};

use super::{
    fields::{GENERATION_ANNOTATION, PLAN_ANNOTATION, REVISION_ANNOTATION},
    io,
    io::Provenance,
    order::{UnitKey, is},
};
use crate::{kinds, trust};

/// One desired state that is acted upon.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) index: Index,
    bundles: BTreeMap<Digest, Arc<Bundle>>,
    pub(super) objects: BTreeMap<ObjectKey, Wanted>,
    /// Keys ordered by wave, then key.
    pub(super) units: BTreeMap<UnitKey, Vec<ObjectKey>>,
    /// Volumes that services left behind.
    kept: BTreeSet<ObjectKey>,
    /// Project and environment units whose bundle is not believed, and why.
    pub(super) refused: BTreeMap<UnitKey, String>,
    /// The verdict on each bundle; a bundle is immutable, so it is judged once.
    verdicts: BTreeMap<Digest, Result<(), String>>,
}

#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) unit: UnitKey,
    pub(super) wave: Wave,
    pub(super) digest: Digest,
    /// What a release Job runs.
    pub(super) release: Option<Digest>,
    place: Place,
}

/// Where the object stands in its bundle.
#[derive(Debug, Clone)]
struct Place {
    bundle: Digest,
    service: Option<usize>,
    index: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Distrust(#[from] trust::Distrust),
    #[error("bundle {0} of the desired state is missing")]
    Missing(Digest),
    #[error("bundle {bundle} stands for {place}, and is for another one")]
    Misplaced { bundle: Digest, place: String },
}

impl State {
    /// `None`: it is the one that is in force.
    pub(super) fn take(
        desired: io::Desired,
        cluster: starform_contract::ClusterId,
        before: Option<&Self>,
    ) -> Result<Option<Self>, Refusal> {
        match trust::admit(cluster, before.map(|state| &state.index), &desired.index)? {
            trust::Admission::Same => return Ok(None),
            trust::Admission::New => {}
        }
        let mut state = Self {
            index: desired.index.clone(),
            bundles: BTreeMap::new(),
            objects: BTreeMap::new(),
            units: BTreeMap::new(),
            kept: BTreeSet::new(),
            refused: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        };
        for digest in desired.index.bundles() {
            let bundle = desired.bundles.get(digest);
            let bundle = bundle.ok_or_else(|| Refusal::Missing(digest.clone()))?;
            let known = before.and_then(|state| state.verdicts.get(digest));
            let verdict = known.cloned().unwrap_or_else(|| judge(bundle, digest));
            state.verdicts.insert(digest.clone(), verdict);
            state.bundles.insert(digest.clone(), Arc::clone(bundle));
        }
        for (project, entry) in &desired.index.projects {
            state.add_project(*project, entry)?;
        }
        Ok(Some(state))
    }

    pub(super) fn object(&self, wanted: &Wanted) -> &Object {
        let Place {
            bundle,
            service,
            index,
        } = &wanted.place;
        match (&*self.bundles[bundle], service) {
            (Bundle::Project(bundle), _) => &bundle.objects[*index],
            (Bundle::Environment(bundle), None) => &bundle.objects[*index],
            (Bundle::Environment(bundle), Some(service)) => {
                &bundle.services[*service].objects[*index]
            }
        }
    }

    /// What of the object the shell fills in; `None` for an object without secrets.
    pub(super) fn sealed(&self, wanted: &Wanted) -> Option<io::Sealed> {
        let references = &self.object(wanted).sealed;
        (!references.is_empty()).then(|| io::Sealed {
            cluster: self.index.cluster_id,
            bundle: wanted.place.bundle.clone(),
            project: wanted.unit.project(),
            environment: wanted.unit.environment().cloned(),
            references: references.clone(),
        })
    }

    pub(super) fn manifest(&self, wanted: &Wanted) -> &Value {
        &self.object(wanted).manifest
    }

    pub(super) fn environment(
        &self,
        project: ProjectId,
        environment: &EnvironmentName,
    ) -> Option<&EnvironmentBundle> {
        let digest = self
            .index
            .projects
            .get(&project)?
            .environments
            .get(environment)?;
        match &**self.bundles.get(digest)? {
            Bundle::Environment(bundle) => Some(bundle),
            Bundle::Project(_) => None,
        }
    }

    pub(super) fn drift_policy(&self, unit: &UnitKey) -> DriftPolicy {
        unit.environment()
            .and_then(|environment| self.environment(unit.project(), environment))
            .map_or(DriftPolicy::Correct, |bundle| bundle.drift)
    }

    /// Every environment that a report is due for: those with a bundle and those an accepted plan names.
    pub(super) fn environments(&self) -> BTreeSet<(ProjectId, EnvironmentName)> {
        let of_project = |(project, entry): (&ProjectId, &ProjectEntry)| {
            let accepted = entry
                .accepted
                .iter()
                .map(|accepted| &accepted.environment)
                .cloned();
            let project = *project;
            let names: BTreeSet<EnvironmentName> =
                entry.environments.keys().cloned().chain(accepted).collect();
            names.into_iter().map(move |name| (project, name))
        };
        self.index.projects.iter().flat_map(of_project).collect()
    }

    pub(super) fn accepted(&self, project: ProjectId) -> &[Accepted] {
        self.index
            .projects
            .get(&project)
            .map_or(&[], |entry| &entry.accepted)
    }

    /// A volume that stays, as accepted: plans tell of it until somebody decides.
    pub(super) fn is_kept(&self, key: &ObjectKey) -> bool {
        self.kept.contains(key)
    }

    /// Whether an accepted plan of the project lets this object be deleted: one in its namespace, or the
    /// Namespace itself where nothing of the project is wanted any more. What an earlier plan said of a
    /// volume that is kept by now does not count.
    pub(super) fn may_delete(&self, project: ProjectId, key: &ObjectKey) -> bool {
        let Some(entry) = self.index.projects.get(&project) else {
            return false;
        };
        let data = is(key, "", "PersistentVolumeClaim");
        let listed = entry.accepted.iter().any(|accepted| {
            let consent = &accepted.consent;
            consent.destroy.contains(key) || (!data && consent.delete.contains(key))
        });
        let inside = key.namespace.as_deref() == Some(&entry.namespace);
        let namespace = key.is_namespace() && key.name == entry.namespace;
        let allowed = inside || namespace && self.is_ended(project);
        listed && allowed && !self.is_kept(key)
    }

    /// The project's own bundle is believed, and wants nothing; nor does an environment.
    fn is_ended(&self, project: ProjectId) -> bool {
        let unit = UnitKey::Project(project);
        let mut units = unit.covered(&self.units).into_iter();
        self.units.contains_key(&unit)
            && !self
                .refused
                .keys()
                .any(|refused| refused.project() == project)
            && units.all(|(_, keys)| keys.is_empty())
    }

    pub(super) fn may_replace(&self, project: ProjectId, key: &ObjectKey) -> bool {
        self.accepted(project)
            .iter()
            .any(|accepted| accepted.consent.replace.contains(key))
    }

    pub(super) fn may_adopt(&self, project: ProjectId, key: &ObjectKey) -> bool {
        self.accepted(project)
            .iter()
            .any(|accepted| accepted.consent.adopt.contains(key))
    }

    pub(super) fn is_verified(&self, project: ProjectId, digest: &Digest) -> bool {
        self.accepted(project)
            .iter()
            .any(|accepted| accepted.consent.verified.contains(digest))
    }

    /// The latest accepted plan that reaches the unit; `None` once all of them were finished.
    pub(super) fn provenance(&self, unit: &UnitKey) -> Option<Provenance> {
        let latest = self
            .accepted(unit.project())
            .iter()
            .filter(|accepted| {
                unit.environment()
                    .is_none_or(|name| *name == accepted.environment)
            })
            .max_by_key(|accepted| accepted.generation)?;
        Some(Provenance {
            revision: latest.revision.clone(),
            plan_id: Some(latest.plan_id.to_string()),
            generation: Some(latest.generation.to_string()),
        })
    }

    fn add_project(&mut self, project: ProjectId, entry: &ProjectEntry) -> Result<(), Refusal> {
        let unit = UnitKey::Project(project);
        let own = Arc::clone(&self.bundles[&entry.bundle]);
        let fits = own.project_id() == project && own.namespace() == entry.namespace;
        let Bundle::Project(bundle) = &*own else {
            return Err(misplaced(&entry.bundle, format!("project {project}")));
        };
        if !fits {
            return Err(misplaced(&entry.bundle, format!("project {project}")));
        }
        self.add_unit(&unit, &entry.bundle, None, &bundle.objects);
        let refused = self.refused.get(&unit).cloned();
        for (name, digest) in &entry.environments {
            if let Some(reason) = &refused {
                let unit = UnitKey::Environment(project, name.clone());
                self.refused.insert(unit, reason.clone());
                continue;
            }
            let place = format!("environment {name} of project {project}");
            let bundle = Arc::clone(&self.bundles[digest]);
            let Bundle::Environment(bundle) = &*bundle else {
                return Err(misplaced(digest, place));
            };
            let fits = bundle.project_id == project
                && bundle.namespace == entry.namespace
                && bundle.environment == *name;
            if !fits {
                return Err(misplaced(digest, place));
            }
            self.add_environment(project, bundle, digest);
        }
        Ok(())
    }

    fn add_environment(&mut self, project: ProjectId, bundle: &EnvironmentBundle, digest: &Digest) {
        let name = &bundle.environment;
        let unit = UnitKey::Environment(project, name.clone());
        self.add_unit(&unit, digest, None, &bundle.objects);
        if self.refused.contains_key(&unit) {
            return;
        }
        let kept = bundle.kept.iter();
        let kept = kept.filter_map(|kept| kept.object.key());
        self.kept.extend(kept);
        for (position, service) in bundle.services.iter().enumerate() {
            let unit = UnitKey::Service(project, name.clone(), service.service_id);
            self.add_unit(&unit, digest, Some(position), &service.objects);
        }
    }

    fn add_unit(
        &mut self,
        unit: &UnitKey,
        bundle: &Digest,
        service: Option<usize>,
        objects: &[Object],
    ) {
        if let Some(Err(reason)) = self.verdicts.get(bundle) {
            self.refused.insert(unit.clone(), reason.clone());
            return;
        }
        let mut keys: Vec<(Wave, ObjectKey)> = Vec::with_capacity(objects.len());
        for (index, object) in objects.iter().enumerate() {
            let key = object.key().expect("a believed object has a key");
            let wanted = Wanted {
                unit: unit.clone(),
                wave: object.wave,
                digest: object.digest.clone(),
                release: object.release(),
                place: Place {
                    bundle: bundle.clone(),
                    service,
                    index,
                },
            };
            // Names are unique by construction (`name.rs` of the contract); the first one holds.
            if let Entry::Vacant(vacant) = self.objects.entry(key) {
                keys.push((object.wave, vacant.key().clone()));
                vacant.insert(wanted);
            }
        }
        keys.sort();
        let keys = keys.into_iter().map(|(_, key)| key).collect();
        self.units.insert(unit.clone(), keys);
    }
}

/// The manifest with our annotations: what is sent.
pub fn stamped(object: &Object, provenance: &Provenance) -> Value {
    let mut manifest = object.manifest.clone();
    let metadata = manifest
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .expect("a believed object has metadata");
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if !annotations.is_object() {
        *annotations = json!({});
    }
    let stamps = [
        (DIGEST_ANNOTATION, Some(object.digest.to_string())),
        (REVISION_ANNOTATION, provenance.revision.clone()),
        (PLAN_ANNOTATION, provenance.plan_id.clone()),
        (GENERATION_ANNOTATION, provenance.generation.clone()),
    ];
    for (name, text) in stamps {
        if let Some(text) = text {
            annotations[name] = Value::String(text);
        }
    }
    manifest
}

fn judge(bundle: &Bundle, digest: &Digest) -> Result<(), String> {
    trust::check_bundle(bundle, digest).map_err(|distrust| distrust.to_string())?;
    for object in bundle.objects() {
        let key = object.key().expect("trust has looked for keys");
        let row = kinds::kind_of(&key).map_err(|unknown| unknown.to_string())?;
        if row.watch == kinds::Watch::Off {
            return Err(kinds::UnknownKind(key).to_string());
        }
    }
    Ok(())
}

fn misplaced(bundle: &Digest, place: String) -> Refusal {
    Refusal::Misplaced {
        bundle: bundle.clone(),
        place,
    }
}
