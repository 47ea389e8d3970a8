//! Which element of a list is which: a table of lists before and after, and what is listed as changed.
//!
//! Pure.

use proptest::{collection, prelude::*, sample};
use serde_json::{Value, json};
use starform_contract::{Deletion, Object, bundle::Wave};
use starform_plan::{
    diff::fields,
    document::{FieldChange, Op},
};

use super::applied;

/// What, list's place, before, after, and the expected `op path before after`.
struct Case(
    &'static str,
    &'static str,
    Value,
    Value,
    &'static [&'static str],
);

fn lists_with_keys() -> Vec<Case> {
    let containers = "/spec/template/spec/containers";
    let ports = "/spec/ports";
    vec![
        Case(
            "an element at the front does not shift the others",
            containers,
            json!([{"name": "a", "image": "1"}]),
            json!([{"name": "b", "image": "2"}, {"name": "a", "image": "1"}]),
            &[r#"add /0 null {"image":"2","name":"b"}"#],
        ),
        Case(
            "a removed one is listed at its old place, a changed one at its new",
            containers,
            json!([{"name": "a"}, {"name": "b", "image": "1"}]),
            json!([{"name": "b", "image": "2"}]),
            &[r#"remove /0 {"name":"a"} null"#, r#"set /0/image "1" "2""#],
        ),
        Case(
            "order alone is one change",
            containers,
            json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]),
            json!([{"name": "c"}, {"name": "a"}, {"name": "b"}]),
            &[r#"move  ["a","b","c"] ["c","a","b"]"#],
        ),
        Case(
            "order and a change inside are two",
            containers,
            json!([{"name": "a", "image": "1"}, {"name": "b"}]),
            json!([{"name": "b"}, {"name": "a", "image": "2"}]),
            &[r#"move  ["a","b"] ["b","a"]"#, r#"set /1/image "1" "2""#],
        ),
        Case(
            "a protocol that is left out is TCP",
            ports,
            json!([{"port": 80}, {"port": 53, "protocol": "UDP"}]),
            json!([{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP", "name": "dns"}]),
            &[r#"add /0/protocol null "TCP""#, r#"add /1/name null "dns""#],
        ),
        Case(
            "two elements of one name are compared as a sequence",
            containers,
            json!([{"name": "a", "image": "1"}, {"name": "a", "image": "2"}]),
            json!([{"name": "a", "image": "1"}, {"name": "a", "image": "3"}]),
            &[r#"set /1/image "2" "3""#],
        ),
    ]
}

fn lists_without_keys() -> Vec<Case> {
    let containers = "/spec/template/spec/containers";
    vec![
        Case(
            "a list without keys is a sequence: an insertion shifts nothing",
            "/spec/rules",
            json!([{"a": 1}, {"b": 2}]),
            json!([{"a": 1}, {"new": 0}, {"b": 2}]),
            &[r#"add /1 null {"new":0}"#],
        ),
        Case(
            "and its order is one change",
            "/spec/hostnames",
            json!(["a", "b"]),
            json!(["b", "a"]),
            &[r#"move  ["a","b"] ["b","a"]"#],
        ),
        Case(
            "an element that changed keeps its place",
            "/spec/template/spec/containers/args",
            json!(["--a", "--b=1", "--c"]),
            json!(["--a", "--b=2", "--c"]),
            &[r#"set /1 "--b=1" "--b=2""#],
        ),
        Case(
            "environment variables have names",
            "/spec/template/spec/containers/env",
            json!([{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]),
            json!([{"name": "B", "value": "2"}]),
            &[
                r#"remove /0 {"name":"A","value":"1"} null"#,
                r#"set /0/value "1" "2""#,
            ],
        ),
        Case(
            "a list that becomes something else is replaced",
            containers,
            json!([{"name": "a"}]),
            json!("none"),
            &[r#"set  [{"name":"a"}] "none""#],
        ),
    ]
}

#[test]
fn elements_are_told_apart_by_their_keys() {
    for Case(what, place, before, after, expected) in
        lists_with_keys().into_iter().chain(lists_without_keys())
    {
        let changes = fields::between(Some(&object(place, before)), Some(&object(place, after)));
        let listed: Vec<String> = changes.iter().map(|change| line(place, change)).collect();
        assert_eq!(listed, expected, "{what}");
    }
}

#[test]
fn a_named_element_is_named_in_words() {
    let list = |image: &str| {
        let container = json!({"name": "api", "image": image});
        object("/spec/template/spec/containers", json!([container]))
    };
    let changes = fields::between(Some(&list("1")), Some(&list("2")));
    assert_eq!(changes[0].path, "/spec/template/spec/containers/0/image");
    let words = changes[0].words.as_deref();
    assert_eq!(words, Some("spec.template.spec.containers[api].image"));
}

#[test]
fn how_an_object_is_handled_is_listed_too() {
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    let before = Object::new(manifest.clone(), Wave(2), Deletion::Delete);
    let after = Object::new(manifest, Wave(3), Deletion::Retain);
    let paths: Vec<String> = fields::between(Some(&before), Some(&after))
        .into_iter()
        .map(|change| change.path)
        .collect();
    assert_eq!(paths, ["@wave", "@deletion"]);
}

/// An object whose list stands at `place`.
fn object(place: &str, list: Value) -> Object {
    let steps: Vec<&str> = place.split('/').skip(1).collect();
    let inner = steps
        .iter()
        .rev()
        .fold(list, |value, step| json!({ *step: value }));
    let mut manifest = json!({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}});
    manifest["spec"] = inner["spec"].clone();
    Object::new(manifest, Wave(4), Deletion::Delete)
}

fn line(place: &str, change: &FieldChange) -> String {
    let op = match change.op {
        Op::Add => "add",
        Op::Set => "set",
        Op::Remove => "remove",
        Op::Move => "move",
    };
    let side = |value: &Option<Value>| value.clone().unwrap_or_default().to_string();
    let path = change.path.strip_prefix(place).unwrap();
    format!(
        "{op} {path} {} {}",
        side(&change.before),
        side(&change.after)
    )
}

proptest! {
    #[test]
    fn fields_turn_any_lists_into_any_others(before in manifest(), after in manifest()) {
        let object = |manifest: &Value| Object::new(manifest.clone(), Wave(4), Deletion::Delete);
        let (old, new) = (object(&before), object(&after));
        let key = old.key().unwrap();
        let changes = fields::between(Some(&old), Some(&new));
        prop_assert_eq!(changes.is_empty(), before == after);
        prop_assert_eq!(applied::apply(&key, before, &changes), after.clone());
        let whole = fields::between(None, Some(&new));
        prop_assert_eq!(applied::apply(&key, Value::Null, &whole), after);
    }
}

/// Lists of every sort, from few elements, so that they come, go, change and move.
fn manifest() -> BoxedStrategy<Value> {
    let text = || sample::select(vec!["a", "b", "c", "0", "a/b~c", ""]);
    let args = || collection::vec(text(), 0..4);
    let env = collection::vec((text(), 0..2), 0..4);
    let ports = collection::vec((1..3, sample::select(vec!["TCP", "UDP"])), 0..3);
    let container = (text(), args(), env, ports).prop_map(|(name, args, env, ports)| {
        let env: Vec<Value> = env
            .into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let ports: Vec<Value> = ports
            .into_iter()
            .map(|(port, protocol)| json!({"containerPort": port, "protocol": protocol}))
            .collect();
        json!({"name": name, "args": args, "env": env, "ports": ports})
    });
    let rules = collection::vec(
        (args(), 0..3).prop_map(|(to, port)| json!({"to": to, "port": port})),
        0..4,
    );
    let labels = collection::btree_map(text(), 0..2, 0..3);
    (collection::vec(container, 0..4), rules, args(), labels)
        .prop_map(|(containers, rules, hosts, labels)| {
            json!({
                "apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x", "labels": labels},
                "spec": {"template": {"containers": containers}, "rules": rules, "hostnames": hosts},
            })
        })
        .boxed()
}
