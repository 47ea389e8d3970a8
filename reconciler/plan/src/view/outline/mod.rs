//! What a plan tells, in the order in which it is told, without a layout: environments, services in the
//! language's words, objects with exact fields. Writers only lay it out.
//!
//! Pure. Always holds: what is deleted, replaced or widened is told one by one; every changed value is
//! told or counted in [`Hidden`]; every text but the places of values and findings has passed [`values`].

mod beside;
mod hidden;
mod lines;
mod losses;
mod objects;
mod obstacle;
mod rows;
mod services;
mod verified;
mod widening;

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{Digest, EnvironmentName, Generation, ObjectKey, ServiceName};

pub(crate) use self::{
    beside::{Beside, of_one},
    hidden::Hidden,
    lines::Line,
    losses::{Loss, gravest_first, more},
    objects::{Object, Section},
    obstacle::together,
    rows::{Body, Branch, Leaf, Row},
    services::{Elsewhere, Service, is_told_of_new},
    verified::{Said, Verification, Weight},
};
pub use self::{
    obstacle::{Obstacle, obstacle},
    verified::told,
};
use crate::{
    approval::Approvals,
    closing,
    document::{Action, Finding, FindingSeverity, ObjectChange, ObjectCounts, Plan, Risk},
    standing::Word,
    view::{Shown, fold, values},
};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Every value and every field.
    Full,
    /// What a reviewer asks first; the rest is counted.
    Short,
}

/// One environment, or several with the very same change.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) headings: Vec<Heading>,
    /// Nothing changes and nothing is to be known.
    pub(crate) is_quiet: bool,
    pub(crate) settings: Vec<Row>,
    pub(crate) services: Vec<Service>,
    /// Services whose change was told of another environment before.
    pub(crate) elsewhere: Vec<Elsewhere>,
    /// Services that stay as they are accepted, though the files say otherwise.
    pub(crate) held: Vec<String>,
    pub(crate) sections: Vec<Section>,
    /// Hosts that nothing answers any more, a line each.
    pub(crate) closed: Vec<String>,
    /// Services that stay and stop.
    pub(crate) stopped: Vec<String>,
    pub(crate) findings: Vec<Remark>,
    /// How the cluster stands to what the plan was made against.
    pub(crate) beside: Vec<Beside>,
    pub(crate) seen: Seen,
    pub(crate) hidden: Hidden,
    /// Everything that changes.
    pub(crate) all: Hidden,
    pub(crate) summary: String,
    /// Why `apply` would not take it as it stands.
    pub(crate) obstacle: Option<Obstacle>,
}

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
    pub(crate) objects: ObjectCounts,
    pub(crate) rollouts: u32,
    /// Objects that go with all their data.
    pub(crate) destroyed: usize,
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

/// A finding.
#[derive(Debug)]
pub(crate) struct Remark {
    pub(crate) severity: FindingSeverity,
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) at: Option<String>,
}

/// What occurs, for the legend.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) actions: BTreeSet<Action>,
    pub(crate) widens: bool,
}

/// By service and change, the environment that it was told for.
type Earlier = BTreeMap<(ServiceName, Digest), EnvironmentName>;

/// What is known and counted while one part is made.
struct Notes<'a> {
    plan: &'a Plan,
    form: Form,
    hidden: Hidden,
    seen: Seen,
    objects: BTreeMap<&'a ObjectKey, &'a ObjectChange>,
    earlier: &'a mut Earlier,
}

/// Several plans, equal environments together.
pub(crate) fn outline(shown: Shown<'_>, form: Form) -> Vec<Part> {
    let clean: Vec<_> = shown.plans.iter().map(fold::clean).collect();
    let plans: Vec<&Plan> = clean.iter().map(AsRef::as_ref).collect();
    let mut earlier = Earlier::new();
    fold::environments(&plans)
        .iter()
        .map(|group| part(group, form, shown, &mut earlier))
        .collect()
}

