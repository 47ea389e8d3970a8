//! What is said about a node that does not belong where it stands.
//! Pure. One diagnostic a node; its help names our word for another platform's, else what to do instead, else the nearest
//! word, else the right place, else what is valid here.
//! Read on in `crate::table` for the words.

use starform_contract::ServiceKind;

use super::{Cx, value};
use crate::diag::{Diagnostic, Fix, codes};
use crate::source::Span;
use crate::syntax::{Node, TextRange, Value};
use crate::table::{
    self, Block, LayerNode, NodeName, NodeSpec, Place, ProjectNode, Scope, ServiceNode, closest,
    foreign_node, foreign_property, instead_of, is_same_word,
};

/// So many names are listed; more are not read.
const MOST_NAMES: usize = 8;

pub(super) fn report(cx: &mut Cx, node: Node<'_>, name: &str, parent: &str, scope: Scope) {
    let (span, place) = (node.name_span(), scope.place);
    let here = || scope.rows().map(NodeSpec::name);
    if !cx.may_suggest() {
        let title = format!("unknown node `{name}`");
        let help = valid(scope);
        cx.error(codes::UNKNOWN_NODE, span, title, help);
        return;
    }
    if let Some(said) = environment(cx, node, name, place) {
        cx.report(said);
        return;
    }
    let meant = Meant {
        alias: foreign_node(name, here()),
        instead: instead_of(name, place),
    };
    if let Some(known) = elsewhere(name, place) {
        cx.report(misplaced(known, span, parent, place, meant));
        return;
    }
    let title = format!("unknown node `{name}`");
    let diagnostic =
        Diagnostic::new(codes::UNKNOWN_NODE, span, title).label(not_known(parent, place));
    if let Some(same) = here().find(|known| is_same_word(known, name)) {
        let fix = Fix::replace(format!("write `{same}`"), span, same);
        cx.report(diagnostic.help(format!("it is spelled `{same}`")).fix(fix));
        return;
    }
    let near = || closest(name, here());
    let elsewhere = || hint(name, parent, place).unwrap_or_else(|| valid(scope));
    cx.report(match meant {
        Meant {
            alias: Some(alias), ..
        } => called(diagnostic, span, alias, place),
        Meant {
            instead: Some(instead),
            ..
        } => diagnostic.help(instead),
        Meant { .. } => match near() {
            Some(near) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(rename(span, near)),
            None => diagnostic.help(elsewhere()),
        },
    });
}

/// `production { … }` and `environment production { … }`: the block of an environment that lacks its `in`.
fn environment(cx: &Cx, node: Node<'_>, name: &str, place: Place) -> Option<Diagnostic> {
    table::find(place, "in")?;
    node.block_span()?;
    let span = node.name_span();
    let title = format!("unknown node `{name}`");
    let word = NodeName::InProject(ProjectNode::Environment).as_str();
    let is_environment = is_same_word(word, name) || foreign_node(name, [word]).is_some();
    if let Some(Value::String(named)) = node.args().next().map(|arg| arg.value())
        && is_environment
        && cx.environments.contains(&*named)
    {
        let diagnostic = Diagnostic::new(codes::UNKNOWN_NODE, span, title)
            .label("declares an environment in a project")
            .help(format!("did you mean `in {named}`?"));
        return Some(diagnostic.fix(Fix::replace("write `in`", span, "in")));
    }
    let is_block = node.entries().next().is_none();
    (is_block && cx.environments.contains(name)).then(|| {
        let before = Span::new(span.file, TextRange::at(span.range.start()));
        Diagnostic::new(codes::UNKNOWN_NODE, span, title)
            .label("an environment")
            .help(format!("did you mean `in {name}`?"))
            .fix(Fix::replace(format!("write `in {name}`"), before, "in "))
    })
}

/// What another platform means by a word.
#[derive(Clone, Copy)]
struct Meant {
    /// Our word for it, valid here.
    alias: Option<&'static str>,
    instead: Option<&'static str>,
}

/// Our word, with an example: words that are called differently are mostly written differently.
fn called(diagnostic: Diagnostic, span: Span, alias: &'static str, place: Place) -> Diagnostic {
    let example = table::find(place, alias).map_or("", |spec| spec.example);
    diagnostic
        .help(format!("did you mean `{alias}`, as in `{example}`?"))
        .fix(rename(span, alias))
}

/// The row of a word that is known in another place, the nearest such place.
fn elsewhere(name: &str, place: Place) -> Option<&'static NodeSpec> {
    let inside = place != Place::Root && place != Place::Project && place != Place::Environment;
    let in_service = inside.then(|| table::find(Place::Service, name)).flatten();
    in_service.or_else(|| table::first_named(name))
}

/// Says what a property may mean that its node does not have.
pub(super) fn property(cx: &mut Cx, spec: &NodeSpec, name: &str, span: Span) {
    let title = format!("unknown property `{name}` of `{}`", spec.name());
    let diagnostic = Diagnostic::new(codes::UNKNOWN_PROPERTY, span, title);
    let diagnostic = if cx.may_suggest() {
        meant_property(diagnostic, spec, name, span)
    } else {
        diagnostic.help(properties(spec))
    };
    cx.report(diagnostic);
}

