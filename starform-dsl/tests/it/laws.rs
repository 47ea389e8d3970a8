//! Laws of the syntax layer over arbitrary text.
//! Reads `examples`; else pure but for proptest's seeds. The tree holds every byte, nothing panics, and the crate `kdl` reads the same.
//! Read on in `suite` for the cases that the specification gives.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use starform_dsl::source::{FileId, SourceTree};
use starform_dsl::syntax::{Nodes, Parse, parse, read};

use crate::abstract_tree::{oracle, ours};

/// Pieces that KDL gives a meaning, so that random texts reach every corner.
pub(crate) const PIECES: &[&str] = &[
    "node",
    "a",
    "r",
    "true",
    "-",
    "1",
    "0x1F",
    "-1.5e3",
    ".5",
    "80a",
    "#true",
    "#null",
    "#inf",
    "#x",
    "\"",
    "\"\"\"",
    "\"a\"",
    "#\"",
    "\"#",
    "#\"a\"#",
    "\\",
    "\\n",
    "\\u{e9}",
    "\\u{d800}",
    "/-",
    "//",
    "/*",
    "*/",
    "/",
    "{",
    "}",
    "(",
    ")",
    "(t)",
    "=",
    ";",
    "[",
    "]",
    ",",
    ":",
    "'",
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{a0}",
    "\u{3000}",
    "\u{feff}",
    "\u{202e}",
    "\u{7f}",
    "é",
    "🙂",
    "kdl-version",
    "\\\n",
    "\"\"\"\n",
    "\n\"\"\"",
    "node a=1 {\n",
    "}\n",
];

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
        check_tree(&text);
    }

    #[test]
    fn any_pieces_are_kept_byte_for_byte(text in pieces()) {
        check_tree(&text);
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
            check_tree(&text[..at]);
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

fn check_tree(text: &str) {
    check_reading(parse, text);
    check_reading(read, text);
}

fn check_reading(reading: fn(FileId, String) -> Parse, text: &str) {
    let parse = reading(FileId(0), text.to_owned());
    let mut at = 0;
    for token in parse.cst.tokens() {
        assert_eq!(token.range.start(), at, "tokens follow each other");
        assert!(!token.range.is_empty(), "a token has a text");
        at = token.range.end();
    }
    assert_eq!(at as usize, text.len(), "the tokens are the whole text");
    assert_eq!(parse.cst.text(), text);
    for diagnostic in &parse.diagnostics {
        assert!(
            text.get(diagnostic.primary.span.range.as_range()).is_some(),
            "{diagnostic:?} lies in the text"
        );
        assert!(
            diagnostic.title.chars().count() <= 72,
            "{diagnostic:?} has a short title"
        );
        for fix in &diagnostic.fixes {
            let mut from = 0;
            for edit in &fix.edits {
                let range = edit.span.range;
                assert!(
                    from <= range.start(),
                    "{fix:?} edits in the order of the text"
                );
                assert!(
                    text.get(range.as_range()).is_some(),
                    "{fix:?} edits the text"
                );
                from = range.end();
            }
        }
        assert!(
            diagnostic.help.is_some(),
            "{diagnostic:?} names the next step"
        );
    }
    assert!(
        parse.sound || !parse.diagnostics.is_empty(),
        "what is not sound is reported"
    );
    visit(parse.cst.nodes(), text);
}

/// Reads everything that the views give.
fn visit(nodes: Nodes<'_>, text: &str) {
    let mut work = vec![nodes];
    while let Some(mut nodes) = work.pop() {
        let Some(node) = nodes.next() else { continue };
        work.push(nodes);
        assert!(
            text.get(node.span().range.as_range())
                .is_some_and(|node| !node.is_empty())
        );
        assert!(node.span().range.contains(node.name_span().range.start()));
        let _ = (node.name(), node.ty(), node.head_span(), node.block_span());
        for entry in node.entries() {
            let _ = (
                entry.name(),
                entry.ty(),
                entry.value(),
                entry.raw(),
                entry.span(),
            );
        }
        work.extend(node.children());
    }
}
