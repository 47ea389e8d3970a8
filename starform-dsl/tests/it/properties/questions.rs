//! Every question of an editor has an answer at every place, and the answer lies in the text.
//! Pure.
//! Read on in `starform_dsl::ide`.

use starform_dsl::ide::{self, Analysis, OutlineNode};
use starform_dsl::source::{FileId, Span};
use starform_dsl::syntax::TextRange;

/// Asks everything at an offset; gives the number of answers, so that nothing is left out.
pub(crate) fn ask(analysis: &Analysis, file: FileId, at: u32) -> usize {
    let length = analysis.sources().file(file).text().len();
    let all = TextRange::new(0, u32::try_from(length).expect("a small text"));
    let lies = |range: TextRange| {
        let text = analysis.sources().file(file).text();
        assert!(text.get(range.as_range()).is_some(), "{range:?} is no text");
    };
    let places = |spans: Vec<Span>| {
        for span in &spans {
            let text = analysis.sources().file(span.file).text();
            assert!(text.get(span.range.as_range()).is_some(), "{span:?}");
        }
        spans.len()
    };
    let completions = ide::completions(analysis, file, at);
    completions.iter().for_each(|found| lies(found.edit.range));
    let hover = ide::hover(analysis, file, at);
    hover.iter().for_each(|found| lies(found.range));
    let highlights = ide::highlights(analysis, file, at);
    let prepared = ide::prepare_rename(analysis, file, at);
    let renamed = ide::rename(analysis, file, at, "other").unwrap_or_default();
    let hints = ide::inlay_hints(analysis, file, all);
    hints
        .iter()
        .for_each(|hint| lies(TextRange::at(hint.offset)));
    let folds = ide::folding(analysis, file);
    folds.iter().for_each(|fold| lies(fold.range));
    completions.len()
        + usize::from(hover.is_some())
        + places(ide::definition(analysis, file, at))
        + places(ide::references(analysis, file, at, true))
        + places(highlights.iter().map(|found| found.span).collect())
        + places(prepared.into_iter().collect())
        + places(renamed.iter().map(|edit| edit.span).collect())
        + ide::actions(analysis, file, all).len()
        + tokens(analysis, file)
        + folds.len()
        + hints.len()
        + outline(analysis, &ide::symbols(analysis, file), None)
        + places(ide::links(analysis, file).iter().map(|l| l.span).collect())
}

/// Colours follow each other: the protocol counts each from the one before.
fn tokens(analysis: &Analysis, file: FileId) -> usize {
    let text = analysis.sources().file(file).text();
    let tokens = ide::semantic_tokens(analysis, file);
    let mut end = 0;
    for token in &tokens {
        assert!(end <= token.range.start(), "{token:?} begins before {end}");
        assert!(text.get(token.range.as_range()).is_some(), "{token:?}");
        end = token.range.end();
    }
    tokens.len()
}

/// An entry lies in the one above it, and what is selected in the entry.
fn outline(analysis: &Analysis, nodes: &[OutlineNode], above: Option<TextRange>) -> usize {
    let within = |inner: TextRange, outer: TextRange| {
        outer.start() <= inner.start() && inner.end() <= outer.end()
    };
    let count = |node: &OutlineNode| {
        let text = analysis.sources().file(node.span.file).text();
        assert!(text.get(node.span.range.as_range()).is_some(), "{node:?}");
        assert!(within(node.selection.range, node.span.range), "{node:?}");
        assert!(
            above.is_none_or(|above| within(node.span.range, above)),
            "{node:?}"
        );
        1 + outline(analysis, &node.children, Some(node.span.range))
    };
    nodes.iter().map(count).sum()
}