fn meant_property(diagnostic: Diagnostic, spec: &NodeSpec, name: &str, span: Span) -> Diagnostic {
    let names = || spec.props.iter().map(|prop| prop.name);
    if let Some(same) = names().find(|known| is_same_word(known, name)) {
        let fix = Fix::replace(format!("write `{same}`"), span, same);
        return diagnostic.help(format!("it is spelled `{same}`")).fix(fix);
    }
    let inside = match spec.block {
        Block::Of(place) => Some(place),
        Block::None | Block::Variables => None,
    };
    let inner = |name: &str| inside.and_then(|place| table::find(place, name));
    let near = match inner(name) {
        Some(_) => None,
        None => foreign_property(name, names()).or_else(|| closest(name, names())),
    };
    if let Some(near) = near {
        return diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(rename(span, near));
    }
    let inside_nodes = inside.into_iter().flat_map(table::valid_in);
    let node = inner(name).or_else(|| inner(foreign_node(name, inside_nodes)?));
    let instead = inside.and_then(|place| instead_of(name, place));
    diagnostic.help(match (node, instead) {
        (Some(node), _) if node.name() == name => format!(
            "`{name}` is a node of its own: inside the block write `{}`",
            node.form
        ),
        (Some(node), _) => format!(
            "did you mean the node `{}`? Inside the block write `{}`",
            node.name(),
            node.form
        ),
        (None, Some(instead)) => instead.to_owned(),
        (None, None) => properties(spec),
    })
}

/// What properties a node has.
fn properties(spec: &NodeSpec) -> String {
    if spec.props.is_empty() {
        return format!(
            "`{}` has no properties; it is written `{}`",
            spec.name(),
            spec.form
        );
    }
    let known: Vec<&str> = spec.props.iter().map(|prop| prop.name).collect();
    format!("valid here: {}", value::list(&known))
}

pub(super) fn wrong_kind(cx: &mut Cx, span: Span, spec: &NodeSpec, kind: ServiceKind) {
    cx.report(wrong_kind_diagnostic(span, spec, kind));
}

const SCALE: NodeName = LayerNode::Scale.node();
const PORT: NodeName = LayerNode::Port.node();
const DOMAIN: NodeName = LayerNode::Domain.node();
const IN: NodeName = ServiceNode::In.node();

/// A node that other kinds of service have.
pub(crate) fn wrong_kind_diagnostic(span: Span, spec: &NodeSpec, kind: ServiceKind) -> Diagnostic {
    let title = format!("a {} service has no `{}`", kind.as_str(), spec.name());
    let help = match (spec.node, kind) {
        (SCALE, ServiceKind::Cron) => {
            "take it out: a cron job runs once each time it is due".to_owned()
        }
        (PORT, ServiceKind::Worker) => "take it out, or make the service `private`".to_owned(),
        (DOMAIN, ServiceKind::Private) => "take it out, or make the service `web`".to_owned(),
        _ => format!("take it out; `{}` is for {}", spec.name(), kinds(spec)),
    };
    Diagnostic::new(codes::WRONG_KIND, span, title).help(help)
}

fn misplaced(known: &NodeSpec, span: Span, parent: &str, place: Place, meant: Meant) -> Diagnostic {
    let right = known
        .places
        .first()
        .map_or("a service", |place| place.title());
    let wrong = if place == Place::Root {
        place.title().to_owned()
    } else {
        format!("`{parent}`")
    };
    let title = format!("`{}` belongs in {right}, not in {wrong}", known.name());
    let diagnostic = Diagnostic::new(codes::MISPLACED_NODE, span, title);
    match (known.node, place, meant) {
        (IN, Place::ServiceIn, _) => {
            diagnostic.help("put the two beside each other: an `in` holds no other")
        }
        (IN, Place::Partial, _) => diagnostic
            .help("a partial is the same everywhere: write `in` in the service that is `like` it"),
        (
            _,
            _,
            Meant {
                alias: Some(alias), ..
            },
        ) => called(diagnostic, span, alias, place),
        (
            _,
            _,
            Meant {
                instead: Some(instead),
                ..
            },
        ) => diagnostic.help(instead),
        (_, _, Meant { .. }) => diagnostic.help(format!("move it there: `{}`", known.form)),
    }
}

fn rename(span: Span, name: &str) -> Fix {
    Fix::maybe_replace(format!("write `{name}`"), span, name)
}

fn not_known(parent: &str, place: Place) -> String {
    if place == Place::Root {
        "not known at the top level of the file".to_owned()
    } else {
        format!("not known in `{parent}`")
    }
}

/// A property written as a node, or a word that is known in another place by another name.
fn hint(name: &str, parent: &str, place: Place) -> Option<String> {
    let owner = table::first_named(parent)?;
    if owner.prop(name).is_some() {
        return Some(format!(
            "it is a property of `{parent}`: write `{name}=…` before its block"
        ));
    }
    let everywhere = || table::nodes().map(|spec| spec.name());
    let other = foreign_node(name, everywhere()).or_else(|| closest(name, everywhere()))?;
    let known = elsewhere(other, place)?;
    let right = if known.places.contains(&place) {
        format!("It is for {}", kinds(known))
    } else {
        format!("It belongs in {}", known.places.first()?.title())
    };
    Some(format!("did you mean `{other}`? {right}"))
}

/// The kinds of service that hold a node.
fn kinds(spec: &NodeSpec) -> String {
    let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.as_str()).collect();
    value::list(&kinds)
}

/// What may stand in a scope, where that is few enough to be read.
fn valid(scope: Scope) -> String {
    let names: Vec<&str> = scope.usable().map(NodeSpec::name).collect();
    if names.len() > MOST_NAMES {
        return "take it out; `starform schema node` shows what belongs where".to_owned();
    }
    format!("valid here: {}", value::list(&names))
}
