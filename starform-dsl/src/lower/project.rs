//! The top of a file: the project, its environments, var-groups and partials.
//! Pure. Declarations that cannot be read are left out, and `Known` says that some are missing.
//! Read on in `service` for services and in `vars` for the variables of a group.

use std::collections::BTreeSet;

use starform_contract::{
    EnvironmentName, GroupName, PartialName, ServiceName, quantity::Duration, state::DriftPolicy,
};

use super::read::Read;
use super::{Cx, Known, Lowered, MOST_OF_A_KIND, declare::Names};
use crate::check::{MOST_ENVIRONMENTS, MOST_SERVICES};
use crate::diag::{Diagnostic, codes};
use crate::include::Files;
use crate::project::{
    Deploy, Environment, Group, In, Model, NamedEnvironments, PREVIEW, Preview, Secrets, Spanned,
    Vars,
};
use crate::source::{FileId, Span};
use crate::syntax::{Node, TextRange, Value};
use crate::table::{
    self, Availability, EnvironmentNode, GroupNode, NodeSpec, Place, ProjectNode, RootNode, Scope,
};

/// The contract that this version writes and reads.
pub(crate) const CONTRACT: i64 = 1;

/// What declarations were met so far.
struct Declared {
    environments: Names<EnvironmentName>,
    groups: Names<GroupName>,
    partials: Names<PartialName>,
    services: Names<ServiceName>,
}

/// Reads the files of a project. `sound`: nothing of them is broken or missing, so a missing node is really missing.
pub(crate) fn lower(
    files: &Files,
    sound: bool,
    known: Known,
) -> (Option<Lowered>, Vec<Diagnostic>) {
    let cst = &files.parses[&files.root].cst;
    let mut cx = Cx {
        diagnostics: Vec::new(),
        path: Vec::new(),
        known,
        environments: BTreeSet::new(),
        suspected: Vec::new(),
    };
    let mut project: Option<Lowered> = None;
    let mut first: Option<Span> = None;
    let seen = cx.block(
        cst.nodes(),
        "",
        Scope::of(Place::Root),
        |cx, RootNode::Project, read| match first {
            Some(first) => second_project(cx, &read, first),
            None => {
                first = Some(read.span());
                project = Some(lower_project(cx, &read, files));
            }
        },
    );
    if first.is_none() && sound && !seen.incomplete {
        cx.error(
            codes::NO_PROJECT,
            start(cst.file()),
            "the file has no project",
            "begin with `project NAME { environment production branch=main; }`",
        );
    }
    cx.diagnostics
        .retain(|said| !is_of_other_format(files, said.primary.span.file));
    let project = project.filter(|_| !is_of_other_format(files, files.root));
    (project, cx.diagnostics)
}

/// Whether a file is no KDL at all: then its nodes mean nothing.
fn is_of_other_format(files: &Files, file: FileId) -> bool {
    files.parses.get(&file).is_some_and(|parse| {
        let mut said = parse.diagnostics.iter();
        said.any(|said| said.code == codes::OTHER_FORMAT)
    })
}

fn second_project(cx: &mut Cx, read: &Read<'_>, first: Span) {
    let diagnostic = Diagnostic::new(codes::SECOND_PROJECT, read.span(), "a second project")
        .label("second")
        .also(first, "first")
        .help("keep one; another project has a repository of its own");
    cx.report(diagnostic);
}

/// The empty place at the beginning of a file.
fn start(file: FileId) -> Span {
    Span::new(file, TextRange::at(0))
}

