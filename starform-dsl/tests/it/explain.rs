//! `explain`: the value, who says so and where, and what that replaced, as the rule of layers has it.
//! Reads the clock once.
//! Read on in `emission` for the values alone.

use std::collections::BTreeSet;
use std::time::Duration;

use starform_contract::model::ServiceModel;
use starform_dsl::{
    Bindings, Compiled, emit,
    explain::{self, Field, Role},
    table::{self, Place},
};

use crate::{heavy::spent, project::compiled};

const SHOP: &str = r#"project shop {
  environment staging branch=main
  environment production branch=release { drift report; }
  var-group shared {
    LEVEL debug
    COLOR red
    in production { LEVEL info; }
  }
  var-group loud { LEVEL trace; }
  partial small { size cpu="250m"; scale 2; image "a/b:1"; }
  web api like=small {
    port 8080
    size memory="1Gi"
    use shared
    vars { OWN 1; }
    in production {
      scale min=3 max=12
      domain "shop.example"
      use loud shared
      vars { COLOR #null; OWN 2; }
    }
  }
  worker mailer {
    image "a/b:1"
    run "mail" "--queue=fast"
    only production
  }
}
"#;

fn asked(path: &str, environment: Option<&str>) -> Result<String, String> {
    asked_of(SHOP, path, environment)
}

fn asked_of(text: &str, path: &str, environment: Option<&str>) -> Result<String, String> {
    let Compiled {
        project, secrets, ..
    } = compiled(text);
    let project = project.expect("no errors");
    let environment = environment.map(|name| name.parse().expect("a name"));
    let bindings = Bindings::first(&project);
    explain::explain(&project, path, environment.as_ref(), &bindings, &secrets)
        .map(|found| explain::text(&found))
        .map_err(|error| error.to_string())
}

#[track_caller]
fn says(path: &str, expected: &str) {
    assert_eq!(asked(path, None).expect("an answer"), expected, "{path}");
}

#[test]
fn a_child_comes_whole_from_the_highest_layer() {
    says(
        "api.scale",
        "\
api.scale in staging: min=2 max=2
  holds       partial small  starform.kdl:10:36  scale 2
api.scale in production: min=3 max=12 cpu=80 cooldown=5m
  holds       in production  starform.kdl:17:7   scale min=3 max=12
  replaced    partial small  starform.kdl:10:36  scale 2
",
    );
    says(
        "api.size.cpu",
        "\
api.size.cpu in staging, production: 100m
  holds       default                                 100m
  leaves out  the service itself  starform.kdl:13:5   size memory=\"1Gi\"
  replaced    partial small       starform.kdl:10:24  cpu=\"250m\"
",
    );
}

#[test]
fn variables_come_key_by_key() {
    says(
        "api.vars.LEVEL",
        "\
api.vars.LEVEL in staging: debug
  holds       var-group shared  starform.kdl:5:5  LEVEL debug
api.vars.LEVEL in production: info
  holds       var-group shared, in production  starform.kdl:7:21  LEVEL info
  replaced    var-group shared                 starform.kdl:5:5   LEVEL debug
  replaced    var-group loud                   starform.kdl:9:20  LEVEL trace
",
    );
    says(
        "api.vars.COLOR",
        "\
api.vars.COLOR in staging: red
  holds       var-group shared  starform.kdl:6:5  COLOR red
api.vars.COLOR in production: nothing
  takes back  in production     starform.kdl:20:14  COLOR #null
  replaced    var-group shared  starform.kdl:6:5    COLOR red
",
    );
}

#[test]
fn a_service_that_is_not_there_says_why() {
    says(
        "mailer.image",
        "\
mailer.image in staging: nothing
  absent      the service itself  starform.kdl:26:10  only production
mailer.image in production: a/b:1
  holds       the service itself  starform.kdl:24:5  image \"a/b:1\"
",
    );
}

#[test]
fn groups_and_environments_are_asked_by_name() {
    says(
        "loud.LEVEL",
        "\
loud.LEVEL in staging, production: trace
  holds       var-group loud  starform.kdl:9:20  LEVEL trace
",
    );
    says(
        "production.drift",
        "\
production.drift in production: drift report
  holds       the environment itself  starform.kdl:3:43  drift report
",
    );
    says(
        "environment.staging.deploy",
        "staging.deploy in staging: after=commit\n  holds       default    after=commit\n",
    );
}

