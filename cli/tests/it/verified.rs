//! What the cluster itself says of a plan, through a control plane and an agent: told beside the plan, and
//! a dry-run less at its apply.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    cluster::{Audited, Cluster},
    platform::Platform,
    project::{GOOD, Project},
    wait_for,
};

const AGENT: &str = "starform-shuttle";

fn deployments() -> Value {
    json!({"resourceRules": [{
        "apiGroups": ["apps"], "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["deployments"],
    }]})
}

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
    scene.what_a_policy_forbids_is_told();
    scene.what_a_policy_changes_is_told();
    scene.what_is_somebody_elses_is_told_and_so_is_a_quota();
    let mut scene = scene;
    scene.without_the_agent_a_plan_says_so();
}

impl Scene {
    fn what_is_not_there_cannot_be_tried(&self) {
        let told = self.told("is not there yet");
        assert!(
            told.contains("against the schema of cluster test alone"),
            "{told}"
        );
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

    fn what_a_policy_forbids_is_told(&self) {
        let expression = "object.spec.replicas != 9";
        self.policy(
            "validatingadmissionpolicies",
            "few",
            &json!({
                "matchConstraints": deployments(),
                "validations": [{"expression": expression, "message": "at most eight"}],
            }),
            &json!({"policyName": "few", "validationActions": ["Deny"]}),
        );
        self.project.replace("port 8080", "port 8080\n    scale 9");
        let told = self.told("rejected[SF6123] Deployment api--production");
        assert!(told.contains("at most eight"), "{told}");
        assert!(
            told.contains("verified by cluster test: ") && told.contains("1 rejected"),
            "{told}"
        );
        let sarif = self.starform(&["plan", "--format", "sarif"]).stdout;
        assert!(
            sarif.contains("SF6123") && sarif.contains("startLine"),
            "{sarif}"
        );
        let exit = self
            .platform
            .starform(&self.project, &["plan", "--exit-code"]);
        exit.expect(2);
    }

    /// Only paths are told.
    fn what_a_policy_changes_is_told(&self) {
        let patch = "[JSONPatch{op: \"replace\", path: \"/spec/template/spec/containers/0/image\", value: \"mirror.test/canary:1\"}]";
        self.policy(
            "mutatingadmissionpolicies",
            "mirror",
            &json!({
                "matchConstraints": deployments(),
                "matchConditions": [{"name": "seven", "expression": "object.spec.replicas == 7"}],
                "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
            }),
            &json!({"policyName": "mirror"}),
        );
        self.project.replace("scale 9", "scale 7");
        let told = self.told("changed[SF6125] Deployment api--production");
        assert!(
            told.contains("containers[app].image") && !told.contains("canary"),
            "{told}"
        );
        self.project.replace("\n    scale 7", "");
    }

    fn what_is_somebody_elses_is_told_and_so_is_a_quota(&self) {
        let namespace = self.cluster.namespace("hello").unwrap();
        let services = format!("/api/v1/namespaces/{namespace}/services");
        self.cluster.create(
            &services,
            &json!({
                "metadata": {"name": "other--production"},
                "spec": {"ports": [{"port": 81}], "selector": {"own": "yes"}},
            }),
        );
        let quotas = format!("/api/v1/namespaces/{namespace}/resourcequotas");
        self.cluster.create(
            &quotas,
            &json!({
                "metadata": {"name": "small"},
                "spec": {"hard": {"count/deployments.apps": "1"}},
            }),
        );
        let other =
            "  web other {\n    image \"registry.test/other:1\"\n    port 8080\n  }\n  web api {";
        self.project.replace("  web api {", other);
        let told = self.told("owned by others[SF6124] Service other--production");
        assert!(told.contains("spec.selector, stated by"), "{told}");
        let told = self.told("exceeded quota");
        assert!(
            told.contains("rejected[SF6123] Deployment other--production"),
            "{told}"
        );
        let mine = self.starform(&["plan", "--verify-wait", "0"]).stdout;
        assert!(
            mine.contains("not verified: the agent of cluster test has not answered for"),
            "{mine}"
        );
    }

    fn without_the_agent_a_plan_says_so(&mut self) {
        self.platform.agent = None;
        self.project.replace("other:1", "other:2");
        let told = self.starform(&["plan", "--verify-wait", "1s"]).stdout;
        assert!(
            told.contains("not verified: the agent of cluster test has not answered for 1 s"),
            "{told}"
        );
    }

    fn policy(&self, resource: &str, name: &str, spec: &Value, binding: &Value) {
        let group = "/apis/admissionregistration.k8s.io/v1";
        let metadata = json!({"name": name});
        let policy = json!({"metadata": metadata, "spec": spec});
        self.cluster.create(&format!("{group}/{resource}"), &policy);
        let bindings = resource.replace("policies", "policybindings");
        let binding = json!({"metadata": metadata, "spec": binding});
        self.cluster
            .create(&format!("{group}/{bindings}"), &binding);
    }

    /// The plan, once it says so: policies and quotas take a moment.
    fn told(&self, what: &str) -> String {
        wait_for(what, Duration::from_secs(30), || {
            let told = self.plan().stdout.replace("\n  ↳ ", " ");
            told.contains(what).then_some(told)
        })
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
