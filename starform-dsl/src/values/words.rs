//! One text to the words of a command, as a POSIX shell splits them, without a shell's other powers.
//! Pure. Whatever a shell would act on (pipes, variables, globs, …) is refused, never passed on as text.
//! Source: POSIX.1-2024, Shell Command Language, 2.2 Quoting and 2.3 Token Recognition.

/// Why a text is no plain command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommand {
    #[error("a command is not empty")]
    Empty,
    #[error("{0} is never closed")]
    Unclosed(&'static str),
    #[error("a backslash at the end quotes nothing")]
    Backslash,
    /// Only a shell can do this.
    #[error("`{text}` needs a shell: {what}")]
    Shell { text: String, what: &'static str },
}

pub fn split(text: &str) -> Result<Vec<String>, InvalidCommand> {
    let mut words = Vec::new();
    let mut rest = skip_blanks(text);
    while !rest.is_empty() {
        let (word, after) = word(rest)?;
        if words.is_empty() && is_assignment(rest) {
            return Err(shell(&word, "it sets a variable for one command"));
        }
        let plain = rest.len() == word.len() + after.len();
        if words.is_empty() && plain && RESERVED.contains(&word.as_str()) {
            return Err(shell(&word, "it is a word of the shell's own language"));
        }
        words.push(word);
        rest = skip_blanks(after);
    }
    if words.is_empty() {
        Err(InvalidCommand::Empty)
    } else {
        Ok(words)
    }
}

/// What a shell reads as its own where a command begins, unless it is quoted.
const RESERVED: [&str; 16] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while",
];

/// The text after white space and continued lines.
fn skip_blanks(text: &str) -> &str {
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(next) = rest.strip_prefix("\\\n") {
        rest = next.trim_start_matches(is_blank);
    }
    rest
}

/// The first word, quotes removed, and what follows it.
fn word(text: &str) -> Result<(String, &str), InvalidCommand> {
    let mut word = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            c if is_blank(c) => break,
            '\'' => single(after, &mut word)?,
            '"' => double(after, &mut word)?,
            // A backslash takes the end of its line with it.
            '\\' if after.starts_with('\n') => &after[1..],
            '\\' => {
                let quoted = after.chars().next().ok_or(InvalidCommand::Backslash)?;
                word.push(quoted);
                &after[quoted.len_utf8()..]
            }
            c => {
                refuse(c, word.is_empty() && rest.len() == text.len())?;
                word.push(c);
                after
            }
        };
    }
    Ok((word, rest))
}

fn single<'t>(text: &'t str, word: &mut String) -> Result<&'t str, InvalidCommand> {
    let (inner, after) = text
        .split_once('\'')
        .ok_or(InvalidCommand::Unclosed("a single quote"))?;
    word.push_str(inner);
    Ok(after)
}

fn double<'t>(text: &'t str, word: &mut String) -> Result<&'t str, InvalidCommand> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '"' => return Ok(after),
            '$' => return Err(shell("$", VARIABLES)),
            '`' => return Err(shell("`", SUBSTITUTES)),
            '\\' if after.starts_with('\n') => rest = &after[1..],
            '\\' if after.starts_with(['$', '`', '"', '\\']) => {
                word.push_str(&after[..1]);
                rest = &after[1..];
            }
            c => {
                word.push(c);
                rest = after;
            }
        }
    }
    Err(InvalidCommand::Unclosed("a double quote"))
}

const VARIABLES: &str = "nothing puts in the values of variables here";
const SUBSTITUTES: &str = "nothing puts in the output of commands here";

/// What a shell would act on outside quotes.
fn refuse(c: char, first: bool) -> Result<(), InvalidCommand> {
    let what = match c {
        '$' => VARIABLES,
        '`' => SUBSTITUTES,
        '|' | '&' | ';' | '\n' => "it joins several commands",
        '<' | '>' => "it redirects input or output",
        '(' | ')' => "it groups commands",
        '*' | '?' | '[' => "it stands for names of files",
        '~' if first => "it stands for the home folder",
        '#' if first => "it begins a comment",
        _ => return Ok(()),
    };
    Err(shell(&c.to_string(), what))
}

fn shell(text: &str, what: &'static str) -> InvalidCommand {
    InvalidCommand::Shell {
        text: text.to_owned(),
        what,
    }
}

/// `NAME=…` before the program.
fn is_assignment(text: &str) -> bool {
    let name = text
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .count();
    name > 0 && !text.as_bytes()[0].is_ascii_digit() && text[name..].starts_with('=')
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}
