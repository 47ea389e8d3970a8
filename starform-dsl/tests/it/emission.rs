//! What an environment's state holds: defaults, layers, variables, references, origins.
//! Pure.
//! Read on in `ui` for what is said about mistakes and in `order` for what makes no difference.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starform_contract::{EnvironmentState, state::DriftPolicy};
use starform_dsl::{Bindings, VerifiedHosts, emit};

use crate::project::{emitted, project, state};

/// The model of a service as JSON.
fn model(state: &EnvironmentState, service: &str) -> Value {
    let found = state
        .services
        .iter()
        .find(|found| found.name.as_str() == service);
    let found = found.unwrap_or_else(|| panic!("no service {service}"));
    serde_json::to_value(&found.model).expect("a model is JSON")
}

/// A project of these children in two environments.
fn shop(children: &str) -> String {
    format!(
        "project shop {{ environment staging branch=main; environment production branch=main; {children} }}"
    )
}

#[test]
fn defaults_of_a_web_service_are_filled_in() {
    let state = state(
        &shop("web api { image \"a/b:1\"; port 8080; }"),
        "production",
    );
    let expected = json!({
        "kind": "web", "image": "a/b:1", "observability": true,
        "ports": [{"name": "http", "port": 8080, "protocol": "http"}],
        "health": {
            "ready": {"kind": "tcp", "port": 8080, "every": "10s", "timeout": "5s", "failures": 3},
            "startup-within": "1m",
        },
        "size": {"cpu": "100m", "memory": "256Mi"},
        "scale": {"min": 1, "max": 1},
        "drain": {"before-term": "10s", "grace": "30s"},
        "allow-from": "environment",
        "platform-host": model(&state, "api")["platform-host"],
    });
    assert_eq!(model(&state, "api"), expected);
    let host = expected["platform-host"].as_str().expect("a host");
    assert!(host.starts_with("api-production-") && host.ends_with(".starform.localhost"));
}

#[test]
fn defaults_of_a_worker_and_a_cron_job_are_filled_in() {
    let text =
        shop("worker w { image \"a/b:1\"; }; cron c schedule=\"0  3 * * *\" { image \"a/b:1\"; }");
    let state = state(&text, "staging");
    assert_eq!(
        model(&state, "w"),
        json!({
            "kind": "worker", "image": "a/b:1", "observability": true,
            "health": {"startup-within": "1m"},
            "size": {"cpu": "100m", "memory": "256Mi"},
            "scale": {"min": 1, "max": 1},
            "drain": {"before-term": "0s", "grace": "30s"},
        })
    );
    assert_eq!(
        model(&state, "c"),
        json!({
            "kind": "cron", "image": "a/b:1", "observability": true,
            "schedule": "0 3 * * *", "timezone": "UTC", "overlap": "forbid", "retries": 0,
            "timeout": "1h", "keep": {"succeeded": 3, "failed": 3},
            "size": {"cpu": "100m", "memory": "256Mi"},
        })
    );
}

