//! The tree holds every byte, its views lie in the text, and every mistake has a place in it.
//! Pure. Of both readings: the one of KDL, and the one that knows what was meant.
//! Read on in `lexed` for the tokens.

use starform_dsl::source::{FileId, SourceTree};
use starform_dsl::syntax::{Nodes, Parse, parse, read};

use super::{lexed, said};

pub(crate) fn check(text: &str) {
    lexed::check(text);
    check_reading(parse, text);
    check_reading(read, text);
}

fn check_reading(reading: fn(FileId, String) -> Parse, text: &str) {
    let parse = reading(FileId(0), text.to_owned());
    let printed: String = parse
        .cst
        .tokens()
        .map(|token| &text[token.range.as_range()])
        .collect();
    assert_eq!(printed, text);
    assert_eq!(parse.cst.text(), text);
    said::check(&SourceTree::single("a.kdl", text), &parse.diagnostics);
    for diagnostic in &parse.diagnostics {
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
