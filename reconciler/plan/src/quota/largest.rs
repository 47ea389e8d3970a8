//! Single containers and volumes that are larger than their tier allows.
//!
//! Pure. The limits are those of the LimitRange, and its annotation for CPU.

use std::{borrow::Cow, cell::LazyCell, collections::BTreeMap};

use serde_json::Value;
use starform_contract::{
    EnvironmentName, Origins, ProjectBundle, ServiceId,
    quantity::{Cpu, Memory},
};

use super::{finding, limit_of};
use crate::{
    codes,
    document::Finding,
    render::LARGEST_CPU,
    words::{Service, Services, Words},
};

/// Something of a service that has a size: where its model says it, what people call it.
struct Part<'a> {
    path: Cow<'static, str>,
    what: &'a str,
    amount: Amount,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Amount {
    Cpu(Cpu),
    Memory(Memory),
    Volume(Memory),
}

pub(super) fn findings(
    environment: &EnvironmentName,
    project: &ProjectBundle,
    (before, after): (&Services<'_>, &Services<'_>),
    origins: &Origins,
) -> Vec<Finding> {
    let limits = Limits::of(project);
    // The first one of an id counts: what is collected last stands.
    let before = LazyCell::new(|| {
        let before = before.get(environment).into_iter();
        let before = before.flat_map(|services| services.iter().rev());
        before
            .map(|service| (service.entry.service_id, service))
            .collect::<BTreeMap<ServiceId, &Service<'_>>>()
    });
    let services = after.get(environment).into_iter();
    let mut findings = Vec::new();
    for service in services.flat_map(|services| services.iter()) {
        let entry = service.entry;
        for part in parts(service) {
            let Some(limit) = limits.exceeded(part.amount) else {
                continue;
            };
            let title = format!(
                "{} asks for {}, and the tier {} has {} for a single one; lower it, or ask the platform's operator for a larger tier",
                entry.name,
                part.words(),
                project.tier,
                limit.text(),
            );
            let old = before.get(&entry.service_id).map(|old| parts(old));
            let mut former = old.iter().flatten().filter(|old| old.path == part.path);
            let grows = !former.any(|old| old.amount >= part.amount);
            let at = origins.at(&entry.name, &part.path);
            findings.push(finding(&codes::TOO_LARGE, grows, title, at));
        }
    }
    findings
}

#[derive(Default)]
struct Limits {
    cpu: Option<Cpu>,
    memory: Option<Memory>,
    volume: Option<Memory>,
}

impl Limits {
    fn of(project: &ProjectBundle) -> Self {
        let items = limit_of(project, "LimitRange", "/spec/limits").and_then(Value::as_array);
        let max = |kind: &str, resource: &str| {
            let mut items = items.into_iter().flatten();
            let item = items.find(|item| item.get("type").and_then(Value::as_str) == Some(kind))?;
            item.get("max")?.get(resource)?.as_str()
        };
        let cpu = limit_of(project, "LimitRange", "/metadata/annotations")
            .and_then(|annotations| annotations.get(LARGEST_CPU)?.as_str());
        Self {
            cpu: cpu.and_then(|text| text.parse().ok()),
            memory: max("Container", "memory").and_then(|text| text.parse().ok()),
            volume: max("PersistentVolumeClaim", "storage").and_then(|text| text.parse().ok()),
        }
    }

    /// The limit that is passed.
    fn exceeded(&self, amount: Amount) -> Option<Amount> {
        let limit = match amount {
            Amount::Cpu(_) => self.cpu.map(Amount::Cpu),
            Amount::Memory(_) => self.memory.map(Amount::Memory),
            Amount::Volume(_) => self.volume.map(Amount::Volume),
        };
        limit.filter(|limit| amount > *limit)
    }
}

fn parts<'a>(service: &Service<'a>) -> Vec<Part<'a>> {
    let Words { size, volumes, .. } = service.words;
    let text = |field: &str| size.and_then(|size| size.get(field)?.as_str());
    let cpu = text("cpu")
        .and_then(|text| text.parse().ok())
        .map(Amount::Cpu);
    let memory = text("memory")
        .and_then(|text| text.parse().ok())
        .map(Amount::Memory);
    let own = [("size.cpu", cpu), ("size.memory", memory)];
    let own = own.into_iter().filter_map(|(path, amount)| {
        Some(Part {
            path: path.into(),
            what: "",
            amount: amount?,
        })
    });
    let volumes = volumes.and_then(Value::as_object);
    let volumes = volumes.into_iter().flatten().filter_map(|(name, volume)| {
        let size = volume.get("size")?.as_str()?.parse().ok()?;
        Some(Part {
            path: format!("volumes.{name}").into(),
            what: name,
            amount: Amount::Volume(size),
        })
    });
    own.chain(volumes).collect()
}

impl Part<'_> {
    fn words(&self) -> String {
        match self.amount {
            Amount::Cpu(_) | Amount::Memory(_) => self.amount.text(),
            Amount::Volume(_) => format!("{} on the volume {}", self.amount.text(), self.what),
        }
    }
}

impl Amount {
    fn text(self) -> String {
        match self {
            Self::Cpu(cpu) => format!("{cpu} CPU"),
            Self::Memory(memory) => format!("{memory} of memory"),
            Self::Volume(size) => size.to_string(),
        }
    }
}
