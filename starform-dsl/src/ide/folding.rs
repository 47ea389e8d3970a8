//! What can be folded away: blocks, block comments, and lines of comments that follow each other.
//! Pure. One pass over the tokens; only what goes over more than one line, in the order of the text.
//! Read on in `symbols` for the outline.

use super::Analysis;
use crate::source::FileId;
use crate::syntax::{TextRange, Token, TokenKind};

/// From the first byte that stays to the last that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    pub range: TextRange,
    pub kind: FoldKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    Block,
    Comment,
}

pub fn folding(analysis: &Analysis, file: FileId) -> Vec<Fold> {
    let Some(cst) = analysis.cst(file) else {
        return Vec::new();
    };
    let text = analysis.sources.file(file);
    let mut folds = Vec::new();
    let mut open: Vec<TextRange> = Vec::new();
    let mut comments = Comments::default();
    for token in cst.tokens() {
        folds.extend(comments.next(token));
        if token.kind == TokenKind::BraceOpen {
            open.push(token.range);
        } else if token.kind == TokenKind::BraceClose {
            folds.extend(open.pop().map(|first| Fold {
                range: first.cover(token.range),
                kind: FoldKind::Block,
            }));
        } else if token.kind == TokenKind::BlockComment {
            folds.push(Fold {
                range: token.range,
                kind: FoldKind::Comment,
            });
        }
    }
    folds.extend(comments.end());
    let line = |offset| text.editor_line(offset);
    folds.retain(|fold| line(fold.range.start()) < line(fold.range.end()));
    folds.sort_by_key(|fold| (fold.range.start(), fold.range.end()));
    folds
}

/// Lines with nothing but a line comment, as they follow each other.
#[derive(Default)]
struct Comments {
    run: Option<TextRange>,
    /// Something else stands on this line.
    busy: bool,
    /// This line has a comment of the run.
    counted: bool,
}

impl Comments {
    /// The run that ends before a token.
    fn next(&mut self, token: Token) -> Option<Fold> {
        if token.kind == TokenKind::LineComment && !self.busy {
            let run = self.run.map_or(token.range, |run| run.cover(token.range));
            (self.run, self.counted) = (Some(run), true);
            return None;
        }
        if token.kind == TokenKind::Newline {
            let ended = !self.counted;
            (self.busy, self.counted) = (false, false);
            return if ended { self.end() } else { None };
        }
        if token.kind == TokenKind::Space {
            return None;
        }
        self.busy = true;
        self.end()
    }

    fn end(&mut self) -> Option<Fold> {
        self.run.take().map(|range| Fold {
            range,
            kind: FoldKind::Comment,
        })
    }
}
