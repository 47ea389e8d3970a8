//! Laws of the syntax layer over arbitrary text.
//! Reads `examples`; else pure but for proptest's seeds. The tree holds every byte, nothing panics, and the crate `kdl` reads the same.
//! Read on in `properties` for the laws and in `suite` for the cases that the specification gives.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use starform_dsl::source::SourceTree;

use crate::abstract_tree::{oracle, ours};
use crate::properties::parsed;
use crate::properties::pieces::PIECES;

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
