//! The objects of a plan: those of a service beneath it, all others under whose they are.
//!
//! Pure. Always holds: deletes, replacements, what is kept and what widens are printed one by one;
//! everything else is printed or counted.

use crate::{
    document::{Action, ObjectChange, Op, Owner, Risk},
    view::{
        page::{Page, Paint, Text},
        rows::{self, Row},
        terminal::{Hidden, Seen},
        values, widening,
    },
};

/// What the view is doing besides the page.
pub(crate) struct Notes<'a> {
    pub(crate) full: bool,
    pub(crate) hidden: &'a mut Hidden,
    pub(crate) seen: &'a mut Seen,
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
        Risk::None | Risk::Create | Risk::Update | Risk::Rollout | Risk::Widen | Risk::Delete => {
            mark(action)
        }
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
    notes.hidden.objects += folded.len();
    notes.hidden.fields += folded
        .iter()
        .map(|change| change.fields.len())
        .sum::<usize>();
}

/// Objects outside the services that speak for themselves, by owner.
pub(crate) fn others(page: &mut Page, objects: &[&ObjectChange], notes: &mut Notes<'_>) {
    let sections = [
        ("environment", Owner::Environment),
        ("project", Owner::Project),
        (
            "platform: the renderer or the cluster's profile changed, not the project",
            Owner::Platform,
        ),
    ];
    for (title, owner) in sections {
        let own: Vec<&ObjectChange> = objects
            .iter()
            .filter(|change| change.owner == owner)
            .copied()
            .collect();
        if own.is_empty() {
            continue;
        }
        page.blank();
        page.line(4, 6, &Text::new(Paint::Bold, title));
        section(page, &own, notes);
    }
}

fn section(page: &mut Page, objects: &[&ObjectChange], notes: &mut Notes<'_>) {
    let is_folded = |change: &&&ObjectChange| change.action == Action::Create && !notes.full;
    let creates: Vec<&ObjectChange> = objects.iter().filter(is_folded).copied().collect();
    let mut rest: Vec<&ObjectChange> = objects
        .iter()
        .filter(|change| !is_folded(change))
        .copied()
        .collect();
    while let Some(first) = rest.first().copied() {
        let (same, other) = rest.into_iter().partition(|change| is_same(first, change));
        rest = other;
        for change in &same {
            for line in widening::lines(change) {
                notes.seen.widens = true;
                let text = Text::new(Paint::Magenta, "  ! ").and(Paint::Plain, line);
                page.line(2, 6, &text);
            }
        }
        one(page, 2, &same, notes);
    }
    if !creates.is_empty() {
        notes.seen.actions.insert(Action::Create);
        let text = symbol(Action::Create, Risk::Create)
            .and(Paint::Plain, " ")
            .and(Paint::Plain, kinds(&creates));
        page.line(2, 6, &text);
        notes.hidden.objects += creates.len();
        notes.hidden.fields += creates
            .iter()
            .map(|change| change.fields.len())
            .sum::<usize>();
    }
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
        Action::Delete | Action::Retain | Action::Forget
    );
    if is_told && !notes.full {
        notes.hidden.objects += objects.len();
        notes.hidden.fields += change.fields.len() * objects.len();
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
        Action::Forget => Some("is no longer managed".to_owned()),
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

fn is_same(a: &ObjectChange, b: &ObjectChange) -> bool {
    let foldable = a.action == Action::Update && a.risk < Risk::Widen;
    let fields = |change: &ObjectChange| -> Vec<_> {
        let parts = change.fields.iter();
        parts
            .map(|f| {
                (
                    f.path.clone(),
                    f.op,
                    f.before.clone(),
                    f.after.clone(),
                    f.secret,
                )
            })
            .collect::<Vec<(String, Op, _, _, _)>>()
    };
    a.key == b.key
        || foldable
            && a.action == b.action
            && a.risk == b.risk
            && a.key.kind == b.key.kind
            && fields(a) == fields(b)
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
