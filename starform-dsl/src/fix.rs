//! The fixes of diagnostics, applied to the texts they are about.
//! Pure. A fix is applied whole or not at all, and no run leaves more errors than it found.
//! Read on in `crate::diag` for what a fix is and in `crate::compile` for where fixes come from.

use std::collections::BTreeMap;

use crate::compile::{Compiled, compile};
use crate::diag::{self, Applicability, Code, Diagnostic, Edit, Fix};
use crate::source::{FileId, Position, SourceTree, Span};

/// How often a run applies fixes to what fixes gave.
const PASSES: usize = 16;

/// How often a run compiles to find out which of many fixes does harm.
const TRIALS: usize = 256;

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Those that do what the author meant.
    Safe,
    /// Those that a person would decide about, too.
    All,
}

/// A fix that was applied, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub code: Code,
    /// What was wrong.
    pub diagnostic: String,
    /// What the fix does.
    pub title: String,
    pub path: String,
    /// Of the culprit, in the text that the fix was made for.
    pub at: Position,
}

/// What one pass over the diagnostics of a tree gave.
#[derive(Clone, Debug)]
pub struct Pass {
    pub sources: SourceTree,
    pub applied: Vec<Step>,
    /// Those that change the same places as an earlier one: they are for the next pass.
    pub skipped: Vec<Step>,
}

/// A tree after all its fixes.
#[derive(Clone, Debug)]
pub struct Repaired {
    pub sources: SourceTree,
    /// What `sources` compile to.
    pub compiled: Compiled,
    pub applied: Vec<Step>,
    /// Those that would leave more errors than before.
    pub refused: Vec<Step>,
    /// Whether a further run would change nothing.
    pub settled: bool,
}

/// Applies the fixes that `diagnostics` offer, the best of each; where two want the same place, the first has it.
pub fn apply(sources: &SourceTree, diagnostics: &[Diagnostic], level: Level) -> Pass {
    let (chosen, skipped) = choose(wanted(diagnostics, level));
    let steps = |some: &[Wanted<'_>]| some.iter().map(|one| one.step(sources)).collect();
    Pass {
        sources: edited(sources, &chosen),
        applied: steps(&chosen),
        skipped: steps(&skipped),
    }
}

/// Compiles and applies until there is nothing left to apply. Of fixes that together leave more
/// errors than there were, those that do so are found and left out.
pub fn repair(sources: &SourceTree, level: Level) -> Repaired {
    let mut repaired = Repaired {
        sources: sources.clone(),
        compiled: compile(sources),
        applied: Vec::new(),
        refused: Vec::new(),
        settled: false,
    };
    let mut trials = TRIALS;
    for _ in 0..PASSES {
        let mut trial = Trial {
            sources: &repaired.sources,
            errors: errors(&repaired.compiled),
            left: &mut trials,
            taken: Vec::new(),
            refused: Vec::new(),
            best: None,
        };
        trial.run(wanted(&repaired.compiled.diagnostics, level));
        let steps = |some: &[Wanted<'_>]| -> Vec<Step> {
            some.iter().map(|one| one.step(trial.sources)).collect()
        };
        let (applied, refused) = (steps(&trial.taken), steps(&trial.refused));
        repaired.refused = refused;
        let Some((sources, compiled)) = trial.best else {
            repaired.settled = true;
            break;
        };
        repaired.applied.extend(applied);
        (repaired.sources, repaired.compiled) = (sources, compiled);
    }
    repaired
}

/// A fix and what it repairs.
#[derive(Clone, Copy)]
struct Wanted<'d> {
    diagnostic: &'d Diagnostic,
    fix: &'d Fix,
}

/// Which fixes of one pass do no harm.
struct Trial<'t, 'd> {
    sources: &'t SourceTree,
    /// Before any of them.
    errors: usize,
    /// So many more compilations.
    left: &'t mut usize,
    taken: Vec<Wanted<'d>>,
    refused: Vec<Wanted<'d>>,
    /// What `taken` lead to; nothing before one is taken.
    best: Option<(SourceTree, Compiled)>,
}

