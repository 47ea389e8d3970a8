//! The crate `kdl` reads the same: it accepts what we accept, with the same values, and refuses what we refuse.
//! Pure. Where `kdl` is known to be wrong it has a name here: what it refuses wrongly is given to it in other words of the
//! same meaning, what it accepts wrongly has a sign in the text. Every name has an example on which `kdl` still is wrong.
//! Read on in `crate::abstract_tree` for what is compared.

use starform_dsl::source::FileId;
use starform_dsl::syntax::{Token, TokenKind, parse};

use crate::abstract_tree::{Node, oracle, ours};

/// What the crate `kdl` refuses although the specification does not, and how it is said so that it does not.
pub(crate) struct Refused {
    pub(crate) name: &'static str,
    pub(crate) example: &'static str,
    /// A token and the one before it; gives what stands for it, if not its text.
    instead: fn(before: Option<TokenKind>, token: TokenKind, text: &str) -> Option<String>,
}

/// What the crate `kdl` accepts although the specification does not.
pub(crate) struct Accepted {
    pub(crate) name: &'static str,
    pub(crate) example: &'static str,
    /// What we say of it, by its beginning.
    said: &'static [&'static str],
    sign: fn(text: &str, tokens: &[Token]) -> bool,
}

pub(crate) const REFUSED: &[Refused] = &[
    Refused {
        name: "white space before `/-` is optional",
        example: "node 1/-2",
        instead: |before, token, text| {
            let spaced = matches!(before, None | Some(TokenKind::Space | TokenKind::Newline));
            (token == TokenKind::Slashdash && !spaced).then(|| format!(" {text}"))
        },
    },
    Refused {
        name: "a node behind `/-` may end with `;`",
        example: "/-node;",
        instead: |_, token, _| (token == TokenKind::Semicolon).then(|| "\n".to_owned()),
    },
];

pub(crate) const ACCEPTED: &[Accepted] = &[
    Accepted {
        name: "delete stands in no text",
        example: "node \"\u{7f}\"",
        // For `kdl` it is a letter, so what follows it may be other words.
        said: &["SF"],
        sign: |text, _| text.contains('\u{7f}'),
    },
    Accepted {
        name: "what stands in no text stands in no comment",
        example: "//\u{202e}",
        said: &["SF1010"],
        sign: |text, tokens| {
            let mut comments = tokens.iter().filter(|token| is_comment(token.kind));
            comments.any(|token| text[token.range.as_range()].contains(is_forbidden))
        },
    },
    Accepted {
        name: "a raw string in three quotes has lines",
        example: "node #\"\"\"one line\"\"\"#",
        said: &["SF1009"],
        sign: |text, _| text.contains("#\"\"\""),
    },
    Accepted {
        name: "`/-` is not left out itself",
        example: "node /-/-a 1",
        said: &["SF1025"],
        sign: |_, tokens| {
            let mut words = tokens.iter().filter(|token| !is_blank(token.kind));
            let mut after = words.clone().skip(1);
            words.any(|token| {
                let next = after.next().map(|next| next.kind);
                token.kind == TokenKind::Slashdash && next == Some(TokenKind::Slashdash)
            })
        },
    },
    Accepted {
        name: "what says that it is version 1 is not version 2",
        example: "/- kdl-version 1",
        said: &["SF1027"],
        sign: |text, _| text.contains("kdl-version"),
    },
    Accepted {
        name: "a node behind `/-` ends before the next begins",
        example: "/-node {} node",
        // `/-a #nulll` is read as `/-a #null` and a node `l`.
        said: &["SF1005", "SF1021", "SF1023"],
        sign: |_, tokens| {
            let mut kinds = tokens.iter().map(|token| token.kind);
            kinds.any(|kind| kind == TokenKind::Slashdash)
        },
    },
];

pub(crate) fn check(text: &str) {
    if let Err(reason) = agree(text) {
        panic!("{reason}\n{text:?}");
    }
}

pub(crate) fn agree(text: &str) -> Result<(), String> {
    if costs_the_oracle_too_much(text) {
        return Ok(());
    }
    match (ours(text), oracle(text)) {
        (Ok(ours), Ok(oracle)) => same(&ours, &oracle),
        (Err(_), Err(_)) => Ok(()),
        (Ok(meant), Err(error)) => {
            let reworded = reworded(text);
            let oracle = oracle(&reworded)
                .map_err(|_| format!("the oracle refuses it, also as {reworded:?}: {error}"))?;
            same(&ours(&reworded).unwrap_or_default(), &meant)?;
            same(&meant, &oracle)
        }
        (Err(faults), Ok(_)) => {
            let tokens: Vec<Token> = parse(FileId(0), text).cst.tokens().collect();
            let known = |fault: &String| {
                let says =
                    |known: &&Accepted| known.said.iter().any(|said| fault.starts_with(said));
                let mut names = ACCEPTED.iter().filter(says);
                names.any(|known| (known.sign)(text, &tokens))
            };
            let wrong = || format!("the oracle accepts it: {faults:?}");
            faults.iter().all(known).then_some(()).ok_or_else(wrong)
        }
    }
}

/// The same document in words that the oracle is not known to refuse.
pub(crate) fn reworded(text: &str) -> String {
    let parse = parse(FileId(0), text);
    let mut before = None;
    let mut reworded = String::new();
    for token in parse.cst.tokens() {
        let mut word = text[token.range.as_range()].to_owned();
        for known in REFUSED {
            word = (known.instead)(before, token.kind, &word).unwrap_or(word);
        }
        reworded.push_str(&word);
        before = Some(token.kind);
    }
    reworded
}

pub(crate) fn same(got: &[Node], wanted: &[Node]) -> Result<(), String> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("means\n  {got:?}\nnot\n  {wanted:?}"))
    }
}

fn is_comment(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::LineComment | TokenKind::BlockComment)
}

fn is_blank(kind: TokenKind) -> bool {
    is_comment(kind)
        || matches!(
            kind,
            TokenKind::Space | TokenKind::Newline | TokenKind::Backslash
        )
}

/// `disallowed-literal-code-points` of the specification.
fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// It overflows its stack on what nests or never closes, and takes four times as long for every two levels below `/-`.
fn costs_the_oracle_too_much(text: &str) -> bool {
    let count = |piece: &str| text.matches(piece).count();
    text.len() > 4_096
        || ["{", "}", "/*", "("].iter().any(|piece| count(piece) > 40)
        || count("\"") > 200
        || count("/-") > 8
}
