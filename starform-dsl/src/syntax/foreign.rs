//! Text that is KDL but was surely meant otherwise: YAML's colons, commas, single quotes, comments inside addresses.
//! Pure. What is found is reported once and read as it was meant, so nothing later stumbles over it.
//! Read on in `super::read`, which adds this to a parse.

use super::TextRange;
use super::cst::Cst;
use super::fault::{Fault, FaultKind};
use super::token::TokenKind;

/// Finds and marks what is foreign.
pub(super) fn foreign(cst: &mut Cst) -> Vec<Fault> {
    let mut faults = Vec::new();
    colons(cst, &mut faults);
    let (mut token, mut unclosed) = (0, 0);
    while let Some(kind) = cst.tokens.kind(token) {
        token = if kind == TokenKind::Ident {
            ident(cst, token, &mut unclosed, &mut faults)
        } else if matches!(kind, TokenKind::LineComment | TokenKind::BlockComment) {
            comment(cst, token, &mut faults)
        } else {
            token + 1
        };
    }
    faults
}

/// Whether a word is of another language wherever it is a node's name.
pub(super) fn is_meant_otherwise(word: &str) -> bool {
    word == "-"
        || (word.len() > 1 && word.ends_with(':'))
        || word.starts_with('\'')
        || word.ends_with(',')
}

/// `replicas: 3` and `- item`: nodes whose name is YAML's.
fn colons(cst: &mut Cst, faults: &mut Vec<Fault>) {
    for node in cst.nodes.iter_mut().filter(|node| !node.skipped) {
        let range = cst.tokens.range(node.name);
        let is_ident = cst.tokens.kind(node.name) == Some(TokenKind::Ident);
        match &cst.text[range.as_range()] {
            "-" if is_ident => {
                node.skipped = true;
                faults.push(Fault {
                    kind: FaultKind::ListItem,
                    range,
                });
            }
            name if is_ident
                && name.len() > 1
                && name.ends_with(':')
                && !touches_comment(&cst.tokens, node.name) =>
            {
                cst.tokens.set_kind(node.name, TokenKind::Punctuated);
                faults.push(Fault {
                    kind: FaultKind::Colon,
                    range: TextRange::new(range.end() - 1, range.end()),
                });
            }
            _ => {}
        }
    }
}

/// A comma at the end of a word, or words between single quotes. Gives the next token to look at.
/// No token before `unclosed` closes a single quote.
fn ident(cst: &mut Cst, token: u32, unclosed: &mut u32, faults: &mut Vec<Fault>) -> u32 {
    let range = cst.tokens.range(token);
    let text = &cst.text[range.as_range()];
    if text.starts_with('\'') {
        return single_quotes(cst, token, unclosed, faults);
    }
    if text.ends_with(',') {
        let kind = if text.len() > 1 {
            TokenKind::Punctuated
        } else {
            TokenKind::Invalid
        };
        cst.tokens.set_kind(token, kind);
        faults.push(Fault {
            kind: FaultKind::Comma,
            range: TextRange::new(range.end() - 1, range.end()),
        });
    }
    token + 1
}

fn single_quotes(cst: &mut Cst, first: u32, unclosed: &mut u32, faults: &mut Vec<Fault>) -> u32 {
    let closes = |token: u32| {
        let text = &cst.text[cst.tokens.range(token).as_range()];
        text.ends_with('\'') && (token > first || text.len() > 1)
    };
    let goes_on = |token: u32| cst.tokens.kind(token).is_some_and(goes_on);
    let end = (first.max(*unclosed)..)
        .find(|&token| !goes_on(token) || closes(token))
        .expect("no token follows the last");
    let Some(last) = Some(end).filter(|&end| first >= *unclosed && goes_on(end)) else {
        *unclosed = end.max(*unclosed);
        // An apostrophe that nothing closes: the word alone is the culprit.
        faults.push(Fault {
            kind: FaultKind::SingleQuote,
            range: cst.tokens.range(first),
        });
        cst.tokens.set_kind(first, TokenKind::Invalid);
        return first + 1;
    };
    let range = cst.tokens.range(first).cover(cst.tokens.range(last));
    faults.push(Fault {
        kind: FaultKind::SingleQuotes,
        range,
    });
    for token in first..=last {
        if cst.tokens.kind(token).is_some_and(TokenKind::is_value) {
            cst.tokens.set_kind(token, TokenKind::Invalid);
        }
    }
    last + 1
}

/// Whether text in single quotes may go on over a token.
fn goes_on(kind: TokenKind) -> bool {
    kind == TokenKind::Space || kind.is_value()
}

/// `https://example.org`, of which KDL reads `https:` and a comment; `src/**/*.rs`, of which it reads two words.
fn comment(cst: &mut Cst, token: u32, faults: &mut Vec<Fault>) -> u32 {
    let comment = cst.tokens.range(token);
    let text = &cst.text[comment.as_range()];
    let before = token
        .checked_sub(1)
        .filter(|&before| cst.tokens.kind(before) == Some(TokenKind::Ident));
    let Some(before) = before else {
        return token + 1;
    };
    let word = &cst.text[cst.tokens.range(before).as_range()];
    let start = cst.tokens.start(before);
    let (last, end) = match cst.tokens.kind(token) {
        Some(TokenKind::LineComment) if word.ends_with(':') => {
            (token, comment.start() + word_len(text))
        }
        Some(TokenKind::BlockComment) if !text[2..].starts_with(char::is_whitespace) => {
            let touching = cst.tokens.kind(token + 1) == Some(TokenKind::Ident);
            let last = if touching { token + 1 } else { token };
            (
                last,
                comment.start().max(cst.tokens.start(last))
                    + word_len(&cst.text[cst.tokens.range(last).as_range()]),
            )
        }
        Some(_) | None => return token + 1,
    };
    faults.push(Fault {
        kind: FaultKind::CommentInText,
        range: TextRange::new(start, end),
    });
    for word in [before, last] {
        if cst.tokens.kind(word) == Some(TokenKind::Ident) {
            cst.tokens.set_kind(word, TokenKind::Invalid);
        }
    }
    last + 1
}

fn word_len(text: &str) -> u32 {
    let end = text
        .find(|c: char| c.is_whitespace() || matches!(c, ';' | '{' | '}' | '"'))
        .unwrap_or(text.len());
    u32::try_from(end).expect("a text that is lexed is at most 1 MiB")
}

fn touches_comment(tokens: &super::token::Tokens, token: u32) -> bool {
    tokens.kind(token + 1) == Some(TokenKind::LineComment)
}
