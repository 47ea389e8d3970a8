//! A service: its head, its own children, its `in` blocks, and where it exists.
//! Pure.
//! Read on in `layer` for the children.

use starform_contract::{ServiceKind, ServiceName};

use super::read::Read;
use super::{Cx, MOST_OF_A_KIND, layer, schedule};
use crate::diag::{Diagnostic, codes};
use crate::project::{
    In, Kind, Layer, NamedEnvironments, Presence, Schedule, Service, Spanned, Was,
};
use crate::table::Place;

/// `None`: its name cannot be read.
pub(super) fn read(cx: &mut Cx, read: &Read<'_>) -> Option<Service> {
    let kind = kind(read);
    if let Some(Kind::Cron(Schedule { schedule, .. })) = &kind
        && let Some(said) = schedule::never_due(&schedule.value, schedule.span)
    {
        cx.report(said);
    }
    let mut presence: Option<(Presence, Spanned<()>)> = None;
    let mut overrides = Vec::new();
    let word = read.spec.name;
    let mut own = layer::read(
        cx,
        read.node.children(),
        word,
        Place::Service,
        Some(service_kind(word)),
        &mut |cx, child| match child.spec.name {
            "in" if overrides.len() > MOST_OF_A_KIND => {}
            "in" => {
                if overrides.len() == MOST_OF_A_KIND {
                    cx.too_many(child.span(), "`in` blocks of one service", MOST_OF_A_KIND);
                }
                overrides.push(read_in(cx, &child, service_kind(word)));
            }
            _ => read_presence(cx, &child, &mut presence),
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
            Place::ServiceIn,
            Some(kind),
            &mut |_, _| (),
        ),
    }
}

/// `None` where the schedule of a cron job cannot be read.
fn kind(read: &Read<'_>) -> Option<Kind> {
    Some(match service_kind(read.spec.name) {
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

fn service_kind(word: &str) -> ServiceKind {
    match word {
        "web" => ServiceKind::Web,
        "private" => ServiceKind::Private,
        "worker" => ServiceKind::Worker,
        _ => ServiceKind::Cron,
    }
}

/// `only` and `not-in`, of which a service has at most one.
fn read_presence(cx: &mut Cx, child: &Read<'_>, presence: &mut Option<(Presence, Spanned<()>)>) {
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
    let said = match child.spec.name {
        "only" => Presence::Only(NamedEnvironments::new(names)),
        _ => Presence::NotIn(NamedEnvironments::new(names)),
    };
    let span = child.span();
    *presence = child.sound.then_some((said, Spanned { value: (), span }));
}
