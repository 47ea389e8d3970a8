//! Volumes and releases on a real API server: what runs when, what is kept, what goes by its name.

use serde_json::Value;

use crate::support::{
    cluster::Cluster,
    embedded::{apply, starform_in},
    process::Ran,
    project::Project,
};

const LEDGER: &str = r#"project ledger contract=1 {
  environment production branch=main
  web api {
    image "registry.test/api:1"
    release "bin/migrate" timeout="2m"
    port 8080
    volume data mount="/data" size="1Gi"
    vars { LEVEL info; }
  }
  worker mailer { image "registry.test/mailer:1"; }
}
"#;

struct Ledger {
    cluster: Cluster,
    project: Project,
}

/// One cluster, one story: a cluster costs seconds to start.
#[test]
fn a_ledger_with_a_disk_and_a_release() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let ledger = Ledger {
        cluster,
        project: Project::new(LEDGER),
    };
    ledger.a_release_runs_once_before_its_service();
    ledger.a_failed_release_stops_its_service_alone();
    ledger.a_person_tries_it_again();
    ledger.going_back_runs_nothing();
    ledger.a_volume_grows_and_never_shrinks();
    ledger.what_is_left_out_stays_until_it_is_destroyed_by_name();
}

impl Ledger {
    fn a_release_runs_once_before_its_service(&self) {
        let planned = self.starform(&["plan", "--full"]).expect(0).stdout;
        assert!(planned.contains("+ Job api--production-r-"), "{planned}");
        self.apply().expect(0);
        let jobs = self.jobs();
        let [job] = &jobs[..] else {
            panic!("one Job, not {jobs:#?}");
        };
        assert_eq!(job["status"]["succeeded"], 1);
        assert!(text(&job["metadata"]["name"]).starts_with("api--production-r-"));
        let deployment = self.deployment("api--production");
        let began = text(&deployment["metadata"]["creationTimestamp"]).to_owned();
        let ended = text(&job["status"]["completionTime"]).to_owned();
        assert!(
            ended <= began,
            "the Job ended at {ended}, the Deployment is of {began}"
        );
        assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate");
        assert_eq!(deployment["status"]["availableReplicas"], 1);
        assert_eq!(self.claim()["status"]["phase"], "Bound");
        self.is_not_reached(job);
        let again = self.starform(&["plan", "--exit-code"]).expect(0).stdout;
        assert!(again.contains("No changes."), "{again}");
        let before = self.jobs();
        self.apply().expect(0);
        assert_eq!(self.jobs(), before, "a second apply runs nothing");
        self.project
            .replace("port 8080", "port 8080\n    drain grace=\"20s\"");
        self.apply().expect(0);
        assert_eq!(
            self.jobs(),
            before,
            "a change that no release depends on runs nothing"
        );
    }

    /// A release's pod gets no traffic and stops no drain.
    fn is_not_reached(&self, job: &Value) {
        let name = text(&job["metadata"]["name"]);
        let pods = self.list("/api/v1", &format!("pods?labelSelector=job-name={name}"));
        let [pod] = &pods[..] else {
            panic!("one pod of {name}: {pods:#?}");
        };
        assert_eq!(pod["metadata"]["labels"]["starform.io/role"], "release");
        let slices = self.list("/apis/discovery.k8s.io/v1", "endpointslices");
        let ends = slices
            .iter()
            .filter_map(|slice| slice["endpoints"].as_array())
            .flatten();
        let names: Vec<&str> = ends.map(|end| text(&end["targetRef"]["name"])).collect();
        assert!(
            !names.is_empty() && !names.contains(&text(&pod["metadata"]["name"])),
            "{names:?}"
        );
    }

    fn a_failed_release_stops_its_service_alone(&self) {
        self.project
            .replace("registry.test/api:1", "registry.test/api:behave-jobonce1");
        self.project
            .replace("registry.test/mailer:1", "registry.test/mailer:2");
        let applied = self.apply().expect(5);
        let told = format!("{}{}", applied.stdout, applied.stderr);
        assert!(
            told.contains("api") && told.contains("exit code 1"),
            "{told}"
        );
        let image = |name| {
            self.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"].clone()
        };
        assert_eq!(image("api--production"), "registry.test/api:1");
        assert_eq!(image("mailer--production"), "registry.test/mailer:2");
        let api = self.deployment("api--production");
        assert_eq!(
            api["status"]["availableReplicas"], 1,
            "the old pod serves on"
        );
        let status = self.starform(&["status"]).expect(0).stdout;
        // A reason may go on in the next line.
        let words: Vec<&str> = status.split_whitespace().collect();
        assert!(
            status.contains("✗ api") && words.join(" ").contains("exit code 1"),
            "{status}"
        );
        let failed = self.failed_jobs();
        self.apply().expect(5);
        assert_eq!(self.failed_jobs(), failed, "nobody tries it again unasked");
    }

