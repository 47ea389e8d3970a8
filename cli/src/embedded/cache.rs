//! `.starform/` beside the project: plans by id, and what was last seen accepted.
//!
//! Effects: reads and writes files, for their owner alone. Always holds: it is a cache; what is accepted has its one home in
//! the cluster, and a lost or broken cache costs nothing but a comparison without a cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use starform_contract::{Bundle, ClusterProfile, Digest, Index, PlanId, schema};
use starform_plan::{
    document::{Plan, Plans, PlansSchema},
    standing::Standing,
    verified::Verified,
};
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
    standings: BTreeMap<&'a PlanId, &'a Standing>,
    verifications: BTreeMap<&'a PlanId, &'a Verified>,
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

    /// Keeps each plan under its id, with the bundles that it results in and what stands beside it.
    pub(crate) fn keep_plans(&self, plans: &Plans) {
        for plan in &plans.plans {
            let wanted = [&plan.source.result, &plan.source.project_result];
            let bundles = plans.bundles.iter();
            let id = &plan.plan_id;
            let alone = Alone {
                schema: plans.schema,
                plans: [plan],
                bundles: bundles
                    .filter(|(digest, _)| wanted.contains(digest))
                    .collect(),
                standings: plans.standings.get_key_value(id).into_iter().collect(),
                verifications: plans.verifications.get_key_value(id).into_iter().collect(),
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
        let folder = self.folder.strip_prefix(".").unwrap_or(&self.folder);
        let folder = folder.display();
        let refused = match (found.next(), found.next()) {
            (Some(file), None) => return read(&file),
            (Some(_), Some(_)) => {
                format!(
                    "`{folder}` keeps more than one plan that begins with {id}; give more digits of it"
                )
            }
            (None, _) => format!(
                "`{folder}` keeps no plan {id}; make it again with `starform plan`, or run where it was made"
            ),
        };
        Err(Failure::because(Exit::Error, refused))
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
        let within = file.parent().unwrap_or(&self.folder);
        close(&self.folder)?;
        close(within)?;
        // So that nobody commits it.
        write_closed(&self.folder.join(".gitignore"), b"*\n")?;
        // Whole or not at all: a bundle that is there is not written again.
        let part = file.with_extension("part");
        write_closed(&part, &bytes()?)?;
        fs::rename(part, file)
    }
}

/// Variables stand in these files as they do in the project's: who may not read that need not read these.
const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;

/// Makes the folder, or takes it and what is in it from others, where an earlier version left it open.
fn close(folder: &Path) -> io::Result<()> {
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
    match fs::metadata(folder) {
        Ok(found) if found.permissions().mode() & 0o777 == FOLDER => Ok(()),
        Ok(_) => {
            mode(folder, FOLDER)?;
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    close(&entry.path())?;
                } else if kind.is_file() {
                    mode(&entry.path(), FILE)?;
                }
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().mode(FOLDER).create(folder)
        }
        Err(error) => Err(error),
    }
}

fn write_closed(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(FILE);
    let mut opened = options.open(file)?;
    // The mode is of a file that is made: this one may have been there.
    opened.set_permissions(Permissions::from_mode(FILE))?;
    opened.write_all(bytes)
}

fn read(file: &Path) -> anyhow::Result<Plans> {
    schema::read(&fs::read(file)?).map_err(|error| {
        let message = format!(
            "cannot read `{}`: {error}; or make the plan again with `starform plan`",
            file.display()
        );
        Failure::because(Exit::Error, message)
    })
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

    fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
        let mut found = Vec::new();
        let mut open = vec![folder.join(".starform")];
        while let Some(path) = open.pop() {
            let is_folder = path.is_dir();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            if is_folder {
                open.extend(fs::read_dir(&path).unwrap().map(|one| one.unwrap().path()));
            }
            let wanted = if is_folder { 0o700 } else { 0o600 };
            if mode != wanted {
                found.push((path, mode));
            }
        }
        found
    }

    #[test]
    fn nobody_else_reads_it_also_where_it_was_open() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        cache.keep_seen(&seen("standard"));
        assert_eq!(modes(folder.path()), []);
        let open = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        let bundles = folder.path().join(".starform/bundles");
        for file in fs::read_dir(&bundles).unwrap() {
            open(&file.unwrap().path(), 0o644);
        }
        for name in ["accepted.json", ".gitignore"] {
            open(&folder.path().join(".starform").join(name), 0o664);
        }
        open(&bundles, 0o755);
        open(&folder.path().join(".starform"), 0o755);
        cache.keep_seen(&seen("large"));
        assert_eq!(modes(folder.path()), []);
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
