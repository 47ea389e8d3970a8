//! The model of one service: what the layers say, and the language's defaults for the rest.
//! Pure. Fails only on what the checks refuse; then it names it instead of guessing.
//! Read on in `running` for what only long-running services have, in `crate::table::service`, which documents the same defaults, and in `docs` for their reasons.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    PortName, ServiceName,
    model::{
        Alias, AllowFrom, Check, Cron, Domain, Drain, Health, Keep, Overlap, Port, Private, Probe,
        Scale, ServiceModel, Size, Variable, Web, Worker, Workload,
    },
    quantity::{Cpu, Duration, Memory},
    secret::Generated,
};

use super::{Bindings, outputs::Outputs, running, secrets::Secrets};
use crate::project::{
    AliasDecl, CheckDecl, DomainDecl, DrainDecl, HealthDecl, KeepDecl, Kind, PortDecl, ProbeDecl,
    ScaleDecl, Schedule, SizeDecl, Spanned,
};
use crate::resolve::Resolved;
use crate::vars::{Generator, VarValue};

pub(crate) const CPU: Cpu = Cpu::from_millicores(100);
pub(crate) const MEMORY: Memory = Memory::from_bytes(256 << 20);
const STARTUP_WITHIN: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
const PROBE_FAILURES: u32 = 3;
const BEFORE_TERM: Duration = Duration::from_secs(10);
pub(crate) const GRACE: Duration = Duration::from_secs(30);
pub(crate) const CPU_TARGET: u32 = 80;
pub(crate) const COOLDOWN: Duration = Duration::from_secs(300);
const RUN_TIMEOUT: Duration = Duration::from_secs(3_600);
const KEEP: u32 = 3;
const TIME_ZONE: &str = "UTC";

/// What a checked service cannot lack.
pub(super) type Missing = &'static str;

pub(super) fn service(
    resolved: &Resolved<'_>,
    image: &str,
    bindings: &Bindings,
    outputs: &Outputs<'_>,
    secrets: &Secrets<'_>,
) -> Result<ServiceModel, Missing> {
    let (vars, refs) = vars(resolved, outputs, secrets)?;
    Ok(ServiceModel {
        image: image.to_owned(),
        run: resolved
            .find(|layer| &layer.run)
            .value()
            .cloned()
            .unwrap_or_default(),
        hold: resolved
            .find(|layer| &layer.hold)
            .value()
            .copied()
            .unwrap_or(false),
        run_as: running::run_as(resolved),
        size: size(resolved.find(|layer| &layer.size).value()),
        vars,
        observability: resolved
            .find(|layer| &layer.observability)
            .value()
            .copied()
            .unwrap_or(true),
        refs,
        workload: workload(resolved, bindings, outputs)?,
    })
}

fn workload(
    resolved: &Resolved<'_>,
    bindings: &Bindings,
    outputs: &Outputs<'_>,
) -> Result<Workload, Missing> {
    let ports = ports(resolved.find(|layer| &layer.ports).value());
    let first = ports.first().map(|port| port.port);
    let health = health(resolved.find(|layer| &layer.health).value(), ports.first());
    let scale = scale(resolved.find(|layer| &layer.scale).value());
    let drain = drain(
        resolved.find(|layer| &layer.drain).value(),
        !ports.is_empty(),
    );
    Ok(match &resolved.service.kind {
        Kind::Web | Kind::Private if ports.is_empty() => return Err("no port"),
        Kind::Web => Workload::Web(Web {
            ports,
            health: health?,
            scale,
            drain,
            allow_from: allow_from(resolved, outputs),
            platform_host: outputs
                .platform_host(&resolved.service.name.value)
                .ok_or("no platform host")?
                .to_owned(),
            domains: domains(resolved.find(|layer| &layer.domains).value(), bindings),
            routes: running::routes(resolved),
            redirects: running::redirects(resolved),
            running: running::of(resolved, first)?,
        }),
        Kind::Private => Workload::Private(Private {
            ports,
            health: health?,
            scale,
            drain,
            allow_from: allow_from(resolved, outputs),
            running: running::of(resolved, first)?,
        }),
        Kind::Worker => Workload::Worker(Worker {
            health: health?,
            scale,
            drain,
            running: running::of(resolved, first)?,
        }),
        Kind::Cron(schedule) => Workload::Cron(cron(resolved, schedule)),
    })
}

