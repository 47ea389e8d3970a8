//! A case as a file: what it shows, its input, and what is expected.
//!
//! Pure. Always holds: writing what was read gives the same text, but for what is expected.
//!
//! ```text
//! what the case shows, in a line
//!
//! ==== asked
//! service api
//! ==== before
//! …
//! ==== after
//! …
//! ==== terminal
//! …
//! ```
//!
//! `before` and `after` go into the topic's `base.kdl` where it says `@@`; a topic without one holds whole
//! files. Without `before` nothing is accepted; several are accepted one after the other. `objects before` and `objects after` are JSON lists
//! of objects of service `api`. `standing` is JSON: by environment, how its cluster stands; `verified` is what it says
//! ([`super::verified`]). All that follows is expected, by the name of the view.

/// One file.
#[derive(Debug)]
pub(super) struct Case {
    title: String,
    /// By name, in the order of the file.
    input: Vec<(String, String)>,
    pub(super) expected: Vec<(String, String)>,
}

const MARK: &str = "==== ";
const INPUT: [&str; 7] = [
    "asked",
    "verified",
    "before",
    "after",
    "objects before",
    "objects after",
    "standing",
];

impl Case {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut sections: Vec<(String, String)> = Vec::new();
        let mut title = String::new();
        for line in text.split_inclusive('\n') {
            match (line.strip_prefix(MARK), sections.last_mut()) {
                (Some(name), _) => sections.push((name.trim_end().to_owned(), String::new())),
                (None, Some((_, body))) => body.push_str(line),
                (None, None) => title.push_str(line),
            }
        }
        if title.trim().is_empty() {
            return Err("the first line says what the case shows".to_owned());
        }
        let is_input = |(name, _): &(String, String)| INPUT.contains(&name.as_str());
        let (input, expected): (Vec<_>, Vec<_>) = sections.into_iter().partition(is_input);
        if expected.is_empty() {
            return Err("it names no view".to_owned());
        }
        Ok(Self {
            title,
            input,
            expected,
        })
    }

    pub(super) fn input(&self, name: &str) -> Option<&str> {
        let found = self.input.iter().find(|(known, _)| known == name);
        found.map(|(_, body)| body.as_str())
    }

    /// Every section of this name, in the order of the file.
    pub(super) fn inputs(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.input.iter().filter(move |(known, _)| known == name);
        found.map(|(_, body)| body.as_str())
    }

    pub(super) fn text(&self) -> String {
        let sections = self.input.iter().chain(&self.expected);
        let sections = sections.map(|(name, body)| format!("{MARK}{name}\n{body}"));
        std::iter::once(self.title.clone())
            .chain(sections)
            .collect()
    }

    /// All that is expected.
    pub(super) fn views(&self) -> String {
        let bodies = self
            .expected
            .iter()
            .map(|(name, body)| format!("{name}\n{body}"));
        bodies.collect()
    }
}
