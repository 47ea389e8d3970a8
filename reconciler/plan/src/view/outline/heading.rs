//! Which plan it is, and how it stands, in words that every view uses.
//!
//! Pure. Always holds: what is grave is marked so, and a writer only paints it.

use starform_contract::Generation;

use super::{Numbers, Said, Verification, numbers};
use crate::{
    approval::Approvals,
    closing::{self, Guard},
    document::{FindingSeverity, Plan, Risk},
    standing::Word,
    view::{Shown, values},
};

/// Which plan it is.
#[derive(Debug)]
pub(crate) struct Heading {
    /// `shop/production`
    pub(crate) name: String,
    pub(crate) project: String,
    /// Quoted where it has other characters than a commit or a tag.
    pub(crate) revision: Option<String>,
    /// What it was made against; `None` where nothing is accepted yet.
    pub(crate) generation: Option<u64>,
    /// Enough of its id to name it to the commands.
    pub(crate) plan: String,
    /// Of a comparison: the later generation.
    pub(crate) until: Option<u64>,
    /// The command that tells everything.
    pub(crate) whole: String,
    pub(crate) changes: bool,
    /// Services that differ and stay as they are.
    pub(crate) held: usize,
    pub(crate) numbers: Numbers,
    /// Objects that go with all their data.
    pub(crate) destroyed: usize,
    /// `protect` is taken away.
    pub(crate) is_unprotected: bool,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) policy: Policy,
    /// What its cluster says, where it was asked.
    pub(crate) verification: Option<Verification>,
    /// What the cluster shows of what is accepted; `None`: nobody asked.
    pub(crate) word: Option<Word>,
}

/// What has to be said of the plan before it may be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Nothing.
    Free,
    ApprovalNeeded,
    /// By whom.
    Approved(String),
}

/// One cell of the table of environments, as every view has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// Who, where it names somebody: a user's text.
    pub(crate) who: Option<String>,
    /// Not to be missed.
    pub(crate) is_grave: bool,
}

impl Cell {
    fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            who: None,
            is_grave: false,
        }
    }

    fn grave(text: impl Into<String>) -> Self {
        Self {
            is_grave: true,
            ..Self::plain(text)
        }
    }
}

impl Heading {
    pub(super) fn of(plan: &Plan, shown: Shown<'_>) -> Self {
        let count = |severity: FindingSeverity| {
            let of_it = plan.findings.iter();
            of_it.filter(|found| found.severity == severity).count()
        };
        let revision = plan.source.revision.as_deref();
        let id = plan.plan_id.short().to_owned();
        let from = plan.source.parent_generation;
        let whole = match plan.source.until {
            None => format!("starform show {id} --full"),
            Some(until) => {
                let name = &plan.environment;
                format!("starform diff --env {name} {from} {until} --full")
            }
        };
        Self {
            name: format!("{}/{}", plan.project, plan.environment),
            project: plan.project.to_string(),
            revision: revision.map(|revision| values::key(&short(revision))),
            generation: plan.source.base.is_some().then_some(from.number()),
            plan: id,
            until: plan.source.until.map(Generation::number),
            whole,
            changes: !plan.is_empty(),
            held: numbers::held(plan),
            numbers: Numbers::of(plan),
            destroyed: destroyed(plan),
            is_unprotected: closing::guards(plan).any(|guard| guard == Guard::Protect),
            errors: count(FindingSeverity::Blocking),
            warnings: count(FindingSeverity::Warning),
            policy: Policy::of(plan, shown.approvals),
            verification: shown.verifications.get(&plan.plan_id).map(Verification::of),
            word: shown.word(plan),
        }
    }
}

impl Heading {
    /// The plan's id, or the generations that are compared.
    pub(crate) fn named(&self) -> String {
        match (self.generation, self.until) {
            (Some(from), Some(until)) => format!("{from} → {until}"),
            (Some(_) | None, _) => self.plan.clone(),
        }
    }

    /// `against generation 41`
    pub(crate) fn made(&self) -> String {
        match (self.generation, self.until) {
            (Some(from), Some(until)) => format!("from generation {from} to {until}"),
            (Some(generation), None) => format!("against generation {generation}"),
            (None, _) => "nothing is accepted yet".to_owned(),
        }
    }

    pub(crate) fn findings(&self) -> Vec<Cell> {
        let some = |number, noun| (number > 0).then(|| values::count(number, noun));
        let errors = some(self.errors, "error").map(Cell::grave);
        let warnings = some(self.warnings, "warning").map(Cell::plain);
        let none = (self.errors + self.warnings == 0).then(|| Cell::plain("none"));
        errors.into_iter().chain(warnings).chain(none).collect()
    }

    pub(crate) fn policy(&self) -> Cell {
        match &self.policy {
            Policy::Free => Cell::plain("none"),
            Policy::ApprovalNeeded => Cell::grave("approval needed"),
            Policy::Approved(by) => Cell {
                who: Some(by.clone()),
                ..Cell::plain("approved by")
            },
        }
    }

    pub(crate) fn state(&self) -> Cell {
        match (self.errors, &self.policy, self.changes, self.until) {
            (1.., _, _, _) => Cell::grave("blocked"),
            (0, _, true, Some(_)) => Cell::plain("differs"),
            (0, Policy::ApprovalNeeded, _, None) => Cell::grave("not approved"),
            (0, Policy::Free | Policy::Approved(_), true, None) => Cell::plain("ready"),
            (0, _, false, _) => match self.word {
                None | Some(Word::AsAccepted) if self.held > 0 => Cell::plain("held"),
                None | Some(Word::AsAccepted) => Cell::plain("no changes"),
                Some(Word::Unknown) => Cell::plain("no changes, cluster unknown"),
                Some(Word::NotAsAccepted) => Cell::grave("not in the cluster"),
            },
        }
    }

    /// What the cluster would not store as it is written.
    pub(crate) fn said(&self) -> &[Said] {
        self.verification
            .as_ref()
            .map_or(&[], |told| told.said.as_slice())
    }

    pub(crate) fn has_said(&self) -> bool {
        !self.said().is_empty()
    }

    /// Before what is told of one of several environments.
    pub(crate) fn among(&self, headings: &[Self]) -> String {
        match headings.len() {
            1 => String::new(),
            _ => format!("{}: ", self.name),
        }
    }
}

impl Policy {
    pub(super) fn of(plan: &Plan, approvals: &Approvals) -> Self {
        match (plan.approval_needed(), approvals.get(&plan.effect_id)) {
            (None, _) => Self::Free,
            (Some(_), None) => Self::ApprovalNeeded,
            (Some(_), Some(approved)) => Self::Approved(values::visible(&approved.by)),
        }
    }

    pub(crate) fn is_free(&self) -> bool {
        *self == Self::Free
    }
}

fn destroyed(plan: &Plan) -> usize {
    let objects = plan.objects.iter();
    objects
        .filter(|object| object.risk == Risk::Destroy)
        .count()
}

fn short(revision: &str) -> String {
    let is_hash = revision.len() >= 40 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash {
        revision.chars().take(12).collect()
    } else {
        revision.to_owned()
    }
}