fn lower_project(cx: &mut Cx, read: &Read<'_>, files: &Files) -> Lowered {
    check_contract(cx, read);
    let mut lowered = Lowered {
        name: read.arg(0),
        model: Model::default(),
        known: Known::all(true),
    };
    let mut declared = Declared {
        environments: Names::new("an environment"),
        groups: Names::new("a var-group"),
        partials: Names::new("a partial"),
        services: Names::new("a service"),
    };
    if let Some(nodes) = read.node.children() {
        let nodes = files.expand(nodes);
        cx.environments = named_environments(&nodes);
        for node in nodes.iter().filter(|node| is_unknown(**node)) {
            cx.known.node(*node);
        }
        let nodes = nodes.into_iter();
        let seen = cx.block(
            nodes,
            "project",
            Scope::of(Place::Project),
            |cx, node, child| {
                lower_child(cx, node, &child, &mut lowered, &mut declared);
            },
        );
        if seen.incomplete && cx.is_full() {
            cx.known = Known::all(false);
        }
    }
    lowered.model.suspected = std::mem::take(&mut cx.suspected);
    lowered.model.settle_previews();
    if lowered.model.environments.is_empty() && cx.known.every_environment {
        cx.error(
            codes::MISSING_NODE,
            read.span(),
            "the project has no environment",
            "add `environment production branch=main`",
        );
    }
    lowered.known = std::mem::replace(&mut cx.known, Known::all(false));
    lowered
}

