//! The canonical form, beside an implementation that is not ours.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Number, Value, json};
use starform_contract::{Deletion, Digest, Object, bundle::Wave, digest::canonical};

/// Fields in no order, maps in maps, every shape that serde writes as JSON.
#[derive(Debug, Serialize)]
struct Shapes {
    zulu: Value,
    alpha: Option<BTreeMap<String, Value>>,
    #[serde(rename = "\u{20ac}uro")]
    euro: Vec<Choice>,
    #[serde(rename = "a\"b")]
    quoted: (u8, i64, bool),
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u8>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    Unit,
    NewType(Value),
    Tuple(u32, String),
    Fields { zulu: Value, alpha: f64 },
}

#[test]
fn names_are_ordered_by_their_utf16_units() {
    // The example of RFC 8785, 3.2.3, with names that need an escape.
    let names = [
        "\u{20ac}",
        "\r",
        "\u{fb33}",
        "1",
        "\u{1f600}",
        "\u{80}",
        "\u{f6}",
        "\"",
        "\\",
        "a",
        "a!",
        "a b",
    ];
    let map: BTreeMap<&str, u8> = names.iter().map(|name| (*name, 0)).collect();
    let text = String::from_utf8(canonical(&map)).unwrap();
    let expected = [
        "\\r",
        "\\\"",
        "1",
        "\\\\",
        "a",
        "a b",
        "a!",
        "\u{80}",
        "\u{f6}",
        "\u{20ac}",
        "\u{1f600}",
        "\u{fb33}",
    ];
    let expected: Vec<String> = expected
        .iter()
        .map(|name| format!("\"{name}\":0"))
        .collect();
    assert_eq!(text, format!("{{{}}}", expected.join(",")));
}

/// What stands escaped is found wherever it is: texts are looked at several bytes at a time.
#[test]
fn a_text_is_escaped_at_every_place() {
    for length in 0..20 {
        for place in 0..length {
            for found in [
                '"',
                '\\',
                '\u{0}',
                '\u{1f}',
                ' ',
                '!',
                '#',
                '[',
                ']',
                '\u{7f}',
                '\u{e9}',
                '\u{10ffff}',
            ] {
                for around in ['a', '\u{1f}', ' ', '\u{ff}'] {
                    let text: String = (0..length)
                        .map(|at| if at == place { found } else { around })
                        .collect();
                    let document = json!({ text.clone(): text });
                    let theirs = serde_json_canonicalizer::to_vec(&document).unwrap();
                    let content = Object::new(document.clone(), Wave(4), Deletion::Delete).digest;
                    let whole = json!({"manifest": document, "sealed": {}, "deletion": "delete", "wave": 4});
                    assert_eq!(canonical(&document), theirs, "{document}");
                    assert_eq!(content, Digest::of(&whole), "{document}");
                }
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}",
        "[ -~]{0,6}",
        any::<String>(),
        // Where the order by bytes and by UTF-16 units differ.
        "[\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}\\\\\"\n\u{1}a]{0,4}",
    ]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i32>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-3i64..3).prop_map(|near| Number::from((1i64 << 53) + near)),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        value().prop_map(Choice::NewType),
        (any::<u32>(), text()).prop_map(|(number, text)| Choice::Tuple(number, text)),
        (value(), -1e30..1e30f64).prop_map(|(zulu, alpha)| Choice::Fields { zulu, alpha }),
    ]
}

prop_compose! {
    fn shapes()(
        zulu in value(),
        alpha in proptest::option::of(proptest::collection::btree_map(text(), value(), 0..4)),
        euro in proptest::collection::vec(choice(), 0..4),
        quoted in any::<(u8, i64, bool)>(),
        left_out in any::<Option<u8>>(),
        rest in proptest::collection::btree_map("[A-Y]{1,3}|[\u{e000}\u{10000}]", value(), 0..4),
    ) -> Shapes {
        Shapes { zulu, alpha, euro, quoted, left_out, rest }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_what_another_implementation_writes(shapes in shapes()) {
        let theirs = serde_json_canonicalizer::to_vec(&shapes).unwrap();
        prop_assert_eq!(String::from_utf8(canonical(&shapes)).unwrap(), String::from_utf8(theirs).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_objects_digest_is_of_its_canonical_form(manifest in value()) {
        let object = Object::new(manifest.clone(), Wave(4), Deletion::WithProject);
        let content = json!({"manifest": manifest, "sealed": {}, "deletion": "with-project", "wave": 4});
        prop_assert_eq!(object.digest, Digest::of(&content));
    }
}
