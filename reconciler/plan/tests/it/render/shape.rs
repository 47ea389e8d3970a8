//! What comes out for one small shop, object by object.
//!
//! Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starform_contract::{
    ClusterProfile, EnvironmentState, Object,
    model::{AllowFrom, Metrics, Workload},
};
use starform_plan::render::render;

use super::{kind, name, object_of, rendered};
use crate::sample::{service_name, shop};

#[test]
fn each_kind_of_service_has_its_objects() {
    let rendered = rendered(&shop());
    let kinds = |service: &str| {
        let entry = rendered
            .environment
            .service(&service_name(service))
            .unwrap();
        entry.objects.iter().map(kind).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds("storefront"),
        [
            "ServiceAccount",
            "NetworkPolicy",
            "Secret",
            "Service",
            "Deployment",
            "HorizontalPodAutoscaler",
            "PodDisruptionBudget",
            "HTTPRoute",
            "HTTPRoute",
        ]
    );
    let catalog = ["ServiceAccount", "NetworkPolicy", "Service", "Deployment"];
    assert_eq!(kinds("catalog"), catalog);
    let mailer = [
        "ServiceAccount",
        "NetworkPolicy",
        "Deployment",
        "PodDisruptionBudget",
    ];
    assert_eq!(kinds("mailer"), mailer);
    assert_eq!(
        kinds("report"),
        ["ServiceAccount", "NetworkPolicy", "CronJob"]
    );
    let names = |objects: &[Object]| -> Vec<String> {
        objects
            .iter()
            .map(|object| name(object).to_owned())
            .collect()
    };
    assert_eq!(
        names(&rendered.environment.objects),
        [
            "starform-egress--production",
            "starform-vg-shared--production"
        ]
    );
    let namespace = rendered.project.namespace.as_str();
    assert_eq!(
        names(&rendered.project.objects),
        [
            namespace,
            "starform-applier",
            "starform-limits",
            "starform-quota",
            "starform-default-deny"
        ]
    );
}

#[test]
fn the_namespace_warns_of_what_is_not_restricted() {
    let rendered = rendered(&shop());
    let namespace = &rendered.project.objects[0].manifest;
    let levels = ["enforce", "warn", "audit"].map(|mode| {
        namespace["metadata"]["labels"][format!("pod-security.kubernetes.io/{mode}")].clone()
    });
    assert_eq!(levels, ["baseline", "restricted", "restricted"]);
    assert_eq!(
        namespace["metadata"]["annotations"]["starform.io/project-name"],
        "shop"
    );
    assert!(namespace["metadata"].get("namespace").is_none());
}

#[test]
fn pods_fulfil_the_restricted_standard() {
    for service in ["storefront", "catalog", "mailer"] {
        let pod = &manifest(service, "Deployment")["spec"]["template"]["spec"];
        assert_restricted(pod);
    }
    let run = manifest("report", "CronJob");
    assert_restricted(&run["spec"]["jobTemplate"]["spec"]["template"]["spec"]);
}

#[test]
fn a_rolling_update_has_no_gap() {
    let deployment = manifest("storefront", "Deployment");
    let spec = &deployment["spec"];
    let rolling = json!({ "maxSurge": "25%", "maxUnavailable": 0 });
    assert_eq!(spec["strategy"]["rollingUpdate"], rolling);
    assert_eq!(spec["minReadySeconds"], 5);
    assert_eq!(spec["progressDeadlineSeconds"], 90 + 120);
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["terminationGracePeriodSeconds"], 10 + 30);
    let container = &pod["containers"][0];
    assert_eq!(container["lifecycle"]["preStop"]["sleep"]["seconds"], 10);
    assert!(
        manifest("mailer", "Deployment")
            .pointer("/spec/template/spec/containers/0/lifecycle")
            .is_none()
    );
}

