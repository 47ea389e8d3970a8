//! Laws of the syntax layer over arbitrary text.
//! Pure but for proptest's seeds. The tree holds every byte, nothing panics, and the crate `kdl` reads the same.
//! Read on in `suite` for the cases that the specification gives.

use proptest::prelude::*;
use starform_dsl::source::FileId;
use starform_dsl::syntax::{Nodes, parse};

use crate::abstract_tree::{oracle, ours};

/// Pieces that KDL gives a meaning, so that random texts reach every corner.
const PIECES: &[&str] = &[
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

fn pieces() -> impl Strategy<Value = String> {
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
    fn the_oracle_reads_the_same(text in pieces()) {
        if let (Ok(ours), Ok(oracle)) = (ours(&text), oracle(&text)) {
            prop_assert_eq!(ours, oracle);
        }
    }
}

fn check_tree(text: &str) {
    let parse = parse(FileId(0), text);
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