impl Wanted<'_> {
    fn step(&self, sources: &SourceTree) -> Step {
        let Span { file, range } = self.diagnostic.primary.span;
        let file = sources.file(file);
        Step {
            code: self.diagnostic.code,
            diagnostic: self.diagnostic.title.clone(),
            title: self.fix.title.clone(),
            path: file.path().to_owned(),
            at: file.position(range.start()),
        }
    }
}

impl<'d> Trial<'_, 'd> {
    /// What only stood behind a fix that was refused gets its turn.
    fn run(&mut self, mut open: Vec<Wanted<'d>>) {
        while self.best.is_none() && !open.is_empty() {
            let (chosen, skipped) = choose(open);
            self.take(&chosen);
            open = skipped;
        }
    }

    /// Takes all, or of each half what does no harm.
    fn take(&mut self, some: &[Wanted<'d>]) {
        if some.is_empty() {
            return;
        }
        if *self.left == 0 {
            self.refused.extend(some);
            return;
        }
        *self.left -= 1;
        let mut all = self.taken.clone();
        all.extend(some);
        all.sort_by_key(|one| one.diagnostic.primary.span);
        let sources = edited(self.sources, &all);
        let compiled = compile(&sources);
        if errors(&compiled) <= self.errors {
            (self.taken, self.best) = (all, Some((sources, compiled)));
        } else if let [one] = some {
            self.refused.push(*one);
        } else {
            let (first, second) = some.split_at(some.len() / 2);
            self.take(first);
            self.take(second);
        }
    }
}

/// The fix of each diagnostic that has one of the level: a safe one, else the first.
fn wanted(diagnostics: &[Diagnostic], level: Level) -> Vec<Wanted<'_>> {
    let best = |diagnostic: &'_ Diagnostic| -> Option<usize> {
        let safe = |fix: &Fix| fix.applicability == Applicability::Safe;
        let first = match level {
            Level::Safe => None,
            Level::All => (!diagnostic.fixes.is_empty()).then_some(0),
        };
        diagnostic.fixes.iter().position(safe).or(first)
    };
    diagnostics
        .iter()
        .filter_map(|diagnostic| {
            best(diagnostic).map(|index| Wanted {
                diagnostic,
                fix: &diagnostic.fixes[index],
            })
        })
        .collect()
}

/// Those that can be applied together, and those that change a place of an earlier one.
fn choose(wanted: Vec<Wanted<'_>>) -> (Vec<Wanted<'_>>, Vec<Wanted<'_>>) {
    let mut taken: BTreeMap<(FileId, u32), u32> = BTreeMap::new();
    wanted.into_iter().partition(|one| {
        let free = one.fix.edits.iter().all(|edit| is_free(&taken, edit.span));
        if free {
            let places = one.fix.edits.iter().map(|edit| edit.span);
            taken.extend(places.map(|span| ((span.file, span.range.start()), span.range.end())));
        }
        free
    })
}

/// Whether nothing of the span is taken; an insertion right beside what is taken has no clear place either.
fn is_free(taken: &BTreeMap<(FileId, u32), u32>, span: Span) -> bool {
    let (start, end) = (span.range.start(), span.range.end());
    // What is taken does not overlap itself, so of what begins before the end only the last few can reach the start.
    let before = taken.range((span.file, 0)..=(span.file, end)).rev();
    let mut near = before.take_while(|&(_, &other_end)| other_end >= start);
    near.all(|(&(_, other_start), &other_end)| {
        let touches = other_end == start || other_start == end;
        touches && !span.range.is_empty() && other_start != other_end
    })
}

fn edited(sources: &SourceTree, chosen: &[Wanted<'_>]) -> SourceTree {
    let mut edits: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in chosen.iter().flat_map(|one| &one.fix.edits) {
        edits.entry(edit.span.file).or_default().push(edit);
    }
    let mut edited = sources.clone();
    for (file, mut edits) in edits {
        edits.sort_by_key(|edit| edit.span);
        let text = diag::edited(sources.file(file).text(), edits);
        edited.replace(file, text);
    }
    edited
}

fn errors(compiled: &Compiled) -> usize {
    let errors = compiled.diagnostics.iter().filter(|one| one.is_error());
    errors.count()
}
