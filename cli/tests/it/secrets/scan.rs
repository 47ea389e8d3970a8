//! Where values of secrets stand that must not: in files, in objects, in what the agent keeps compressed.
//!
//! Effects: reads files and a cluster. Always holds: a document that does not unpack fails the scan.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use starform_contract::{Digest, Generation};
use starform_shuttle::persist::{Part, pack, unpack};

use crate::support::{canary::Canary, cluster::Cluster};

const AGENTS: &str = "/api/v1/namespaces/starform-system/configmaps";

const UNPACKED: &str = "unpacked";

pub(super) struct Scan {
    canaries: Vec<Canary>,
    /// The form of a value, and where it stands.
    found: Vec<String>,
}

impl Scan {
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        Self {
            canaries: values.into_iter().map(Canary::new).collect(),
            found: Vec::new(),
        }
    }

    pub(super) fn look(&mut self, place: &str, bytes: &[u8]) {
        for canary in &self.canaries {
            let form = canary.in_bytes(bytes);
            let found = form.map(|form| format!("{form} of a value in {place}"));
            self.found.extend(found);
        }
    }

    pub(super) fn look_through(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.look_through(&path);
            } else if path.is_file() {
                self.look(&path.display().to_string(), &fs::read(&path).unwrap());
            }
        }
    }

    /// Every object of the API server but those where values belong, and what the agent packs.
    pub(super) fn look_at(&mut self, cluster: &Cluster, belongs: impl Fn(&str) -> bool) {
        for (path, object) in cluster.everything() {
            if !belongs(&path) {
                self.look(&path, object.to_string().as_bytes());
            }
        }
        for (place, document) in documents(cluster) {
            self.look(&place, &document);
        }
    }

    /// Nothing was found; and the scan of the agent's documents reads them, and finds what is planted.
    pub(super) fn found_nothing(mut self, cluster: &Cluster, named: &str, planted: &str) {
        assert!(self.found.is_empty(), "{:#?}", self.found);
        let documents = documents(cluster);
        let names = |(_, document): &(String, Vec<u8>)| contains(document, named);
        assert!(documents.iter().any(names), "no document names {named}");
        plant(cluster, planted);
        self.look_at(cluster, |path| path.contains("/secrets/"));
        let unpacked = |found: &String| found.ends_with(UNPACKED);
        assert!(self.found.iter().any(unpacked), "{:#?}", self.found);
    }
}

fn contains(document: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(document).contains(text)
}

/// The agent's documents as they were before they were compressed and cut.
fn documents(cluster: &Cluster) -> Vec<(String, Vec<u8>)> {
    let maps = cluster.list(&format!("{AGENTS}?labelSelector=starform.io/stores"));
    let mut parts: BTreeMap<Digest, Vec<Part>> = BTreeMap::new();
    for map in maps.iter().filter(|map| !map["binaryData"].is_null()) {
        let part = Part::from_config_map(map).unwrap();
        parts.entry(part.digest.clone()).or_default().push(part);
    }
    let whole = |(digest, parts): (Digest, Vec<Part>)| {
        let place = format!("the agent's document {digest}, {UNPACKED}");
        (place, unpack(&parts).unwrap())
    };
    parts.into_iter().map(whole).collect()
}

/// As a bundle that holds the value would be kept; of a generation that no agent comes to.
fn plant(cluster: &Cluster, value: &str) {
    let document = serde_json::to_vec(&serde_json::json!({ "value": value })).unwrap();
    let digest = Digest::of_bytes(&document);
    for part in pack(&document, &digest, Generation::new(1 << 40)) {
        let map: Value = part.to_config_map("starform-part-planted", "bundle");
        cluster.create(AGENTS, &map);
    }
}
