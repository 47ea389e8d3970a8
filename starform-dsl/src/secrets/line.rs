//! Credentials in lines that hold a mistake, whatever language the line is written in.
//! Pure, linear in the line. Judges the bare text: a line that is no KDL has no tree that says what is key and
//! what is value, and a person pastes what another platform had.

use crate::vars::{Annotation, credential};

/// A value behind a name that says what it is has at least so many bytes.
const SHORTEST: usize = 4;

/// Byte ranges of `line` that look like credentials, in order.
pub(super) fn find(line: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (start, end) in runs(line, |c| c.is_whitespace() || is_quote(c)) {
        if credential::sign_of_value(&line[start..end]).is_some() {
            found.push((start, end));
        }
    }
    let mut after_key = false;
    for (start, end) in runs(line, is_separator) {
        let word = &line[start..end];
        let annotation = line[..start].ends_with('(') && Annotation::parse(word).is_some();
        if annotation || word.starts_with('#') {
            after_key = false;
        } else if after_key && word.len() >= SHORTEST && !is_prose(line, start, word) {
            found.push((start, end));
            after_key = false;
        } else {
            let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
            after_key = credential::key_says_so(name);
        }
    }
    found.sort_unstable();
    found
}

/// A word that only a space parts from the name before it, and that could stand in any sentence.
fn is_prose(line: &str, start: usize, word: &str) -> bool {
    let parted = line[..start].ends_with(char::is_whitespace)
        && line[..start]
            .trim_end()
            .ends_with(|c: char| is_quote(c) || !is_separator(c));
    parted && word.chars().all(|c| c.is_alphabetic() || c == '.')
}

fn is_quote(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{ab}' | '\u{bb}'
    )
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || is_quote(c)
        || matches!(c, ':' | '=' | '(' | ')' | '{' | '}' | '[' | ']' | ',' | ';')
}

/// What stands between characters that part.
fn runs(line: &str, parts: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut start = None;
    let ends = line.char_indices().map(Some).chain([None]);
    ends.filter_map(move |at| match (at, start) {
        (Some((at, c)), Some(from)) if parts(c) => {
            start = None;
            Some((from, at))
        }
        (Some((at, c)), None) if !parts(c) => {
            start = Some(at);
            None
        }
        (None, Some(from)) => Some((from, line.len())),
        (Some(_) | None, _) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(line: &str) -> Vec<&str> {
        find(line)
            .into_iter()
            .map(|(start, end)| &line[start..end])
            .collect()
    }

    #[test]
    fn lines_of_any_language_are_judged() {
        for (line, expected) in [
            (
                "DATABASE_URL postgres://u:hunter2@db/x",
                "postgres://u:hunter2@db/x",
            ),
            ("TOKEN1:hunter2hunter2", "hunter2hunter2"),
            ("SECRET (hunter2hunter2)", "hunter2hunter2"),
            ("- PASSWORD \"hunter2hunter2\"", "hunter2hunter2"),
            ("API_TOKEN‹ \"hunter2hunter2\"", "hunter2hunter2"),
            (
                "{\"env\":{\"API_KEY\":\"hunter2hunter2\"}}",
                "hunter2hunter2",
            ),
            ("  - API_KEY=hunter2hunter2", "hunter2hunter2"),
            ("PASSWORD = \"hunter2hunter2\"", "hunter2hunter2"),
            (
                "key sk_live_4eC39HqLyjWDarjtT1zdp7dc",
                "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            ),
        ] {
            assert_eq!(hidden(line), [expected], "{line}");
        }
    }

    #[test]
    fn names_of_secrets_and_plain_words_stay() {
        for line in [
            "API_TOKEN (secret)stripe-key",
            "API_TOKEN (ref)\"db.host\"",
            "API_TOKEN #null",
            "port 80 80 // ~ SF2007 `API_TOKEN` looks like a credential",
            "image ghcr.io/acme/api:1.4.2",
            "",
        ] {
            assert_eq!(hidden(line), [""; 0], "{line}");
        }
    }
}