/// What may stand behind `in`; more than a project may have are not looked at.
fn named_environments(nodes: &[Node<'_>]) -> BTreeSet<String> {
    let name = |node: &Node<'_>| {
        if node.name() == PREVIEW {
            return Some(PREVIEW.to_owned());
        }
        let declared = node.name() == ProjectNode::Environment.as_str();
        match node.args().next().filter(|_| declared)?.value() {
            Value::String(name) => Some(name.into_owned()),
            Value::Integer(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null => None,
            Value::Invalid => None,
        }
    };
    let names = nodes.iter().filter_map(name);
    names.take(MOST_ENVIRONMENTS).collect()
}

fn check_contract(cx: &mut Cx, read: &Read<'_>) {
    if let Some(contract) = read
        .prop::<i64>("contract")
        .filter(|contract| contract.value > CONTRACT)
    {
        let title = format!("contract {} is not known to this version", contract.value);
        cx.error(
            codes::UNKNOWN_CONTRACT,
            contract.span,
            title,
            format!("write `contract={CONTRACT}`, or use a newer Starform"),
        );
    }
}

fn lower_child(
    cx: &mut Cx,
    node: ProjectNode,
    read: &Read<'_>,
    lowered: &mut Lowered,
    declared: &mut Declared,
) {
    let segment = read
        .arg::<String>(0)
        .map_or_else(String::new, |name| name.value);
    cx.within(&segment, |cx| match node {
        ProjectNode::Environment => match environment(cx, read) {
            Some(environment) => {
                if declared
                    .environments
                    .declare(cx, &environment.name, environment.span)
                {
                    lowered.model.environments.push(environment);
                }
            }
            None => unread(cx, read, |known| &mut known.environments),
        },
        ProjectNode::Preview => match preview(read) {
            Some(preview) => lowered.model.preview = Some(preview),
            None => cx.known.previews = false,
        },
        ProjectNode::VarGroup if !declared.groups.has_room(cx, read.span()) => {
            cx.known.groups = false
        }
        ProjectNode::VarGroup => match read.arg::<GroupName>(0) {
            Some(name) => {
                let fresh = declared.groups.declare(cx, &name.value, name.span);
                let group = group(cx, read);
                if fresh {
                    lowered.model.groups.insert(name.value, group);
                }
            }
            None => unread(cx, read, |known| &mut known.groups),
        },
        ProjectNode::Partial if !declared.partials.has_room(cx, read.span()) => {
            cx.known.partials = false
        }
        ProjectNode::Partial => match read.arg::<PartialName>(0) {
            Some(name) => {
                let fresh = declared.partials.declare(cx, &name.value, name.span);
                let layer = super::layer::read(
                    cx,
                    read.node.children(),
                    "partial",
                    Scope::of(Place::Partial),
                    &mut |_, _, _| (),
                );
                if fresh {
                    lowered.model.partials.insert(name.value, layer);
                }
            }
            None => unread(cx, read, |known| &mut known.partials),
        },
        ProjectNode::Removed => lowered.model.removed.extend(super::removed::read(cx, read)),
        // Its files' nodes follow it.
        ProjectNode::Include if read.sound => {}
        ProjectNode::Include => cx.known = Known::all(false),
        // The limit itself is reported where the whole is known; what lies behind it is not read.
        ProjectNode::Service(_) if lowered.model.services.len() > MOST_SERVICES => {
            cx.known.services = false
        }
        // Refused by its row, which is of a later version.
        ProjectNode::Reserved(_) => {}
        ProjectNode::Service(kind) => match super::service::read(cx, kind, read) {
            Some(service) => {
                let name = &service.name;
                if declared.services.declare(cx, &name.value, name.span) {
                    lowered.model.services.insert(name.value.clone(), service);
                }
            }
            None => unread(cx, read, |known| &mut known.services),
        },
    });
}

/// A declaration that does not hold: without any argument it may declare whatever is missing.
fn unread(cx: &mut Cx, read: &Read<'_>, kind: impl FnOnce(&mut Known) -> &mut bool) {
    cx.known.node_head(read.node);
    if read.node.args().next().is_none() {
        *kind(&mut cx.known) = false;
    }
}

/// Whether a child of a project has no row that it could be read by.
fn is_unknown(node: Node<'_>) -> bool {
    let name = node.name();
    let later = |spec: &NodeSpec| matches!(spec.availability, Availability::Later { .. });
    !name.starts_with("x-") && table::find(Place::Project, &name).is_none_or(later)
}

/// `None` where something of it cannot be read.
fn preview(read: &Read<'_>) -> Option<Preview> {
    let stub = Spanned {
        value: Secrets::Stub,
        span: read.span(),
    };
    let expire: Spanned<Duration> = read.prop("expire")?;
    read.sound.then_some(Preview {
        from: read.prop("from")?,
        expire: expire.value,
        secrets: read.prop_word("secrets").unwrap_or(stub),
        span: read.span(),
    })
}

fn environment(cx: &mut Cx, read: &Read<'_>) -> Option<Environment> {
    let mut deploy = Deploy::default();
    let mut protect = None;
    let mut drift = DriftPolicy::default();
    if let Some(nodes) = read.node.children() {
        cx.block(
            nodes,
            "environment",
            Scope::of(Place::Environment),
            |_, node, child| match node {
                EnvironmentNode::Deploy => {
                    let after = child.prop_word("after");
                    deploy = after.map_or(Deploy::default(), |after| after.value);
                }
                EnvironmentNode::Drift => {
                    let what = child.arg_word(0);
                    drift = what.map_or(DriftPolicy::default(), |what| what.value);
                }
                EnvironmentNode::Protect => protect = Some(child.span()),
            },
        );
    }
    let name: Spanned<EnvironmentName> = read.arg(0)?;
    Some(Environment {
        name: name.value,
        branch: read
            .prop("branch")
            .map(|branch: Spanned<String>| branch.value)
            .unwrap_or_default(),
        deploy,
        protect,
        drift,
        span: name.span,
    })
}

fn group(cx: &mut Cx, read: &Read<'_>) -> Group {
    let mut group = Group {
        base: Vars::new(),
        overrides: Vec::new(),
    };
    let Some(nodes) = read.node.children() else {
        return group;
    };
    let (blocks, keys): (Vec<Node<'_>>, Vec<Node<'_>>) =
        nodes.partition(|node| node.name() == GroupNode::In.as_str());
    group.base = super::vars::read(cx, keys.into_iter(), super::vars::Owner::Group);
    let row = table::row(GroupNode::In.node());
    if let Some(extra) = blocks.get(MOST_OF_A_KIND) {
        cx.too_many(
            extra.head_span(),
            "`in` blocks of one group",
            MOST_OF_A_KIND,
        );
    }
    for node in blocks.into_iter().take(MOST_OF_A_KIND) {
        let inner = cx.read(node, row);
        let content = cx.within("in", |cx| {
            let nodes = node.children().into_iter().flatten();
            super::vars::read(cx, nodes, super::vars::Owner::Group)
        });
        group.overrides.push(In {
            environments: NamedEnvironments::new(inner.args()),
            content,
        });
    }
    group
}
