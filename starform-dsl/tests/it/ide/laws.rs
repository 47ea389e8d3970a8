//! Laws of changing a text: renaming there and back is nothing, and a renamed project means the same; a fix leaves fewer errors.
//! Reads `examples/` and `golden/ui`.
//! Read on in `starform_dsl::ide`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use starform_dsl::compile;
use starform_dsl::ide::{self, Analysis, NameKind, TokenClass};
use starform_dsl::syntax::TextRange;

use super::{FILE, edited, offset, tree};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(path).expect("the file is there")
}

/// The places of all names of a text, by kind.
fn names(text: &str) -> Vec<(NameKind, TextRange)> {
    ide::semantic_tokens(&Analysis::of(tree(text)), FILE)
        .into_iter()
        .filter_map(|token| match token.class {
            TokenClass::Name(kind) => Some((kind, token.range)),
            TokenClass::Comment
            | TokenClass::Keyword
            | TokenClass::Unknown
            | TokenClass::Property
            | TokenClass::Annotation
            | TokenClass::Output
            | TokenClass::String
            | TokenClass::Number
            | TokenClass::Literal
            | TokenClass::Operator => None,
        })
        .collect()
}

fn errors(text: &str) -> usize {
    let said = compile(&tree(text)).diagnostics;
    said.iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count()
}

#[test]
fn renaming_there_and_back_is_nothing() {
    let mut kinds = BTreeSet::new();
    for example in [
        "examples/shop/starform.kdl",
        "examples/online-boutique/starform.kdl",
    ] {
        let text = read(example);
        for (kind, range) in names(&text) {
            let middle = range.start() + range.len() / 2;
            let analysis = Analysis::of(tree(&text));
            let to = match kind {
                NameKind::Variable => "ANOTHER_KEY",
                NameKind::Environment | NameKind::Group | NameKind::Partial | NameKind::Service => {
                    "another-name"
                }
            };
            let old = text[range.as_range()].trim_matches('"');
            let edits = match ide::rename(&analysis, FILE, middle, to) {
                Ok(edits) => edits,
                Err(error) => panic!("{example}: {old}: {error}"),
            };
            let there = edited(&text, &edits);
            assert!(
                !there.contains(&format!("\"{old}.")),
                "{example}: {old} is left in {there}"
            );
            assert_eq!(errors(&there), 0, "{example}: {old} in {there}");
            // The first edit moves nothing before it, so the name begins there still.
            let back = edits.first().expect("an edit").span.range.start();
            let analysis = Analysis::of(tree(&there));
            let edits = ide::rename(&analysis, FILE, back, old).expect("the old name is free");
            assert_eq!(edited(&there, &edits), text, "{example}: {old}");
            kinds.insert(format!("{kind:?}"));
        }
    }
    assert!(kinds.len() >= 4, "only {kinds:?} were renamed");
}

#[test]
fn no_action_makes_a_text_worse() {
    let mut applied = 0;
    for name in [
        "values",
        "syntax",
        "references",
        "unknown-nodes",
        "unknown-properties",
    ] {
        let text = read(&format!("golden/ui/{name}.kdl"));
        let analysis = Analysis::of(tree(&text));
        let before = errors(&text);
        let all = TextRange::new(0, offset(text.len()));
        for action in ide::actions(&analysis, FILE, all).iter().step_by(7) {
            let after = errors(&edited(&text, &action.fix.edits));
            let what = &action.diagnostic.title;
            assert!(
                after <= before,
                "{name}: {what}: {} makes {after} of {before}",
                action.fix.title
            );
            applied += 1;
        }
    }
    assert!(applied > 5, "only {applied} actions");
}
