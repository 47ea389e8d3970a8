//! `text {service.output} {self.host}`: the text form of a template.
//! Pure. `{{` and `}}` are literal braces; every other `{` opens a reference that its `}` closes.
//! Read on in the parent for what a reference is.

use std::ops::Range;

use super::{InvalidReference, Reference};

/// A part of a template, with its bytes in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Reference(Reference, Range<usize>),
}

/// Why a text is no template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    #[error("`{{` is never closed")]
    Unclosed(Range<usize>),
    #[error("`}}` without its `{{`")]
    Unopened(Range<usize>),
    #[error("{0}")]
    Reference(InvalidReference, Range<usize>),
}

impl InvalidTemplate {
    pub fn range(&self) -> Range<usize> {
        match self {
            InvalidTemplate::Unclosed(range)
            | InvalidTemplate::Unopened(range)
            | InvalidTemplate::Reference(_, range) => range.clone(),
        }
    }
}

/// The parts, and every mistake.
pub fn parse(text: &str) -> (Vec<Part>, Vec<InvalidTemplate>) {
    let (mut parts, mut mistakes) = (Vec::new(), Vec::new());
    let mut literal = String::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['{', '}']) {
        literal.push_str(&text[at..at + offset]);
        let brace = at + offset;
        let rest = &text[brace..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push_str(&rest[..1]);
            at = brace + 2;
        } else if rest.starts_with('}') {
            mistakes.push(InvalidTemplate::Unopened(brace..brace + 1));
            at = brace + 1;
        } else {
            at = reference(text, brace, &mut literal, &mut parts, &mut mistakes);
        }
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    (parts, mistakes)
}

/// What stands between the braces of each `{…}`, whether or not it is a reference.
pub fn references(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['{', '}']) {
        let brace = at + offset;
        let rest = &text[brace..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            at = brace + 2;
        } else if let (true, Some(length)) = (rest.starts_with('{'), rest.find('}')) {
            found.push(brace + 1..brace + length);
            at = brace + length + 1;
        } else {
            at = brace + 1;
        }
    }
    found
}

/// Reads the reference whose `{` stands at `open`; returns where to go on.
fn reference(
    text: &str,
    open: usize,
    literal: &mut String,
    parts: &mut Vec<Part>,
    mistakes: &mut Vec<InvalidTemplate>,
) -> usize {
    let Some(length) = text[open..].find('}') else {
        mistakes.push(InvalidTemplate::Unclosed(open..open + 1));
        return text.len();
    };
    let inner = open + 1..open + length;
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
    match Reference::parse(&text[inner.clone()]) {
        Ok(reference) => parts.push(Part::Reference(reference, inner)),
        Err(error) => {
            let range = match &error {
                InvalidReference::Form => open..open + length + 1,
                InvalidReference::Output { range, .. } => {
                    inner.start + range.start..inner.start + range.end
                }
            };
            mistakes.push(InvalidTemplate::Reference(error, range));
        }
    }
    open + length + 1
}
