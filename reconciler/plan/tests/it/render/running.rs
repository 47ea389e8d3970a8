//! As whom pods run, what they keep, and what runs before them.
//!
//! Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starform_contract::{
    ClusterProfile, Deletion, EnvironmentState, ServiceModel, VolumeName,
    bundle::Wave,
    model::{Release, RunAs, Running, Size, Variable, Volume, Workload},
    profile::StorageClass,
    quantity::{Cpu, Duration, Memory},
};
use starform_plan::render::{Rendered, render};

use super::{kind, name, object_of, objects, rendered};
use crate::sample::{service_name, shop};

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

#[test]
fn a_disk_is_a_claim_that_stays_and_one_pod_at_a_time_has_it() {
    let state = with_running("catalog", disks());
    let rendered = rendered(&state);
    let claims: Vec<_> = objects(&rendered)
        .into_iter()
        .filter(|object| kind(object) == "PersistentVolumeClaim")
        .collect();
    let names: Vec<&str> = claims.iter().map(|claim| name(claim)).collect();
    assert_eq!(
        names,
        ["catalog--production--data", "catalog--production--scratch"]
    );
    for claim in &claims {
        assert_eq!((claim.wave, claim.deletion), (Wave(2), Deletion::Retain));
    }
    assert_eq!(
        claims[0].manifest["spec"],
        json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "10Gi" } },
            "volumeMode": "Filesystem",
        })
    );
    assert_eq!(claims[1].manifest["spec"]["storageClassName"], "fast");
    let deployment = object_of(&rendered, "catalog", "Deployment");
    assert_eq!(
        deployment["spec"]["strategy"],
        json!({ "type": "Recreate" })
    );
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(
        pod["volumes"],
        json!([
            { "name": "data", "persistentVolumeClaim": { "claimName": "catalog--production--data" } },
            { "name": "scratch", "persistentVolumeClaim": { "claimName": "catalog--production--scratch" } },
        ])
    );
    assert_eq!(
        pod["containers"][0]["volumeMounts"],
        json!([
            { "name": "data", "mountPath": "/data" },
            { "name": "scratch", "mountPath": "/scratch" },
        ])
    );
    let context = &pod["securityContext"];
    assert_eq!(context["fsGroup"], 10_001);
    assert_eq!(context["fsGroupChangePolicy"], "OnRootMismatch");
}

#[test]
fn the_profile_says_what_the_cluster_calls_its_classes() {
    let state = with_running("catalog", disks());
    let class = |name: &str, class: &str, default: bool| {
        let class = StorageClass {
            class: class.to_owned(),
            grows: true,
            default,
        };
        (name.to_owned(), class)
    };
    let classes = [
        class("slow", "standard-rwo", true),
        class("fast", "premium-rwo", false),
    ];
    let profile = ClusterProfile {
        storage_classes: classes.into(),
        ..ClusterProfile::default()
    };
    let rendered = render(&state, &profile);
    let classes: Vec<&Value> = objects(&rendered)
        .into_iter()
        .filter(|object| kind(object) == "PersistentVolumeClaim")
        .map(|claim| &claim.manifest["spec"]["storageClassName"])
        .collect();
    assert_eq!(classes, ["standard-rwo", "premium-rwo"]);
}

