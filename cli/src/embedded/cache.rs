//! `.starform/` beside the project: plans by id, and what was last seen accepted.
//!
//! Effects: reads and writes files. Always holds: it is a cache; what is accepted has its one home in
//! the cluster, and a lost or broken cache costs nothing but a comparison without a cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use starform_contract::{Bundle, ClusterProfile, Digest, Index, PlanId, schema};
use starform_plan::document::{Plan, Plans, PlansSchema};
use starform_shuttle::persist::KeptVersions;

use crate::exit::{Exit, Failure};

/// What the cluster had when it was last asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) index: Index,
    /// In files of their own, since most of them stay from one time to the next.
    #[serde(skip)]
    pub(crate) bundles: BTreeMap<Digest, Bundle>,
    pub(crate) profile: ClusterProfile,
    /// Names and versions of the secrets that the cluster keeps; `None`: nobody was asked.
    #[serde(default)]
    pub(crate) secrets: Option<KeptVersions>,
    /// URL of the API server that was asked; empty where there was none.
    pub(crate) server: String,
}

/// One plan as [`Plans`] are written, without a copy of its bundles.
#[derive(Serialize)]
struct Alone<'a> {
    schema: PlansSchema,
    plans: [&'a Plan; 1],
    bundles: BTreeMap<&'a Digest, &'a Bundle>,
}

pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(crate) fn new(project: &Path) -> Self {
        Self {
            folder: project.join(".starform"),
        }
    }

    pub(crate) fn seen(&self) -> Option<Seen> {
        let file = self.folder.join("accepted.json");
        let text = fs::read_to_string(&file).ok()?;
        let mut seen: Seen = serde_json::from_str(&text)
            .inspect_err(|error| say!("note: `{}` is left aside: {error}", file.display()))
            .ok()?;
        for digest in seen.index.bundles() {
            let Some(bundle) = self.bundle(digest) else {
                say!(
                    "note: `{}` is left aside: bundle {digest} is not beside it",
                    file.display()
                );
                return None;
            };
            seen.bundles.insert(digest.clone(), bundle);
        }
        Some(seen)
    }

    pub(crate) fn keep_seen(&self, seen: &Seen) {
        for (digest, bundle) in &seen.bundles {
            let name = bundle_file(digest);
            if !self.folder.join(&name).exists() {
                self.write(&name, || Ok(bundle.to_text()));
            }
        }
        self.write("accepted.json", || serde_json::to_vec(seen));
        self.forget_others(&seen.bundles);
    }

    /// Keeps each plan under its id, with the bundles that it results in.
    pub(crate) fn keep_plans(&self, plans: &Plans) {
        for plan in &plans.plans {
            let wanted = [&plan.source.result, &plan.source.project_result];
            let bundles = plans.bundles.iter();
            let alone = Alone {
                schema: plans.schema,
                plans: [plan],
                bundles: bundles
                    .filter(|(digest, _)| wanted.contains(digest))
                    .collect(),
            };
            self.write(&plan_file(&plan.plan_id), || serde_json::to_vec(&alone));
        }
    }

    /// A plan by its id, or by the first digits of it.
    pub(crate) fn plan(&self, id: &str) -> anyhow::Result<Plans> {
        let digits = id.strip_prefix("sha256:").unwrap_or(id);
        let files = fs::read_dir(self.folder.join("plans"))
            .into_iter()
            .flatten()
            .flatten();
        let mut found = files.map(|file| file.path()).filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(digits))
        });
        let (Some(file), None) = (found.next(), found.next()) else {
            let message = format!(
                "`{}` has no plan {id}, or more than one; make it again with `starform plan`, or run where it was made",
                self.folder.display()
            );
            return Err(Failure::because(Exit::Error, message));
        };
        schema::read(&fs::read(&file)?).map_err(|error| {
            let message = format!(
                "cannot read `{}`: {error}; or make the plan again with `starform plan`",
                file.display()
            );
            Failure::because(Exit::Error, message)
        })
    }

    fn bundle(&self, digest: &Digest) -> Option<Bundle> {
        let text = fs::read(self.folder.join(bundle_file(digest))).ok()?;
        Bundle::read(&text)
            .ok()
            .filter(|_| Digest::of_bytes(&text) == *digest)
    }

    /// Removes bundles that were accepted once.
    fn forget_others(&self, needed: &BTreeMap<Digest, Bundle>) {
        let names: BTreeSet<String> = needed.keys().map(file_name).collect();
        let files = fs::read_dir(self.folder.join(BUNDLES))
            .into_iter()
            .flatten()
            .flatten();
        for file in files.filter(|file| !names.contains(&*file.file_name().to_string_lossy())) {
            if let Err(error) = fs::remove_file(file.path()) {
                tracing::debug!(%error, "an old bundle stays in the cache");
            }
        }
    }

    /// A folder that cannot be written (a read-only checkout) only loses the cache.
    fn write(&self, name: &str, bytes: impl FnOnce() -> serde_json::Result<Vec<u8>>) {
        if let Err(error) = self.try_write(name, bytes) {
            tracing::debug!(%error, name, "not cached");
        }
    }

    fn try_write(
        &self,
        name: &str,
        bytes: impl FnOnce() -> serde_json::Result<Vec<u8>>,
    ) -> io::Result<()> {
        let file = self.folder.join(name);
        fs::create_dir_all(file.parent().unwrap_or(&self.folder))?;
        // So that nobody commits it.
        fs::write(self.folder.join(".gitignore"), "*\n")?;
        // Whole or not at all: a bundle that is there is not written again.
        let part = file.with_extension("part");
        fs::write(&part, bytes()?)?;
        fs::rename(part, file)
    }
}