/// The last line of a plan; [`obstacle`] may follow.
pub fn summary(plan: &Plan, word: Option<Word>) -> String {
    match (plan.is_empty(), plan.source.until) {
        (true, None) => unchanged(plan, word),
        (true, Some(until)) => {
            let (name, from) = (&plan.environment, plan.source.parent_generation);
            format!(
                "No difference. {}/{name} is the same at generations {from} and {until}.",
                plan.project
            )
        }
        (false, None) => counts("Plan", &plan.summary.objects, plan.summary.rollouts),
        (false, Some(_)) => counts("Difference", &plan.summary.objects, plan.summary.rollouts),
    }
}

fn unchanged(plan: &Plan, word: Option<Word>) -> String {
    let name = format!("{}/{}", plan.project, plan.environment);
    let held = held(plan);
    let services = values::count(held, "service");
    match (word, held) {
        (None | Some(Word::AsAccepted), 0) => format!("No changes. {name} matches."),
        (None | Some(Word::AsAccepted), _) => {
            format!("Nothing to apply. {name} matches but for {services} held as accepted.")
        }
        (Some(Word::Unknown), _) => {
            format!("No changes. {name} is accepted so; whether the cluster has it is not known.")
        }
        (Some(Word::NotAsAccepted), _) => {
            format!("No changes. {name} is accepted so, but the cluster differs.")
        }
    }
}

/// Services that differ and stay as they are.
fn held(plan: &Plan) -> usize {
    let services = plan.services.iter();
    services.filter(|service| service.held).count()
}

/// `Plan: 0 to create, 5 to update, 0 to replace, 0 to delete · 1 rollout`
pub(crate) fn counts(title: &str, objects: &ObjectCounts, rollouts: u32) -> String {
    let mut parts = vec![
        format!("{} to create", objects.create),
        format!("{} to update", objects.update),
        format!("{} to replace", objects.replace),
        format!("{} to delete", objects.delete),
    ];
    for (number, verb) in [(objects.retain, "to retain"), (objects.adopt, "to adopt")] {
        if number > 0 {
            parts.push(format!("{number} {verb}"));
        }
    }
    let rollouts = usize::try_from(rollouts).unwrap_or(usize::MAX);
    format!(
        "{title}: {} · {}",
        parts.join(", "),
        values::count(rollouts, "rollout")
    )
}

fn part(
    group: &fold::Environments<'_>,
    form: Form,
    shown: Shown<'_>,
    earlier: &mut Earlier,
) -> Part {
    let plan = group.told.as_ref();
    let mut notes = Notes {
        plan,
        form,
        hidden: Hidden::default(),
        seen: Seen::default(),
        objects: plan
            .objects
            .iter()
            .map(|change| (&change.key, change))
            .collect(),
        earlier,
    };
    let settings = settings(&mut notes);
    let (services, elsewhere) = services::told(&mut notes);
    let sections = objects::sections(&mut notes);
    let closed = losses::closed(plan);
    if !closed.is_empty() {
        notes.seen.actions.insert(Action::Delete);
    }
    let beside = beside::all(&group.plans, shown, form);
    let is_quiet = plan.is_empty()
        && plan.findings.is_empty()
        && plan.services.is_empty()
        && beside.is_empty();
    let marks = beside.iter().flat_map(|one| &one.objects);
    let marks = marks.map(|object| object.sign);
    notes.seen.actions.extend(marks);
    let words = group.plans.iter().filter_map(|plan| shown.word(plan));
    let mut summary = summary(plan, words.max());
    if let several @ 2.. = group.plans.len() {
        summary.push_str(&format!(", in each of {several} environments"));
    }
    Part {
        headings: group
            .plans
            .iter()
            .map(|plan| Heading::of(plan, shown))
            .collect(),
        is_quiet,
        settings,
        services,
        elsewhere,
        held: services::held(plan),
        sections,
        closed,
        stopped: closing::stopped(plan)
            .map(|service| service.name.to_string())
            .collect(),
        findings: plan.findings.iter().map(Remark::of).collect(),
        beside,
        seen: notes.seen,
        hidden: notes.hidden,
        all: Hidden::all(plan),
        summary,
        // The gravest of all, since they are told as one.
        obstacle: group
            .plans
            .iter()
            .filter_map(|plan| obstacle(plan, shown.approvals))
            .max(),
    }
}

