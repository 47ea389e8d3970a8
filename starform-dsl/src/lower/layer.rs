//! The children of a service that one layer holds: its own, a partial's, or those of `in ENV`.
//! Pure. A child that does not hold leaves its slot broken, so nothing below it shows through.
//! Read on in `image`, `runtime`, `traffic`, `health`, `domain` and `vars` for the larger children.

use super::read::Read;
use super::{Cx, MOST_ENTRIES, MOST_OF_A_KIND, domain, health, image, runtime, traffic, vars};
use crate::diag::{Diagnostic, Edit, Fix, codes};
use crate::project::{DrainDecl, KeepDecl, Layer, ScaleDecl, Setting, SizeDecl, Slot, Spanned};
use crate::syntax::Nodes;
use crate::table::{LayerNode, NodeName, PresenceNode, Scope, ServiceNode};

/// A child of a service that is no part of a layer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Where {
    In,
    Presence(PresenceNode),
}

/// What takes those children.
pub(super) type Other<'o, 'a> = &'o mut dyn FnMut(&mut Cx, Where, Read<'a>);

pub(super) fn read<'a>(
    cx: &mut Cx,
    nodes: Option<Nodes<'a>>,
    parent: &str,
    scope: Scope,
    other: Other<'_, 'a>,
) -> Layer {
    let mut layer = Layer::default();
    if let Some(nodes) = nodes {
        let seen = cx.block(nodes, parent, scope, |cx, node, child| match node {
            ServiceNode::Layer(node) => child_of(cx, node, &child, &mut layer),
            ServiceNode::In => other(cx, Where::In, child),
            ServiceNode::Presence(node) => other(cx, Where::Presence(node), child),
        });
        layer.children = seen.children;
        layer.incomplete = seen.incomplete;
    }
    layer
}

fn child_of(cx: &mut Cx, node: LayerNode, read: &Read<'_>, layer: &mut Layer) {
    match node {
        LayerNode::Image(node) => image::read(cx, node, read, &mut layer.image),
        LayerNode::Watch => several(cx, read, &mut layer.watch, Some(read.args())),
        LayerNode::Run => layer.run = runtime::run(cx, read),
        LayerNode::Release => layer.release = runtime::release(cx, read),
        LayerNode::Hold => layer.hold = read.slot(Some(true)),
        LayerNode::RunAs => layer.run_as = runtime::run_as(cx, read),
        LayerNode::Port => several(cx, read, &mut layer.ports, traffic::port(read)),
        LayerNode::Metrics => layer.metrics = runtime::metrics(read),
        LayerNode::Route => several(cx, read, &mut layer.routes, traffic::route(read)),
        LayerNode::Redirect => several(cx, read, &mut layer.redirects, traffic::redirect(read)),
        LayerNode::Volume => {
            let volume = runtime::volume(read).map(|volume| vec![volume]);
            several(cx, read, &mut layer.volumes, volume);
        }
        LayerNode::Health => layer.health = health::read(cx, read),
        LayerNode::Size => layer.size = props(cx, read, size(read)),
        LayerNode::Scale => layer.scale = scale(cx, read),
        LayerNode::Drain => layer.drain = props(cx, read, drain(read)),
        LayerNode::Use => several(cx, read, &mut layer.uses, Some(read.args())),
        LayerNode::Vars => {
            let nodes = read.node.children().into_iter().flatten();
            layer.vars = vars::read(cx, nodes, vars::Owner::Service);
        }
        LayerNode::Domain => {
            let domain = domain::read(cx, read);
            several(
                cx,
                read,
                &mut layer.domains,
                domain.map(|domain| vec![domain]),
            );
        }
        LayerNode::AllowFrom => several(cx, read, &mut layer.allow_from, Some(read.args())),
        LayerNode::Observability => layer.observability = read.slot(read.arg(0).map(value)),
        LayerNode::Overlap => {
            layer.overlap = read.slot(read.arg_word(0).map(value));
        }
        LayerNode::Retries => layer.retries = read.slot(read.arg(0).map(value)),
        LayerNode::Timeout => layer.timeout = read.slot(read.arg(0).map(value)),
        LayerNode::Keep => layer.keep = props(cx, read, keep(read)),
        // Refused by their rows, which are of a later version.
        LayerNode::AllowIp | LayerNode::Header => {}
    }
}

fn value<T>(spanned: Spanned<T>) -> T {
    spanned.value
}

