//! Equal changes, found over objects, services and environments, so that each is told once.
//!
//! Pure. Always holds: what is deleted, replaced, kept, adopted or widened is in no group; two changes are
//! equal where they differ in nothing but their own names, which a group tells as `‹service›` and
//! `‹environment›`, so that the group and its list of places say exactly what each change is.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use serde_json::Value;
use starform_contract::{Digest, ServiceKind};

use crate::{
    closing,
    document::{
        Action, Effect, ModelChange, ObjectChange, Opening, Plan, Risk, ServiceAction,
        ServiceChange,
    },
    view::values::PLACEHOLDER,
};

/// Environments with the very same change, and what is told of them.
#[derive(Debug)]
pub(crate) struct Environments<'a> {
    pub(crate) plans: Vec<&'a Plan>,
    /// One plan for all: theirs but for ids and digests, with placeholders where their names stand.
    pub(crate) told: Cow<'a, Plan>,
}

/// Changes that are told as one, `told` with placeholders where it stands for several.
#[derive(Debug)]
pub(crate) struct Same<'a, T: Clone> {
    pub(crate) all: Vec<&'a T>,
    pub(crate) told: Cow<'a, T>,
}

/// A name and the word that stands for it.
struct Name<'a> {
    text: &'a str,
    word: &'static str,
}

/// The plan, without characters that only a group may use.
pub(crate) fn clean(plan: &Plan) -> Cow<'_, Plan> {
    let has_any = |text: &str| text.contains([PLACEHOLDER.0, PLACEHOLDER.1]);
    let text = serde_json::to_string(plan).expect("a plan always serialises");
    if !has_any(&text) {
        return Cow::Borrowed(plan);
    }
    let mut plan = plan.clone();
    each_text(&mut plan, &mut |text| {
        for c in [PLACEHOLDER.0, PLACEHOLDER.1] {
            *text = text.replace(c, &format!("\\u{{{:x}}}", u32::from(c)));
        }
    });
    Cow::Owned(plan)
}

/// Plans in the order of their first; equal ones together.
pub(crate) fn environments<'a>(plans: &[&'a Plan]) -> Vec<Environments<'a>> {
    let mut groups: Vec<Environments<'_>> = Vec::new();
    let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
    for &plan in plans {
        let foldable = plans.len() > 1 && environment_folds(plan);
        let told = if foldable {
            Cow::Owned(nameless(plan))
        } else {
            Cow::Borrowed(plan)
        };
        let print = foldable.then(|| environment_print(&told));
        let known = print.as_ref().and_then(|print| places.get(print));
        match known.and_then(|place| groups.get_mut(*place)) {
            Some(group) => group.plans.push(plan),
            None => {
                if let Some(print) = print {
                    places.insert(print, groups.len());
                }
                let plans = vec![plan];
                groups.push(Environments { plans, told });
            }
        }
    }
    for group in &mut groups {
        match group.plans.as_slice() {
            [only] => group.told = Cow::Borrowed(only),
            several => gather_places(group.told.to_mut(), several),
        }
    }
    groups
}

/// Services of one plan whose words changed alike.
pub(crate) fn services<'a>(services: &[&'a ServiceChange]) -> Vec<Same<'a, ServiceChange>> {
    let told = |service: &ServiceChange| {
        let mut service = service.clone();
        let names = [Name::service(service.name.as_str())];
        for change in &mut service.changes {
            each_text_of_model(change, &mut |text| *text = renamed(text, &names));
        }
        service
    };
    let mut groups = grouped(services, service_folds, told, service_print);
    for group in groups.iter_mut().filter(|group| group.all.len() > 1) {
        for change in &mut group.told.to_mut().changes {
            let places = group.all.iter().map(|service| {
                let mut all = service.changes.iter();
                let own = all.find(|own| own.path == change.path);
                own.and_then(|own| own.at.clone())
            });
            change.at = shared(places);
        }
    }
    groups
}

/// Objects of one plan whose fields changed alike, of any kind.
pub(crate) fn objects<'a>(
    plan: &Plan,
    objects: &[&'a ObjectChange],
) -> Vec<Same<'a, ObjectChange>> {
    let told = |object: &ObjectChange| {
        let mut told = object.clone();
        let names = names_of(object, plan);
        each_text_of_object(&mut told, &mut |text| *text = renamed(text, &names));
        told
    };
    let print = |object: &ObjectChange| Digest::of(&(object.risk, &object.fields));
    grouped(objects, object_folds, told, print)
}

