//! What holds for every environment that can be rendered.
//!
//! Pure; seeds of failures are printed by proptest.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use starform_contract::{
    Bundle, EnvironmentState, Object,
    digest::canonical,
    model::{RunAs, Variable, Workload},
    name::parse_http_route,
    schema::read,
};

use super::{is_part_of, kind, labels, name, objects, rendered, template};
use crate::arbitrary;

/// The labels that every pod carries.
const POD_LABELS: [&str; 16] = [
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "starform.io/environment",
    "starform.io/ephemeral",
    "starform.io/observability-enabled",
    "starform.io/project-id",
    "starform.io/project-name",
    "starform.io/role",
    "starform.io/service-id",
    "starform.io/service-name",
    "starform.io/service-type",
    "starform.io/tier",
    "starform.io/workspace-id",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keys_are_unique_and_names_are_valid(state in arbitrary::state()) {
        let rendered = rendered(&state);
        let mut seen = BTreeSet::new();
        for object in objects(&rendered) {
            let key = object.key().unwrap();
            prop_assert!(name_is_valid(object), "{key}");
            prop_assert!(seen.insert(key.clone()), "{key} twice");
        }
    }

    #[test]
    fn digests_hold_and_objects_are_in_order(state in arbitrary::state()) {
        let rendered = rendered(&state);
        prop_assert!(objects(&rendered).iter().all(|object| object.digest_holds()));
        let services = rendered.environment.services.iter().map(|service| &service.objects);
        for list in services.chain([&rendered.project.objects, &rendered.environment.objects]) {
            let order: Vec<_> = list.iter().map(|o| (o.wave, o.key())).collect();
            prop_assert!(order.is_sorted(), "{order:?}");
        }
    }

    /// An independent look at what [`read`] judges.
    #[test]
    fn every_number_is_an_exact_integer(state in arbitrary::state()) {
        let rendered = rendered(&state);
        let bundles = [Bundle::Project(rendered.project), Bundle::Environment(rendered.environment)];
        for bundle in bundles {
            let inexact = inexact(&serde_json::to_value(&bundle).unwrap());
            prop_assert_eq!(inexact, None);
            prop_assert_eq!(read::<Bundle>(&serde_json::to_vec(&bundle).unwrap()), Ok(bundle));
        }
    }

    #[test]
    fn permuted_input_gives_equal_bytes(state in arbitrary::state()) {
        let mut permuted = state.clone();
        permuted.services.reverse();
        permuted.names.reverse();
        prop_assert_eq!(bytes(&state), bytes(&permuted));
    }

    #[test]
    fn labels_are_complete_and_valid(state in arbitrary::state()) {
        let rendered = rendered(&state);
        for object in objects(&rendered) {
            prop_assert!(values_are_valid(labels(object)), "{}", labels(object));
            prop_assert_eq!(&labels(object)["app.kubernetes.io/managed-by"], "starform");
            if let Some(template) = template(object) {
                let pod = &template["metadata"]["labels"];
                let keys: Vec<&str> = pod.as_object().unwrap().keys().map(String::as_str).collect();
                prop_assert_eq!(keys, POD_LABELS);
                prop_assert!(values_are_valid(pod), "{}", pod);
            }
        }
        for service in &rendered.environment.services {
            let own = serde_json::json!({
                "starform.io/workspace-id": service.workspace_id,
                "starform.io/project-id": service.project_id,
                "starform.io/environment": service.environment,
                "starform.io/service-id": service.service_id,
                "starform.io/service-name": service.name,
            });
            prop_assert!(service.objects.iter().all(|object| is_part_of(&own, labels(object))));
        }
    }

    #[test]
    fn selectors_choose_the_pods_that_serve_and_no_others(state in arbitrary::state()) {
        let rendered = rendered(&state);
        for service in &rendered.environment.services {
            let pods = |object: &&Object| template(object).map(|t| t["metadata"]["labels"].clone());
            let own: Vec<Value> = service.objects.iter().filter_map(|object| pods(&object)).collect();
            for selector in service.objects.iter().flat_map(pod_selectors) {
                for own in &own {
                    let serves = own["starform.io/role"] == "serve";
                    prop_assert_eq!(is_part_of(&selector, own), serves, "{}", selector);
                }
                prop_assert_eq!(&selector["starform.io/role"], "serve");
                let others = rendered.environment.services.iter().filter(|o| o.name != service.name);
                for other in others.flat_map(|other| &other.objects).filter_map(|o| pods(&o)) {
                    prop_assert!(!is_part_of(&selector, &other), "{}", selector);
                }
            }
        }
    }

    #[test]
    fn routes_carry_identity_within_the_limits_of_the_api(state in arbitrary::state()) {
        let rendered = rendered(&state);
        for (service, entry) in state.services.iter().zip(&rendered.environment.services) {
            let routes = entry.objects.iter().filter(|object| kind(object) == "HTTPRoute");
            let mut met = BTreeSet::new();
            for route in routes {
                let (project, id, environment, _) = parse_http_route(name(route)).unwrap();
                prop_assert_eq!(project, state.project_id);
                prop_assert_eq!(id, entry.service_id);
                prop_assert_eq!(environment, state.environment.clone());
                let list = |field: &str| route.manifest["spec"][field].as_array().unwrap().clone();
                let (hosts, rules) = (list("hostnames"), list("rules"));
                prop_assert!((1..=16).contains(&hosts.len()), "{:?}", hosts);
                prop_assert!((1..=16).contains(&rules.len()), "{:?}", rules);
                for (host, rule) in hosts.iter().flat_map(|host| rules.iter().map(move |r| (host, r))) {
                    let leads_to_host = rule.pointer("/filters/0/requestRedirect/hostname").is_some()
                        && rule["matches"][0]["path"]["type"] == "PathPrefix";
                    let pair = (host.to_string(), rule["matches"].to_string());
                    prop_assert!(met.insert(pair) || leads_to_host, "{} {}", host, rule);
                }
            }
            let Workload::Web(web) = &service.model.workload else { continue };
            let platform = format!("{:?}", web.platform_host);
            let of_platform = met.iter().filter(|(host, _)| *host == platform).count();
            prop_assert_eq!(of_platform, web.routes.len().max(1) + web.redirects.len());
        }
    }

    #[test]
    fn only_who_asks_for_root_may_be_root(state in arbitrary::state()) {
        let rendered = rendered(&state);
        for (service, entry) in state.services.iter().zip(&rendered.environment.services) {
            let root = service.model.run_as == RunAs::Root;
            for pod in entry.objects.iter().filter_map(template).map(|template| &template["spec"]) {
                let context = &pod["securityContext"];
                prop_assert_eq!(&context["runAsNonRoot"], !root);
                prop_assert_eq!(context["runAsUser"] == 0, root);
                let container = &pod["containers"][0]["securityContext"];
                prop_assert_eq!(&container["capabilities"]["drop"], &serde_json::json!(["ALL"]));
                prop_assert_eq!(container["capabilities"].get("add").is_some(), root);
                prop_assert_eq!(&container["allowPrivilegeEscalation"], false);
            }
        }
    }

    #[test]
    fn either_the_deployment_or_the_autoscaler_owns_the_number(state in arbitrary::state()) {
        let rendered = rendered(&state);
        for service in &rendered.environment.services {
            let has = |wanted: &str| service.objects.iter().any(|object| kind(object) == wanted);
            let deployment = service.objects.iter().find(|object| kind(object) == "Deployment");
            if let Some(deployment) = deployment {
                let replicas = deployment.manifest["spec"].get("replicas").is_some();
                prop_assert_ne!(replicas, has("HorizontalPodAutoscaler"));
            }
        }
    }

    #[test]
    fn scaling_never_replaces_pods(state in arbitrary::state(), max in 5u32..9) {
        let mut scaled = state.clone();
        for service in &mut scaled.services {
            match &mut service.model.workload {
                Workload::Web(web) => web.scale.max = max,
                Workload::Private(private) => private.scale.max = max,
                Workload::Worker(worker) => worker.scale.max = max,
                Workload::Cron(_) => {}
            }
        }
        prop_assert_eq!(templates(&state), templates(&scaled));
    }

    #[test]
    fn no_rule_of_a_policy_means_everybody(state in arbitrary::state()) {
        let rendered = rendered(&state);
        let policies = objects(&rendered).into_iter().filter(|o| kind(o) == "NetworkPolicy");
        for policy in policies {
            for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
                let rules = policy.manifest["spec"][direction].as_array();
                for rule in rules.into_iter().flatten() {
                    prop_assert!(!rule[peers].as_array().unwrap().is_empty(), "{}", rule);
                }
            }
        }
    }

    #[test]
    fn a_program_sees_the_text_that_the_project_says(state in arbitrary::state()) {
        let rendered = rendered(&state);
        let services = state.services.iter().zip(&rendered.environment.services);
        let runs = services.flat_map(|(service, entry)| {
            let templates = entry.objects.iter().filter_map(template);
            templates.map(move |template| (service, template))
        });
        for (service, template) in runs {
            let role = &template["metadata"]["labels"]["starform.io/role"];
            let program = if role == "release" {
                release_of(&service.model.workload)
            } else {
                &service.model.run
            };
            let container = &template["spec"]["containers"][0];
            let command = container["command"].as_array().cloned().unwrap_or_default();
            let argv: Vec<_> = command.iter().map(|word| expand(word.as_str().unwrap())).collect();
            let wanted: Vec<_> = program.iter().map(|w| w.as_bytes().to_vec()).collect();
            prop_assert_eq!(argv, wanted);
            let env = container["env"].as_array().unwrap();
            for (key, variable) in &service.model.vars {
                let entry = env.iter().find(|entry| entry["name"] == key.as_str()).unwrap();
                match variable {
                    Variable::Literal(text) => {
                        let seen = expand(entry.get("value").map_or("", |value| value.as_str().unwrap()));
                        prop_assert_ne!(entry.get("value"), Some(&Value::from("")));
                        prop_assert_eq!(seen, text.as_bytes());
                    }
                    Variable::Secret { .. } => {
                        let reference = &entry["valueFrom"]["secretKeyRef"];
                        prop_assert_eq!(&reference["key"], key.as_str());
                        prop_assert!(entry.get("value").is_none());
                    }
                }
            }
        }
    }

    #[test]
    fn a_changed_variable_changes_the_checksum(state in arbitrary::state()) {
        let mut changed = state.clone();
        for service in &mut changed.services {
            let value = Variable::Literal("another value".to_owned());
            service.model.vars.insert("CHANGED".to_owned(), value);
        }
        let sums = |state| {
            let of = |template: Value| template["metadata"]["annotations"].clone();
            templates(state).into_iter().map(of).collect::<Vec<_>>()
        };
        for (before, after) in sums(&state).into_iter().zip(sums(&changed)) {
            prop_assert_ne!(before, after);
        }
    }
}