const BUNDLES: &str = "bundles";

fn bundle_file(digest: &Digest) -> String {
    format!("{BUNDLES}/{}", file_name(digest))
}

fn file_name(digest: &Digest) -> String {
    format!("{}.json", digest.hex())
}

fn plan_file(id: &PlanId) -> String {
    format!("plans/{}.json", id.digest().hex())
}

#[cfg(test)]
mod tests {
    use starform_contract::{
        ClusterId, ProjectBundle, ProjectEntry, ProjectId, ProjectName, WorkspaceId,
        bundle::BundleSchema,
    };

    use super::*;

    /// A cluster that accepted the bundle of a project without anything in it.
    fn seen(tier: &str) -> Seen {
        let project = ProjectName::new("shop").unwrap();
        let bundle = ProjectBundle {
            schema: BundleSchema::V1,
            workspace_id: WorkspaceId::local(),
            project_id: ProjectId::local(&project),
            project,
            namespace: "sf-shop".to_owned(),
            tier: tier.to_owned(),
            objects: Vec::new(),
            names: Vec::new(),
        };
        let entry = ProjectEntry {
            namespace: bundle.namespace.clone(),
            bundle: bundle.digest(),
            environments: BTreeMap::new(),
            accepted: Vec::new(),
        };
        let cluster: ClusterId = "0191f0a4-0000-7000-8000-000000000001".parse().unwrap();
        let projects = BTreeMap::from([(bundle.project_id, entry)]);
        Seen {
            index: Index::empty(cluster).successor(projects),
            bundles: BTreeMap::from([(bundle.digest(), Bundle::Project(bundle))]),
            profile: ClusterProfile::default(),
            secrets: None,
            server: "https://example.org".to_owned(),
        }
    }

    fn bundles(folder: &Path) -> usize {
        fs::read_dir(folder.join(".starform/bundles"))
            .unwrap()
            .count()
    }

    #[test]
    fn what_was_seen_is_seen_again_and_older_bundles_go() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        assert!(cache.seen().is_none());
        for tier in ["standard", "large", "large"] {
            let seen = seen(tier);
            cache.keep_seen(&seen);
            let again = cache.seen().unwrap();
            assert_eq!(again.bundles, seen.bundles);
            assert_eq!(again.index, seen.index);
            assert_eq!(bundles(folder.path()), 1);
        }
    }

    #[test]
    fn a_bundle_that_is_lost_or_changed_leaves_all_aside() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let seen = seen("standard");
        cache.keep_seen(&seen);
        let (digest, _) = seen.bundles.first_key_value().unwrap();
        let file = folder.path().join(".starform").join(bundle_file(digest));
        fs::write(&file, b"{}").unwrap();
        assert!(cache.seen().is_none());
        fs::remove_file(&file).unwrap();
        assert!(cache.seen().is_none());
        cache.keep_seen(&seen);
        assert_eq!(cache.seen().unwrap().bundles, seen.bundles);
    }
}
