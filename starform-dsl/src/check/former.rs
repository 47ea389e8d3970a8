//! Names of the past: what was renamed with `was=` and what is `removed` is not declared any more, and each of them once.
//! Pure. Says only what the declarations at hand show: what else was ever deployed is known to a plan alone.
//! Read on in `crate::project` for what they hold.

use std::collections::BTreeMap;

use starform_contract::{ServiceKind, ServiceName, VolumeName};

use super::Findings;
use crate::diag::{Diagnostic, Fix, codes};
use crate::project::{Data, Gone, Model, Removed, Service, Setting, VolumeDecl, Was};
use crate::source::Span;

pub(super) fn check(model: &Model, findings: &mut Findings) {
    let renamed = renamed(model);
    for service in model.services.values() {
        let Some(was) = &service.was else { continue };
        if let Some(said) = judge_was(model, &renamed, service, was) {
            findings.add(service.path(), said, None);
        }
    }
    let mut earlier: BTreeMap<String, &Removed> = BTreeMap::new();
    for removed in &model.removed {
        let first = earlier.entry(removed.what.name()).or_insert(removed);
        let first = Some(*first).filter(|first| first.node != removed.node);
        if let Some(said) = judge_removed(model, &renamed, removed, first) {
            findings.add("project.removed".to_owned(), said, None);
        }
    }
}

/// Services by their former names; the first of several in the order of the files.
fn renamed(model: &Model) -> BTreeMap<&ServiceName, (&Service, &Was)> {
    let mut renamed: BTreeMap<&ServiceName, (&Service, &Was)> = BTreeMap::new();
    for service in model.services.values() {
        let Some(was) = &service.was else { continue };
        let first = renamed.entry(&was.name.value).or_insert((service, was));
        if was.name.span < first.1.name.span {
            *first = (service, was);
        }
    }
    renamed
}

/// At most one thing is wrong with a former name: the first that would have to be mended.
fn judge_was(
    model: &Model,
    renamed: &BTreeMap<&ServiceName, (&Service, &Was)>,
    service: &Service,
    was: &Was,
) -> Option<Diagnostic> {
    let (old, name) = (&was.name.value, &service.name.value);
    if old == name {
        let title = format!("`{name}` cannot have been `{old}`: that is its name");
        let fix = Fix::replace("take `was=` out", was.entry, "");
        let said = Diagnostic::new(codes::WAS_ITSELF, was.name.span, title);
        return Some(
            said.help("name the earlier one, or take `was=` out")
                .fix(fix),
        );
    }
    if let Some(other) = model.services.get(old) {
        let title = format!("`{name}` cannot have been `{old}`, which is declared");
        return Some(
            Diagnostic::new(codes::WAS_DECLARED, was.name.span, title)
                .also(other.name.span, "declared here")
                .help(still_declared(service, other)),
        );
    }
    let (first, first_was) = renamed.get(old)?;
    let title = format!("two services say that they were `{old}`");
    (first_was.name.span != was.name.span).then(|| {
        Diagnostic::new(codes::WAS_TWICE, was.name.span, title)
            .label("second")
            .also(first_was.name.span, "first")
            .help(format!(
                "one service goes on as `{}` or as `{name}`; take `was=` out of the other",
                first.name.value
            ))
    })
}

/// What to do about a former name that a service has.
fn still_declared(service: &Service, other: &Service) -> String {
    let (name, old) = (&service.name.value, &other.name.value);
    match &other.was {
        Some(before) if before.name.value == *name => {
            format!("names cannot be exchanged: give `{name}` and `{old}` a new one each")
        }
        Some(before) => format!(
            "first rename `{old}` to `{name}` and deploy, while the other is still `{}`",
            before.name.value
        ),
        None => format!("take `was=` out, or give the other service another name than `{old}`"),
    }
}

fn judge_removed(
    model: &Model,
    renamed: &BTreeMap<&ServiceName, (&Service, &Was)>,
    removed: &Removed,
    first: Option<&Removed>,
) -> Option<Diagnostic> {
    if let Some(first) = first {
        return Some(removed_twice(removed, first));
    }
    if let Some(place) = declared(model, &removed.what) {
        return Some(removed_and_declared(removed, place));
    }
    if let Some((service, was)) = renamed.get(removed.what.service()) {
        return Some(removed_and_renamed(removed, service, was));
    }
    holds_no_data(removed)
}