/// A number that is none within ±(2^53 − 1), if there is one.
fn inexact(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => None,
        Value::Number(number) => {
            let exact = number.as_i64().is_some_and(|n| n.unsigned_abs() < 1 << 53);
            (!exact).then(|| number.to_string())
        }
        Value::Array(values) => values.iter().find_map(inexact),
        Value::Object(fields) => fields.values().find_map(inexact),
    }
}

fn bytes(state: &EnvironmentState) -> (Vec<u8>, Vec<u8>) {
    let rendered = rendered(state);
    let project = Bundle::Project(rendered.project);
    let environment = Bundle::Environment(rendered.environment);
    (canonical(&project), canonical(&environment))
}

fn templates(state: &EnvironmentState) -> Vec<Value> {
    let rendered = rendered(state);
    objects(&rendered)
        .into_iter()
        .filter_map(template)
        .cloned()
        .collect()
}

/// Every selector of an object that chooses pods to serve; a NetworkPolicy's is about all roles.
fn pod_selectors(object: &Object) -> Vec<Value> {
    let spec = &object.manifest["spec"];
    let own = match kind(object) {
        "Service" => spec.get("selector").cloned(),
        "Deployment" | "PodDisruptionBudget" => spec.pointer("/selector/matchLabels").cloned(),
        _ => None,
    };
    let pod = template(object).map(|template| &template["spec"]);
    let spread = pod.and_then(|pod| pod["topologySpreadConstraints"].as_array());
    let spread = spread.into_iter().flatten();
    own.into_iter()
        .chain(spread.map(|constraint| constraint["labelSelector"]["matchLabels"].clone()))
        .collect()
}

