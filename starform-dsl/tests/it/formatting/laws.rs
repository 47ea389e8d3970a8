//! What holds of every formatted text, judged without the formatter's own comparison.
//! Pure. Comments are found by their tokens, meaning is that of `abstract_tree`.
//! Read on in `super` for the texts that are judged.

use starform_dsl::diag::Edit;
use starform_dsl::fmt::{self, Formatted};
use starform_dsl::source::FileId;
use starform_dsl::syntax::{TextRange, TokenKind, parse, read};

use crate::abstract_tree::ours;

/// Judges one text and gives its formatted form.
pub(crate) fn judge(text: &str) -> Formatted {
    let formatted = fmt::format(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    let out = &formatted.text;
    assert_eq!(formatted.changed, out != text);
    let again = fmt::format(out).unwrap_or_else(|error| panic!("again: {error}: {text:?}"));
    assert_eq!(&again.text, out, "twice is once: {text:?}");
    assert!(!again.changed);
    assert_eq!(comments(out), comments(text), "comments of {text:?}");
    let (before, after) = (words(text), words(out));
    if !writes_contract(&before, &after) {
        assert_eq!(after, before, "tokens of {text:?}");
        match (ours(text), ours(out)) {
            (Ok(before), Ok(after)) => assert_eq!(before, after, "meaning of {text:?}"),
            (before, after) => assert_eq!(before.is_ok(), after.is_ok(), "{text:?} is {out:?}"),
        }
    }
    let said = read(FileId(0), text);
    if said.diagnostics.is_empty() {
        keeps_the_style(out);
    } else {
        keeps_broken_lines(text, &formatted);
    }
    if !said.sound {
        assert!(!formatted.changed, "braces do not match: {text:?}");
    }
    edits_give(text, &formatted);
    formatted
}

/// Edits for an editor come to the same, whole and in parts, and touch no word.
fn edits_give(text: &str, formatted: &Formatted) {
    let edits = fmt::edits(FileId(0), text).expect("formatted before");
    assert_eq!(applied(text, &edits), formatted.text, "edits of {text:?}");
    assert_eq!(edits.is_empty(), !formatted.changed, "{text:?}");
    let half = text.floor_char_boundary(text.len() / 2);
    let half = u32::try_from(half).expect("a short text");
    for range in [TextRange::new(0, half), TextRange::at(half)] {
        let edits = fmt::edits_within(FileId(0), text, range).expect("formatted before");
        let partly = applied(text, &edits);
        assert_eq!(words(&partly), words(text), "{range:?} of {text:?}");
        assert_eq!(comments(&partly), comments(text), "{range:?} of {text:?}");
        assert_eq!(ours(&partly).ok(), ours(text).ok(), "{range:?} of {text:?}");
    }
}

fn applied(text: &str, edits: &[Edit]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.span.range.as_range(), &edit.text);
    }
    out
}

/// Whether the tokens are the same but for one `contract=1` more.
fn writes_contract(before: &[String], after: &[String]) -> bool {
    let written = ["contract", "=", "1"];
    (0..after.len()).any(|at| {
        after[at..].iter().take(3).eq(written)
            && [&after[..at], &after[at + 3..]].concat() == before
    })
}

pub(super) fn comments(text: &str) -> Vec<String> {
    of_kind(text, |kind| {
        matches!(kind, TokenKind::LineComment | TokenKind::BlockComment)
    })
}

fn words(text: &str) -> Vec<String> {
    let space = [
        TokenKind::Space,
        TokenKind::Newline,
        TokenKind::Semicolon,
        TokenKind::Backslash,
    ];
    of_kind(text, |kind| !space.contains(&kind))
}

fn of_kind(text: &str, wanted: impl Fn(TokenKind) -> bool) -> Vec<String> {
    let parse = parse(FileId(0), text);
    let tokens = parse.cst.tokens().filter(|token| wanted(token.kind));
    tokens
        .map(|token| {
            let word = &text[token.range.as_range()];
            let ends_blank = token.kind == TokenKind::LineComment;
            if ends_blank { word.trim_end() } else { word }.to_owned()
        })
        .collect()
}

/// Of a text without mistakes.
fn keeps_the_style(out: &str) {
    let parse = parse(FileId(0), out);
    let tokens: Vec<_> = parse.cst.tokens().collect();
    let text = |at: usize| &out[tokens[at].range.as_range()];
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    let one_newline = if out.contains("\r\n") && !out.replace("\r\n", "").contains('\n') {
        "\r\n"
    } else {
        "\n"
    };
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == TokenKind::Space {
            let begins_line = at == 0 || kind(at - 1) == Some(TokenKind::Newline);
            let width = text(at).len();
            assert!(text(at).bytes().all(|byte| byte == b' '), "{out:?}");
            assert!(
                if begins_line {
                    width % 2 == 0
                } else {
                    width == 1
                },
                "{out:?}"
            );
            assert_ne!(
                kind(at + 1),
                Some(TokenKind::Newline),
                "a line ends blank: {out:?}"
            );
        }
        if token.kind == TokenKind::Newline {
            let empty_line = kind(at + 1) == Some(TokenKind::Newline);
            let after_brace = at > 0 && kind(at - 1) == Some(TokenKind::BraceOpen);
            assert_eq!(text(at), one_newline, "{out:?}");
            assert!(!(empty_line && after_brace), "{out:?}");
            assert!(
                !(empty_line && kind(at + 2) == Some(TokenKind::Newline)),
                "{out:?}"
            );
            assert!(
                !empty_line || kind(at + 2).is_some(),
                "an empty last line: {out:?}"
            );
        }
    }
    let last = tokens.iter().rfind(|token| token.kind != TokenKind::Bom);
    assert!(
        last.is_none_or(|last| last.kind == TokenKind::Newline),
        "the last line ends: {out:?}"
    );
}

/// Every line with a mistake is in the output as it was, in order.
fn keeps_broken_lines(text: &str, formatted: &Formatted) {
    assert!(!formatted.mistakes.is_empty(), "{text:?}");
    let mut rest = formatted.text.as_str();
    let mut done = 0;
    for mistake in &formatted.mistakes {
        let range = mistake.as_range();
        if range.start < done {
            continue;
        }
        let before = text[..range.start].rfind(NEWLINES);
        let start = before.map_or(0, |at| text.ceil_char_boundary(at + 1));
        let end = text[range.end..].find(NEWLINES);
        let end = end.map_or(text.len(), |at| range.end + at);
        let line = text[start.max(done)..end].trim_start_matches('\u{feff}');
        let at = rest.find(line);
        let at =
            at.unwrap_or_else(|| panic!("{line:?} of {text:?} is not in {:?}", formatted.text));
        rest = &rest[at + line.len()..];
        done = end;
    }
}

const NEWLINES: [char; 7] = [
    '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
];
