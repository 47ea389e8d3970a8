//! What must hold of a service's volumes in one environment: one instance, and no disk inside another.
//! Pure. A disk is attached to one instance at a time, so a service with one cannot have several.
//! Read on in `crate::values::path` for what a folder of a container is.

use super::At;
use crate::diag::{Diagnostic, codes};
use crate::project::{ScaleDecl, VolumeDecl};
use crate::resolve::{Found, Resolved};
use crate::source::Span;

pub(super) fn check(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    let Some(volumes) = resolved.find(|layer| &layer.volumes).value() else {
        return;
    };
    for diagnostic in clashes(volumes) {
        at.report(resolved.service, diagnostic);
    }
    if let (Some(volume), Found::Set(scale, span)) =
        (volumes.first(), resolved.find(|layer| &layer.scale))
        && let Some(diagnostic) = several_instances(volume, scale, span)
    {
        at.report(resolved.service, diagnostic);
    }
}

fn several_instances(volume: &VolumeDecl, scale: &ScaleDecl, span: Span) -> Option<Diagnostic> {
    let most = match scale {
        ScaleDecl::Fixed(instances) => *instances,
        ScaleDecl::Range { max, .. } => max.value,
    };
    let name = &volume.name.value;
    let diagnostic = || {
        let title = format!("{most} instances cannot share the volume `{name}`");
        Diagnostic::new(codes::VOLUME_NEEDS_ONE, span, title)
            .also(volume.span, "a disk for one instance")
            .help("write `scale 1`, or keep the data where several instances reach it, such as an object store")
    };
    (most > 1).then(diagnostic)
}

/// Volumes of one name, of one folder, or of a folder inside another's.
fn clashes(volumes: &[VolumeDecl]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let earlier = &volumes[..index];
        if let Some(first) = earlier
            .iter()
            .find(|first| first.name.value == volume.name.value)
        {
            let title = format!("two volumes are named `{}`", volume.name.value);
            let help = "give one of the two another name";
            found.push(clash(
                title,
                (volume.name.span, "second"),
                (first.name.span, "first"),
                help,
            ));
        }
        let folder = |one: &VolumeDecl| one.mount.value.clone();
        if let Some(first) = earlier
            .iter()
            .find(|first| overlap(&folder(first), &folder(volume)))
        {
            let title = if folder(first) == folder(volume) {
                format!("two volumes stand in `{}`", folder(volume))
            } else {
                format!(
                    "`{}` and `{}` stand in one another",
                    folder(first),
                    folder(volume)
                )
            };
            let help = "mount each disk in a folder of its own";
            found.push(clash(
                title,
                (volume.mount.span, "second"),
                (first.mount.span, "first"),
                help,
            ));
        }
    }
    found
}

fn clash(title: String, second: (Span, &str), first: (Span, &str), help: &str) -> Diagnostic {
    Diagnostic::new(codes::VOLUMES_CLASH, second.0, title)
        .label(second.1)
        .also(first.0, first.1)
        .help(help)
}

fn overlap(one: &str, other: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(one, other) || inside(other, one)
}