#[test]
fn requests_are_the_size_and_only_memory_is_limited() {
    let deployment = manifest("storefront", "Deployment");
    let resources = &deployment["spec"]["template"]["spec"]["containers"][0]["resources"];
    let requests = json!({ "cpu": "250m", "memory": "512Mi", "ephemeral-storage": "128Mi" });
    assert_eq!(resources["requests"], requests);
    assert_eq!(
        resources["limits"],
        json!({ "memory": "512Mi", "ephemeral-storage": "2Gi" })
    );
}

#[test]
fn the_startup_probe_asks_the_readiness_check_for_startup_within() {
    let deployment = manifest("storefront", "Deployment");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let get = json!({ "path": "/readyz", "port": 8080, "scheme": "HTTP" });
    assert_eq!(container["readinessProbe"]["httpGet"], get);
    assert_eq!(container["readinessProbe"]["periodSeconds"], 10);
    let startup = &container["startupProbe"];
    assert_eq!(startup["httpGet"], get);
    assert_eq!(
        (&startup["periodSeconds"], &startup["failureThreshold"]),
        (&json!(2), &json!(45))
    );
    assert!(container.get("livenessProbe").is_none());
    let grpc = manifest("catalog", "Deployment");
    let probe = &grpc["spec"]["template"]["spec"]["containers"][0]["readinessProbe"];
    assert_eq!(probe["grpc"], json!({ "port": 9090, "service": "" }));
}

#[test]
fn variables_come_in_order_and_secrets_by_reference() {
    let deployment = manifest("storefront", "Deployment");
    let env = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    let group = "starform-vg-shared--production";
    let secret = |name: &str, key: &str| json!({ "secretKeyRef": { "name": name, "key": key } });
    assert_eq!(
        *env,
        json!([
            { "name": "PORT", "value": "8080" },
            { "name": "STARFORM_ENVIRONMENT", "value": "production" },
            { "name": "STARFORM_PROJECT", "value": "shop" },
            { "name": "STARFORM_SERVICE", "value": "storefront" },
            { "name": "COOKIE", "valueFrom": secret("storefront--production", "COOKIE") },
            { "name": "LOG_LEVEL", "value": "info" },
            { "name": "PRICE", "value": "5$ or $$(PORT)" },
            { "name": "TOKEN", "valueFrom": secret(group, "TOKEN") },
        ])
    );
}

#[test]
fn secrets_hold_literals_as_data_and_the_rest_sealed() {
    let rendered = rendered(&shop());
    let group = rendered.environment.objects.last().unwrap();
    assert_eq!(group.manifest["data"], json!({ "LOG_LEVEL": "aW5mbw==" }));
    assert_eq!(group.manifest["type"], "Opaque");
    let sealed = serde_json::to_value(&group.sealed).unwrap();
    assert_eq!(
        sealed,
        json!({ "TOKEN": { "secret": "api-token", "version": 3 } })
    );
    let storefront = rendered
        .environment
        .service(&service_name("storefront"))
        .unwrap();
    let own = storefront
        .objects
        .iter()
        .find(|object| kind(object) == "Secret")
        .unwrap();
    assert_eq!(own.sealed.keys().collect::<Vec<_>>(), ["COOKIE"]);
    assert!(own.manifest.get("data").is_none());
}

#[test]
fn ports_are_reached_by_name_and_say_their_protocol() {
    let service = manifest("catalog", "Service");
    assert_eq!(
        service["spec"]["ports"],
        json!([{
            "name": "grpc",
            "port": 9090,
            "protocol": "TCP",
            "targetPort": "grpc",
            "appProtocol": "kubernetes.io/h2c",
        }])
    );
    let plain = manifest("storefront", "Service");
    assert!(plain["spec"]["ports"][0].get("appProtocol").is_none());
}

