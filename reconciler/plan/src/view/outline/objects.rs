//! The objects of a plan: those of a service beneath it, all others under whose they are.
//!
//! Pure. Always holds: deletes, replacements, what is kept and what widens are told one by one;
//! everything else is told or counted.

use std::collections::BTreeSet;

use starform_contract::ObjectKey;

use crate::{
    document::{Action, Effect, ObjectChange, Owner, Risk, ServiceChange},
    view::{
        fold::{self, Same},
        outline::{Notes, Row, services, widening},
        values,
    },
};

/// One change of an object, or of several alike.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) sign: Action,
    pub(crate) risk: Risk,
    /// By kind.
    pub(crate) places: Vec<Place>,
    /// What a person should know beside the fields.
    pub(crate) remark: Option<&'static str>,
    /// What would be reachable, or allowed, that was not.
    pub(crate) widens: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// Objects of one kind.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: String,
    pub(crate) names: Vec<String>,
}

/// Objects outside the services that speak for themselves.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// Services whose pods are replaced though their own words did not change.
    pub(crate) rollouts: Vec<String>,
    pub(crate) objects: Vec<Object>,
    /// Created, by kind: `11 Deployments, Namespace`.
    pub(crate) creates: Option<String>,
}

/// The objects of one service.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) widens: Vec<String>,
    pub(crate) objects: Vec<Object>,
    /// Kinds whose fields are counted, `Deployment (1 field)`.
    writes: Vec<String>,
    /// Kinds that come beside others that are told or counted.
    creates: Vec<String>,
}

impl Object {
    pub(crate) fn is_one(&self) -> bool {
        self.count() == 1
    }

    pub(crate) fn count(&self) -> usize {
        self.places.iter().map(|place| place.names.len()).sum()
    }
}

impl Own {
    /// `writes Deployment (1 field)`, `creates Job`: what is not told one by one.
    pub(crate) fn counted(&self) -> Vec<String> {
        let both = [("writes", &self.writes), ("creates", &self.creates)];
        let some = both.into_iter().filter(|(_, kinds)| !kinds.is_empty());
        some.map(|(verb, kinds)| format!("{verb} {}", kinds.join(", ")))
            .collect()
    }
}

/// Whether the short form tells the rows of a service or an object with this mark; the others are counted.
pub(crate) fn is_told_in_short(sign: Action) -> bool {
    match sign {
        Action::Update | Action::Replace => true,
        Action::Create
        | Action::Delete
        | Action::Retain
        | Action::Forget
        | Action::Adopt
        | Action::None => false,
    }
}

/// Whether the short form counts something of an object outside the services.
pub(crate) fn has_untold(object: &Object) -> bool {
    !is_told_in_short(object.sign) || object.rows.iter().any(|row| row.is_long)
}

pub(super) fn of_service(objects: &[&ObjectChange], notes: &mut Notes<'_>) -> Own {
    let widens: Vec<String> = objects.iter().flat_map(|o| widening::lines(o)).collect();
    notes.seen.widens |= !widens.is_empty();
    let (alone, counted): (Vec<&ObjectChange>, Vec<&ObjectChange>) = objects
        .iter()
        .partition(|change| notes.is_full() || stands_alone(change));
    let told = alone.iter().map(|change| Object {
        widens: Vec::new(),
        ..one(change, &[*change], notes)
    });
    let told: Vec<Object> = told.collect();
    let (creates, updates): (Vec<&ObjectChange>, Vec<&ObjectChange>) = counted
        .iter()
        .partition(|change| change.action == Action::Create);
    let writes: Vec<String> = updates
        .iter()
        .map(|change| {
            let fields = values::count(change.fields.len(), "field");
            format!("{} ({fields})", kind(change, objects))
        })
        .collect();
    let only_creates = writes.is_empty() && told.is_empty();
    let creates = creates.iter().map(|change| kind(change, objects));
    let creates = if only_creates {
        Vec::new()
    } else {
        creates.collect()
    };
    notes.hide(&counted);
    Own {
        widens,
        objects: told,
        writes,
        creates,
    }
}

pub(super) fn sections(notes: &mut Notes<'_>) -> Vec<Section> {
    let plan = notes.plan;
    let (speaking, silent): (Vec<&ServiceChange>, Vec<&ServiceChange>) = plan
        .services
        .iter()
        .partition(|service| services::speaks(service));
    let told: BTreeSet<&ObjectKey> = speaking.iter().flat_map(|s| &s.objects).collect();
    let owners = [
        ("environment", Owner::Environment),
        ("project", Owner::Project),
        (
            "platform: the renderer or the cluster's profile changed, not the project",
            Owner::Platform,
        ),
    ];
    let mut sections = Vec::new();
    for (title, owner) in owners {
        let own: Vec<&ObjectChange> = plan
            .objects
            .iter()
            .filter(|change| change.owner == owner && !told.contains(&change.key))
            .collect();
        if !own.is_empty() {
            sections.push(Section {
                rollouts: rollouts(&silent, &own),
                ..section(title, &own, notes)
            });
        }
    }
    sections
}

