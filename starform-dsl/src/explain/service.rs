//! Children, properties and variables of a service: what holds in each environment and who says so.
//! Pure. A path that leads nowhere is answered with the nearest one that does.
//! Read on in `crate::resolve::said` for who speaks, and in `value` for what comes out.

use std::collections::BTreeSet;

use super::everywhere::Everywhere;
use super::path::NoSuchPath;
use super::{Answer, At, Explained, Role, Said, said, value};
use crate::project::{Service, Setting};
use crate::resolve::{self, LayerName};
use crate::source::Span;
use crate::syntax::{Node, Value};
use crate::table::{
    self, Args, Block, LayerNode, NodeName, NodeSpec, Nodes, Place, ProjectNode, ServiceNode,
    valid_in,
};

pub(super) fn explain(
    everywhere: &Everywhere<'_>,
    rest: &[String],
) -> Result<Vec<Explained>, NoSuchPath> {
    let parts: Vec<&str> = rest.iter().map(String::as_str).collect();
    match parts[..] {
        [] => everything(everywhere),
        ["vars"] => Ok(variables(everywhere)),
        ["vars", key] => Ok(vec![known_variable(everywhere, key)?]),
        [name] if head_row(everywhere.service).prop(name).is_some() => {
            Ok(vec![head(everywhere, name)])
        }
        [name, ref inner @ ..] => Ok(vec![child(everywhere, name, inner)?]),
    }
}

fn everything(everywhere: &Everywhere<'_>) -> Result<Vec<Explained>, NoSuchPath> {
    let mut all: Vec<Explained> = head_row(everywhere.service)
        .props
        .iter()
        .map(|prop| head(everywhere, prop.name))
        .filter(|found| {
            found
                .answers
                .iter()
                .any(|answer| answer.said.iter().any(has_place))
        })
        .collect();
    let mut nodes: Vec<NodeName> = Vec::new();
    for (_, resolved) in everywhere.resolved() {
        for node in resolved.children() {
            if !nodes.contains(&node) && is_explained(node) {
                nodes.push(node);
            }
        }
    }
    for node in nodes {
        all.push(child(everywhere, node.as_str(), &[])?);
    }
    all.extend(variables(everywhere));
    Ok(all)
}

/// Whether a child of a service is told of as such: where it is, and its variables, are told otherwise.
fn is_explained(node: NodeName) -> bool {
    match ServiceNode::of(node) {
        Some(ServiceNode::Layer(node)) => node != LayerNode::Vars,
        Some(ServiceNode::In | ServiceNode::Presence(_)) | None => false,
    }
}

fn has_place(said: &Said) -> bool {
    said.place.is_some()
}

/// The row of the service's own node.
pub(super) fn head_row(service: &Service) -> &'static NodeSpec {
    table::row(ProjectNode::Service(service.kind.kind()).node())
}

/// `schedule=`, `timezone=`, `like=`: properties of the service's own node.
pub(super) fn head(everywhere: &Everywhere<'_>, name: &str) -> Explained {
    everywhere.answers(&[name], |here, _| {
        let at = here.at;
        let node = at.written.node(everywhere.service.name.span);
        let entry = node.and_then(|node| node.prop(name));
        let made = value::of_child(here, name, &[]);
        match entry {
            Some(entry) => {
                let text = at.written.entry(entry);
                let made = made.unwrap_or_else(|| text.clone());
                let said = said(at, Role::Holds, LayerName::Own, entry.span(), text);
                Answer::new(Some(made), vec![said])
            }
            None => {
                let made = made.unwrap_or_else(|| "not given".to_owned());
                let said = Said::default(&made);
                Answer::new(Some(made), vec![said])
            }
        }
    })
}

pub(super) fn child(
    everywhere: &Everywhere<'_>,
    name: &str,
    inner: &[&str],
) -> Result<Explained, NoSuchPath> {
    let spec = row(everywhere.service, name)?;
    check_inner(spec, inner)?;
    let path = [&[name], inner].concat();
    Ok(everywhere.answers(&path, |here, resolved| {
        let at = here.at;
        // Whoever says `build` or `image-of` says that `image` is replaced.
        let spoken = resolved.said_of_child(spec.node);
        let mut all: Vec<Said> = Vec::new();
        for (index, layer) in spoken.iter().enumerate() {
            let nodes: Vec<Node<'_>> = layer
                .what
                .iter()
                .filter_map(|span| at.written.node(*span))
                .collect();
            let part = part(at, &nodes, inner).or_else(|| {
                // `scale 2` says both `min` and `max`.
                let says_all =
                    !inner.is_empty() && nodes.iter().all(|node| has_argument(spec, *node));
                says_all.then(|| whole(at, &layer.what))
            });
            let role = match (index, &part) {
                (0, _) if nodes.iter().any(|node| takes_back(*node)) => Role::TakesBack,
                (0, Some(_)) => Role::Holds,
                (0, None) => Role::LeavesOut,
                _ => Role::Replaced,
            };
            let (span, text) = part.unwrap_or_else(|| whole(at, &layer.what));
            all.push(said(at, role, layer.by, span, text));
        }
        let holds = all.first().filter(|said| said.role == Role::Holds);
        let secret = spoken
            .first()
            .is_some_and(|said| said.what.iter().any(|span| at.written.is_secret(*span)));
        let made = (!secret)
            .then(|| value::of_child(here, name, inner))
            .flatten();
        let made = match (made, holds) {
            (Some(made), _) => made,
            (None, Some(said)) => said.text.clone(),
            (None, None) if inner.is_empty() => spec.default.to_owned(),
            (None, None) => "not given".to_owned(),
        };
        if holds.is_none() {
            let default = if inner.is_empty() {
                spec.default
            } else {
                &made
            };
            all.insert(0, Said::default(default));
        }
        Answer::new(Some(made), all)
    }))
}

