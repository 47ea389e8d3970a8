//! The whole life of a project through a control plane and an agent inside its fence: releases that run
//! once, a volume that outlives its service, and deletion up to the Namespace, next to a neighbour that
//! sees nothing of it.

use std::time::Duration;

use serde_json::Value;

use crate::support::{
    cluster::{Audited, Cluster},
    platform::Platform,
    process::{Ran, run_with},
    project::Project,
    standing::{Standing, staging_alone_is_gone},
    wait_for,
};

const AGENT: &str = "starform-shuttle";
const AGENT_USER: &str = "system:serviceaccount:starform-system:starform-shuttle";

/// An autoscaler looks every 15 s.
const PATIENCE: Duration = Duration::from_secs(60);

const LEDGER: &str = r#"project ledger contract=1 {
  environment staging branch=staging
  environment production branch=main
  var-group database { DSN (secret)dsn; }
  web api {
    image "registry.test/api:1"
    release "bin/migrate" timeout="2m"
    port 8080
    use database
    vars { COOKIE (generate)bytes32; }
    in production {
      image "registry.test/api:2"
      scale min=2 max=3 cpu=75
    }
  }
  private db {
    image "registry.test/db:1"
    port 5432 protocol=tcp
    volume data mount="/data" size="1Gi"
  }
  private cache {
    image "registry.test/cache:1"
    port 6379 protocol=tcp
    volume dump mount="/dump" size="1Gi"
  }
}
"#;

/// Without an autoscaler, which would scale it while the story goes on.
const NEIGHBOUR: &str = r#"project neighbour contract=1 {
  environment production branch=main
  web api {
    image "registry.test/api:1"
    release "bin/migrate"
    port 8080
    vars { COOKIE (generate)bytes32; }
    scale 2
  }
  private db {
    image "registry.test/db:1"
    port 5432 protocol=tcp
    volume data mount="/data" size="1Gi"
  }
}
"#;

struct Scene {
    cluster: Cluster,
    platform: Platform,
    ledger: Project,
    neighbour: Project,
}

/// One cluster, one story: a cluster and its platform cost seconds to start.
#[test]
fn a_project_lives_and_ends_beside_another() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut scene = Scene {
        platform: Platform::start(&cluster),
        cluster,
        ledger: Project::new(LEDGER),
        neighbour: Project::new(NEIGHBOUR),
    };
    let before = scene.both_are_there();
    scene.a_release_runs_once_in_each_environment();
    scene.another_image_is_another_release();
    scene.a_failed_release_keeps_what_serves();
    scene.a_person_tries_it_again();
    scene.a_volume_outlives_its_service_until_it_is_named();
    scene.an_environment_goes_alone();
    scene.a_kept_volume_keeps_the_namespace();
    scene.with_the_volume_the_namespace_goes();
    scene.nothing_is_left_but_history();
    assert_eq!(scene.cluster.standing("neighbour"), before);
    let next = scene
        .platform
        .starform(&scene.neighbour, &["plan", "--exit-code"]);
    next.expect(0);
    scene.nothing_was_refused_and_all_was_impersonated();
    scene.platform.agent.as_mut().unwrap().assert_running();
}

impl Scene {
    /// What stands of the neighbour.
    fn both_are_there(&self) -> Standing {
        self.platform.create_project("neighbour");
        self.platform.apply(&self.neighbour).expect(0);
        self.platform.create_project("ledger");
        for environment in ["staging", "production"] {
            let mut command = self.platform.command(&self.ledger);
            command.args(["secret", "set", "dsn", "--env", environment]);
            run_with(&mut command, "postgres://one\n").expect(0);
        }
        self.apply().expect(0);
        self.settled("neighbour")
    }

    fn a_release_runs_once_in_each_environment(&self) {
        let jobs = self.jobs();
        let names: Vec<&str> = jobs.iter().map(name).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        for (job, environment) in jobs.iter().zip(["production", "staging"]) {
            assert!(name(job).starts_with(&format!("api--{environment}-r-")));
            assert_eq!(job["status"]["succeeded"], 1, "{job}");
            let deployment = self.deployment(&format!("api--{environment}"));
            let ended = job["status"]["completionTime"].as_str().unwrap();
            let began = deployment["metadata"]["creationTimestamp"]
                .as_str()
                .unwrap();
            assert!(ended <= began, "released at {ended}, started at {began}");
        }
        let claims = self.list("/api/v1", "persistentvolumeclaims");
        assert_eq!(claims.len(), 4);
        assert!(
            claims
                .iter()
                .all(|claim| claim["status"]["phase"] == "Bound")
        );
        self.starform(&["plan", "--exit-code"]).expect(0);
        self.apply().expect(0);
        assert_eq!(self.jobs(), jobs, "a second apply runs nothing");
    }

