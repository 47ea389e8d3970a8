//! A service: its head, its own children, its `in` blocks, and where it exists.
//! Pure.
//! Read on in `layer` for the children.

use starform_contract::{ServiceKind, ServiceName};

use super::layer::Where;
use super::read::Read;
use super::{Cx, MOST_OF_A_KIND, layer, schedule};
use crate::diag::{Diagnostic, codes};
use crate::project::{
    In, Kind, Layer, NamedEnvironments, Presence, Schedule, Service, Spanned, Was,
};
use crate::table::{Place, PresenceNode, Scope};

/// `None`: its name cannot be read.
pub(super) fn read(cx: &mut Cx, of: ServiceKind, read: &Read<'_>) -> Option<Service> {
    let kind = kind(of, read);
    if let Some(Kind::Cron(Schedule { schedule, .. })) = &kind
        && let Some(said) = schedule::never_due(&schedule.value, schedule.span)
    {
        cx.report(said);
    }
    let mut presence: Option<(Presence, Spanned<()>)> = None;
    let mut overrides = Vec::new();
    let mut own = layer::read(
        cx,
        read.node.children(),
        read.spec.name(),
        Scope::of_service(Place::Service, of),
        &mut |cx, node, child| match node {
            Where::In if overrides.len() > MOST_OF_A_KIND => {}
            Where::In => {
                if overrides.len() == MOST_OF_A_KIND {
                    cx.too_many(child.span(), "`in` blocks of one service", MOST_OF_A_KIND);
                }
                overrides.push(read_in(cx, &child, of));
            }
            Where::Presence(node) => read_presence(cx, node, &child, &mut presence),
        },
    );
    // A head that does not hold may have meant what would be missing.
    own.incomplete |= !read.sound;
    let name: Spanned<ServiceName> = read.arg(0)?;
    Some(Service {
        name,
        kind: kind?,
        presence: presence.map_or(Presence::Everywhere, |(presence, _)| presence),
        like: read.prop("like"),
        was: was(read),
        root: read.prop("root"),
        own,
        overrides,
    })
}

fn read_in(cx: &mut Cx, read: &Read<'_>, kind: ServiceKind) -> In<Layer> {
    let nodes = read.node.children();
    In {
        environments: NamedEnvironments::new(read.args()),
        content: layer::read(
            cx,
            nodes,
            "in",
            Scope::of_service(Place::ServiceIn, kind),
            &mut |_, _, _| (),
        ),
    }
}

/// `None` where the schedule of a cron job cannot be read.
fn kind(of: ServiceKind, read: &Read<'_>) -> Option<Kind> {
    Some(match of {
        ServiceKind::Web => Kind::Web,
        ServiceKind::Private => Kind::Private,
        ServiceKind::Worker => Kind::Worker,
        ServiceKind::Cron => Kind::Cron(Schedule {
            schedule: read.prop("schedule")?,
            timezone: read.prop("timezone"),
        }),
    })
}

fn was(read: &Read<'_>) -> Option<Was> {
    Some(Was {
        name: read.prop("was")?,
        entry: read.prop_with_space("was")?,
    })
}

/// `only` and `not-in`, of which a service has at most one.
fn read_presence(
    cx: &mut Cx,
    node: PresenceNode,
    child: &Read<'_>,
    presence: &mut Option<(Presence, Spanned<()>)>,
) {
    if let Some((_, first)) = presence {
        let title = "`only` and `not-in` exclude each other";
        let diagnostic = Diagnostic::new(codes::CONFLICTING_NODES, child.span(), title)
            .label("second")
            .also(first.span, "first")
            .help("keep one of the two");
        cx.report(diagnostic);
        return;
    }
    let names = child.args();
    let said = match node {
        PresenceNode::Only => Presence::Only(NamedEnvironments::new(names)),
        PresenceNode::NotIn => Presence::NotIn(NamedEnvironments::new(names)),
    };
    let span = child.span();
    *presence = child.sound.then_some((said, Spanned { value: (), span }));
}