fn settings(notes: &mut Notes<'_>) -> Vec<Row> {
    let is_new = notes.plan.source.base.is_none();
    let settings = &notes.plan.settings;
    let told: Vec<Row> = settings
        .iter()
        .filter(|change| {
            notes.form == Form::Full || !is_new || is_remarkable(change.after.as_ref())
        })
        .map(Row::of_model)
        .collect();
    notes.hidden.values += settings.len() - told.len();
    told
}

/// `true` is what a person set; the names of a new environment stand in its heading.
fn is_remarkable(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(|value| value == true || value == "report")
}

impl Heading {
    fn of(plan: &Plan, shown: Shown<'_>) -> Self {
        let count = |severity: FindingSeverity| {
            let of_it = plan.findings.iter();
            of_it.filter(|found| found.severity == severity).count()
        };
        let revision = plan.source.revision.as_deref();
        let id: String = plan.plan_id.digest().hex().chars().take(12).collect();
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
            held: held(plan),
            objects: plan.summary.objects,
            rollouts: plan.summary.rollouts,
            destroyed: destroyed(plan),
            errors: count(FindingSeverity::Blocking),
            warnings: count(FindingSeverity::Warning),
            policy: Policy::of(plan, shown.approvals),
            verification: shown.verifications.get(&plan.plan_id).map(Verification::of),
            word: shown.word(plan),
        }
    }
}

fn destroyed(plan: &Plan) -> usize {
    let objects = plan.objects.iter();
    objects
        .filter(|object| object.risk == Risk::Destroy)
        .count()
}

impl Heading {
    /// The plan's id, or the generations that are compared.
    pub(crate) fn named(&self) -> String {
        match (self.generation, self.until) {
            (Some(from), Some(until)) => format!("{from} → {until}"),
            (Some(_) | None, _) => self.plan.clone(),
        }
    }
}

impl Heading {
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
    fn of(plan: &Plan, approvals: &Approvals) -> Self {
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

impl Remark {
    fn of(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            code: values::visible(&finding.code),
            title: values::visible(&finding.title),
            at: finding.at.clone(),
        }
    }
}

impl Seen {
    /// The marks that occur, each with its meaning.
    pub(crate) fn legend(&self) -> Vec<(Option<Action>, &'static str)> {
        let mut entries: Vec<(Option<Action>, &'static str)> = self
            .actions
            .iter()
            .filter_map(|action| Some((Some(*action), meaning(*action)?)))
            .collect();
        entries.dedup_by_key(|(_, meaning)| *meaning);
        if self.widens {
            entries.push((None, "opens to more"));
        }
        entries
    }
}

impl<'a> Notes<'a> {
    fn is_full(&self) -> bool {
        self.form == Form::Full
    }

    fn objects_of(&self, service: &crate::document::ServiceChange) -> Vec<&'a ObjectChange> {
        let keys = service.objects.iter();
        keys.filter_map(|key| self.objects.get(key).copied())
            .collect()
    }

    /// Counts what is not told.
    fn hide(&mut self, objects: &[&ObjectChange]) {
        self.hidden.objects += objects.len();
        self.hidden.fields += objects
            .iter()
            .map(|change| change.fields.len())
            .sum::<usize>();
    }
}

/// The mark of an action, as a Terraform user knows it.
pub(crate) const fn mark(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace => "-/+",
        Action::Delete => "-",
        Action::Retain | Action::Forget => ".",
        Action::Adopt => "=",
        Action::None => " ",
    }
}

const fn meaning(action: Action) -> Option<&'static str> {
    match action {
        Action::Create => Some("create"),
        Action::Update => Some("update"),
        Action::Replace => Some("replace"),
        Action::Delete => Some("delete"),
        Action::Retain | Action::Forget => Some("keep"),
        Action::Adopt => Some("adopt"),
        Action::None => None,
    }
}

fn short(revision: &str) -> String {
    let is_hash = revision.len() >= 40 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash {
        revision.chars().take(12).collect()
    } else {
        revision.to_owned()
    }
}