    fn another_image_is_another_release(&self) {
        let before = self.names_of_jobs();
        self.ledger
            .replace("registry.test/api:2", "registry.test/api:3");
        self.apply().expect(0);
        let after = self.jobs();
        let [released, staging] = &after[..] else {
            panic!("one Job an environment: {after:#?}");
        };
        assert_ne!(name(released), before[0]);
        assert_eq!(name(staging), before[1], "nothing changed there");
        assert_eq!(released["status"]["succeeded"], 1);
        assert_eq!(self.image("api--production"), "registry.test/api:3");
    }

    fn a_failed_release_keeps_what_serves(&self) {
        self.ledger
            .replace("registry.test/api:3", "registry.test/api:behave-jobonce1");
        let applied = self.production(&["apply", "--auto-approve"]).expect(5);
        let told = format!("{}{}", applied.stdout, applied.stderr);
        assert!(
            told.contains("api") && told.contains("exit code 1"),
            "{told}"
        );
        assert_eq!(self.image("api--production"), "registry.test/api:3");
        let api = self.deployment("api--production");
        let serving = api["status"]["availableReplicas"].as_u64();
        assert!(serving >= Some(1), "the old pods serve on");
        let status = self.production(&["status"]).expect(0).stdout;
        let unwrapped: Vec<&str> = status.split_whitespace().collect();
        let unwrapped = unwrapped.join(" ");
        assert!(
            unwrapped.contains("✗ api") && unwrapped.contains("exit code 1"),
            "{status}"
        );
        let failed = self.failed_jobs();
        assert!(failed.len() == 1 && failed[0].ends_with("-1"), "{failed:?}");
        self.production(&["apply", "--auto-approve"]).expect(5);
        assert_eq!(self.failed_jobs(), failed, "nobody tries it again unasked");
    }

    fn a_person_tries_it_again(&self) {
        let failed = self.failed_jobs();
        self.production(&["apply", "--auto-approve", "--resume"])
            .expect(0);
        let again = format!("{}-2", failed[0].strip_suffix("-1").unwrap());
        let names = self.names_of_jobs();
        assert!(
            names.contains(&again) && !names.contains(&failed[0]),
            "{names:?}"
        );
        assert_eq!(
            self.image("api--production"),
            "registry.test/api:behave-jobonce1"
        );
        self.production(&["plan", "--exit-code"]).expect(0);
    }

    fn a_volume_outlives_its_service_until_it_is_named(&self) {
        let uid = |name: &str| {
            self.claim(name)
                .map(|claim| claim["metadata"]["uid"].clone())
        };
        let before = uid("cache--production--dump");
        assert!(before.is_some());
        let text = self.ledger.text();
        let (kept, _) = text.split_once("  private cache").unwrap();
        self.ledger.write(&format!("{kept}}}\n"));
        let left = self.apply().expect(0);
        assert!(left.stdout.contains("SF6113"), "{}", left.stdout);
        assert_eq!(uid("cache--production--dump"), before);
        let deployments = self.list("/apis/apps/v1", "deployments");
        assert!(
            deployments
                .iter()
                .all(|one| !name(one).starts_with("cache--"))
        );
        let status = self.starform(&["status"]).expect(0).stdout;
        assert!(
            status.contains("volume cache.dump is left behind"),
            "{status}"
        );
        let word = "  removed volume cache.dump data=destroy\n  private db";
        self.ledger.replace("  private db", word);
        let destroyed = self.apply().expect(0);
        let said = "cache--production--dump  is destroyed";
        assert!(destroyed.stdout.contains(said), "{}", destroyed.stdout);
        assert_eq!(uid("cache--production--dump"), None);
        assert_eq!(uid("cache--staging--dump"), None);
        self.starform(&["plan", "--exit-code"]).expect(0);
    }

    fn an_environment_goes_alone(&self) {
        let before = self.settled("ledger");
        self.ledger
            .replace("  environment staging branch=staging\n", "");
        let words = [
            "environment",
            "delete",
            "staging",
            "--destroy",
            "db.data",
            "--auto-approve",
        ];
        self.starform(&words).expect(0);
        staging_alone_is_gone(&before, &self.cluster.standing("ledger"));
        self.starform(&["plan", "--exit-code"]).expect(0);
    }

    fn a_kept_volume_keeps_the_namespace(&self) {
        let namespace = self.namespace();
        let deleted = self
            .starform(&["project", "delete", "ledger", "--auto-approve"])
            .expect(0);
        let said = "PersistentVolumeClaim db--production--data";
        assert!(deleted.stdout.contains(said), "{}", deleted.stdout);
        let left = [
            "namespaces",
            "persistentvolumeclaims db--production--data",
            "rolebindings starform-applier",
        ];
        assert_eq!(self.cluster.ours(&namespace), left);
        let listed = self.projects(&[]);
        assert!(
            listed.contains("deleted, but its Namespace is still there"),
            "{listed}"
        );
    }

