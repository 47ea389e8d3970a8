//! The objects of a plan: those of a service beneath it, all others under whose they are.
//!
//! Pure. Always holds: deletes, replacements, what is kept and what widens are printed one by one;
//! everything else is printed or counted.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::ObjectKey;

use crate::{
    document::{Action, Effect, ObjectChange, Owner, Plan, Risk, ServiceChange},
    view::{
        page::{Page, Paint, Text},
        rows::{self, Row},
        services,
        terminal::{Earlier, Hidden, Seen},
        values, widening,
    },
};

/// What the view knows besides the page.
pub(crate) struct Notes<'a> {
    pub(crate) full: bool,
    pub(crate) hidden: Hidden,
    pub(crate) seen: Seen,
    pub(crate) objects: BTreeMap<&'a ObjectKey, &'a ObjectChange>,
    /// What was told of a service before, and for which environment.
    pub(crate) earlier: &'a mut Earlier,
}

impl<'a> Notes<'a> {
    pub(crate) fn objects_of(&self, service: &ServiceChange) -> Vec<&'a ObjectChange> {
        let keys = service.objects.iter();
        keys.filter_map(|key| self.objects.get(key).copied())
            .collect()
    }

    /// Counts what is not printed.
    pub(crate) fn hide(&mut self, objects: &[&ObjectChange]) {
        self.hidden.objects += objects.len();
        self.hidden.fields += objects
            .iter()
            .map(|change| change.fields.len())
            .sum::<usize>();
    }
}

/// The mark of an action.
pub(crate) fn mark(action: Action) -> Text {
    let (paint, mark) = match action {
        Action::Create => (Paint::Green, "+"),
        Action::Update => (Paint::Yellow, "~"),
        Action::Replace => (Paint::Red, "-/+"),
        Action::Delete => (Paint::Red, "-"),
        Action::Retain | Action::Forget => (Paint::Cyan, "."),
        Action::Adopt => (Paint::Cyan, "="),
        Action::None => (Paint::Dim, " "),
    };
    Text::new(paint, mark)
}

/// The mark, three columns wide, so that `-/+` stands in line with the others.
pub(crate) fn symbol(action: Action, risk: Risk) -> Text {
    let mark = match risk {
        Risk::Replace => mark(Action::Replace),
        Risk::None
        | Risk::Create
        | Risk::Update
        | Risk::Rollout
        | Risk::Widen
        | Risk::Delete
        | Risk::Destroy => mark(action),
    };
    Text::plain(" ".repeat(3 - mark.width())).then(mark)
}

/// The objects of one service, `indent` columns in.
pub(crate) fn of_service(
    page: &mut Page,
    indent: usize,
    objects: &[&ObjectChange],
    notes: &mut Notes<'_>,
) {
    for change in objects {
        for line in widening::lines(change) {
            notes.seen.widens = true;
            let text = Text::new(Paint::Magenta, "! ").and(Paint::Plain, line);
            page.line(indent, indent + 2, &text);
        }
    }
    let (alone, folded): (Vec<&ObjectChange>, Vec<&ObjectChange>) = objects
        .iter()
        .partition(|change| notes.full || stands_alone(change));
    for change in &alone {
        one(page, indent - 2, &[*change], notes);
    }
    let updates: Vec<String> = folded
        .iter()
        .filter(|change| change.action != Action::Create)
        .map(|change| {
            let fields = values::count(change.fields.len(), "field");
            format!("{} ({fields})", kind(change, objects))
        })
        .collect();
    let creates: Vec<String> = folded
        .iter()
        .filter(|change| change.action == Action::Create)
        .map(|change| kind(change, objects))
        .collect();
    let only_creates = updates.is_empty() && alone.is_empty();
    let mut text = Text::default();
    if !updates.is_empty() {
        text = text.and(Paint::Dim, format!("writes {}", updates.join(", ")));
    }
    if !creates.is_empty() && !only_creates {
        let lead = if updates.is_empty() {
            "creates"
        } else {
            "; creates"
        };
        text = text.and(Paint::Dim, format!("{lead} {}", creates.join(", ")));
    }
    if text.width() > 0 {
        page.line(indent, indent + 2, &text);
    }
    notes.hide(&folded);
}

/// Objects outside the services that speak for themselves, by owner.
pub(crate) fn others(page: &mut Page, plan: &Plan, notes: &mut Notes<'_>) {
    let (speaking, silent): (Vec<&ServiceChange>, Vec<&ServiceChange>) = plan
        .services
        .iter()
        .partition(|service| services::speaks(service));
    let told: BTreeSet<&ObjectKey> = speaking.iter().flat_map(|s| &s.objects).collect();
    let sections = [
        ("environment", Owner::Environment),
        ("project", Owner::Project),
        (
            "platform: the renderer or the cluster's profile changed, not the project",
            Owner::Platform,
        ),
    ];
    for (title, owner) in sections {
        let own: Vec<&ObjectChange> = plan
            .objects
            .iter()
            .filter(|change| change.owner == owner && !told.contains(&change.key))
            .collect();
        if own.is_empty() {
            continue;
        }
        page.blank();
        page.line(4, 6, &Text::new(Paint::Bold, title));
        rollouts(page, &silent, &own);
        section(page, &own, notes);
    }
}

