//! Whether two texts say the same but for white space.
//! Pure. Equal are the tokens that are no white space with their texts, the comments among them, and the shape of the
//! trees: so which node each value and child belongs to, and what `/-` leaves out.
//! Read on in `super::format`, which gives out nothing that fails here.

use std::ops::Range;

use crate::syntax::{Cst, Survey, TokenKind};

pub(super) fn reads_the_same(one: &Survey, other: &Survey) -> bool {
    one.sound == other.sound
        && one.mistakes.len() == other.mistakes.len()
        && one.cst.has_shape_of(&other.cst)
        && texts(&one.cst).eq(texts(&other.cst))
}

fn texts(cst: &Cst) -> impl Iterator<Item = (TokenKind, &str)> {
    words(cst).map(|(kind, place)| (kind, &cst.text()[place]))
}

/// All tokens but white space and what ends a node. At the end of a `//` comment white space does not count.
pub(super) fn words(cst: &Cst) -> impl Iterator<Item = (TokenKind, Range<usize>)> {
    let text = cst.text();
    cst.tokens().filter_map(move |token| {
        let mut place = token.range.as_range();
        let is_space = matches!(
            token.kind,
            TokenKind::Space | TokenKind::Newline | TokenKind::Backslash | TokenKind::Semicolon
        );
        if token.kind == TokenKind::LineComment {
            place.end = place.start + text[place.clone()].trim_end().len();
        }
        (!is_space).then_some((token.kind, place))
    })
}