    /// Its name is free, and only who asks for it sees it.
    fn nothing_is_left_but_history(&self) {
        assert!(!self.projects(&[]).contains("ledger"));
        let all = self.projects(&["--all"]);
        assert!(
            all.lines()
                .any(|line| line.contains("ledger") && line.ends_with("  deleted")),
            "{all}"
        );
        self.platform.create_project("ledger");
        let planned = self.starform(&["plan"]).expect(0).stdout;
        assert!(planned.contains("nothing is accepted yet"), "{planned}");
        assert!(planned.contains("SF6108"), "its secrets went: {planned}");
        let gone = self.starform(&["project", "delete", "ledger", "--auto-approve"]);
        gone.expect(0);
        assert!(!self.projects(&[]).contains("ledger"));
    }

    fn projects(&self, words: &[&str]) -> String {
        let words = [&["project", "list"], words].concat();
        self.starform(&words).expect(0).stdout
    }

    fn with_the_volume_the_namespace_goes(&self) {
        let namespace = self.namespace();
        let mark = self.cluster.audit_mark();
        let words = [
            "project",
            "delete",
            "ledger",
            "--destroy",
            "db.data",
            "--auto-approve",
        ];
        self.starform(&words).expect(0);
        assert_eq!(
            self.cluster.get(&format!("/api/v1/namespaces/{namespace}")),
            None
        );
        let gone = self.cluster.audited(mark, AGENT).into_iter();
        let gone = gone.filter(|request| {
            let within = request.namespace == namespace || request.name == namespace;
            request.verb == "delete" && request.code < 300 && within
        });
        let gone: Vec<String> = gone.map(|request| request.resource).collect();
        assert_eq!(gone, ["persistentvolumeclaims", "namespaces"]);
    }

    /// What the agent may do as itself is a project's Namespace and the rights in it, and its own.
    fn nothing_was_refused_and_all_was_impersonated(&self) {
        let requests = self.cluster.audited(0, AGENT);
        assert!(requests.iter().all(|request| request.user == AGENT_USER));
        let refused: Vec<&Audited> = requests
            .iter()
            .filter(|request| request.code == 403)
            .collect();
        assert!(refused.is_empty(), "{refused:#?}");
        let own = |request: &Audited| ["namespaces", "rolebindings"].contains(&&*request.resource);
        let tenants = requests
            .iter()
            .filter(|request| request.namespace.starts_with("sf-"));
        let written: Vec<&Audited> = tenants
            .filter(|request| request.wrote() && !own(request))
            .collect();
        assert!(written.len() > 50, "{}", written.len());
        for request in written {
            let applier = format!(
                "system:serviceaccount:{}:starform-applier",
                request.namespace
            );
            assert_eq!(request.impersonated, Some(applier), "{request:#?}");
        }
    }

    /// What stands of a project once its autoscalers have brought up what they want, and its Jobs' pods
    /// are done.
    fn settled(&self, project: &str) -> Standing {
        let namespace = self.cluster.namespace(project).unwrap();
        let mut last = None;
        wait_for("what stands to stay as it is", PATIENCE, || {
            let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
            let mut apis = self.cluster.list(&path).into_iter();
            let scaled = apis.all(|one| {
                name(&one) != "api--production" || one["status"]["availableReplicas"] == 2
            });
            let now = self.cluster.standing(project);
            let same = last.as_ref() == Some(&now);
            last = Some(now);
            last.clone().filter(|_| same && scaled)
        })
    }

    fn apply(&self) -> Ran {
        self.platform.apply(&self.ledger)
    }

    fn starform(&self, words: &[&str]) -> Ran {
        self.platform.starform(&self.ledger, words)
    }

    fn production(&self, words: &[&str]) -> Ran {
        self.starform(&[words, &["--env", "production"]].concat())
    }

    fn namespace(&self) -> String {
        self.cluster.namespace("ledger").unwrap()
    }

    fn list(&self, api: &str, what: &str) -> Vec<Value> {
        let namespace = self.namespace();
        self.cluster
            .list(&format!("{api}/namespaces/{namespace}/{what}"))
    }

    fn jobs(&self) -> Vec<Value> {
        self.list("/apis/batch/v1", "jobs")
    }

    fn names_of_jobs(&self) -> Vec<String> {
        self.jobs().iter().map(|job| name(job).to_owned()).collect()
    }

    fn failed_jobs(&self) -> Vec<String> {
        let jobs = self.jobs().into_iter();
        let failed = jobs.filter(|job| job["status"]["failed"] == 1);
        failed.map(|job| name(&job).to_owned()).collect()
    }

    fn deployment(&self, name: &str) -> Value {
        let namespace = self.namespace();
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
        self.cluster.get(&path).unwrap()
    }

    fn image(&self, deployment: &str) -> String {
        let deployment = self.deployment(deployment);
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap().to_owned()
    }

    fn claim(&self, name: &str) -> Option<Value> {
        let namespace = self.namespace();
        self.cluster.get(&format!(
            "/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"
        ))
    }
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}
