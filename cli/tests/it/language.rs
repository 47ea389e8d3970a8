//! What the command line tells about the language: nodes, places of values, schemas, origins.
//!
//! Runs `starform` on the examples; no cluster.

use crate::support::{
    process::{Ran, run, run_with, starform},
    root,
};

fn in_shop(words: &[&str]) -> Ran {
    let mut command = starform();
    command.current_dir(root().join("examples/shop"));
    run(command.args(words))
}

#[test]
fn a_node_is_explained_from_the_table() {
    let ran = in_shop(&["explain", "scale"]).expect(0);
    assert_eq!(
        ran.stdout,
        in_shop(&["schema", "node", "scale"]).expect(0).stdout
    );
    for word in ["scale min=N max=N", "web, private, worker", "cooldown="] {
        assert!(ran.stdout.contains(word), "{word} in {}", ran.stdout);
    }
    let unknown = in_shop(&["schema", "node", "replicas"]).expect(1);
    assert!(unknown.stderr.contains("`replicas` is written `scale`"));
    let unknown = in_shop(&["schema", "node", "env"]).expect(1);
    assert!(unknown.stderr.contains("`env` is written `vars`"));
}

#[test]
fn a_value_is_explained_with_layer_and_place() {
    let ran = in_shop(&["explain", "web.scale", "--env", "production"]).expect(0);
    assert!(
        ran.stdout
            .contains("holds       in production  starform.kdl:47:7  scale min=3")
    );
    assert_eq!(ran.stderr, "", "warnings are not what was asked for");
    let json = in_shop(&[
        "explain",
        "web.scale",
        "--env",
        "production",
        "--format",
        "json",
    ])
    .expect(0)
    .json();
    let answer = &json["explained"][0]["answers"][0];
    assert_eq!(answer["environments"][0], "production");
    assert_eq!(answer["said"][0]["layer"], "in production");
    assert_eq!(answer["said"][0]["line"], 47);
    let unknown = in_shop(&["explain", "web.scal"]).expect(1);
    assert!(
        unknown.stderr.contains("did you mean `scale`?"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn compile_tells_where_values_come_from() {
    let origins = in_shop(&["compile", "--env", "production", "--origins"])
        .expect(0)
        .json();
    let scale = &origins["storefront"]["scale.max"];
    assert_eq!(scale["layer"], "in production");
    assert_eq!(scale["place"], "starform.kdl:47:19");
    let defaults = [
        ("cache", "scale.max"),
        ("catalog", "scale.cooldown"),
        ("cache", "size.cpu"),
    ];
    for (service, path) in defaults {
        assert_eq!(
            origins[service][path]["layer"], "default",
            "{service} {path}"
        );
    }
    assert_eq!(
        origins["indexer"]["scale.max"]["place"],
        "starform.kdl:87:7"
    );
    assert_eq!(origins["storefront"]["image"]["layer"], "partial server");
    assert_eq!(origins["storefront"]["platform-host"]["layer"], "platform");
}

#[test]
fn the_node_table_is_data() {
    let all = in_shop(&["schema", "node", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(all["nodes"][0]["name"], "project");
    let scale = in_shop(&["schema", "node", "scale", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(scale["nodes"].as_array().map(Vec::len), Some(1));
    assert_eq!(scale["nodes"][0]["properties"][0]["max"], "1000");
    let unknown = in_shop(&["schema", "node", "scael", "--format", "json"]).expect(1);
    assert_eq!(unknown.stdout, "");
    assert!(unknown.stderr.contains("did you mean `scale`?"));
}

#[test]
fn the_published_schema_and_the_form_of_a_file_are_printed() {
    let schema = in_shop(&["schema", "json-schema"]).expect(0);
    let published = std::fs::read_to_string(root().join("schemas/document.v1.json"));
    assert_eq!(schema.stdout, published.expect("it is published"));
    let form = in_shop(&["schema", "document"]).expect(0).json();
    assert_eq!(form[0]["name"], "project");
    assert_eq!(form[0]["args"][0]["value"]["data"], "shop");
}

#[test]
fn a_file_that_is_no_kdl_or_holds_a_credential_has_no_form() {
    let of = |text: &str| run_with(starform().args(["schema", "document", "-"]), text);
    let broken = of("project p {").expect(1);
    assert!(broken.stderr.contains("SF1019"), "{}", broken.stderr);
    let secret = of("var-group g { API_TOKEN hunter2hunter2; }").expect(1);
    assert_eq!(secret.stdout, "");
    assert!(secret.stderr.contains("credential"), "{}", secret.stderr);
    assert!(!secret.stderr.contains("hunter2"));
}
