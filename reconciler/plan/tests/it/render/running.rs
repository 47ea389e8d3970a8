//! As whom pods run, what they keep, and what runs before them.
//!
//! Pure.

use serde_json::json;
use starform_contract::model::RunAs;

use super::{object_of, rendered};
use crate::sample::shop;

#[test]
fn pods_run_as_whom_the_service_says() {
    let contexts = |run_as: RunAs| {
        let mut state = shop();
        for service in &mut state.services {
            service.model.run_as = run_as;
        }
        let rendered = rendered(&state);
        let report = object_of(&rendered, "report", "CronJob");
        let run = &report["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        let deployment = object_of(&rendered, "catalog", "Deployment");
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"], run["securityContext"]);
        let container = pod["containers"][0]["securityContext"].clone();
        assert_eq!(container, run["containers"][0]["securityContext"]);
        (pod["securityContext"].clone(), container)
    };
    let seccomp = json!({ "type": "RuntimeDefault" });
    let numbered = |user: u32, group: u32, non_root: bool| {
        json!({
            "fsGroup": group, "runAsGroup": group, "runAsNonRoot": non_root, "runAsUser": user,
            "seccompProfile": seccomp,
        })
    };
    let restricted =
        json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
    let user = RunAs::User {
        user: 1000,
        group: 2000,
    };
    assert_eq!(
        contexts(RunAs::Default),
        (numbered(10_001, 10_001, true), restricted.clone())
    );
    assert_eq!(
        contexts(user),
        (numbered(1000, 2000, true), restricted.clone())
    );
    let image = json!({ "fsGroup": 10_001, "runAsNonRoot": true, "seccompProfile": seccomp });
    assert_eq!(contexts(RunAs::Image), (image, restricted));
    let (pod, container) = contexts(RunAs::Root);
    assert_eq!(pod, numbered(0, 0, false));
    let added = [
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "NET_BIND_SERVICE",
        "SETGID",
        "SETUID",
    ];
    assert_eq!(
        container["capabilities"],
        json!({ "add": added, "drop": ["ALL"] })
    );
    assert_eq!(container["allowPrivilegeEscalation"], false);
}