/// What a service's change is, without names: for the same change told of another environment.
pub(crate) fn print_of_service(service: &ServiceChange) -> Option<Digest> {
    service_folds(service).then(|| service_print(service))
}

fn grouped<'a, T: Clone>(
    all: &[&'a T],
    folds: impl Fn(&T) -> bool,
    told: impl Fn(&T) -> T,
    print: impl Fn(&T) -> Digest,
) -> Vec<Same<'a, T>> {
    let mut groups: Vec<Same<'_, T>> = Vec::new();
    let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
    for &one in all {
        let alone = Same {
            all: vec![one],
            told: Cow::Borrowed(one),
        };
        if all.len() == 1 || !folds(one) {
            groups.push(alone);
            continue;
        }
        let nameless = told(one);
        let print = print(&nameless);
        match places.get(&print).and_then(|place| groups.get_mut(*place)) {
            Some(group) => {
                group.all.push(one);
                group.told = Cow::Owned(nameless);
            }
            None => {
                places.insert(print, groups.len());
                groups.push(alone);
            }
        }
    }
    groups
}

fn environment_folds(plan: &Plan) -> bool {
    !plan.is_empty()
        && closing::guards(plan).next().is_none()
        && plan.services.iter().all(|service| match service.action {
            ServiceAction::Create | ServiceAction::Update | ServiceAction::None => {
                service.risk < Risk::Widen
            }
            ServiceAction::Delete => false,
        })
        && plan.objects.iter().all(|object| match object.action {
            Action::Create | Action::Update | Action::None => object.risk < Risk::Widen,
            Action::Replace | Action::Delete | Action::Retain | Action::Forget | Action::Adopt => {
                false
            }
        })
}

fn service_folds(service: &ServiceChange) -> bool {
    service.action == ServiceAction::Update
        && service.risk < Risk::Widen
        && service.was.is_none()
        && service.effect != Effect::Stop
}

fn object_folds(object: &ObjectChange) -> bool {
    object.action == Action::Update && object.risk < Risk::Widen && !object.fields.is_empty()
}

fn service_print(service: &ServiceChange) -> Digest {
    let changes: Vec<_> = service.changes.iter().map(in_words).collect();
    // The same change of a cron job has another effect: from the next run on.
    let is_cron = service.kind == ServiceKind::Cron;
    Digest::of(&(service.risk, service.effect, is_cron, changes))
}

fn environment_print(told: &Plan) -> Digest {
    let is_new = told.source.base.is_none();
    let services: Vec<_> = told
        .services
        .iter()
        .map(|service| {
            let changes: Vec<_> = service.changes.iter().map(in_words).collect();
            let what = (service.action, service.held, service.effect, service.risk);
            (&service.name, &service.was, what, service.kind, changes)
        })
        .collect();
    let objects: Vec<_> = told
        .objects
        .iter()
        .map(|object| {
            let what = (object.action, object.risk, &object.owner);
            (object.key.to_string(), what, &object.fields)
        })
        .collect();
    let settings: Vec<_> = told.settings.iter().map(in_words).collect();
    let findings: Vec<_> = told
        .findings
        .iter()
        .map(|finding| (&finding.code, finding.severity, &finding.title))
        .collect();
    Digest::of(&(is_new, &told.project, settings, services, objects, findings))
}

/// Without the place that made it.
fn in_words(change: &ModelChange) -> impl Serialize {
    (&change.path, &change.before, &change.after)
}

/// With placeholders for what this environment is called.
fn nameless(plan: &Plan) -> Plan {
    let mut told = plan.clone();
    let names = [Name::environment(plan)];
    each_text(&mut told, &mut |text| *text = renamed(text, &names));
    told
}

/// The places of each change and finding.
fn gather_places(told: &mut Plan, plans: &[&Plan]) {
    for (n, change) in told.settings.iter_mut().enumerate() {
        change.at = shared(plans.iter().map(|plan| at(&plan.settings, n)));
    }
    for (s, service) in told.services.iter_mut().enumerate() {
        for (n, change) in service.changes.iter_mut().enumerate() {
            let all = plans.iter().map(|plan| at(&plan.services[s].changes, n));
            change.at = shared(all);
        }
    }
    for (n, finding) in told.findings.iter_mut().enumerate() {
        finding.at = shared(plans.iter().map(|plan| plan.findings[n].at.clone()));
    }
}

