//! What the cluster itself says of a plan, through a control plane and an agent: told beside the plan, and
//! a dry-run less at its apply.

use std::time::Duration;

use crate::support::{
    cluster::{Audited, Cluster},
    platform::Platform,
    project::{GOOD, Project},
    wait_for,
};

const AGENT: &str = "starform-shuttle";

struct Scene {
    cluster: Cluster,
    platform: Platform,
    project: Project,
}

#[test]
fn a_cluster_verifies_what_plans_write() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let scene = Scene {
        platform: Platform::start(&cluster),
        cluster,
        project: Project::new(GOOD),
    };
    scene.platform.create_project("hello");
    scene.what_is_not_there_cannot_be_tried();
    scene.platform.apply(&scene.project).expect(0);
    scene.one_image_is_one_request();
}

impl Scene {
    fn what_is_not_there_cannot_be_tried(&self) {
        let told = wait_for("the agent to ask for work", Duration::from_secs(20), || {
            let told = self.plan().stdout;
            told.contains("verified").then_some(told)
        });
        assert!(told.contains("is not there yet"), "{told}");
        assert!(
            told.contains("verified by cluster test: 1 accepted\n"),
            "the Namespace itself can be tried: {told}"
        );
    }

    fn one_image_is_one_request(&self) {
        self.project.replace("sha256:0f", "sha256:1f");
        let told = self.plan();
        let said = "verified by cluster test: 1 accepted\n";
        assert!(told.stdout.ends_with(said), "{}", told.stdout);
        let plans = self.starform(&["plan", "--format", "json"]).json();
        let plan = &plans["plans"][0];
        let id = plan["plan_id"].as_str().unwrap();
        let verified = &plans["verifications"][id];
        assert_eq!(verified["state"], "answered", "{verified}");
        assert_eq!(
            verified["verdicts"][0]["digest"],
            plan["objects"][0]["after"]
        );
        self.quiet();
        let mark = self.cluster.audit_mark();
        self.starform(&["apply", id, "--auto-approve"]);
        let outside: Vec<Audited> = self
            .cluster
            .audited(mark, AGENT)
            .into_iter()
            .filter(|request| request.namespace != "starform-system" && request.verb != "watch")
            .collect();
        let [only] = &outside[..] else {
            panic!("{outside:#?}");
        };
        assert_eq!(
            (only.verb.as_str(), only.resource.as_str()),
            ("patch", "deployments")
        );
        assert!(only.wrote(), "{only:?}");
    }

    /// Nothing of an earlier apply is under way any more.
    fn quiet(&self) {
        wait_for("the agent to be quiet", Duration::from_secs(30), || {
            let mark = self.cluster.audit_mark();
            std::thread::sleep(Duration::from_secs(1));
            let requests = self.cluster.audited(mark, AGENT);
            requests.iter().all(|one| one.verb == "watch").then_some(())
        });
    }

    fn plan(&self) -> crate::support::process::Ran {
        self.starform(&["plan"])
    }

    fn starform(&self, words: &[&str]) -> crate::support::process::Ran {
        self.platform.starform(&self.project, words).expect(0)
    }
}
