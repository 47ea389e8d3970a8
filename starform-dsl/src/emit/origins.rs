//! Where each value of a service is written: model path to `FILE:LINE:COLUMN`.
//! Pure. What is a default has no place of its own; the service's node stands for it.
//! Read on in `starform_contract::state::Origins` for how a path is looked up.

use std::collections::BTreeMap;

use starform_contract::ServiceName;

use super::Bindings;
use crate::project::{Gone, Kind, Layer, Project, ScaleDecl, Slot, Spanned};
use crate::resolve::{Found, Resolved};
use crate::source::Span;

/// What an image that the caller gave is said to come from.
const GIVEN: &str = "--image";

pub(super) fn of(
    project: &Project,
    resolved: &Resolved<'_>,
    bindings: &Bindings,
) -> BTreeMap<String, String> {
    let mut places = Places {
        project,
        found: BTreeMap::new(),
    };
    let service = resolved.service;
    places.put("", service.name.span);
    if let Some(was) = &service.was {
        places.put("was", was.name.span);
    }
    if let Kind::Cron(schedule) = &service.kind {
        places.put("schedule", schedule.schedule.span);
        places.put_part("timezone", schedule.timezone.as_ref());
    }
    slots(&mut places, resolved);
    parts(&mut places, resolved);
    for (key, var) in &resolved.vars {
        places.put(&format!("vars.{key}"), var.span);
    }
    if bindings.images.contains_key(&service.name.value) {
        places.found.insert("image".to_owned(), GIVEN.to_owned());
    }
    places.found
}

/// Of what is `removed`: by the service that it was or was part of.
pub(super) fn of_removed(
    project: &Project,
    places: &mut BTreeMap<ServiceName, BTreeMap<String, String>>,
) {
    for removed in &project.model.removed {
        let path = match &removed.what {
            Gone::Service(..) => "removed".to_owned(),
            Gone::Volume(_, volume) => format!("removed.{volume}"),
        };
        let found = places.entry(removed.what.service().clone()).or_default();
        let place = place(project, removed.name);
        found.insert(path, place);
    }
}

fn place(project: &Project, span: Span) -> String {
    let file = project.sources.file(span.file);
    let position = file.position(span.range.start());
    format!("{}:{}:{}", file.path(), position.line, position.column)
}

struct Places<'p> {
    project: &'p Project,
    found: BTreeMap<String, String>,
}

impl Places<'_> {
    fn put(&mut self, path: &str, span: Span) {
        let place = place(self.project, span);
        self.found.insert(path.to_owned(), place);
    }

    fn put_part<T>(&mut self, path: &str, part: Option<&Spanned<T>>) {
        if let Some(part) = part {
            self.put(path, part.span);
        }
    }

    fn put_slot<'m, T: 'm>(
        &mut self,
        path: &str,
        resolved: &Resolved<'m>,
        slot: impl Fn(&'m Layer) -> &'m Slot<T>,
    ) {
        if let Found::Set(_, span) = resolved.find(slot) {
            self.put(path, span);
        }
    }
}

/// Whole nodes.
fn slots(places: &mut Places<'_>, resolved: &Resolved<'_>) {
    places.put_slot("image", resolved, |layer| &layer.image);
    places.put_slot("run", resolved, |layer| &layer.run);
    places.put_slot("hold", resolved, |layer| &layer.hold);
    places.put_slot("run-as", resolved, |layer| &layer.run_as);
    places.put_slot("release", resolved, |layer| &layer.release);
    places.put_slot("metrics", resolved, |layer| &layer.metrics);
    places.put_slot("routes", resolved, |layer| &layer.routes);
    places.put_slot("redirects", resolved, |layer| &layer.redirects);
    places.put_slot("volumes", resolved, |layer| &layer.volumes);
    places.put_slot("ports", resolved, |layer| &layer.ports);
    places.put_slot("health", resolved, |layer| &layer.health);
    places.put_slot("size", resolved, |layer| &layer.size);
    places.put_slot("scale", resolved, |layer| &layer.scale);
    places.put_slot("drain", resolved, |layer| &layer.drain);
    places.put_slot("domains", resolved, |layer| &layer.domains);
    places.put_slot("allow-from", resolved, |layer| &layer.allow_from);
    places.put_slot("observability", resolved, |layer| &layer.observability);
    places.put_slot("overlap", resolved, |layer| &layer.overlap);
    places.put_slot("retries", resolved, |layer| &layer.retries);
    places.put_slot("timeout", resolved, |layer| &layer.timeout);
    places.put_slot("keep", resolved, |layer| &layer.keep);
}

/// Properties and single nodes inside them.
fn parts(places: &mut Places<'_>, resolved: &Resolved<'_>) {
    if let Some(size) = resolved.find(|layer| &layer.size).value() {
        places.put_part("size.cpu", size.cpu.as_ref());
        places.put_part("size.memory", size.memory.as_ref());
    }
    if let Some(ScaleDecl::Range {
        min,
        max,
        cpu,
        memory,
        cooldown,
    }) = resolved.find(|layer| &layer.scale).value()
    {
        places.put("scale.min", min.span);
        places.put("scale.max", max.span);
        places.put_part("scale.cpu", cpu.as_ref());
        places.put_part("scale.memory", memory.as_ref());
        places.put_part("scale.cooldown", cooldown.as_ref());
    }
    if let Some(drain) = resolved.find(|layer| &layer.drain).value() {
        places.put_part("drain.before-term", drain.before_term.as_ref());
        places.put_part("drain.grace", drain.grace.as_ref());
    }
    if let Some(health) = resolved.find(|layer| &layer.health).value() {
        let probes = [
            ("ready", &health.ready),
            ("live", &health.live),
            ("startup", &health.startup),
        ];
        for (name, probe) in probes {
            if let Some(probe) = probe {
                places.put(&format!("health.{name}"), probe.span);
            }
        }
        places.put_part("health.startup-within", health.startup_within.as_ref());
    }
    for (index, port) in resolved
        .find(|layer| &layer.ports)
        .value()
        .into_iter()
        .flatten()
        .enumerate()
    {
        places.put(&format!("ports[{index}]"), port.span);
    }
    for (index, domain) in resolved
        .find(|layer| &layer.domains)
        .value()
        .into_iter()
        .flatten()
        .enumerate()
    {
        places.put(&format!("domains[{index}]"), domain.host.span);
    }
    for volume in resolved
        .find(|layer| &layer.volumes)
        .value()
        .into_iter()
        .flatten()
    {
        places.put(&format!("volumes.{}", volume.name.value), volume.span);
    }
    if let Some(keep) = resolved.find(|layer| &layer.keep).value() {
        places.put_part("keep.succeeded", keep.succeeded.as_ref());
        places.put_part("keep.failed", keep.failed.as_ref());
    }
}
