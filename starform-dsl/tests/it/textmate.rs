//! The grammar for editors is the one that the node table gives, and knows every word of it.
//! Reads `editors/vscode`; with `UPDATE_GOLDEN=1` it writes the grammar anew.
//! Read on in `starform_dsl::reference` and in `editors/vscode/test`, which runs the grammar.

use std::fs;
use std::path::Path;

use serde_json::Value;
use starform_dsl::reference;
use starform_dsl::table::{self, Type};

#[test]
fn the_grammar_of_editors_is_that_of_the_table() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/vscode/starform.tmLanguage.json");
    let made = reference::textmate();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &made).expect("editors/vscode can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the node table gives; UPDATE_GOLDEN=1 writes it anew",
        path.display()
    );
}

/// Words are alternatives of a pattern, where any other letter than these would mean something else.
#[test]
fn every_word_of_the_table_is_plain_and_known() {
    let grammar: Value = serde_json::from_str(&reference::textmate()).expect("JSON");
    let pattern = |group: &str, index: usize| {
        let rule = &grammar["repository"][group]["patterns"][index]["match"];
        rule.as_str().expect("a pattern").to_owned()
    };
    let knows = |pattern: &str, word: &str| {
        pattern
            .split(['|', '(', ')', ':'])
            .any(|alternative| alternative == word)
    };
    let plain = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    for spec in table::nodes() {
        assert!(
            plain(spec.name()) && knows(&pattern("nodes", 1), spec.name()),
            "{}",
            spec.name()
        );
        for prop in spec.props {
            assert!(
                plain(prop.name) && knows(&pattern("properties", 0), prop.name),
                "{}",
                prop.name
            );
            if let Type::OneOf(words) = prop.ty {
                for word in words {
                    assert!(plain(word) && knows(&pattern("words", 0), word), "{word}");
                }
            }
        }
    }
}

/// What a rule includes is there, so that no part of a text goes without colours.
#[test]
fn every_part_of_the_grammar_is_used_and_there() {
    let text = reference::textmate();
    let grammar: Value = serde_json::from_str(&text).expect("JSON");
    let parts = grammar["repository"].as_object().expect("parts");
    for part in parts.keys() {
        assert!(text.contains(&format!("\"#{part}\"")), "{part} is not used");
    }
    for used in text.split("\"include\": \"#").skip(1) {
        let name = used.split('"').next().unwrap_or_default();
        assert!(parts.contains_key(name), "{name} is not there");
    }
}
