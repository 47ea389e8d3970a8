//! What a newer Starform wrote is told as that, with the side to upgrade, wherever a command meets it.
//!
//! Effects: runs `starform`; the last one on a real API server.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use starform_contract::{Digest, Generation};
use starform_shuttle::persist::pack;

use crate::support::{
    cluster::Cluster,
    embedded::{apply, starform_in},
    process::{Ran, run, starform},
    project::Project,
};

const HELLO: &str = r#"project hello {
  environment production branch=main
  worker api { image "registry.test/api:1"; }
}
"#;

/// The file with every `name/v1` in it made `name/v2`.
fn made_newer(file: &Path, name: &str) {
    let text = fs::read_to_string(file).unwrap();
    let newer = text.replace(&format!("{name}/v1"), &format!("{name}/v2"));
    assert_ne!(newer, text);
    fs::write(file, newer).unwrap();
}

fn tells(ran: &Ran, name: &str, place: &str) {
    let told = format!(
        "it is of schema `{name}/v2`, which a newer Starform wrote, and `{name}/v1` is understood here; upgrade the side that reads it"
    );
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    assert!(ran.stderr.contains(place), "{}", ran.stderr);
}

#[test]
fn plan_files_and_kept_plans_of_a_newer_version_are_told() {
    let project = Project::new(HELLO);
    let file = project.path().join("plan.json");
    for name in ["starform.plans", "starform.plan", "starform.bundle"] {
        project.run(&["plan", "--out", "plan.json"]).expect(0);
        made_newer(&file, name);
        tells(
            &project.run(&["show", "plan.json"]).expect(1),
            name,
            "plan.json",
        );
        let applied = ["apply", "plan.json", "--auto-approve"];
        tells(&project.run(&applied).expect(1), name, "plan.json");
    }
    let kept = fs::read_dir(project.path().join(".starform/plans")).unwrap();
    let kept = kept.map(|file| file.unwrap().path()).next().unwrap();
    made_newer(&kept, "starform.plans");
    let id = kept.file_stem().unwrap().to_string_lossy().into_owned();
    tells(
        &project.run(&["show", &id]).expect(1),
        "starform.plans",
        &id,
    );
}

#[test]
fn what_was_seen_by_a_newer_version_is_left_aside_and_told() {
    let project = Project::new(HELLO);
    let folder = project.path().join(".starform");
    fs::create_dir(&folder).unwrap();
    let seen = json!({"index": {"schema": "starform.desired-state/v2"}});
    fs::write(folder.join("accepted.json"), seen.to_string()).unwrap();
    let planned = project.run(&["plan"]).expect(0);
    tells(&planned, "starform.desired-state", "accepted.json");
    planned.says(&["made against nothing"]);
}

#[test]
fn an_answer_of_a_newer_control_plane_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let cluster = json!({
        "id": "0191f0a4-0000-7000-8000-000000000001",
        "name": "eu",
        "generation": 1,
        "profile": {"schema": "starform.cluster-profile/v2", "whatever": true},
    });
    let body = json!({"items": [cluster]}).to_string();
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
    });
    let mut command = starform();
    command
        .args(["cluster", "list", "--server", &server])
        .env("STARFORM_TOKEN", "sf_admin_x");
    let listed = run(&mut command).expect(1);
    answering.join().unwrap();
    tells(&listed, "starform.cluster-profile", &server);
}

/// Nothing is planned as if what the cluster keeps were lost.
#[test]
fn what_a_newer_version_keeps_in_the_cluster_is_told() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new(HELLO);
    apply(&cluster, &project).expect(0);
    let plan = || starform_in(&cluster, &project, &["plan"]);
    plan().expect(0);
    let system = "/api/v1/namespaces/starform-system";

    let secret = format!("{system}/secrets/starform-embedded");
    let newer = STANDARD.encode(r#"{"schema":"starform.cluster-profile/v2"}"#);
    // Nothing, which a merge patch takes for removal, where no apply has named one.
    let before = cluster.get(&secret).unwrap()["data"]["profile.json"].clone();
    cluster.patch(&secret, &json!({"data": {"profile.json": newer}}));
    tells(
        &plan().expect(1),
        "starform.cluster-profile",
        "starform-embedded",
    );
    cluster.patch(&secret, &json!({"data": {"profile.json": before}}));

    for (kept, name, place) in [
        ("bundle", "starform.bundle", "bundle sha256:"),
        (
            "index",
            "starform.desired-state",
            "starform-system/starform-index",
        ),
    ] {
        let selector = format!("labelSelector=starform.io/stores%3D{kept}");
        for map in cluster.list(&format!("{system}/configmaps?{selector}")) {
            cluster.patch(
                &path(system, &map),
                &json!({"binaryData": newer_part(name)}),
            );
        }
        tells(&plan().expect(1), name, place);
        let applied = starform_in(&cluster, &project, &["apply", "--auto-approve"]);
        tells(&applied.expect(1), name, place);
    }
}

fn path(system: &str, map: &Value) -> String {
    format!(
        "{system}/configmaps/{}",
        map["metadata"]["name"].as_str().unwrap()
    )
}

/// A document of which nothing but its schema is known.
fn newer_part(name: &str) -> Value {
    let document = json!({"schema": format!("{name}/v2"), "else": []}).to_string();
    let parts = pack(
        document.as_bytes(),
        &Digest::of_bytes(b""),
        Generation::new(1),
    );
    let [part] = &parts[..] else {
        panic!("one part")
    };
    part.to_config_map("part", "bundle")["binaryData"].clone()
}
