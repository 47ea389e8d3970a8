//! Laws of the syntax layer over arbitrary text.
//! Reads `examples`; else pure but for proptest's seeds. The tree holds every byte, nothing panics, and the crate `kdl` reads the same.
//! Read on in `properties` for the laws and in `suite` for the cases that the specification gives.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use starform_dsl::render::{self, Human};
use starform_dsl::source::SourceTree;

use crate::abstract_tree::{oracle, ours};
use crate::properties::pieces::{PIECES, WORDS};
use crate::properties::{compiled, parsed};

/// Pieces on which the crate `kdl` follows the specification, so that it must accept what we accept.
/// (`/-` is left out: there it follows an older text.)
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "node", "a", "1", "-1.5e3", "#true", "\"a\"", "#\"a\"#", "\\\n", "//x\n", "/*c*/", "{", "}", "{", "}", "(t)", "(t)", "=", "=",
    ";", ";", " ", " ", " ", "\n", "\n", "\"\"\"\n \"\"\"", "\"\\  b\"", "'", ",", "\u{feff}", "(", ")", "-", ".", "\\s",
    "\"\"\"\n  a\\\n b\n  \"\"\"", "\\ //c\n",
];

fn common() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(COMMON), 0..10).prop_map(|pieces| pieces.concat())
}

pub(crate) fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_kept_byte_for_byte(text in any::<String>()) {
        parsed::check(&text);
    }

    #[test]
    fn any_bytes_are_kept_as_the_text_that_they_are(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        parsed::check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces_are_kept_byte_for_byte(text in pieces()) {
        parsed::check(&text);
    }

    #[test]
    fn the_oracle_accepts_the_same(text in common()) {
        let (ours, oracle) = (ours(&text), oracle(&text));
        prop_assert_eq!(ours.is_ok(), oracle.is_ok(), "{:?} and {:?}", ours, oracle);
    }

    #[test]
    fn the_oracle_reads_the_same(text in pieces()) {
        if let (Ok(ours), Ok(oracle)) = (ours(&text), oracle(&text)) {
            prop_assert_eq!(ours, oracle);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is said is sorted, said once, capped, lies in the text, and is shown in every form without a secret.
    #[test]
    fn any_words_of_the_language_are_answered(words in prop::collection::vec(word(), 0..24)) {
        compiled::check(&compiled::tree(&words.concat()));
    }
}

/// A piece or a word of the language.
fn word() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        1 => prop::sample::select(PIECES),
        3 => prop::sample::select(WORDS),
        1 => Just("}\n"),
        1 => Just("\u{1c}"),
    ]
}

#[test]
fn a_thousand_are_kept_and_fifty_are_shown() {
    let text = "project p {\n  environment e branch=main\n  nod 1\n".to_owned()
        + &"  nod 1\n".repeat(3_000)
        + "}\n";
    let sources = SourceTree::single("starform.kdl", &text);
    compiled::check(&sources);
    let said = starform_dsl::compile(&sources).diagnostics;
    assert_eq!(said.len(), 1_000);
    let how = Human {
        width: 80,
        color: false,
        secrets: &[],
    };
    let shown = render::human(&sources, &said, how);
    let heads = shown
        .lines()
        .filter(|line| line.starts_with("error[SF"))
        .count();
    assert_eq!(heads, 50);
    assert!(shown.contains("950 of them not shown"), "{shown}");
}

/// As an editor sees a file while it is typed.
#[test]
fn half_typed_examples_are_kept_byte_for_byte_and_compile_to_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for example in fs::read_dir(folder).expect("examples are there") {
        let path = example.expect("an entry").path().join("starform.kdl");
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (count, (at, _)) in text.char_indices().enumerate() {
            parsed::check(&text[..at]);
            if count % 16 == 0 {
                let sources = SourceTree::single("starform.kdl", &text[..at]);
                let compiled = starform_dsl::compile(&sources);
                let failed = compiled.diagnostics.iter().any(|said| said.is_error());
                assert_eq!(
                    compiled.project.is_none(),
                    failed,
                    "{path:?} up to byte {at}"
                );
            }
        }
    }
}