/// The command of a service's release, which it has.
fn release_of(workload: &Workload) -> &[String] {
    let running = match workload {
        Workload::Web(web) => &web.running,
        Workload::Private(private) => &private.running,
        Workload::Worker(worker) => &worker.running,
        Workload::Cron(_) => panic!("a cron job has no release"),
    };
    &running.release.as_ref().unwrap().run
}

/// RFC 1123: a label of at most 63, for routes and Secrets a subdomain; CronJobs leave room for their
/// Jobs, Services begin with a letter.
fn name_is_valid(object: &Object) -> bool {
    let name = name(object);
    let limit = match kind(object) {
        "CronJob" => 52,
        "HTTPRoute" | "Secret" => 253,
        _ => 63,
    };
    let label = |label: &str| {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        label.starts_with(edge)
            && label.ends_with(edge)
            && label.chars().all(|c| edge(c) || c == '-')
    };
    let first = name.starts_with(|c: char| c.is_ascii_lowercase());
    let dots = kind(object) == "HTTPRoute" || !name.contains('.');
    name.len() <= limit
        && name.split('.').all(label)
        && dots
        && (first || kind(object) != "Service")
}

fn values_are_valid(labels: &Value) -> bool {
    labels.as_object().unwrap().values().all(|value| {
        let value = value.as_str().unwrap();
        let edge = |c: char| c.is_ascii_alphanumeric();
        value.len() <= 63
            && value.chars().all(|c| edge(c) || "-_.".contains(c))
            && (value.is_empty() || value.starts_with(edge) && value.ends_with(edge))
    })
}

/// What the kubelet makes of a value when it knows no variable: its algorithm, byte for byte,
/// a byte behind a lone `$` written as the code point of that number.
fn expand(text: &str) -> Vec<u8> {
    let known: BTreeMap<&[u8], &[u8]> = BTreeMap::from([(&b"PORT"[..], &b"8080"[..])]);
    let input = text.as_bytes();
    let mut output = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let next = input.get(at + 1);
        match (input[at], next) {
            (b'$', Some(b'$')) => {
                output.push(b'$');
                at += 2;
            }
            (b'$', Some(b'(')) => match input[at..].iter().position(|b| *b == b')') {
                Some(end) => {
                    let name = &input[at + 2..at + end];
                    let reference = &input[at..=at + end];
                    output.extend(known.get(name).copied().unwrap_or(reference));
                    at += end + 1;
                }
                None => {
                    output.extend(b"$(");
                    at += 2;
                }
            },
            (b'$', Some(other)) => {
                output.push(b'$');
                output.extend(char::from(*other).to_string().as_bytes());
                at += 2;
            }
            (other, _) => {
                output.push(other);
                at += 1;
            }
        }
    }
    output
}
