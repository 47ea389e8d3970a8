//! Which lines stay as they are because something in them is no KDL, or was surely meant otherwise.
//! Pure. What stays is whole nodes on whole lines, so the lines around it can move without it; braces must match.
//! Read on in `print`, which copies these lines.

use std::ops::Range;

use crate::syntax::{MAX_DEPTH, Survey, TextRange, TokenKind};

/// The tokens between two places where a line ends and with it a node.
struct Line {
    /// Its newline, or the end of the tokens.
    end: u32,
    /// The fewest blocks that are open anywhere in it.
    least: usize,
    /// The blocks that are open at its end.
    after: usize,
    bad: bool,
}

/// Lines that stay, as indices.
struct Region {
    lines: Range<usize>,
    least: usize,
}

/// The tokens of the lines that stay as they are, without the newline at their end; in the order of the text.
pub(super) fn untouched(survey: &Survey) -> Vec<Range<u32>> {
    if survey.mistakes.is_empty() && !reaches_limit(survey) {
        return Vec::new();
    }
    let lines = lines(survey);
    let mut regions: Vec<Region> = Vec::new();
    for at in 0..lines.len() {
        let known = regions.last().is_some_and(|last| at < last.lines.end);
        if lines[at].bad && !known {
            let region = region(&lines, at, &mut regions);
            regions.push(region);
        }
    }
    let first = u32::from(survey.cst.token_list().kind(0) == Some(TokenKind::Bom));
    regions
        .into_iter()
        .map(|Region { lines: range, .. }| {
            let start = match range.start.checked_sub(1) {
                Some(before) => lines[before].end + 1,
                None => first,
            };
            start..lines[range.end - 1].end
        })
        .collect()
}

/// The smallest run of lines around a bad one that begins and ends in the same block.
fn region(lines: &[Line], at: usize, regions: &mut Vec<Region>) -> Region {
    let before = |line: usize| line.checked_sub(1).map_or(0, |line| lines[line].after);
    let (mut start, mut end, mut least) = (at, at + 1, lines[at].least);
    loop {
        if before(start) > least {
            match regions.pop_if(|last| last.lines.end == start) {
                Some(last) => (start, least) = (last.lines.start, least.min(last.least)),
                None => {
                    start -= 1;
                    least = least.min(lines[start].least);
                }
            }
        } else if lines[end - 1].after > least && end < lines.len() {
            least = least.min(lines[end].least);
            end += 1;
        } else {
            return Region {
                lines: start..end,
                least,
            };
        }
    }
}

fn reaches_limit(survey: &Survey) -> bool {
    let mut depth = 0_usize;
    survey.cst.tokens().any(|token| {
        if token.kind == TokenKind::BraceOpen {
            depth += 1;
        } else if token.kind == TokenKind::BraceClose {
            depth = depth.saturating_sub(1);
        }
        depth > MAX_DEPTH
    })
}

fn is_comment_or_space(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Space | TokenKind::BlockComment | TokenKind::LineComment
    )
}

fn lines(survey: &Survey) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut mistakes = survey.mistakes.iter().copied().peekable();
    let (mut depth, mut least, mut bad) = (0_usize, 0, false);
    let (mut continued, mut leaves_out) = (false, false);
    let mut index = 0;
    for token in survey.cst.tokens() {
        let kind = token.kind;
        bad |= hits(&mut mistakes, token.range);
        if kind == TokenKind::Newline && (continued || leaves_out) {
            continued = false;
        } else if kind == TokenKind::Newline {
            lines.push(Line {
                end: index,
                least,
                after: depth,
                bad,
            });
            (least, bad) = (depth, false);
        } else if !is_comment_or_space(kind) {
            continued = kind == TokenKind::Backslash;
            leaves_out = kind == TokenKind::Slashdash || (leaves_out && continued);
            if kind == TokenKind::BraceOpen {
                depth += 1;
                bad |= depth > MAX_DEPTH;
            } else if kind == TokenKind::BraceClose {
                depth = depth.saturating_sub(1);
                least = least.min(depth);
            }
        }
        index += 1;
    }
    bad |= mistakes.next().is_some();
    lines.push(Line {
        end: index,
        least,
        after: depth,
        bad,
    });
    lines
}

/// Whether one of the mistakes begins in a token. Those that end in it are done with.
fn hits(
    mistakes: &mut std::iter::Peekable<impl Iterator<Item = TextRange>>,
    token: TextRange,
) -> bool {
    let mut hit = false;
    while let Some(mistake) = mistakes
        .peek()
        .filter(|mistake| mistake.start() < token.end())
    {
        hit = true;
        if mistake.end() > token.end() {
            break;
        }
        mistakes.next();
    }
    hit
}
