//! What a plan tells, in the order in which it is told, without a layout: environments, services in the
//! language's words, objects with exact fields. Writers only lay it out.
//!
//! Pure. Always holds: what is deleted, replaced or widened is told one by one; every changed value is
//! told or counted in [`Hidden`]; every text but the places of values and findings has passed [`values`].

mod beside;
mod excerpt;
mod heading;
mod hidden;
mod lines;
mod losses;
mod numbers;
mod objects;
mod obstacle;
mod rows;
mod services;
mod verified;
mod widening;

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{Digest, EnvironmentName, ObjectKey, ServiceName};

pub(crate) use self::{
    beside::{Beside, of_one},
    heading::{Cell, Heading, Policy},
    hidden::Hidden,
    lines::Line,
    losses::{Loss, gravest_first, more},
    numbers::{Numbers, counts},
    objects::{Object, Section, has_untold, is_told_in_short},
    obstacle::together,
    rows::{Body, Branch, Leaf, Row, column, sign},
    services::{Elsewhere, Service, is_told_of_new},
    verified::{Said, Verification, Weight},
};
pub use self::{
    numbers::summary,
    obstacle::{Obstacle, obstacle},
    verified::told,
};
use crate::{
    closing,
    document::{Action, Finding, FindingSeverity, ObjectChange, Plan, Risk},
    standing::Standing,
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
    /// The highest of its plans.
    pub(crate) risk: Risk,
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
    /// What guards the environment no more, a line each; its settings say so too.
    pub(crate) unguarded: Vec<String>,
    pub(crate) findings: Vec<Remark>,
    /// How the cluster stands to what the plan was made against.
    pub(crate) beside: Vec<Beside>,
    pub(crate) seen: Seen,
    pub(crate) hidden: Hidden,
    /// Everything that changes.
    pub(crate) all: Hidden,
    pub(crate) summary: String,
    /// How many of the summary's objects another plan counts too.
    pub(crate) shared: Option<String>,
    /// Why `apply` would not take it as it stands.
    pub(crate) obstacle: Option<Obstacle>,
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
    /// How the cluster stands, where that is known.
    standing: Option<&'a Standing>,
    earlier: &'a mut Earlier,
}

/// Several plans, equal environments together.
pub(crate) fn outline(shown: Shown<'_>, form: Form) -> Vec<Part> {
    let clean: Vec<_> = shown.plans.iter().map(fold::clean).collect();
    let plans: Vec<&Plan> = clean.iter().map(AsRef::as_ref).collect();
    let mut earlier = Earlier::new();
    let mut counted = numbers::Counted::new();
    fold::environments(&plans)
        .iter()
        .map(|group| Part {
            shared: numbers::shared(&group.plans, &mut counted),
            ..part(group, form, shown, &mut earlier)
        })
        .collect()
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
        standing: shown.standing(plan),
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
    let mut summary = numbers::summary(plan, words.max());
    if let several @ 2.. = group.plans.len() {
        summary.push_str(&format!(", in each of {several} environments"));
    }
    Part {
        headings: group
            .plans
            .iter()
            .map(|plan| Heading::of(plan, shown))
            .collect(),
        risk: plan.summary.risk,
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
        unguarded: losses::unguarded(plan),
        findings: plan.findings.iter().map(Remark::of).collect(),
        beside,
        seen: notes.seen,
        hidden: notes.hidden,
        all: Hidden::all(plan),
        summary,
        shared: None,
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
        .map(|change| Row::of_model(change, notes.form))
        .collect();
    notes.hidden.values += settings.len() - told.len();
    notes.shorten(&told);
    told
}

/// `true` is what a person set; the names of a new environment stand in its heading.
fn is_remarkable(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(|value| value == true || value == "report")
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

    /// Counts the rows of which a part is told.
    fn shorten(&mut self, rows: &[Row]) {
        if self.form == Form::Short {
            self.hidden.texts += rows.iter().filter(|row| row.is_long).count();
        }
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