#[test]
fn a_private_service_is_open_to_whom_it_allows() {
    let policy = manifest("catalog", "NetworkPolicy");
    let rules = policy["spec"]["ingress"].as_array().unwrap();
    assert_eq!(rules.len(), 1);
    let peer = &rules[0]["from"][0]["podSelector"]["matchLabels"];
    let storefront = shop().services[3].service_id;
    assert_eq!(peer["starform.io/service-id"], json!(storefront));
    assert_eq!(
        rules[0]["ports"],
        json!([{ "port": "grpc", "protocol": "TCP" }])
    );
    let closed = manifest("mailer", "NetworkPolicy");
    assert_eq!(closed["spec"]["policyTypes"], json!(["Ingress"]));
    assert!(closed["spec"].get("ingress").is_none());
}

#[test]
fn nobody_is_allowed_where_the_allowed_services_do_not_exist() {
    let mut state = shop();
    let Workload::Private(catalog) = &mut state.services[0].model.workload else {
        panic!("the catalog is private");
    };
    catalog.allow_from = AllowFrom::Services(BTreeSet::from([service_name("gone")]));
    let rendered = rendered(&state);
    let catalog = rendered
        .environment
        .service(&service_name("catalog"))
        .unwrap();
    let policy = catalog
        .objects
        .iter()
        .find(|o| kind(o) == "NetworkPolicy")
        .unwrap();
    assert!(policy.manifest["spec"].get("ingress").is_none());
}

#[test]
fn the_gateway_reaches_the_routed_port_of_a_web_service() {
    let policy = manifest("storefront", "NetworkPolicy");
    let rules = policy["spec"]["ingress"].as_array().unwrap();
    let gateway = json!({ "kubernetes.io/metadata.name": "envoy-gateway-system" });
    assert_eq!(
        rules[1]["from"][0]["namespaceSelector"]["matchLabels"],
        gateway
    );
    assert_eq!(
        rules[1]["ports"],
        json!([{ "port": "http", "protocol": "TCP" }])
    );
}

#[test]
fn the_scraper_reaches_the_metrics_port_alone() {
    let mut state = shop();
    let Workload::Worker(mailer) = &mut state.services[1].model.workload else {
        panic!("the mailer is a worker");
    };
    mailer.running.metrics = Some(metrics(9100));
    let Workload::Web(storefront) = &mut state.services[3].model.workload else {
        panic!("the storefront is a web service");
    };
    storefront.running.metrics = Some(metrics(8080));
    let profile = ClusterProfile {
        scraper_namespace: Some("monitoring".to_owned()),
        ..ClusterProfile::default()
    };

    let scraper = json!({ "namespaceSelector": {
        "matchLabels": { "kubernetes.io/metadata.name": "monitoring" },
    } });
    let number = json!({ "from": [scraper], "ports": [{ "port": 9100, "protocol": "TCP" }] });
    let name = json!({ "from": [scraper], "ports": [{ "port": "http", "protocol": "TCP" }] });
    let rules = |state: &EnvironmentState, profile: &ClusterProfile, service: &str| {
        object_of(&render(state, profile), service, "NetworkPolicy")["spec"]["ingress"].clone()
    };
    assert_eq!(rules(&state, &profile, "mailer"), json!([number]));
    assert_eq!(rules(&state, &profile, "storefront")[2], name);
    let annotations = |state: &EnvironmentState, service: &str| {
        let deployment = object_of(&rendered(state), service, "Deployment");
        deployment["spec"]["template"]["metadata"]["annotations"].clone()
    };
    let mailer = annotations(&state, "mailer");
    assert_eq!(mailer["prometheus.io/scrape"], "true");
    assert_eq!(mailer["prometheus.io/port"], "9100");
    assert_eq!(mailer["prometheus.io/path"], "/metrics");

    let nobody = rules(&state, &ClusterProfile::default(), "mailer");
    assert_eq!(nobody, Value::Null, "a cluster without a scraper");
    state.services[1].model.observability = false;
    assert_eq!(rules(&state, &profile, "mailer"), Value::Null);
    assert!(
        annotations(&state, "mailer")
            .get("prometheus.io/scrape")
            .is_none()
    );
}