#[test]
fn a_layer_replaces_the_children_of_a_name_whole() {
    let text = shop(
        "partial base { size cpu=\"1\" memory=\"1Gi\"; drain grace=\"5s\"; image \"a/b:1\"; }
         web api like=base {
           port 8080 name=http; port 9090 name=admin; size cpu=\"2\"
           in production { port 80; scale min=2 max=4; drain #null; }
         }",
    );
    let staging = model(&state(&text, "staging"), "api");
    assert_eq!(
        staging["size"],
        json!({"cpu": "2", "memory": "256Mi"}),
        "not merged"
    );
    assert_eq!(staging["drain"]["grace"], "5s");
    assert_eq!(staging["ports"].as_array().map(Vec::len), Some(2));
    let production = model(&state(&text, "production"), "api");
    assert_eq!(
        production["ports"],
        json!([{"name": "http", "port": 80, "protocol": "http"}])
    );
    assert_eq!(
        production["drain"]["grace"], "30s",
        "unset means the default"
    );
    assert_eq!(
        production["scale"],
        json!({"min": 2, "max": 4, "cpu": 80, "cooldown": "5m"})
    );
}

#[test]
fn variables_merge_key_by_key() {
    let text = shop(
        "var-group one { A one; B one; C one; D one; in production { A one-production; D #null; } }
         var-group two { B two; E #null; }
         worker w {
           image \"a/b:1\"; use one two
           vars { C own; F 1.50; G #true; }
           in production { vars { C #null; F production; }; }
         }",
    );
    let staging = model(&state(&text, "staging"), "w");
    assert_eq!(
        staging["vars"],
        json!({"A": "one", "B": "two", "C": "own", "D": "one", "F": "1.50", "G": "true"})
    );
    let production = state(&text, "production");
    assert_eq!(
        model(&production, "w")["vars"],
        json!({"A": "one-production", "B": "two", "F": "production", "G": "true"})
    );
    let groups = serde_json::to_value(&production.groups).expect("JSON");
    assert_eq!(
        groups,
        json!({"one": {"A": "one-production", "B": "one", "C": "one"}, "two": {"B": "two"}})
    );
}

#[test]
fn references_become_the_outputs_of_the_same_environment() {
    let text = shop(
        "var-group addresses { CATALOG (ref)\"catalog.private-url\"; }
         private catalog { image \"a/b:1\"; port 9090 protocol=grpc; vars { BACK (ref)\"web.hostport\"; }; }
         private store { image \"a/b:1\"; port 6379 protocol=tcp; }
         web web {
           image \"a/b:1\"; port 8080; use addresses
           domain \"*.shop.example\"; domain \"shop.example\"
           vars {
             STORE (ref)\"store.private-url\"; HOST (ref)\"store.host\"; PORT_OF (ref)\"store.port\"
             URL (template)\"<{self.public-url}/{{x}}?h={self.public-host}>\"
           }
         }",
    );
    // The host may hold in one environment only.
    let text = text.replace("domain \"*.", "only production; domain \"*.");
    let text = text.replace("vars { BACK", "only production; vars { BACK");
    let state = state(&text, "production");
    let namespace = starform_contract::name::namespace(&state.project, state.project_id);
    let inside = |name: &str| format!("{name}--production.{namespace}.svc.cluster.local");
    let web = model(&state, "web");
    assert_eq!(
        web["vars"],
        json!({
            "CATALOG": format!("grpc://{}:9090", inside("catalog")),
            "HOST": inside("store"),
            "PORT_OF": "6379",
            "STORE": format!("tcp://{}:6379", inside("store")),
            "URL": "<https://shop.example/{x}?h=shop.example>",
        })
    );
    assert_eq!(
        web["refs"],
        json!(["catalog", "store"]),
        "self is no reference to another"
    );
    assert_eq!(
        model(&state, "catalog")["vars"]["BACK"],
        json!(format!("{}:8080", inside("web"))),
        "circles are fine"
    );
}

#[test]
fn services_exist_where_they_say() {
    let text = shop(
        "partial p { image \"a/b:1\"; }; private a like=p { port 1; only production; allow-from b c; };
         worker b like=p { not-in production; }; worker c like=p",
    );
    let names = |environment: &str| -> Vec<String> {
        let state = state(&text, environment);
        state
            .services
            .iter()
            .map(|service| service.name.to_string())
            .collect()
    };
    assert_eq!(names("staging"), ["b", "c"]);
    assert_eq!(names("production"), ["a", "c"]);
    let allowed = &model(&state(&text, "production"), "a")["allow-from"];
    assert_eq!(
        *allowed,
        json!({"services": ["c"]}),
        "who is not there is left out"
    );
}

#[test]
fn probes_take_their_form_and_their_port() {
    let text = shop(
        "partial p { image \"a/b:1\"; }
         web short like=p { port 8080; health ready=\"/r\" live=\"/l\" startup-within=\"90s\"; }
         private full like=p {
           port 9090 protocol=grpc
           health startup-within=\"2m\" { ready kind=grpc every=\"5s\" failures=2; startup kind=tcp port=9091 every=\"7s\"; }
         }
         worker w like=p { health { live path=\"/l\" port=8081 timeout=\"2s\"; }; }",
    );
    let state = state(&text, "staging");
    let probe = |kind: Value, port: u16, every: &str, timeout: &str, failures: u32| {
        let mut probe =
            json!({"port": port, "every": every, "timeout": timeout, "failures": failures});
        let fields = probe.as_object_mut().expect("an object");
        fields.extend(kind.as_object().cloned().expect("an object"));
        probe
    };
    let http = |path: &str| json!({"kind": "http", "path": path});
    assert_eq!(
        model(&state, "short")["health"],
        json!({"ready": probe(http("/r"), 8080, "10s", "5s", 3), "live": probe(http("/l"), 8080, "10s", "5s", 3),
               "startup-within": "90s"})
    );
    assert_eq!(
        model(&state, "full")["health"],
        json!({"ready": probe(json!({"kind": "grpc"}), 9090, "5s", "5s", 2),
               "startup": probe(json!({"kind": "tcp"}), 9091, "7s", "5s", 18), "startup-within": "2m"})
    );
    assert_eq!(
        model(&state, "w")["health"],
        json!({"live": probe(http("/l"), 8081, "10s", "2s", 3), "startup-within": "1m"})
    );
}

#[test]
fn an_environment_brings_its_own_rules() {
    let text = "project p { environment e branch=x { drift report; deploy after=manual; }; worker w { image \"a/b:1\"; }; }";
    let state = state(text, "e");
    assert!(!state.protect && !state.ephemeral);
    assert_eq!(state.drift, DriftPolicy::Report);
    let project = project(text);
    let (_, environment) = project.environments().next().expect("one environment");
    assert_eq!(
        (environment.branch.as_str(), environment.deploy.as_str()),
        ("x", "manual")
    );
}

#[test]
fn bindings_give_images_and_verified_hosts() {
    let text = "project p { environment e branch=x; web w { image \"a/b:1\"; port 80; domain \"a.example\" { alias \"b.example\" redirect=#true; }; }; }";
    let project = project(text);
    let environment = "e".parse().expect("a name");
    let mut given = Bindings::first(&project);
    given
        .images
        .insert("w".parse().expect("a name"), "a/b:2".to_owned());
    given.hosts = VerifiedHosts::Only(BTreeSet::from(["b.example".to_owned()]));
    let emitted = emit(&project, &environment, &given).expect("a state");
    let web = model(&emitted.state, "w");
    assert_eq!(web["image"], "a/b:2");
    assert_eq!(
        web["domains"],
        json!([{"host": "a.example", "verified": false,
                "aliases": [{"host": "b.example", "verified": true, "redirect": true}]}])
    );
    let service = "w".parse().expect("a name");
    assert_eq!(emitted.origins.at(&service, "image"), Some("--image"));
    given
        .images
        .insert("v".parse().expect("a name"), "a/b:2".to_owned());
    given
        .images
        .insert("w".parse().expect("a name"), "A/b".to_owned());
    let wrong = emit(&project, &environment, &given).expect_err("two wrong images");
    let codes: Vec<String> = wrong.iter().map(|d| d.code.to_string()).collect();
    assert_eq!(codes, ["SF3001", "SF5022"]);
    let elsewhere = "f".parse().expect("a name");
    let unknown =
        emit(&project, &elsewhere, &Bindings::first(&project)).expect_err("no such environment");
    assert_eq!(unknown[0].code.to_string(), "SF3004");
}

#[test]
fn every_value_knows_where_it_is_written() {
    let text = "project p {\n  environment e branch=x\n  var-group g {\n    A 1\n  }\n  partial q { size cpu=1; }\n  web w like=q {\n    image \"a/b:1\"\n    port 80\n    use g\n    in e { scale min=2 max=3; }\n  }\n}\n";
    let emitted = emitted(text, "e");
    let service = "w".parse().expect("a name");
    let at = |path: &str| emitted.origins.at(&service, path).expect("a place");
    assert_eq!(at(""), "starform.kdl:7:7");
    assert_eq!(at("size.cpu"), "starform.kdl:6:24");
    assert_eq!(
        at("size.memory"),
        "starform.kdl:6:15",
        "the node stands for what it leaves out"
    );
    assert_eq!(at("ports[0].port"), "starform.kdl:9:5");
    assert_eq!(at("scale.max"), "starform.kdl:11:28");
    assert_eq!(at("vars.A"), "starform.kdl:4:5");
    assert_eq!(
        at("drain.grace"),
        "starform.kdl:7:7",
        "a default has the service's place"
    );
}

#[test]
fn protect_holds_where_it_is_said() {
    let text = "project shop {
      environment staging branch=main
      environment production branch=release { protect; }
      preview from=production on=pull-request expire=\"3d\"
      worker other { image \"a/b:1\"; }
    }";
    let of = |name: &str| state(text, name).protect;
    assert!(of("production"));
    assert!(!of("staging"));
    assert!(!of("pr-7"), "a preview is for trying out");
}

#[test]
fn a_service_without_an_image_is_refused_at_its_path() {
    let text = shop("worker maker { build context=\".\"; }; web api { image-of maker; port 80; }");
    let shop = project(&text);
    let name = "staging".parse().expect("a name");
    let said = emit(&shop, &name, &Bindings::first(&shop)).expect_err("no image is given");
    let said: Vec<String> = said
        .iter()
        .map(|d| format!("{} {} {}", d.code, d.node_path, d.title))
        .collect();
    assert_eq!(
        said,
        ["SF6005 project.worker.maker `maker` is built, and no image of it is given"]
    );
}

#[test]
fn a_former_name_is_for_whoever_binds_names() {
    let shop = |was: &str| shop(&format!("worker api {was} {{ image \"a/b:1\"; }}"));
    let renamed = project(&shop("was=backend"));
    let names = renamed.former_names();
    let pairs: Vec<(&str, &str)> = names
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(pairs, [("api", "backend")]);
    // What it was changes nothing of what it is.
    assert_eq!(
        state(&shop("was=backend"), "production"),
        state(&shop(""), "production")
    );
}

/// All layers at once: partial, own children, `in` of the environment, and above them `in preview`.
#[test]
fn layers_stand_on_each_other_in_every_environment() {
    let text = "project shop {
      environment staging branch=main
      environment production branch=release
      preview from=staging on=pull-request expire=\"3d\"
      var-group g { A g; B g; in staging { A gs; }; in preview { B gp; }; }
      var-group h { A h; }
      partial p { size cpu=1 memory=\"1Gi\"; drain grace=\"5s\"; vars { P p; Q p; }; image \"a/b:1\"; run from-partial; }
      web w like=p {
        port 8080; use g h; vars { Q own; R own; A #null; }; scale 2
        in staging { scale min=1 max=3; run #null; vars { R st; }; }
        in preview { scale 1; vars { Q pv; }; size cpu=2; }
        in production { domain shop.example; vars { A prod; P #null; }; drain #null; }
      }
    }";
    let of = |environment: &str| {
        let model = model(&state(text, environment), "w");
        ["vars", "scale", "size", "drain", "run"].map(|child| model[child].clone())
    };
    let fixed = |n: u32| json!({"min": n, "max": n});
    let size = |cpu: &str, memory: &str| json!({"cpu": cpu, "memory": memory});
    let drain = |grace: &str| json!({"before-term": "10s", "grace": grace});
    assert_eq!(
        of("staging"),
        [
            json!({"B": "g", "P": "p", "Q": "own", "R": "st"}),
            json!({"min": 1, "max": 3, "cpu": 80, "cooldown": "5m"}),
            size("1", "1Gi"),
            drain("5s"),
            Value::Null,
        ]
    );
    assert_eq!(
        of("production"),
        [
            json!({"A": "prod", "B": "g", "Q": "own", "R": "own"}),
            fixed(2),
            size("1", "1Gi"),
            drain("30s"),
            json!(["from-partial"]),
        ]
    );
    assert_eq!(
        of("pr-7"),
        [
            json!({"B": "gp", "P": "p", "Q": "pv", "R": "st"}),
            fixed(1),
            size("2", "256Mi"),
            drain("5s"),
            Value::Null,
        ]
    );
}