#[test]
fn a_kind_stands_for_its_only_service() {
    let plain = asked("api.scale", Some("production"));
    assert!(plain.as_ref().is_ok_and(|text| text.contains("max=12")));
    assert_eq!(asked("web.scale", Some("production")), plain);
    assert_eq!(asked("web.api.scale", Some("production")), plain);
}

#[test]
fn a_path_that_leads_nowhere_says_where_to_go() {
    let cases = [
        (
            "ap.scale",
            "service, var-group or environment `ap`; did you mean `api`?",
        ),
        ("api.replicas", "node `replicas`; did you mean `scale`?"),
        ("api.scale.mx", "property or node `mx`; did you mean `max`?"),
        ("api.vars.LEVL", "variable `LEVL`; did you mean `LEVEL`?"),
        ("api.overlap", "node `overlap`; a web service has none"),
        (
            "cron.timeout",
            "service `cron`; and the project has no cron service",
        ),
        (
            "production.branches",
            "setting `branches`; did you mean `branch`?",
        ),
        ("shared.COLORS", "variable `COLORS`; did you mean `COLOR`?"),
    ];
    for (path, expected) in cases {
        assert_eq!(asked(path, None), Err(format!("there is no {expected}")));
    }
    let unknown = asked("api.scale", Some("prod"));
    let expected = "there is no environment `prod`; there are `staging`, `production`";
    assert_eq!(unknown, Err(expected.to_owned()));
}

const PAST: &str = r#"project shop {
  environment staging branch=main
  environment production branch=main
  web api was=backend { image "a/b:1"; port 8080; }
  removed web old data=keep
  removed volume api.uploads data=destroy
}
"#;

#[test]
fn what_is_removed_is_asked_as_its_line_has_it() {
    let says = |path: &str, expected: &str| {
        let expected = expected.to_owned();
        assert_eq!(asked_of(PAST, path, None), Ok(expected), "{path}");
    };
    let old = "\
removed.web.old.data in staging, production: keep
  holds       the project itself  starform.kdl:5:3  removed web old data=keep
";
    says("removed.web.old", old);
    says("removed.web.old.data", old);
    says(
        "removed.volume.api.uploads",
        "\
removed.volume.api.uploads.data in staging, production: destroy
  holds       the project itself  starform.kdl:6:3  removed volume api.uploads data=destroy
",
    );
    let one = asked_of(PAST, "removed.web.old", Some("staging"));
    assert!(one.is_ok_and(|text| text.starts_with("removed.web.old.data in staging: keep\n")));
}

#[test]
fn a_name_of_the_past_leads_to_what_became_of_it() {
    let cases = [
        (
            "backend.scale",
            "service `backend`; it is called `api` now, by starform.kdl:4:15",
        ),
        (
            "old.scale",
            "service `old`; it is removed by starform.kdl:5:3; ask for `removed.web.old`",
        ),
        (
            "removed.worker.old",
            "`removed` line for `worker.old`; there are `web.old`, `volume.api.uploads`",
        ),
        ("removed.web.old.dat", "setting `dat`; did you mean `data`?"),
    ];
    for (path, expected) in cases {
        let expected = format!("there is no {expected}");
        assert_eq!(asked_of(PAST, path, None), Err(expected));
    }
    let none = asked("removed.web.old", None);
    let expected = "there is no `removed` line for `web.old`; there are none";
    assert_eq!(none, Err(expected.to_owned()));
}

#[test]
fn what_looks_like_a_credential_is_never_repeated() {
    let tag = "image \"a/b:ghp_0123456789abcdefghijABCDEFGHIJ\"\n    run";
    let shop = SHOP.replace("image \"a/b:1\"\n    run", tag);
    assert_ne!(shop, SHOP);
    for path in ["mailer.image", "mailer", "worker.image"] {
        let text = asked_of(&shop, path, None).unwrap_or_else(|error| error);
        assert!(text.contains("…") && !text.contains("ghp_"), "{text}");
    }
}