fn rollouts(services: &[&ServiceChange], objects: &[&ObjectChange]) -> Vec<String> {
    let keys: BTreeSet<&ObjectKey> = objects.iter().map(|change| &change.key).collect();
    services
        .iter()
        .filter(|service| service.effect == Effect::Rollout)
        .filter(|service| service.objects.iter().any(|key| keys.contains(key)))
        .map(|service| service.name.to_string())
        .collect()
}

fn section(title: &'static str, objects: &[&ObjectChange], notes: &mut Notes<'_>) -> Section {
    let is_counted = |change: &ObjectChange| {
        change.action == Action::Create && change.risk < Risk::Widen && !notes.is_full()
    };
    let (creates, rest): (Vec<&ObjectChange>, Vec<&ObjectChange>) =
        objects.iter().partition(|change| is_counted(change));
    let told = fold::objects(notes.plan, &rest);
    let told = told.iter().map(|group: &Same<'_, _>| {
        notes.seen.widens |= !group.told.opens.is_empty();
        one(&group.told, &group.all, notes)
    });
    let told = told.collect();
    if !creates.is_empty() {
        notes.seen.actions.insert(Action::Create);
        notes.hide(&creates);
    }
    Section {
        title,
        rollouts: Vec::new(),
        objects: told,
        creates: (!creates.is_empty()).then(|| kinds(&creates)),
    }
}

/// One change, with all objects that it happens to and every field.
fn one(told: &ObjectChange, all: &[&ObjectChange], notes: &mut Notes<'_>) -> Object {
    notes.seen.actions.insert(told.action);
    let is_said = match told.action {
        Action::Delete | Action::Retain | Action::Forget | Action::Adopt => true,
        Action::Create | Action::Update | Action::Replace | Action::None => false,
    };
    let rows = if is_said && !notes.is_full() {
        notes.hide(all);
        Vec::new()
    } else {
        let fields = told.fields.iter();
        fields
            .map(|field| Row::of_field(field, notes.form))
            .collect()
    };
    notes.shorten(&rows);
    Object {
        sign: told.action,
        risk: told.risk,
        places: places(all),
        remark: remark(
            told,
            notes.standing.is_some_and(|all| all.is_gone(&told.key)),
        ),
        widens: widening::lines(told),
        rows,
    }
}

fn places(objects: &[&ObjectChange]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for change in objects {
        let name = values::name(&change.key.name);
        let kind = values::name(&change.key.kind);
        match places.iter_mut().find(|place| place.kind == kind) {
            Some(place) => place.names.push(name),
            None => places.push(Place {
                kind,
                names: vec![name],
            }),
        }
    }
    places
}

/// `is_gone`: the cluster does not have what is accepted there.
fn remark(change: &ObjectChange, is_gone: bool) -> Option<&'static str> {
    match change.action {
        Action::Replace => Some("is deleted and made anew: a field of it cannot change"),
        Action::Retain | Action::Forget if is_gone => {
            Some("is no longer managed; it is not there, so its data is gone")
        }
        Action::Delete if change.risk == Risk::Destroy && is_gone => {
            Some("is not there any more, so its data is gone")
        }
        Action::Adopt if change.before.is_some() && is_gone => {
            Some("was left behind and is not there any more: it is made anew and empty")
        }
        Action::Retain => Some("is no longer managed and stays, with its data"),
        Action::Forget => Some("stays, with its data, and nobody is reminded of it"),
        Action::Delete if change.risk == Risk::Destroy => Some("is destroyed, with all its data"),
        Action::Adopt if change.before.is_some() => {
            Some("was left behind and is managed again, with its data")
        }
        Action::Adopt => Some("exists already and becomes ours"),
        Action::Update if change.fields.is_empty() => Some("changes hands, not content"),
        Action::Create | Action::Update | Action::Delete | Action::None => None,
    }
}

/// Never counted only: what is lost, and what widens without being new.
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
        format!(
            "{} {}",
            values::name(&change.key.kind),
            values::name(&change.key.name)
        )
    } else {
        values::name(&change.key.kind)
    }
}

fn kinds(objects: &[&ObjectChange]) -> String {
    let texts: Vec<String> = places(objects)
        .into_iter()
        .map(|place| match place.names.len() {
            1 => place.kind,
            count => format!("{count} {}", plural(&place.kind)),
        })
        .collect();
    texts.join(", ")
}

fn plural(kind: &str) -> String {
    let stem = kind.strip_suffix('y').map(|stem| format!("{stem}ies"));
    let hissing = kind.ends_with('s').then(|| format!("{kind}es"));
    stem.or(hissing).unwrap_or_else(|| format!("{kind}s"))
}
