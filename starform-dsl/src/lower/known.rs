//! Which names a project may declare besides those that could be read, so that only the others are called unknown.
//! Pure. Whatever could not be read counts with every word of it: a broken node still declares its name.
//! Read on in `project`, which fills it, and in `crate::check` for the names that are looked up.

use std::collections::BTreeSet;

use crate::project::PREVIEW;
use crate::syntax::Node;
use crate::table::{self, Place};

/// Of which declarations the names are known, though some may not hold. Where a node may declare
/// anything, nothing of its kind is called unknown.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) environments: bool,
    pub(crate) previews: bool,
    pub(crate) groups: bool,
    pub(crate) partials: bool,
    pub(crate) services: bool,
    /// No environment is missing in what was read.
    pub(crate) every_environment: bool,
    /// Words of what could not be read, folded: each may be a name of any kind.
    unread: BTreeSet<String>,
}

/// More words that may be names are not told apart from names.
const MOST_WORDS: usize = 10_000;

impl Known {
    pub(crate) fn all(known: bool) -> Known {
        Known {
            environments: known,
            previews: known,
            groups: known,
            partials: known,
            services: known,
            every_environment: known,
            unread: BTreeSet::new(),
        }
    }

    /// Whether a name that nothing declares may be that of something that could not be read.
    pub(crate) fn may_be(&self, name: &str) -> bool {
        self.unread.contains(&folded(name))
    }

    /// Takes in what the words of a text with syntax errors may declare: those of the lines that are
    /// `broken` (counted from 1), and those of declarations, wherever a mistake moved them.
    pub(crate) fn text(&mut self, text: &str, broken: impl Fn(u32) -> bool) {
        self.every_environment = false;
        for (number, line) in (1..).zip(text.split('\n')) {
            if broken(number) {
                words(line).for_each(|word| self.insert(word));
            }
            for statement in line.split(['{', '}', ';']) {
                self.statement(statement);
            }
        }
    }

    /// Whatever a mistake moved or swallowed: what begins as a declaration may be one.
    fn statement(&mut self, statement: &str) {
        let mut words = words(statement);
        match words.next() {
            Some(PREVIEW) => self.insert(PREVIEW),
            Some(first) if is_declaring(first) => {
                let rest = statement.split_whitespace().skip(1);
                rest.take_while(|piece| !piece.starts_with("//"))
                    .filter(|piece| !piece.contains('='))
                    .for_each(|piece| self.insert(piece));
            }
            Some(_) | None => {}
        }
    }

    /// Takes in what a node that could not be read may declare, itself or in its block.
    pub(super) fn node(&mut self, node: Node<'_>) {
        self.node_head(node);
        for child in node.children().into_iter().flatten() {
            self.node_head(child);
        }
    }

    /// Takes in what the head of a node may name.
    pub(super) fn node_head(&mut self, node: Node<'_>) {
        self.every_environment = false;
        self.insert(&node.name());
        for entry in node.entries() {
            self.insert(entry.raw());
            for word in words(entry.raw()) {
                self.insert(word);
            }
        }
    }

    fn insert(&mut self, word: &str) {
        if self.unread.len() < MOST_WORDS {
            self.unread.insert(folded(word));
        } else {
            let unread = std::mem::take(&mut self.unread);
            *self = Known {
                unread,
                ..Known::all(false)
            };
        }
    }
}

/// Whether a word stands before a name that it declares in a project.
fn is_declaring(word: &str) -> bool {
    table::find(Place::Project, word).is_some_and(|spec| spec.declares().is_some())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'))
        .filter(|word| !word.is_empty())
}

/// A name as it is written right: `Catalog` may be meant by `catalog`.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .take(LONGEST)
        .collect()
}

/// Characters of a word that are compared; no name is longer.
const LONGEST: usize = 100;