/// Adds to a slot that several nodes fill. `#null` beside others says two things at once.
fn several<T>(cx: &mut Cx, read: &Read<'_>, slot: &mut Slot<Vec<T>>, more: Option<Vec<T>>) {
    let new = read.slot(more);
    let Some(old) = slot.as_mut() else {
        *slot = new;
        return;
    };
    match (&mut old.value, new.map(value)) {
        (Setting::Set(list), Some(Setting::Set(more))) => {
            if list.len() + more.len() > most(read.spec.node) {
                let what = format!("of `{}` in one block", read.spec.name());
                cx.too_many(read.span(), &what, most(read.spec.node));
                old.value = Setting::Broken;
            } else {
                list.extend(more);
            }
        }
        (Setting::Unset, Some(Setting::Set(_) | Setting::Unset))
        | (Setting::Set(_), Some(Setting::Unset)) => {
            let title = format!(
                "`{} #null` stands beside another `{}`",
                read.spec.name(),
                read.spec.name()
            );
            let diagnostic = Diagnostic::new(codes::CONFLICTING_NODES, read.span(), title)
                .also(old.span, "first")
                .help("keep `#null` alone to have none, or take it out");
            cx.report(diagnostic);
            old.value = Setting::Broken;
        }
        (value, _) => *value = Setting::Broken,
    }
}

/// How many of a child one layer may hold.
fn most(child: NodeName) -> usize {
    if child == LayerNode::AllowFrom.node() {
        MOST_ENTRIES
    } else {
        MOST_OF_A_KIND
    }
}

/// A node that is made of properties alone and says nothing without them.
fn props<T>(cx: &mut Cx, read: &Read<'_>, decl: T) -> Slot<T> {
    if read.sound && !read.unset && !read.has_props() {
        let title = format!("`{}` says nothing", read.spec.name());
        let help = format!("it is written `{}`", read.spec.form);
        cx.error(codes::EMPTY_NODE, read.span(), title, help);
        return read.slot(None);
    }
    read.slot(Some(decl))
}

fn size(read: &Read<'_>) -> SizeDecl {
    SizeDecl {
        cpu: read.prop("cpu"),
        memory: read.prop("memory"),
    }
}

fn drain(read: &Read<'_>) -> DrainDecl {
    DrainDecl {
        before_term: read.prop("before-term"),
        grace: read.prop("grace"),
    }
}

fn keep(read: &Read<'_>) -> KeepDecl {
    KeepDecl {
        succeeded: read.prop("succeeded"),
        failed: read.prop("failed"),
    }
}

fn scale(cx: &mut Cx, read: &Read<'_>) -> Slot<ScaleDecl> {
    if read.unset || !read.sound {
        return read.slot(None);
    }
    let decl = match (read.has_args(), read.has_props()) {
        (true, false) => read.arg(0).map(|n| ScaleDecl::Fixed(n.value)),
        (true, true) => {
            let help = "write `scale N` for a fixed number, or `scale min=… max=…` for a range";
            cx.error(
                codes::CONFLICTING_NODES,
                read.span(),
                "`scale` has a number and a range",
                help,
            );
            None
        }
        (false, _) => range(cx, read),
    };
    read.slot(decl)
}

fn range(cx: &mut Cx, read: &Read<'_>) -> Option<ScaleDecl> {
    let min: Option<Spanned<u32>> = read.prop("min");
    let max: Option<Spanned<u32>> = read.prop("max");
    let (Some(min), Some(max)) = (min, max) else {
        let help = "write `scale N` for a fixed number, or `scale min=… max=…` for a range";
        cx.error(
            codes::MISSING_PROPERTY,
            read.span(),
            "`scale` needs a number, or `min=` and `max=`",
            help,
        );
        return None;
    };
    if min.value > max.value {
        let title = format!("`min` {} is greater than `max` {}", min.value, max.value);
        let swap = vec![
            Edit {
                span: min.span,
                text: max.value.to_string(),
            },
            Edit {
                span: max.span,
                text: min.value.to_string(),
            },
        ];
        let (min_first, max_first) = (min.span < max.span, swap);
        let edits = if min_first {
            max_first
        } else {
            max_first.into_iter().rev().collect()
        };
        let diagnostic = Diagnostic::new(codes::MIN_OVER_MAX, min.span, title)
            .also(max.span, "smaller")
            .help("give the smaller number to `min`")
            .fix(Fix::maybe("swap the two", edits));
        cx.report(diagnostic);
        return None;
    }
    let moving = ["cpu", "memory", "cooldown"]
        .into_iter()
        .find(|name| read.has_prop(name));
    if let (true, Some(moving)) = (min.value == max.value, moving) {
        let title = format!("`{moving}` has no effect: `min` and `max` are equal");
        let help = format!("write `scale {}`, or make `max` greater", min.value);
        cx.error(codes::CONFLICTING_NODES, read.span(), title, help);
        return None;
    }
    Some(ScaleDecl::Range {
        min,
        max,
        cpu: read.prop("cpu"),
        memory: read.prop("memory"),
        cooldown: read.prop("cooldown"),
    })
}
