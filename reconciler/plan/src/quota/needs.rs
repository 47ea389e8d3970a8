//! What one service needs at the most, as its model says it, and a volume that outlives its service.
//!
//! Pure. Always holds: nothing is left out that the cluster would count. Beside the pods of the scale
//! stand those of a rollout (a quarter more, at least one; none where a volume makes the old pod go
//! first), one of a release, whose Job may run while an earlier rollout still does, and the runs of a
//! cron job that may overlap.

use serde::Deserialize;
use serde_json::Value;
use starform_contract::{
    Kept, ServiceKind,
    model::Overlap,
    quantity::{Cpu, Duration, Memory},
};

use super::schedule;
use crate::words::{Service, Words};

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Cpu,
    Memory,
    Pods,
    Storage,
    Volumes,
}

pub(super) const RESOURCES: [Resource; 5] = [
    Resource::Cpu,
    Resource::Memory,
    Resource::Pods,
    Resource::Storage,
    Resource::Volumes,
];

/// Thousandths of a core, bytes, numbers.
pub(super) struct Needs {
    pods: u64,
    cpu: u64,
    memory: u64,
    storage: u64,
    volumes: u64,
}

impl Needs {
    pub(super) fn of(service: &Service<'_>) -> Self {
        let words = &service.words;
        let sizes = volume_sizes(words);
        let pods = pods(service.entry.kind, words, !sizes.is_empty());
        let cpu = text(words.size, "cpu").and_then(|text| text.parse().ok());
        let memory = text(words.size, "memory").and_then(|text| text.parse().ok());
        Self {
            pods,
            cpu: pods.saturating_mul(cpu.map_or(0, Cpu::as_millicores)),
            memory: pods.saturating_mul(memory.map_or(0, Memory::as_bytes)),
            storage: sizes.iter().fold(0, |sum, size| sum.saturating_add(*size)),
            volumes: sizes.len() as u64,
        }
    }

    /// Of a volume without a service: its claim is there, so the cluster counts it.
    pub(super) fn of_kept(kept: &Kept) -> Self {
        let claim = &kept.object.manifest;
        let size = claim.pointer("/spec/resources/requests/storage");
        let size = size.and_then(Value::as_str);
        let size: Option<Memory> = size.and_then(|text| text.parse().ok());
        Self {
            pods: 0,
            cpu: 0,
            memory: 0,
            storage: size.map_or(0, Memory::as_bytes),
            volumes: 1,
        }
    }

    pub(super) fn of_resource(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
            Resource::Pods => self.pods,
            Resource::Storage => self.storage,
            Resource::Volumes => self.volumes,
        }
    }
}

fn pods(kind: ServiceKind, words: &Words<'_>, has_volumes: bool) -> u64 {
    match kind {
        ServiceKind::Web | ServiceKind::Private | ServiceKind::Worker => {
            let scale = words.scale.and_then(|scale| scale.get("max")?.as_u64());
            let scale = scale.unwrap_or(0);
            let surge = if has_volumes { 0 } else { scale.div_ceil(4) };
            let release = u64::from(words.release.is_some());
            scale.saturating_add(surge).saturating_add(release)
        }
        ServiceKind::Cron => runs(words),
    }
}

/// Runs of a cron job that may be there at once.
fn runs(words: &Words<'_>) -> u64 {
    let overlap = words
        .overlap
        .and_then(|overlap| Overlap::deserialize(overlap).ok());
    match overlap {
        Some(Overlap::Allow) => {
            let timeout = words.timeout.and_then(Value::as_str);
            let timeout = timeout.and_then(|text| text.parse().ok());
            let minutes = timeout.map_or(1, Duration::as_secs).div_ceil(60);
            let schedule = words.schedule.and_then(Value::as_str);
            let gap = schedule.map_or(1, schedule::least_gap);
            u64::from(minutes.div_ceil(gap).max(1))
        }
        // The replaced run ends while the next one begins.
        Some(Overlap::Replace) => 2,
        Some(Overlap::Forbid) | None => 1,
    }
}

fn volume_sizes(words: &Words<'_>) -> Vec<u64> {
    let volumes = words.volumes.and_then(Value::as_object);
    let sizes = volumes.into_iter().flat_map(|volumes| volumes.values());
    sizes
        .filter_map(|volume| {
            let size: Memory = text(Some(volume), "size")?.parse().ok()?;
            Some(size.as_bytes())
        })
        .collect()
}

fn text<'a>(of: Option<&'a Value>, field: &str) -> Option<&'a str> {
    of?.get(field)?.as_str()
}

impl Resource {
    /// As a ResourceQuota calls it.
    pub(super) fn quota_name(self) -> &'static str {
        match self {
            Self::Cpu => "requests.cpu",
            Self::Memory => "requests.memory",
            Self::Pods => "pods",
            Self::Storage => "requests.storage",
            Self::Volumes => "persistentvolumeclaims",
        }
    }

    /// An amount as the quota writes it.
    pub(super) fn parse(self, text: &str) -> Option<u64> {
        match self {
            Self::Cpu => text.parse().ok().map(Cpu::as_millicores),
            Self::Memory | Self::Storage => text.parse().ok().map(Memory::as_bytes),
            Self::Pods | Self::Volumes => text.parse().ok(),
        }
    }

    pub(super) fn text(self, amount: u64) -> String {
        match self {
            Self::Cpu => Cpu::from_millicores(amount).to_string(),
            Self::Memory | Self::Storage => Memory::from_bytes(amount).to_string(),
            Self::Pods | Self::Volumes => amount.to_string(),
        }
    }

    /// Behind an amount.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "of memory",
            Self::Pods => "pods",
            Self::Storage => "on volumes",
            Self::Volumes => "volumes",
        }
    }

    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Cpu => "lower `scale` or the cpu of `size`",
            Self::Memory => "lower `scale` or the memory of `size`",
            Self::Pods => "lower `scale`",
            Self::Storage => "make volumes smaller before they are made",
            Self::Volumes => "use fewer volumes",
        }
    }

    /// In the model of a service, where its amount is set.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Cpu | Self::Memory | Self::Pods => "scale",
            Self::Storage | Self::Volumes => "volumes",
        }
    }
}