#[test]
fn a_release_runs_the_services_image_once_with_its_variables_and_none_of_its_disks() {
    let running = Running {
        release: Some(release(1)),
        ..disks()
    };
    let mut state = with_running("catalog", running);
    model(&mut state, "catalog").vars =
        BTreeMap::from([("LEVEL".to_owned(), Variable::Literal("debug".to_owned()))]);
    let rendered = rendered(&state);
    let job = object_of(&rendered, "catalog", "Job");
    let spec = &job["spec"];
    assert_eq!(spec["activeDeadlineSeconds"], 300);
    assert_eq!(spec["backoffLimit"], 0);
    let deployment = object_of(&rendered, "catalog", "Deployment");
    let (pod, serving) = (&spec["template"], &deployment["spec"]["template"]);
    let role = |template: &Value| template["metadata"]["labels"]["starform.io/role"].clone();
    assert_eq!(
        (role(pod), role(serving)),
        (json!("release"), json!("serve"))
    );
    assert_eq!(pod["spec"]["restartPolicy"], "Never");
    assert_eq!(pod["spec"].get("volumes"), None);
    let container = &pod["spec"]["containers"][0];
    let server = &serving["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["bin/migrate", "--all"]));
    for same in ["image", "env", "resources", "securityContext"] {
        assert_eq!(container[same], server[same], "{same}");
    }
    for none in [
        "ports",
        "readinessProbe",
        "livenessProbe",
        "lifecycle",
        "volumeMounts",
    ] {
        assert_eq!(container.get(none), None, "{none}");
    }
    let annotations = |template: &Value| template["metadata"]["annotations"].clone();
    assert_eq!(annotations(pod), annotations(serving));
}

/// A release is another one exactly when what it does may come out otherwise.
#[test]
fn a_job_is_named_after_what_it_runs_and_the_attempt() {
    let job = |change: &dyn Fn(&mut ServiceModel)| {
        let running = Running {
            release: Some(release(1)),
            ..Running::default()
        };
        let mut state = with_running("catalog", running);
        change(model(&mut state, "catalog"));
        job_name(&rendered(&state), "catalog")
    };
    let first = job(&|_| {});
    let (stem, attempt) = first.rsplit_once('-').unwrap();
    assert_eq!(attempt, "1");
    let digits = stem.strip_prefix("catalog--production-r-").unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let again = job(&|model| running_of(model).release = Some(release(2)));
    assert_eq!(again, format!("{stem}-2"));
    let same: [&dyn Fn(&mut ServiceModel); 4] = [
        &|model| model.observability = !model.observability,
        &|model| model.run = vec!["bin/other".to_owned()],
        &|model| {
            model.size = Size {
                cpu: Cpu::from_millicores(700),
                memory: Memory::from_bytes(1 << 30),
            }
        },
        &|model| {
            let mut longer = release(1);
            longer.timeout = Duration::from_secs(7200);
            running_of(model).release = Some(longer);
        },
    ];
    for change in same {
        assert_eq!(job(change), first);
    }
    let other: [&dyn Fn(&mut ServiceModel); 5] = [
        &|model| model.image = "ghcr.io/acme/catalog:v2".to_owned(),
        &|model| model.run_as = RunAs::Root,
        &|model| {
            let secret = Variable::Secret {
                secret: "token".to_owned(),
                version: 1,
                group: None,
                environment: None,
            };
            model.vars.insert("TOKEN".to_owned(), secret);
        },
        &|model| {
            let secret = Variable::Secret {
                secret: "token".to_owned(),
                version: 2,
                group: None,
                environment: None,
            };
            model.vars.insert("TOKEN".to_owned(), secret);
        },
        &|model| {
            let mut other = release(1);
            other.run.push("--fast".to_owned());
            running_of(model).release = Some(other);
        },
    ];
    let mut names: Vec<String> = other.into_iter().map(job).chain([first]).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

fn disks() -> Running {
    let disk = |name: &str, class: Option<&str>| {
        let volume = Volume {
            mount: format!("/{name}"),
            size: Memory::from_bytes(10 << 30),
            class: class.map(str::to_owned),
        };
        (VolumeName::new(name).unwrap(), volume)
    };
    Running {
        volumes: BTreeMap::from([disk("data", None), disk("scratch", Some("fast"))]),
        ..Running::default()
    }
}

fn release(attempt: u32) -> Release {
    Release {
        run: vec!["bin/migrate".to_owned(), "--all".to_owned()],
        timeout: Duration::from_secs(300),
        attempt,
    }
}

fn with_running(service: &str, running: Running) -> EnvironmentState {
    let mut state = shop();
    *running_of(model(&mut state, service)) = running;
    state
}

fn model<'a>(state: &'a mut EnvironmentState, service: &str) -> &'a mut ServiceModel {
    let name = service_name(service);
    let mut services = state.services.iter_mut();
    &mut services.find(|service| service.name == name).unwrap().model
}

fn running_of(model: &mut ServiceModel) -> &mut Running {
    match &mut model.workload {
        Workload::Web(web) => &mut web.running,
        Workload::Private(private) => &mut private.running,
        Workload::Worker(worker) => &mut worker.running,
        Workload::Cron(_) => panic!("a cron job does not keep running"),
    }
}

fn job_name(rendered: &Rendered, service: &str) -> String {
    let job = object_of(rendered, service, "Job");
    job["metadata"]["name"].as_str().unwrap().to_owned()
}