/// Of a volume the word may be about another one: a service that was removed and came back is a new one,
/// beside what the former left behind. A plan never takes away what is declared.
fn removed_and_declared(removed: &Removed, place: Span) -> Diagnostic {
    let name = removed.what.name();
    let (code, title, help) = match &removed.what {
        Gone::Service(..) => (
            codes::REMOVED_DECLARED,
            format!("`{name}` is removed and declared"),
            "take the `removed` line out, or what it names",
        ),
        Gone::Volume(..) => (
            codes::REMOVED_OF_BEFORE,
            format!("`{name}` is declared, and stays"),
            "take the `removed` line out, unless an earlier service left a volume of this name behind",
        ),
    };
    let said = Diagnostic::new(code, removed.name, title);
    said.also(place, "declared here").help(help)
}

fn removed_twice(removed: &Removed, first: &Removed) -> Diagnostic {
    let title = format!("`{}` is removed twice", removed.what.name());
    let help = if removed.data.value == first.data.value {
        "take one of the two out"
    } else {
        "keep the one that says what becomes of the data"
    };
    Diagnostic::new(codes::REMOVED_TWICE, removed.node, title)
        .label("second")
        .also(first.node, "first")
        .help(help)
}

/// Where it is declared, in any layer.
fn declared(model: &Model, what: &Gone) -> Option<Span> {
    let service = model.services.get(what.service())?;
    match what {
        Gone::Service(..) => Some(service.name.span),
        Gone::Volume(_, name) => volume(model, service, name),
    }
}

/// The first layer that gives a service a volume of this name.
fn volume(model: &Model, service: &Service, name: &VolumeName) -> Option<Span> {
    let like = service.like.as_ref();
    let partial = like.and_then(|like| model.partial(&like.value));
    let layers = std::iter::once(&service.own)
        .chain(service.overrides.iter().map(|block| &block.content))
        .chain(partial);
    layers
        .filter_map(|layer| match &layer.volumes.as_ref()?.value {
            Setting::Set(volumes) => Some(volumes),
            Setting::Unset | Setting::Broken => None,
        })
        .flatten()
        .find(|volume: &&VolumeDecl| volume.name.value == *name)
        .map(|volume| volume.name.span)
}

fn removed_and_renamed(removed: &Removed, service: &Service, was: &Was) -> Diagnostic {
    let (old, new) = (&was.name.value, &service.name.value);
    let title = format!("`{old}` is removed, and `{new}` was `{old}`");
    let said = Diagnostic::new(codes::REMOVED_RENAMED, removed.name, title)
        .also(was.name.span, "renamed here");
    match &removed.what {
        Gone::Service(..) => said.help(format!(
            "take `was={old}` out to remove it, or the `removed` line out to rename it"
        )),
        Gone::Volume(_, volume) => {
            let text = format!("{new}.{volume}");
            said.help(format!("the service is named `{new}` now: write `{text}`"))
                .fix(Fix::maybe_replace(
                    format!("write `{text}`"),
                    removed.name,
                    text,
                ))
        }
    }
}

/// `data=destroy` of a kind that never has volumes.
fn holds_no_data(removed: &Removed) -> Option<Diagnostic> {
    let name = match (&removed.what, removed.data.value) {
        (Gone::Service(name, ServiceKind::Cron), Data::Destroy) => name,
        (Gone::Service(..) | Gone::Volume(..), Data::Destroy | Data::Keep) => return None,
    };
    let title = format!("`{name}` was a cron job, which holds no data");
    Some(
        Diagnostic::new(codes::NO_DATA_TO_DESTROY, removed.data.span, title)
            .also(removed.kind, "cron jobs have no volumes")
            .help("write `data=keep`, or take the line out: the job is deleted by the plan")
            .fix(Fix::replace("write `keep`", removed.data.span, "keep")),
    )
}