/// Which services' pods are replaced though their own words did not change.
fn rollouts(page: &mut Page, services: &[&ServiceChange], objects: &[&ObjectChange]) {
    let keys: BTreeSet<&ObjectKey> = objects.iter().map(|change| &change.key).collect();
    let names: Vec<&str> = services
        .iter()
        .filter(|service| service.effect == Effect::Rollout)
        .filter(|service| service.objects.iter().any(|key| keys.contains(key)))
        .map(|service| service.name.as_str())
        .collect();
    if !names.is_empty() {
        let text = Text::plain("rolls out ").and(Paint::Bold, names.join(", "));
        page.line(4, 6, &text);
    }
}

fn section(page: &mut Page, objects: &[&ObjectChange], notes: &mut Notes<'_>) {
    let is_folded = |change: &ObjectChange| change.action == Action::Create && !notes.full;
    let (creates, rest): (Vec<&ObjectChange>, Vec<&ObjectChange>) =
        objects.iter().partition(|change| is_folded(change));
    for group in alike(&rest) {
        for change in &group {
            for line in widening::lines(change) {
                notes.seen.widens = true;
                let text = Text::new(Paint::Magenta, "  ! ").and(Paint::Plain, line);
                page.line(2, 6, &text);
            }
        }
        one(page, 2, &group, notes);
    }
    if !creates.is_empty() {
        notes.seen.actions.insert(Action::Create);
        let text = symbol(Action::Create, Risk::Create)
            .and(Paint::Plain, " ")
            .and(Paint::Plain, kinds(&creates));
        page.line(2, 6, &text);
        notes.hide(&creates);
    }
}

/// The very same update of several objects of a kind is told once.
fn alike<'a>(objects: &[&'a ObjectChange]) -> Vec<Vec<&'a ObjectChange>> {
    let mut groups: Vec<Vec<&ObjectChange>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for &change in objects {
        let foldable = change.action == Action::Update && change.risk < Risk::Widen;
        let told = (&change.key.kind, change.risk, &change.fields);
        let print = serde_json::to_string(&told).expect("a change always serialises");
        match places.get(&print).filter(|_| foldable) {
            Some(&place) => groups[place].push(change),
            None => {
                places.insert(print, groups.len());
                groups.push(vec![change]);
            }
        }
    }
    groups
}

/// One change, with all objects that it happens to and every field.
fn one(page: &mut Page, indent: usize, objects: &[&ObjectChange], notes: &mut Notes<'_>) {
    let Some(change) = objects.first() else {
        return;
    };
    notes.seen.actions.insert(change.action);
    let names: Vec<String> = objects
        .iter()
        .map(|change| values::visible(&change.key.name))
        .collect();
    let mut title = symbol(change.action, Risk::None)
        .and(Paint::Plain, " ")
        .and(Paint::Plain, format!("{} ", change.key.kind))
        .and(Paint::Bold, names.join(", "));
    if objects.len() > 1 {
        title = title.and(
            Paint::Dim,
            format!("  the same in {} objects", objects.len()),
        );
    }
    if let Some(remark) = remark(change) {
        title = title.and(Paint::Dim, format!("  {remark}"));
    }
    page.line(indent, indent + 6, &title);
    let is_told = matches!(
        change.action,
        Action::Delete | Action::Retain | Action::Forget | Action::Adopt
    );
    if is_told && !notes.full {
        notes.hide(objects);
        return;
    }
    let rows: Vec<Row> = change.fields.iter().map(Row::of_field).collect();
    rows::print(page, indent + 6, &rows);
}

/// What a person should know beside the fields.
fn remark(change: &ObjectChange) -> Option<String> {
    match change.action {
        Action::Replace => Some("is deleted and made anew: a field of it cannot change".to_owned()),
        Action::Retain => Some("is no longer managed and stays, with its data".to_owned()),
        Action::Forget => Some("stays, with its data, and nobody is reminded of it".to_owned()),
        Action::Delete if change.risk == Risk::Destroy => {
            Some("is destroyed, with all its data".to_owned())
        }
        Action::Adopt if change.before.is_some() => {
            Some("was left behind and is managed again, with its data".to_owned())
        }
        Action::Adopt => Some("exists already and becomes ours".to_owned()),
        Action::Update if change.fields.is_empty() => Some("changes hands, not content".to_owned()),
        Action::Create | Action::Update | Action::Delete | Action::None => None,
    }
}

/// Never folded: what is lost, and what widens without being new.
fn stands_alone(change: &ObjectChange) -> bool {
    match change.action {
        Action::Delete | Action::Replace | Action::Retain | Action::Forget | Action::Adopt => true,
        // A route's new hosts are told already.
        Action::Update => change.risk == Risk::Widen && change.key.kind != "HTTPRoute",
        Action::Create | Action::None => false,
    }
}

/// The kind; with the name where the service changes several of it.
fn kind(change: &ObjectChange, among: &[&ObjectChange]) -> String {
    let several = among
        .iter()
        .filter(|other| other.key.kind == change.key.kind)
        .count()
        > 1;
    if several {
        format!("{} {}", change.key.kind, values::visible(&change.key.name))
    } else {
        change.key.kind.clone()
    }
}

/// `11 Deployments, Namespace`.
pub(crate) fn kinds(objects: &[&ObjectChange]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for change in objects {
        let kind = change.key.kind.as_str();
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    let texts: Vec<String> = counts
        .into_iter()
        .map(|(kind, count)| match count {
            1 => kind.to_owned(),
            _ => format!("{count} {}", plural(kind)),
        })
        .collect();
    texts.join(", ")
}

fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    }
}
