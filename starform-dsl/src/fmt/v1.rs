//! KDL v1 to v2: the same values, comments and order in the newer spelling.
//! Pure. Only a text that is no v2 and is v1 all through is converted; what comes out reads as v2 without a mistake.
//! Read on in `lex` for what v1 is made of and in `write` for how each token is spelt in v2.

mod lex;
mod write;

use crate::syntax;
use lex::{Kind, Token};

/// What became of a text that was to be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Migration {
    /// It was v1; this is its v2.
    Converted(String),
    /// It is v2 already.
    Needless,
    /// It is neither all through, and stays.
    Impossible {
        /// Where it is no v1. `None`: as v2 it would not be read, by its size for example.
        at: Option<u32>,
    },
}

pub fn migrate(text: &str) -> Migration {
    let survey = syntax::survey(text);
    if survey.sound && survey.mistakes.is_empty() {
        return Migration::Needless;
    }
    match tokens(text) {
        Ok(tokens) => match written(text, &tokens) {
            Some(text) => Migration::Converted(text),
            None => Migration::Impossible { at: None },
        },
        Err(at) => Migration::Impossible {
            at: u32::try_from(at).ok(),
        },
    }
}

impl Migration {
    /// The text in v2, where it is another one.
    pub fn converted(&self) -> Option<&str> {
        match self {
            Migration::Converted(text) => Some(text),
            Migration::Needless | Migration::Impossible { .. } => None,
        }
    }
}

/// The tokens of a text that is v1 all through, or where it is not.
fn tokens(text: &str) -> Result<Vec<Token>, usize> {
    let tokens = lex::lex(text)?;
    match misplaced_name(&tokens) {
        Some(token) => Err(token.range.start),
        None => Ok(tokens),
    }
}

/// In v2, if that can be read.
fn written(text: &str, tokens: &[Token]) -> Option<String> {
    let marker = version(text, tokens);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (index, token) in tokens.iter().enumerate() {
        if Some(index) == marker {
            out.push('2');
        } else {
            write::token(&mut out, token.kind, &text[token.range.clone()]);
        }
        if out.len() > syntax::MAX_FILE {
            return None;
        }
    }
    let survey = syntax::survey(&*out);
    (survey.sound && survey.mistakes.is_empty()).then_some(out)
}

/// The number in `/- kdl-version 1` at the beginning.
fn version(text: &str, tokens: &[Token]) -> Option<usize> {
    let mut words = (0..)
        .zip(tokens)
        .filter(|(_, token)| token.kind != Kind::Space);
    let marker = [words.next()?, words.next()?, words.next()?];
    let said = marker.map(|(_, token)| &text[token.range.clone()]);
    let [_, _, (number, _)] = marker;
    (said == syntax::VERSION_1).then_some(number)
}

/// What v1 has not where it stands. In v1 text without quotes is a name: of a node, a property or a type. Elsewhere it is of another language, such as
/// the `#true` of v2. Around a type stands no white space. (All else that v1 refuses v2 refuses too.)
fn misplaced_name(tokens: &[Token]) -> Option<&Token> {
    let (mut begins, mut continued, mut typed) = (true, false, false);
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map(|next| next.kind);
        let spaced = matches!(next, Some(Kind::Space | Kind::BlockComment));
        match token.kind {
            Kind::Ident if !(begins || typed || next == Some(Kind::Equals)) => {
                return Some(token);
            }
            Kind::ParenOpen | Kind::ParenClose if spaced => return Some(token),
            Kind::Ident | Kind::Quoted | Kind::Raw if typed && spaced => {
                return Some(token);
            }
            Kind::Ident | Kind::Quoted | Kind::Raw | Kind::Number | Kind::Keyword => {
                begins &= typed;
            }
            Kind::Newline if continued => continued = false,
            Kind::Newline | Kind::Semicolon | Kind::BraceOpen | Kind::BraceClose => begins = true,
            Kind::Backslash => continued = true,
            Kind::ParenOpen => typed = true,
            Kind::ParenClose => typed = false,
            Kind::Space
            | Kind::LineComment
            | Kind::BlockComment
            | Kind::Slashdash
            | Kind::Equals => {}
        }
    }
    None
}