/// Variables by key, and the services that they speak of.
fn vars(
    resolved: &Resolved<'_>,
    outputs: &Outputs<'_>,
    secrets: &Secrets<'_>,
) -> Result<(BTreeMap<String, Variable>, BTreeSet<ServiceName>), Missing> {
    let own = &resolved.service.name.value;
    let entry = outputs.entry(own).ok_or("no name")?;
    let mut refs = BTreeSet::new();
    let mut vars = BTreeMap::new();
    for (key, var) in &resolved.vars {
        let variable = match var.value {
            VarValue::Secret(name) => secrets.named(name, var.group),
            VarValue::Generate(Generator::Bytes32) => secrets.generated(match var.group {
                Some(group) => Generated::Group(group, key),
                None => Generated::Service(&entry.object_name, key),
            }),
            VarValue::Literal(_) | VarValue::Ref(_) | VarValue::Template(_) => {
                let text = outputs.text(var.value, Some(own));
                Variable::Literal(text.ok_or("an unresolved reference")?)
            }
        };
        refs.extend(outputs.named(var.value));
        vars.insert((*key).to_owned(), variable);
    }
    refs.remove(own);
    Ok((vars, refs))
}

fn size(decl: Option<&SizeDecl>) -> Size {
    Size {
        cpu: decl
            .and_then(|decl| value(decl.cpu.as_ref()))
            .unwrap_or(CPU),
        memory: decl
            .and_then(|decl| value(decl.memory.as_ref()))
            .unwrap_or(MEMORY),
    }
}

fn value<T: Copy>(spanned: Option<&Spanned<T>>) -> Option<T> {
    spanned.map(|spanned| spanned.value)
}

/// A single port without a name is called after its protocol.
fn ports(decls: Option<&Vec<PortDecl>>) -> Vec<Port> {
    let named = |decl: &PortDecl| {
        decl.name.as_ref().map_or_else(
            || PortName::new(decl.protocol.as_str()).expect("words of protocols are port names"),
            |name| name.value.clone(),
        )
    };
    decls
        .into_iter()
        .flatten()
        .map(|decl| Port {
            name: named(decl),
            port: decl.port.value,
            protocol: decl.protocol,
        })
        .collect()
}

/// Readiness asks the first port by TCP unless something else was said; a worker has no default.
fn health(decl: Option<&HealthDecl>, first: Option<&Port>) -> Result<Health, Missing> {
    let startup_within = decl
        .and_then(|decl| value(decl.startup_within.as_ref()))
        .unwrap_or(STARTUP_WITHIN);
    let probe = |of: fn(&HealthDecl) -> Option<&ProbeDecl>| {
        decl.and_then(of)
            .map(|decl| self::probe(decl, first).ok_or("a probe without a port"))
            .transpose()
    };
    let default = first.map(|port| Probe {
        check: Check::Tcp,
        port: port.port,
        every: PROBE_EVERY,
        timeout: PROBE_TIMEOUT,
        failures: PROBE_FAILURES,
    });
    let startup = decl.and_then(|decl| decl.startup.as_ref());
    Ok(Health {
        ready: probe(|decl| decl.ready.as_ref())?.or(default),
        live: probe(|decl| decl.live.as_ref())?,
        startup: probe(|decl| decl.startup.as_ref())?.map(|probe| Probe {
            failures: startup
                .and_then(|decl| decl.failures)
                .unwrap_or_else(|| attempts(startup_within, probe.every)),
            ..probe
        }),
        startup_within,
    })
}

/// How often a question fits into a time, at least once.
fn attempts(within: Duration, every: Duration) -> u32 {
    within.as_secs().div_ceil(every.as_secs().max(1)).max(1)
}

