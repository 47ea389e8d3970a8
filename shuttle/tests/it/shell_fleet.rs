//! Many projects at once whose Deployments have no replicas: load for the agent and the API server, and none for nodes.
//!
//! Effects: writes the folder of a desired state. Always holds: a fleet of the same size has the same objects but for
//! the names of its projects.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use serde_json::json;
use starform_contract::{Bundle, Consent, Digest, EnvironmentBundle, Index, Object, ProjectBundle};
use starform_shuttle::engine::io::Desired;

use crate::{
    shell_shop::{Shop, entry},
    shell_thread::write,
};

/// Projects, and the last generation that wanted them.
pub(crate) struct Fleet {
    projects: Vec<(Shop, ProjectBundle, EnvironmentBundle)>,
    index: Index,
    /// Objects that a dry-run of their plan has accepted.
    verified: BTreeSet<Digest>,
}

impl Fleet {
    pub(crate) fn new(index: Index, projects: usize, services: usize) -> Self {
        let names: Vec<String> = (0..services).map(|number| format!("app{number}")).collect();
        let services: Vec<(&str, &str)> = names
            .iter()
            .map(|name| (name.as_str(), "registry.test/app:1"))
            .collect();
        let project = |number| rendered(Shop::new(&format!("fleet{number}"), &services));
        Self {
            projects: (0..projects).map(project).collect(),
            index,
            verified: BTreeSet::new(),
        }
    }

    /// Writes the next generation, which wants what this fleet has now; its number.
    pub(crate) fn accept(&mut self, folder: &Path) -> u64 {
        let next = self.index.generation.next();
        let (mut projects, mut bundles) = (BTreeMap::new(), BTreeMap::new());
        for (_, project, environment) in &self.projects {
            let consent = Consent {
                verified: self.verified.clone(),
                ..Consent::default()
            };
            let project = Bundle::Project(project.clone());
            let environment = Bundle::Environment(environment.clone());
            let id = project.project_id();
            projects.insert(id, entry(&project, &environment, next, consent));
            for bundle in [project, environment] {
                bundles.insert(bundle.digest(), Arc::new(bundle));
            }
        }
        let index = self.index.successor(projects);
        let desired = Desired { index, bundles };
        write(folder, &desired);
        self.index = desired.index;
        self.index.generation.number()
    }

    /// Another image for one service; its plan was verified by the cluster, or not.
    pub(crate) fn change_image(
        &mut self,
        project: usize,
        service: &str,
        image: &str,
        verified: bool,
    ) {
        let (shop, _, before) = &self.projects[project];
        let changed = rendered(shop.clone().image(service, image));
        let known: BTreeSet<&Digest> = before.all_objects().map(|object| &object.digest).collect();
        let fresh = changed.2.all_objects().map(|object| &object.digest);
        let fresh = fresh.filter(|digest| verified && !known.contains(digest));
        self.verified = fresh.cloned().collect();
        self.projects[project] = changed;
    }

    /// Every object, in the order of their waves.
    pub(crate) fn objects(&self) -> Vec<&Object> {
        let projects = self.projects.iter();
        let mut objects: Vec<&Object> = projects
            .flat_map(|(_, project, environment)| {
                project.objects.iter().chain(environment.all_objects())
            })
            .collect();
        objects.sort_by_key(|object| object.wave);
        objects
    }

    pub(crate) fn projects(&self) -> usize {
        self.projects.len()
    }
}

fn rendered(shop: Shop) -> (Shop, ProjectBundle, EnvironmentBundle) {
    let (project, mut environment) = shop.bundles();
    let services = environment.services.iter_mut();
    for object in services.flat_map(|service| &mut service.objects) {
        if object.manifest["kind"] == "Deployment" {
            let mut manifest = object.manifest.clone();
            manifest["spec"]["replicas"] = json!(0);
            *object = Object::new(manifest, object.wave, object.deletion);
        }
    }
    (shop, project, environment)
}