    fn a_person_tries_it_again(&self) {
        let failed = self.failed_jobs();
        assert!(failed.len() == 1 && failed[0].ends_with("-1"), "{failed:?}");
        let resumed = self
            .starform(&["apply", "--auto-approve", "--resume"])
            .expect(0);
        assert!(
            resumed.stdout.contains("release.attempt"),
            "{}",
            resumed.stdout
        );
        let jobs = self.jobs();
        let names: Vec<&str> = jobs
            .iter()
            .map(|job| text(&job["metadata"]["name"]))
            .collect();
        let stem = failed[0].strip_suffix("-1").unwrap();
        assert_eq!(names, [format!("{stem}-2")], "the failed one made room");
        let image = &self.deployment("api--production")["spec"]["template"]["spec"]["containers"]
            [0]["image"];
        assert_eq!(image, "registry.test/api:behave-jobonce1");
        self.starform(&["plan", "--exit-code"]).expect(0);
    }

    /// What completed once is not run again, although its Job is gone.
    fn going_back_runs_nothing(&self) {
        self.project
            .replace("registry.test/api:behave-jobonce1", "registry.test/api:1");
        self.apply().expect(0);
        assert_eq!(self.jobs(), Vec::<Value>::new());
        let image = &self.deployment("api--production")["spec"]["template"]["spec"]["containers"]
            [0]["image"];
        assert_eq!(image, "registry.test/api:1");
        let status = self.starform(&["status"]).expect(0).stdout;
        assert!(status.contains("✓ api"), "{status}");
        self.starform(&["plan", "--exit-code"]).expect(0);
    }

    fn a_volume_grows_and_never_shrinks(&self) {
        self.project.replace("size=\"1Gi\"", "size=\"2Gi\"");
        self.apply().expect(0);
        assert_eq!(
            self.claim()["spec"]["resources"]["requests"]["storage"],
            "2Gi"
        );
        self.project.replace("size=\"2Gi\"", "size=\"1Gi\"");
        let refused = self.apply().expect(4);
        assert!(refused.stderr.contains("SF6111"), "{}", refused.stderr);
        self.project.replace("size=\"1Gi\"", "size=\"2Gi\"");
    }

    fn what_is_left_out_stays_until_it_is_destroyed_by_name(&self) {
        let claim = self.claim();
        self.project
            .replace("    volume data mount=\"/data\" size=\"2Gi\"\n", "");
        let left = self.apply().expect(0);
        assert!(left.stdout.contains("SF6113"), "{}", left.stdout);
        let strategy = self.deployment("api--production")["spec"]["strategy"]["type"].clone();
        assert_eq!(strategy, "RollingUpdate");
        let uid = |claim: &Value| claim["metadata"]["uid"].clone();
        assert_eq!(uid(&self.claim()), uid(&claim));
        let status = self.starform(&["status"]).expect(0).stdout;
        assert!(
            status.contains("volume api.data is left behind"),
            "{status}"
        );
        self.say_goodbye("keep");
        let kept = self.apply().expect(0);
        assert!(!kept.stdout.contains("SF6113"), "{}", kept.stdout);
        assert!(!kept.stderr.contains("no plan lists it"), "{}", kept.stderr);
        assert_eq!(uid(&self.claim()), uid(&claim));
        self.project.replace("data=keep", "data=destroy");
        let destroyed = self.apply().expect(0);
        let said = "api--production--data  is destroyed";
        assert!(destroyed.stdout.contains(said), "{}", destroyed.stdout);
        let claims = self.list("/api/v1", "persistentvolumeclaims");
        assert_eq!(claims, Vec::<Value>::new());
        assert_eq!(
            self.deployment("api--production")["status"]["availableReplicas"],
            1
        );
        self.starform(&["plan", "--exit-code"]).expect(0);
    }

    fn say_goodbye(&self, data: &str) {
        let line = format!("  removed volume api.data data={data}\n  worker mailer");
        self.project.replace("  worker mailer", &line);
    }

    fn apply(&self) -> Ran {
        apply(&self.cluster, &self.project)
    }

    fn starform(&self, words: &[&str]) -> Ran {
        starform_in(&self.cluster, &self.project, words)
    }

    fn namespace(&self) -> String {
        self.cluster.namespace("ledger").unwrap()
    }

    fn list(&self, api: &str, what: &str) -> Vec<Value> {
        self.cluster
            .list(&format!("{api}/namespaces/{}/{what}", self.namespace()))
    }

    fn jobs(&self) -> Vec<Value> {
        self.list("/apis/batch/v1", "jobs")
    }

    fn failed_jobs(&self) -> Vec<String> {
        let jobs = self.jobs();
        let failed = jobs.iter().filter(|job| job["status"]["failed"] == 1);
        failed
            .map(|job| text(&job["metadata"]["name"]).to_owned())
            .collect()
    }

    fn deployment(&self, name: &str) -> Value {
        let path = format!(
            "/apis/apps/v1/namespaces/{}/deployments/{name}",
            self.namespace()
        );
        self.cluster.get(&path).unwrap()
    }

    fn claim(&self) -> Value {
        let name = "api--production--data";
        let path = format!(
            "/api/v1/namespaces/{}/persistentvolumeclaims/{name}",
            self.namespace()
        );
        self.cluster.get(&path).unwrap()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