fn probe(decl: &ProbeDecl, first: Option<&Port>) -> Option<Probe> {
    Some(Probe {
        check: match &decl.check {
            CheckDecl::Http { path } => Check::Http { path: path.clone() },
            CheckDecl::Tcp => Check::Tcp,
            CheckDecl::Grpc => Check::Grpc,
        },
        port: value(decl.port.as_ref()).or(first.map(|port| port.port))?,
        every: decl.every.unwrap_or(PROBE_EVERY),
        timeout: decl.timeout.unwrap_or(PROBE_TIMEOUT),
        failures: decl.failures.unwrap_or(PROBE_FAILURES),
    })
}

/// A range without a target follows CPU use.
fn scale(decl: Option<&ScaleDecl>) -> Scale {
    match decl {
        None => Scale::fixed(1),
        Some(ScaleDecl::Fixed(replicas)) => Scale::fixed(*replicas),
        Some(ScaleDecl::Range { min, max, .. }) if min.value == max.value => {
            Scale::fixed(min.value)
        }
        Some(ScaleDecl::Range {
            min,
            max,
            cpu,
            memory,
            cooldown,
        }) => {
            let (cpu, memory) = (value(cpu.as_ref()), value(memory.as_ref()));
            Scale {
                min: min.value,
                max: max.value,
                cpu: if memory.is_none() {
                    cpu.or(Some(CPU_TARGET))
                } else {
                    cpu
                },
                memory,
                cooldown: Some(value(cooldown.as_ref()).unwrap_or(COOLDOWN)),
            }
        }
    }
}

fn drain(decl: Option<&DrainDecl>, has_ports: bool) -> Drain {
    let before = if has_ports {
        BEFORE_TERM
    } else {
        Duration::from_secs(0)
    };
    Drain {
        before_term: decl
            .and_then(|decl| value(decl.before_term.as_ref()))
            .unwrap_or(before),
        grace: decl
            .and_then(|decl| value(decl.grace.as_ref()))
            .unwrap_or(GRACE),
    }
}

/// Of the services that are named, those that exist in the environment.
fn allow_from(resolved: &Resolved<'_>, outputs: &Outputs<'_>) -> AllowFrom {
    match resolved.find(|layer| &layer.allow_from).value() {
        None => AllowFrom::Environment,
        Some(names) => AllowFrom::Services(
            names
                .iter()
                .filter_map(|name| ServiceName::new(name.value.as_str()).ok())
                .filter(|name| outputs.entry(name).is_some())
                .collect(),
        ),
    }
}

/// In the order of the file: the first is the service's public host.
fn domains(decls: Option<&Vec<DomainDecl>>, bindings: &Bindings) -> Vec<Domain> {
    let alias = |decl: &AliasDecl| Alias {
        host: decl.host.value.clone(),
        verified: bindings.hosts.holds(&decl.host.value),
        redirect: decl.redirect,
    };
    decls
        .into_iter()
        .flatten()
        .map(|decl| {
            let mut aliases: Vec<Alias> = decl.aliases.iter().map(alias).collect();
            aliases.sort_by(|a, b| a.host.cmp(&b.host));
            Domain {
                host: decl.host.value.clone(),
                verified: bindings.hosts.holds(&decl.host.value),
                aliases,
            }
        })
        .collect()
}

fn cron(resolved: &Resolved<'_>, schedule: &Schedule) -> Cron {
    let keep: Option<&KeepDecl> = resolved.find(|layer| &layer.keep).value();
    let kept = |of: fn(&KeepDecl) -> Option<&Spanned<u32>>| {
        keep.and_then(of).map_or(KEEP, |kept| kept.value)
    };
    Cron {
        schedule: schedule
            .schedule
            .value
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        timezone: schedule
            .timezone
            .as_ref()
            .map_or_else(|| TIME_ZONE.to_owned(), |zone| zone.value.clone()),
        overlap: resolved
            .find(|layer| &layer.overlap)
            .value()
            .copied()
            .unwrap_or(Overlap::Forbid),
        retries: resolved
            .find(|layer| &layer.retries)
            .value()
            .copied()
            .unwrap_or(0),
        timeout: resolved
            .find(|layer| &layer.timeout)
            .value()
            .copied()
            .unwrap_or(RUN_TIMEOUT),
        keep: Keep {
            succeeded: kept(|keep| keep.succeeded.as_ref()),
            failed: kept(|keep| keep.failed.as_ref()),
        },
    }
}
