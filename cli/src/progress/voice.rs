//! Who follows an apply: a person, or a program that reads events.
//!
//! Effects: prints. Always holds: a person is told nothing that a program would have to parse, and a program gets
//! one JSON object a line on standard output and nothing else; on a terminal no line is wider than it.

use std::{
    io::{IsTerminal as _, stderr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use starform_plan::{
    document::Plan,
    view::progress::{ProgressEvent, ProgressSchema, Step},
};

use crate::{output::print, terminal::Terminal};

#[derive(Debug, Clone)]
pub(crate) enum Voice {
    /// Columns, where standard error is a terminal.
    Person { width: Option<usize> },
    /// The number of the last event.
    Program(Arc<AtomicU64>),
}

impl Voice {
    pub(crate) fn person(terminal: Terminal) -> Self {
        Self::Person {
            width: stderr().is_terminal().then_some(terminal.width),
        }
    }

    pub(crate) fn program() -> Self {
        Self::Program(Arc::default())
    }

    /// A line for a person.
    pub(super) fn say(&self, text: &str) {
        match self {
            Self::Person { width: None } => say!("{text}"),
            Self::Person { width: Some(width) } => say!("{}", folded(text, *width)),
            Self::Program(_) => {}
        }
    }

    /// An event for a program.
    pub(super) fn tell(&self, plan: &Plan, step: impl FnOnce() -> Step) {
        let Self::Program(last) = self else {
            return;
        };
        let event = ProgressEvent {
            schema: ProgressSchema::V1,
            seq: last.fetch_add(1, Ordering::Relaxed) + 1,
            plan_id: plan.plan_id.clone(),
            project: plan.project.clone(),
            environment: plan.environment.clone(),
            what: step(),
        };
        let line = serde_json::to_string(&event).expect("an event has string keys");
        print(&format!("{line}\n"));
    }

    /// A list at the end, for a person; `whole`: also where there is nothing in it.
    pub(super) fn list(&self, title: &str, items: &[String], whole: bool) {
        let Self::Person { width } = self else {
            return;
        };
        let out = |line: String| match width {
            Some(width) => print(&format!("{}\n", folded(&line, *width))),
            None => print(&format!("{line}\n")),
        };
        // A list of bare names fits one line; reasons get a line each.
        if items.is_empty() {
            if whole {
                out(format!("{title}: none"));
            }
        } else if items.iter().all(|item| !item.contains(':')) {
            out(format!("{title}: {}", items.join(", ")));
        } else {
            out(format!("{title}:"));
            items.iter().for_each(|item| out(format!("  {item}")));
        }
    }
}

/// Lines of at most `width` columns, broken between words, the later ones further in; a word that is longer than a
/// line is broken where a name in it ends.
fn folded(text: &str, width: usize) -> String {
    let indent = text.len() - text.trim_start().len();
    let room = width.saturating_sub(indent + 4).max(1);
    let mut lines = vec![" ".repeat(indent)];
    let words = text.split_whitespace();
    for word in words.flat_map(|word| pieces(word, room)) {
        let line = lines.last_mut().expect("there is a first line");
        let used = line.chars().count();
        let fresh = line.trim().is_empty();
        let needed = word.chars().count() + usize::from(!fresh);
        if !fresh && used + needed > width {
            lines.push(format!("{}{word}", " ".repeat(indent + 4)));
        } else {
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// The parts of a word that fit into `room` columns each.
fn pieces(word: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some((end, _)) = rest.char_indices().nth(room) {
        let fits = &rest[..end];
        // A digest stays whole where it can.
        let at = fits.rfind('@').or_else(|| fits.rfind(['/', '.', '-']));
        let at = at.map_or(end, |at| at + 1);
        let (piece, more) = rest.split_at(at);
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_the_terminal_does() {
        let text = "  production/api is rolling out: 0 of 1 pods are available, and one waits";
        for width in 40..90 {
            let told = folded(text, width);
            assert!(
                told.lines().all(|line| line.chars().count() <= width),
                "{told}"
            );
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(words(&told), words(text));
            assert!(told.starts_with("  production"), "{told}");
        }
        assert_eq!(folded(text, 80), text);
    }

    #[test]
    fn a_word_that_is_longer_than_a_line_is_broken_too() {
        let digest = "sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
        let text = format!("  mailer: the image ghcr.io/acme/mailer@{digest} cannot be pulled");
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        for width in 40..90 {
            let told = folded(&text, width);
            let is_narrow = |line: &str| line.chars().count() <= width;
            assert!(told.lines().all(is_narrow), "{told}");
            assert_eq!(bare(&told), bare(&text));
        }
        assert_eq!(
            folded(&text, 80),
            format!(
                "  mailer: the image ghcr.io/acme/mailer@\n      {digest}\n      cannot be pulled"
            )
        );
    }
}