/// For every service, path and environment of the examples: the layer that holds is unique, and
/// where one holds, its place is the one that the emitted state names as origin.
#[test]
fn what_holds_is_what_is_emitted() {
    for (name, text) in crate::examples::texts() {
        let compiled = compiled(&text);
        let project = compiled.project.expect("no errors");
        let bindings = Bindings::first(&project);
        let mut asked = 0;
        for (environment, _) in project.environments() {
            let origins = emit(&project, environment, &bindings)
                .expect("a state")
                .origins;
            for service in project.service_names_in(environment) {
                let found = explain::explain(
                    &project,
                    service.as_str(),
                    Some(environment),
                    &bindings,
                    &compiled.secrets,
                );
                for explained in found.expect("the service is there") {
                    let answer = &explained.answers[0];
                    let holds = answer.said.iter().filter(|said| said.role == Role::Holds);
                    let holds: Vec<_> = holds.collect();
                    assert!(holds.len() <= 1, "{name}: {}", explained.path);
                    let path = explained.path.split_once('.').expect("a service").1;
                    let field = explain::field(path).and_then(Field::name);
                    let origin = origins.0[&service].get(field.unwrap_or(path));
                    let place = holds.first().and_then(|said| said.place.as_ref());
                    if let (Some(origin), Some(place)) = (origin, place) {
                        let (line, _) = origin.rsplit_once(':').expect("a column");
                        assert_eq!(line, format!("{}:{}", place.file, place.line));
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 2, "{name}: only {asked} places compared");
    }
}

/// What asks each variable anew takes seconds here.
#[test]
fn as_many_variables_as_fit_are_answered_at_once() {
    let vars: String = (0..1_000).map(|at| format!("K{at} v{at}\n")).collect();
    let text = format!(
        "project p {{ environment e branch=x; environment f branch=y\n\
         web api {{ image \"a/b:1\"; port 8080; vars {{\n{vars}}}; }}; }}"
    );
    let project = compiled(&text).project.expect("no errors");
    let bindings = Bindings::first(&project);
    let start = spent();
    let found = explain::explain(&project, "api", None, &bindings, &[]).expect("an answer");
    assert!(found.len() > 1_000);
    let environment = "e".parse().expect("a name");
    let origins = explain::origins(&project, &environment, &bindings, &[]).expect("a state");
    assert!(origins.values().all(|of| of.len() > 1_000));
    let took = spent() - start;
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// Fields of the model that no node is named for.
const OF_THE_PLATFORM: [&str; 3] = ["kind", "refs", "platform-host"];

#[test]
fn every_node_of_a_service_has_its_field_of_the_model() {
    let schema = schemars::schema_for!(ServiceModel).to_value();
    let named = ["Web", "Private", "Worker", "Cron", "Running"];
    let objects = named.iter().map(|name| &schema["$defs"][name]);
    let fields: BTreeSet<&str> = objects
        .chain([&schema])
        .filter_map(|object| object["properties"].as_object())
        .flat_map(|fields| fields.keys().map(String::as_str))
        .filter(|field| !OF_THE_PLATFORM.contains(field))
        .collect();
    let children = table::valid_in(Place::Service);
    let kinds = ["web", "private", "worker", "cron"];
    let own = kinds.map(|kind| table::find(Place::Project, kind).expect("a kind").props);
    let own = own
        .iter()
        .flat_map(|props| props.iter().map(|prop| prop.name));
    let said: BTreeSet<&str> = children
        .into_iter()
        .chain(own)
        .filter_map(|name| {
            let field = explain::field(name);
            field
                .unwrap_or_else(|| panic!("`{name}` has no row"))
                .name()
        })
        .collect();
    assert_eq!(said, fields);
    assert_eq!(explain::field("replicas"), None);
}

#[test]
fn what_several_nodes_say_is_asked_of_all_of_them() {
    let text = r#"project shop {
  environment production branch=main
  web api {
    image "a/b:1"
    port 8080 name=http
    port 9090 name=admin
    redirect "/a" to="/b" status=301
    redirect "/c" to="/d"
  }
}
"#;
    let says = |path: &str, value: &str| {
        let text = asked_of(text, path, None).expect("an answer");
        let first = text.lines().next().expect("a line");
        assert_eq!(first, format!("{path} in production: {value}"));
    };
    says("api.port.name", "http admin");
    says("api.redirect.to", "/b /d");
    says(
        "api.redirect",
        "/a={to=/b status=301} /c={to=/d status=302}",
    );
}
