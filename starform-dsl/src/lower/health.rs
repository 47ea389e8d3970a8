//! `health`: the short form by properties and the full form by probes.
//! Pure. A probe stands in one of the two forms; defaults are put in by `crate::emit`.
//! Read on in `crate::check` for what depends on the service's ports.

use starform_contract::quantity::Duration;

use super::Cx;
use super::read::Read;
use crate::diag::{Diagnostic, codes};
use crate::project::{CheckDecl, HealthDecl, ProbeDecl, ProbeKind, Slot, Spanned};
use crate::table::{HealthNode, Place, Scope, Word};

pub(super) fn read(cx: &mut Cx, read: &Read<'_>) -> Slot<HealthDecl> {
    if read.unset {
        return read.slot(None);
    }
    let mut health = HealthDecl {
        ready: short(read, "ready"),
        live: short(read, "live"),
        startup: None,
        startup_within: read.prop("startup-within"),
    };
    let mut sound = read.sound;
    if let Some(nodes) = read.node.children() {
        let seen = cx.block(
            nodes,
            "health",
            Scope::of(Place::Health),
            |cx, node, child| {
                let slot = match node {
                    HealthNode::Ready => &mut health.ready,
                    HealthNode::Live => &mut health.live,
                    HealthNode::Startup => &mut health.startup,
                };
                let short = slot.take();
                *slot = probe(cx, &child);
                sound &= slot.is_some();
                if let Some(short) = short {
                    twice(cx, &child, &short);
                }
            },
        );
        sound &= !seen.incomplete;
    }
    let empty = health.ready.is_none() && health.live.is_none() && health.startup.is_none();
    if sound && empty && health.startup_within.is_none() {
        let help =
            "it is written `health ready=\"/readyz\"`, or `health { ready kind=grpc port=N; }`";
        cx.error(
            codes::EMPTY_NODE,
            read.span(),
            "`health` says nothing",
            help,
        );
        sound = false;
    }
    read.slot(sound.then_some(health))
}

/// `ready=PATH`: GET on the first port.
fn short(read: &Read<'_>, name: &str) -> Option<ProbeDecl> {
    let path: Spanned<String> = read.prop(name)?;
    Some(ProbeDecl {
        check: CheckDecl::Http { path: path.value },
        port: None,
        every: None,
        timeout: None,
        failures: None,
        span: path.span,
    })
}

fn twice(cx: &mut Cx, child: &Read<'_>, short: &ProbeDecl) {
    let title = format!("`{}` is given twice", child.spec.name());
    let diagnostic = Diagnostic::new(codes::DUPLICATE_NODE, child.span(), title)
        .also(short.span, "first")
        .help("keep the property or the node");
    cx.report(diagnostic);
}

fn probe(cx: &mut Cx, read: &Read<'_>) -> Option<ProbeDecl> {
    let check = check(cx, read)?;
    let value = |duration: Spanned<Duration>| duration.value;
    read.sound.then(|| ProbeDecl {
        check,
        port: read.prop("port"),
        every: read.prop("every").map(value),
        timeout: read.prop("timeout").map(value),
        failures: read
            .prop("failures")
            .map(|failures: Spanned<u32>| failures.value),
        span: read.span(),
    })
}

fn check(cx: &mut Cx, read: &Read<'_>) -> Option<CheckDecl> {
    let kind: Option<Spanned<ProbeKind>> = read.prop_word("kind");
    let path: Option<Spanned<String>> = read.prop("path");
    match (kind.map(|kind| kind.value), path) {
        (Some(ProbeKind::Http) | None, Some(path)) => Some(CheckDecl::Http { path: path.value }),
        (Some(ProbeKind::Http), None) if !read.sound => None,
        (Some(ProbeKind::Http), None) => {
            let help = "add `path=\"/healthz\"`";
            cx.error(
                codes::MISSING_PROPERTY,
                read.span(),
                "`kind=http` needs `path=`",
                help,
            );
            None
        }
        (Some(kind @ (ProbeKind::Tcp | ProbeKind::Grpc)), Some(path)) => {
            let title = format!("`kind={}` has no `path=`", kind.as_str());
            cx.error(
                codes::CONFLICTING_NODES,
                path.span,
                title,
                "take it out, or write `kind=http`",
            );
            None
        }
        (Some(ProbeKind::Grpc), None) => Some(CheckDecl::Grpc),
        (Some(ProbeKind::Tcp) | None, None) => Some(CheckDecl::Tcp),
    }
}