fn row(service: &Service, name: &str) -> Result<&'static NodeSpec, NoSuchPath> {
    let kind = service.kind.kind();
    let Some(spec) = table::find(Place::Service, name) else {
        let head = head_row(service).props.iter().map(|prop| prop.name);
        let known = valid_in(Place::Service).into_iter().chain(head);
        return Err(NoSuchPath::new("node", name, known));
    };
    if spec.kinds.contains(&kind) {
        Ok(spec)
    } else {
        let next = format!("a {} service has none", kind.as_str());
        Err(NoSuchPath::with("node", name, next))
    }
}

/// Whether the table has a way from a node down to a property or a node inside it.
fn check_inner(spec: &'static NodeSpec, inner: &[&str]) -> Result<(), NoSuchPath> {
    let [first, rest @ ..] = inner else {
        return Ok(());
    };
    if spec.prop(first).is_some() && rest.is_empty() {
        return Ok(());
    }
    let below = match spec.block {
        Block::Of(place) => Some(place),
        Block::None | Block::Variables => None,
    };
    match below.and_then(|place| table::find(place, first)) {
        Some(found) => check_inner(found, rest),
        None => {
            let below = below.map(valid_in).unwrap_or_default();
            let known = spec.props.iter().map(|prop| prop.name).chain(below);
            Err(NoSuchPath::new("property or node", first, known))
        }
    }
}

/// What `ready=PATH` says of the probe.
const SHORT: [&[&str]; 2] = [&["path"], &["kind"]];

/// Whether an argument stands where properties could.
fn has_argument(spec: &NodeSpec, node: Node<'_>) -> bool {
    matches!(spec.args, Args::Optional(_)) && !takes_back(node) && node.args().next().is_some()
}

fn takes_back(node: Node<'_>) -> bool {
    node.args().any(|entry| entry.value() == Value::Null)
}

/// What nodes of one layer say about something inside them; the nodes themselves for an empty path.
fn part(at: &At<'_>, nodes: &[Node<'_>], inner: &[&str]) -> Option<(Span, String)> {
    let [first, rest @ ..] = inner else {
        let spans: Vec<Span> = nodes.iter().map(|node| node.head_span()).collect();
        return (!spans.is_empty()).then(|| whole(at, &spans));
    };
    let has_word = rest.is_empty() || SHORT.contains(&rest);
    let named = nodes.iter().filter_map(|node| node.prop(first));
    let mut entries = named.filter(|_| has_word);
    if let Some(entry) = entries.next() {
        let more = entries.map(|entry| at.written.entry(entry));
        let texts: Vec<String> = std::iter::once(at.written.entry(entry))
            .chain(more)
            .collect();
        return Some((entry.span(), texts.join("; ")));
    }
    let below: Vec<Node<'_>> = nodes
        .iter()
        .filter_map(|node| node.children())
        .flatten()
        .filter(|node| node.name() == *first)
        .collect();
    if below.is_empty() {
        return None;
    }
    part(at, &below, rest)
}

fn whole(at: &At<'_>, spans: &[Span]) -> (Span, String) {
    let texts: Vec<String> = spans.iter().map(|span| at.written.text(*span)).collect();
    (spans[0], texts.join("; "))
}

fn variables(everywhere: &Everywhere<'_>) -> Vec<Explained> {
    keys(everywhere)
        .into_iter()
        .map(|key| variable(everywhere, key))
        .collect()
}

/// Every key that some layer or group speaks of in some environment.
fn keys<'a>(everywhere: &Everywhere<'a>) -> BTreeSet<&'a str> {
    let mut keys = BTreeSet::new();
    for (at, resolved) in everywhere.resolved() {
        keys.extend(resolved.own_keys());
        for (_, group) in resolved.groups(&at.project.model) {
            keys.extend(resolve::group(group, at.environment).into_keys());
        }
    }
    keys
}

fn known_variable(everywhere: &Everywhere<'_>, key: &str) -> Result<Explained, NoSuchPath> {
    let keys = keys(everywhere);
    if keys.contains(key) {
        Ok(variable(everywhere, key))
    } else {
        Err(NoSuchPath::new("variable", key, keys.into_iter()))
    }
}

/// Of a key that something speaks of.
pub(super) fn variable(everywhere: &Everywhere<'_>, key: &str) -> Explained {
    everywhere.answers(&["vars", key], |here, resolved| {
        let at = here.at;
        let model = &at.project.model;
        let holds = resolved.vars.get(key).map(|var| var.span);
        let mut below = false;
        let mut all = Vec::new();
        for layer in resolved.said_of_variable(model, at.environment, key) {
            let span = layer.what.span;
            let role = match &layer.what.value {
                _ if Some(span) == holds => Role::Holds,
                _ if below => Role::Replaced,
                Setting::Unset | Setting::Broken => Role::TakesBack,
                Setting::Set(_) => Role::Replaced,
            };
            let own = !matches!(layer.by, LayerName::Group(_) | LayerName::GroupIn(..));
            below |= role == Role::Holds || (own && role == Role::TakesBack);
            all.push(said(at, role, layer.by, span, at.written.text(span)));
        }
        let value = holds.map(|span| {
            let made = value::of_variable(here, key);
            match made.filter(|_| !at.written.is_secret(span)) {
                Some(made) => made,
                None => at.written.first_argument(span),
            }
        });
        Answer::new(value, all)
    })
}
