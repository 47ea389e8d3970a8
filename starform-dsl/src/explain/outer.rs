//! Var-groups and environments: what they say themselves.
//! Pure.
//! Read on in `service` for what services make of a group.

use std::collections::BTreeSet;

use starform_contract::GroupName;

use super::path::NoSuchPath;
use super::written::Written;
use super::{Answer, At, Explained, Role, Said, grouped, layer, value};
use crate::project::{Environment, Setting};
use crate::resolve;
use crate::table::{self, NodeSpec, Place, ProjectNode, valid_in};

pub(super) fn group(
    at: &[At<'_>],
    name: &GroupName,
    rest: &[String],
) -> Result<Vec<Explained>, NoSuchPath> {
    let keys = keys(at, name);
    match rest {
        [] => Ok(keys.iter().map(|key| of_group(at, name, key)).collect()),
        [key] if keys.contains(key) => Ok(vec![of_group(at, name, key)]),
        [key, ..] => Err(NoSuchPath::new(
            "variable",
            key,
            keys.iter().map(String::as_str),
        )),
    }
}

fn keys(at: &[At<'_>], name: &GroupName) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for at in at {
        if let Some((_, group)) = at.project.model.group(name.as_str()) {
            let found = resolve::group(group, at.environment);
            keys.extend(found.into_keys().map(str::to_owned));
        }
    }
    keys
}

fn of_group(at: &[At<'_>], name: &GroupName, key: &str) -> Explained {
    let each = at.iter().map(|at| {
        let mut all: Vec<Said> = Vec::new();
        let mut value = None;
        let spoken = resolve::said_in_group(&at.project.model, name.as_str(), at.environment, key);
        for (index, said) in spoken.into_iter().enumerate() {
            let span = said.what.span;
            let text = at.written.text(span);
            let role = match (index, &said.what.value) {
                (0, Setting::Set(_)) => Role::Holds,
                (0, Setting::Unset | Setting::Broken) => Role::TakesBack,
                (_, Setting::Set(_) | Setting::Unset | Setting::Broken) => Role::Replaced,
            };
            if role == Role::Holds {
                let made = value::of_group(at, name, key).filter(|_| !at.written.is_secret(span));
                value = Some(made.unwrap_or_else(|| at.written.first_argument(span)));
            }
            all.push(Said {
                role,
                layer: layer(said.by),
                place: Some(at.written.place(span)),
                text,
            });
        }
        (at.environment, Answer::new(value, all))
    });
    Explained {
        path: format!("{name}.{key}"),
        answers: grouped(each),
    }
}

pub(super) fn environment(
    written: &Written<'_>,
    environment: &Environment,
    rest: &[String],
) -> Result<Vec<Explained>, NoSuchPath> {
    let row = table::row(ProjectNode::Environment.node());
    let names = || {
        let props = row.props.iter().map(|prop| prop.name);
        props.chain(valid_in(Place::Environment))
    };
    match rest {
        [] => Ok(names()
            .map(|name| of_environment(written, environment, row, name))
            .collect()),
        [name] if names().any(|known| known == name) => {
            Ok(vec![of_environment(written, environment, row, name)])
        }
        [name, ..] => Err(NoSuchPath::new("setting", name, names())),
    }
}

fn of_environment(
    written: &Written<'_>,
    environment: &Environment,
    row: &NodeSpec,
    name: &str,
) -> Explained {
    let node = written.node(environment.span);
    let found = node.and_then(|node| match row.prop(name) {
        Some(_) => node
            .prop(name)
            .map(|entry| (entry.span(), written.entry(entry))),
        None => node
            .children()?
            .find(|child| child.name() == name)
            .map(|child| (child.head_span(), written.text(child.head_span()))),
    });
    let (value, said) = match found {
        Some((span, text)) => {
            let said = Said {
                role: Role::Holds,
                layer: "the environment itself".to_owned(),
                place: Some(written.place(span)),
                text: text.clone(),
            };
            (text, said)
        }
        None => {
            let default = table::find(Place::Environment, name).map_or("", |spec| spec.default);
            (default.to_owned(), Said::default(default))
        }
    };
    Explained {
        path: format!("{}.{name}", environment.name),
        answers: vec![Answer {
            environments: vec![environment.name.clone()],
            value: Some(value),
            said: vec![said],
        }],
    }
}