#[test]
fn only_verified_hosts_are_routed() {
    let rendered = rendered(&shop());
    let storefront = rendered
        .environment
        .service(&service_name("storefront"))
        .unwrap();
    let routes: Vec<&Value> = storefront
        .objects
        .iter()
        .filter(|object| kind(object) == "HTTPRoute")
        .map(|object| &object.manifest["spec"])
        .collect();
    let platform = "storefront-production-00000000.starform.localhost";
    assert_eq!(routes[0]["hostnames"], json!([platform, "shop.example"]));
    let rule = &routes[0]["rules"][0];
    assert_eq!(rule["backendRefs"][0]["name"], "storefront--production");
    assert_eq!(
        rule["matches"],
        json!([{ "path": { "type": "PathPrefix", "value": "/" } }])
    );
    assert_eq!(routes[1]["hostnames"], json!(["www.shop.example"]));
    let redirect = &routes[1]["rules"][0]["filters"][0]["requestRedirect"];
    assert_eq!(redirect["hostname"], "shop.example");
}

#[test]
fn the_autoscaler_follows_cpu_and_memory() {
    let spec = manifest("storefront", "HorizontalPodAutoscaler")["spec"].clone();
    assert_eq!(
        (&spec["minReplicas"], &spec["maxReplicas"]),
        (&json!(3), &json!(12))
    );
    let targets: Vec<_> = spec["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["resource"])
        .collect();
    assert_eq!(targets[0]["name"], "cpu");
    assert_eq!(targets[0]["target"]["averageUtilization"], 65);
    assert_eq!(targets[1]["name"], "memory");
    assert_eq!(
        spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"],
        300
    );
    assert_eq!(spec["scaleTargetRef"]["name"], "storefront--production");
}

#[test]
fn a_cron_job_keeps_to_its_words() {
    let cron = manifest("report", "CronJob");
    let spec = &cron["spec"];
    assert_eq!(spec["schedule"], "30 3 * * *");
    assert_eq!(spec["timeZone"], "Europe/Lisbon");
    assert_eq!(spec["concurrencyPolicy"], "Forbid");
    let run = &spec["jobTemplate"]["spec"];
    assert_eq!(
        (&run["activeDeadlineSeconds"], &run["backoffLimit"]),
        (&json!(1800), &json!(1))
    );
    assert_eq!(
        run["template"]["metadata"]["labels"]["starform.io/role"],
        "cron"
    );
    assert_eq!(run["template"]["spec"]["restartPolicy"], "Never");
}

#[test]
fn a_tag_that_moves_is_pulled_at_every_start() {
    let cases = [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("registry.example:5000/nginx", "Always"),
        ("nginx:1.29", "IfNotPresent"),
        ("registry.example:5000/nginx:1.29", "IfNotPresent"),
        ("nginx:latest@sha256:9f2c", "IfNotPresent"),
    ];
    for (image, policy) in cases {
        let mut state = shop();
        state.services[0].model.image = image.to_owned();
        let rendered = rendered(&state);
        let objects = &rendered.environment.services[0].objects;
        let deployment = objects
            .iter()
            .find(|object| kind(object) == "Deployment")
            .unwrap();
        let container = &deployment.manifest["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["imagePullPolicy"], policy, "{image}");
    }
}

fn assert_restricted(pod: &Value) {
    let context = &pod["securityContext"];
    assert_eq!(context["runAsNonRoot"], true);
    assert_eq!(context["runAsUser"], 10001);
    assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
    let container = &pod["containers"][0]["securityContext"];
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["capabilities"]["drop"], json!(["ALL"]));
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["enableServiceLinks"], false);
}

fn metrics(port: u16) -> Metrics {
    Metrics {
        port,
        path: "/metrics".to_owned(),
    }
}

fn manifest(service: &str, wanted: &str) -> Value {
    object_of(&rendered(&shop()), service, wanted)
}