fn at(changes: &[ModelChange], n: usize) -> Option<String> {
    changes.get(n).and_then(|change| change.at.clone())
}

/// The place, or the first of several and how many more there are.
fn shared(all: impl Iterator<Item = Option<String>>) -> Option<String> {
    let mut places: Vec<String> = Vec::new();
    for place in all.flatten() {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    match places.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        [first, second] => Some(format!("{first}, {second}")),
        [first, rest @ ..] => Some(format!("{first} and {} more", rest.len())),
    }
}

/// Its own names: the service's, the object's as a whole, the environment's.
fn names_of<'a>(object: &'a ObjectChange, plan: &'a Plan) -> Vec<Name<'a>> {
    let whole = Name {
        text: &object.key.name,
        word: "object",
    };
    let mut names = vec![whole];
    // What its name has before the environment's is the service's name of its objects.
    let suffix = format!("--{}", plan.environment);
    if let Some((service, _)) = object.key.name.split_once(suffix.as_str()) {
        names.push(Name::service(service));
    }
    names
}

impl<'a> Name<'a> {
    const fn service(text: &'a str) -> Self {
        let word = "service";
        Self { text, word }
    }

    fn environment(plan: &'a Plan) -> Self {
        Self {
            text: plan.environment.as_str(),
            word: "environment",
        }
    }
}

/// The text with a placeholder for every name that stands in it as a word of its own.
fn renamed(text: &str, names: &[Name<'_>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut last: Option<char> = None;
    while let Some(first) = rest.chars().next() {
        let starts_word = last.is_none_or(|c| !c.is_alphanumeric());
        let name = names.iter().filter(|_| starts_word).find(|name| {
            let after = rest.strip_prefix(name.text);
            after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        });
        let used = match name {
            Some(name) if !name.text.is_empty() => {
                out.push(PLACEHOLDER.0);
                out.push_str(name.word);
                out.push(PLACEHOLDER.1);
                name.text.len()
            }
            Some(_) | None => {
                out.push(first);
                first.len_utf8()
            }
        };
        last = rest[..used].chars().last();
        rest = &rest[used..];
    }
    out
}

/// Every text of a plan that is a user's, or is made from one.
fn each_text(plan: &mut Plan, change: &mut impl FnMut(&mut String)) {
    for setting in &mut plan.settings {
        each_text_of_model(setting, change);
    }
    for service in &mut plan.services {
        for one in &mut service.changes {
            each_text_of_model(one, change);
        }
        for key in &mut service.objects {
            change(&mut key.name);
        }
    }
    for object in &mut plan.objects {
        change(&mut object.key.name);
        each_text_of_object(object, change);
    }
    for finding in &mut plan.findings {
        change(&mut finding.title);
    }
}

fn each_text_of_model(model: &mut ModelChange, change: &mut impl FnMut(&mut String)) {
    change(&mut model.path);
    for side in [&mut model.before, &mut model.after].into_iter().flatten() {
        each_text_of_value(side, change);
    }
}

fn each_text_of_object(object: &mut ObjectChange, change: &mut impl FnMut(&mut String)) {
    for opening in &mut object.opens {
        match opening {
            Opening::Host(text)
            | Opening::Path(text)
            | Opening::Right(text)
            | Opening::Subject(text) => change(text),
            Opening::Traffic => {}
        }
    }
    for field in &mut object.fields {
        change(&mut field.path);
        if let Some(words) = &mut field.words {
            change(words);
        }
        for side in [&mut field.before, &mut field.after].into_iter().flatten() {
            each_text_of_value(side, change);
        }
    }
}

fn each_text_of_value(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => change(text),
        Value::Array(items) => {
            for item in items {
                each_text_of_value(item, change);
            }
        }
        Value::Object(fields) => {
            let old = std::mem::take(fields);
            for (mut key, mut value) in old {
                change(&mut key);
                each_text_of_value(&mut value, change);
                fields.insert(key, value);
            }
        }
    }
}
