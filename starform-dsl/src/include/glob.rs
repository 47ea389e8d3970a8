//! Which files of a repository an `include` names: literal names, `*` in a name, `**` for any number of folders.
//! Pure. Relative to the folder of the root file; never upwards, never absolute; the last name ends in `.kdl`.
//! A name has at most one `*` and a pattern at most one `**`, so that matching is one pass over a path.
//! Read on in `super` for what becomes of the files.

use std::fmt;
use std::str::FromStr;

/// A pattern such as `services/*.kdl`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob {
    text: String,
    head: Vec<Name>,
    /// What follows `**`; `None`: there is none.
    tail: Option<Vec<Name>>,
}

/// One name of a path. A `*` at its beginning stands for no hidden file or folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Literal(String),
    Star { before: String, after: String },
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    #[error("the pattern is empty")]
    Empty,
    #[error("the pattern has more than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the pattern begins at `/`")]
    Absolute,
    #[error("the pattern leads upwards")]
    Upwards,
    /// The pattern without what is too much.
    #[error("the pattern holds a name that leads nowhere")]
    Redundant(String),
    /// The pattern with `/` instead.
    #[error("the pattern holds a backslash")]
    Backslash(String),
    #[error("`{0}` is not known in a pattern")]
    Unknown(char),
    #[error("a name of the pattern has more than one `*`")]
    Stars,
    #[error("`**` does not stand alone, or not once")]
    Folders,
    #[error("the pattern does not end in `.kdl`")]
    Ending,
}

const MOST_BYTES: usize = 255;
const ENDING: &str = ".kdl";

impl Glob {
    /// Whether the file at `path`, relative to the folder of the root file, is meant.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        let head = self.head.len();
        let Some(tail) = &self.tail else {
            return names.len() == head && all(&self.head, &names);
        };
        let Some(middle) = names.len().checked_sub(head + tail.len()) else {
            return false;
        };
        let (first, rest) = names.split_at(head);
        let (between, last) = rest.split_at(middle);
        all(&self.head, first) && !between.iter().any(|name| hidden(name)) && all(tail, last)
    }

    /// Whether a file somewhere below `folder` may be meant; everything lies below the empty folder.
    pub fn may_match_below(&self, folder: &str) -> bool {
        if folder.is_empty() {
            return true;
        }
        let names: Vec<&str> = folder.split('/').collect();
        let shared = names.len().min(self.head.len());
        if !all(&self.head[..shared], &names[..shared]) {
            return false;
        }
        let rest = &names[shared..];
        match &self.tail {
            None => names.len() < self.head.len(),
            Some(tail) => rest
                .iter()
                .all(|name| !hidden(name) || tail.iter().any(|known| known.matches(name))),
        }
    }

    /// Whether it names exactly one file.
    pub fn is_literal(&self) -> bool {
        self.tail.is_none()
            && self
                .head
                .iter()
                .all(|name| matches!(name, Name::Literal(_)))
    }
}

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Glob, InvalidGlob> {
        if text.is_empty() {
            return Err(InvalidGlob::Empty);
        }
        if text.len() > MOST_BYTES {
            return Err(InvalidGlob::TooLong);
        }
        let unknown = |c: char| matches!(c, '?' | '[' | ']' | '{' | '}' | '!') || c.is_control();
        if let Some(unknown) = text.chars().find(|c| unknown(*c)) {
            return Err(InvalidGlob::Unknown(unknown));
        }
        if text.contains('\\') {
            return Err(InvalidGlob::Backslash(text.replace('\\', "/")));
        }
        if text.starts_with('/') {
            return Err(InvalidGlob::Absolute);
        }
        let parts: Vec<&str> = text.split('/').collect();
        if parts.contains(&"..") {
            return Err(InvalidGlob::Upwards);
        }
        if !text.ends_with(ENDING) {
            return Err(InvalidGlob::Ending);
        }
        if parts.iter().any(|part| matches!(*part, "" | ".")) {
            let kept: Vec<&str> = parts
                .into_iter()
                .filter(|part| !matches!(*part, "" | "."))
                .collect();
            return Err(InvalidGlob::Redundant(kept.join("/")));
        }
        let mut halves = parts.split(|part| *part == "**");
        let head = names(halves.next().unwrap_or_default())?;
        let tail = halves.next().map(names).transpose()?;
        if halves.next().is_some() {
            return Err(InvalidGlob::Folders);
        }
        let text = text.to_owned();
        Ok(Glob { text, head, tail })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn names(parts: &[&str]) -> Result<Vec<Name>, InvalidGlob> {
    parts
        .iter()
        .map(|part| match part.split_once('*') {
            None => Ok(Name::Literal((*part).to_owned())),
            Some((_, after)) if after.starts_with('*') => Err(InvalidGlob::Folders),
            Some((_, after)) if after.contains('*') => Err(InvalidGlob::Stars),
            Some((before, after)) => Ok(Name::Star {
                before: before.to_owned(),
                after: after.to_owned(),
            }),
        })
        .collect()
}

fn all(known: &[Name], names: &[&str]) -> bool {
    known
        .iter()
        .zip(names)
        .all(|(known, name)| known.matches(name))
}

fn hidden(name: &str) -> bool {
    name.starts_with('.')
}

impl Name {
    fn matches(&self, name: &str) -> bool {
        match self {
            Name::Literal(known) => known == name,
            Name::Star { before, after } => {
                name.len() >= before.len() + after.len()
                    && name.starts_with(before.as_str())
                    && name.ends_with(after.as_str())
                    && (!before.is_empty() || !hidden(name))
            }
        }
    }
}
