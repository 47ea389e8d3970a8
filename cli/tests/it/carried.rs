//! A cluster that reaches no control plane: its desired state and secrets come in a folder, and nobody
//! who may write the folder can put values of their own into it.
//!
//! Effects: a control plane, a testbed, runs of `starform-shuttle`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::support::{
    canary::Canary,
    cluster::Cluster,
    platform::Platform,
    process::{Ran, run_with},
    project::Project,
};

const VALUE: &str = "canary-Lm4-carried&far+away/";
const SHOP: &str = r#"project shop {
  environment production branch=main
  worker api { image "registry.test/api:1"; vars { KEY (secret)api-key; COOKIE (generate)bytes32; }; }
}
"#;

struct Apart<'a> {
    cluster: &'a Cluster,
    platform: Platform,
    folder: PathBuf,
    keys: PathBuf,
}

#[test]
fn secrets_are_carried_to_a_cluster_without_a_control_plane() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let platform = Platform::start_apart(&cluster);
    platform.create_project("shop");
    let shop = Project::new(SHOP);
    let mut set = platform.command(&shop);
    set.args(["secret", "set", "api-key", "--env", "production"]);
    run_with(&mut set, format!("{VALUE}\n")).expect(0);
    let accept = ["apply", "--auto-approve", "--wait", "1s"];
    platform.starform(&shop, &accept).expect(6);

    let keys = platform.folder().join("trusted-keys");
    fs::write(&keys, platform.operate(&["trust"]).expect(0).stdout).unwrap();
    let apart = Apart {
        cluster: &cluster,
        folder: platform.folder().join("carried"),
        platform,
        keys,
    };
    // The control plane knows no key yet to seal to.
    let said = apart.export(None).expect(1).stderr;
    assert!(said.contains("public key"), "{said}");
    assert!(!apart.folder.join("index.json").exists());
    let key = apart.platform.shuttle(&["key"]).expect(0).stdout;
    apart.export(Some(key.trim())).expect(0);

    let namespace = apart.what_was_carried_is_applied();
    apart.what_others_may_read_is_refused(&namespace);
    apart.what_is_not_signed_is_refused(&namespace);
}

impl Apart<'_> {
    fn export(&self, key: Option<&str>) -> Ran {
        let agent_file = self.platform.agent_file();
        let mut words = vec!["export", "--agent-file", text(&agent_file)];
        words.extend(["--out", text(&self.folder)]);
        words.extend(key.iter().flat_map(|key| ["--public-key", key]));
        self.platform.shuttle(&words)
    }

    fn run_once(&self) -> Ran {
        let (folder, keys) = (text(&self.folder), text(&self.keys));
        let words = ["run", "--once", "--desired-state", folder, "--trust", keys];
        self.platform.shuttle(&words)
    }

    fn sealed(&self) -> PathBuf {
        self.folder.join("sealed.json")
    }

    /// The namespace.
    fn what_was_carried_is_applied(&self) -> String {
        let mode = fs::metadata(self.sealed()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let ran = self.run_once().expect(0);
        let namespace = self.cluster.namespace("shop").unwrap();
        let data = self.cluster.get(&secret(&namespace)).unwrap()["data"].clone();
        let value = |key: &str| STANDARD.decode(data[key].as_str().unwrap()).unwrap();
        assert_eq!(value("KEY"), VALUE.as_bytes());
        assert_eq!(value("COOKIE").len(), 43);
        let canary = Canary::new(VALUE);
        let bundles = fs::read_dir(self.folder.join("bundles")).unwrap();
        let bundles = bundles.map(|file| file.unwrap().path());
        for file in bundles.chain([self.sealed(), self.folder.join("index.json")]) {
            assert_eq!(canary.in_bytes(&fs::read(&file).unwrap()), None, "{file:?}");
        }
        assert_eq!(canary.in_bytes(ran.stderr.as_bytes()), None);
        namespace
    }

    fn what_others_may_read_is_refused(&self, namespace: &str) {
        self.cluster.delete(&secret(namespace));
        fs::set_permissions(self.sealed(), fs::Permissions::from_mode(0o644)).unwrap();
        let said = self.run_once().expect(5).stderr;
        assert!(said.contains("chmod 600"), "{said}");
        assert!(self.cluster.get(&secret(namespace)).is_none());
        fs::set_permissions(self.sealed(), fs::Permissions::from_mode(0o600)).unwrap();
        self.run_once().expect(0);
        assert!(self.cluster.get(&secret(namespace)).is_some());
    }

    /// Two keys' values in each other's place, and no signature: what a stranger could make.
    fn what_is_not_signed_is_refused(&self, namespace: &str) {
        self.cluster.delete(&secret(namespace));
        let whole = fs::read_to_string(self.sealed()).unwrap();
        let mut unsigned: Value = serde_json::from_str(&whole).unwrap();
        let object = unsigned["objects"][0].as_object_mut().unwrap();
        assert!(object.remove("signature").is_some());
        for (forged, told) in [
            (unsigned.to_string(), "it is not signed"),
            (
                whole.replacen("\"ciphertext\":\"", "\"ciphertext\":\"AAAA", 1),
                "does not fit",
            ),
            (
                r#"{"schema":"starform.sealed-file/v1","objects":[]}"#.to_owned(),
                "starform-shuttle export",
            ),
        ] {
            fs::write(self.sealed(), forged).unwrap();
            let said = self.run_once().expect(5).stderr;
            assert!(said.contains(told), "{told}: {said}");
            assert!(self.cluster.get(&secret(namespace)).is_none());
        }
        fs::write(self.sealed(), whole).unwrap();
        self.run_once().expect(0);
        assert!(self.cluster.get(&secret(namespace)).is_some());
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn secret(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/api--production")
}
