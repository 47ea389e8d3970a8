//! What must hold of one service in one environment: ports, probes, metrics.
//! Pure. What is broken or could not be understood is never called missing.
//! Read on in `vars` for its variables and in `hosts` for its hosts.

use std::collections::BTreeMap;

use starform_contract::{ServiceKind, model::Protocol};

use super::At;
use crate::diag::{Diagnostic, codes};
use crate::project::{CheckDecl, HealthDecl, PortDecl, ProbeDecl};
use crate::resolve::{Found, Resolved};

pub(super) fn check(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    check_metrics(at, resolved);
    match resolved.service.kind.kind() {
        ServiceKind::Web | ServiceKind::Private => check_ports(at, resolved),
        ServiceKind::Worker => check_worker(at, resolved),
        ServiceKind::Cron => {}
    }
}

fn check_ports(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    let service = resolved.service;
    let ports = match resolved.find(|layer| &layer.ports) {
        Found::Set(ports, _) => ports.as_slice(),
        Found::Broken => return,
        Found::Default => {
            if !resolved.incomplete() {
                let kind = service.kind.kind().as_str();
                let title = format!("`{}` has no port", service.name.value);
                let help = format!("a {kind} service listens on at least one: add `port 8080`");
                let diagnostic =
                    Diagnostic::new(codes::MISSING_NODE, service.name.span, title).help(help);
                at.report(service, diagnostic);
            }
            return;
        }
    };
    for diagnostic in port_clashes(ports) {
        at.report(service, diagnostic);
    }
    if let (ServiceKind::Web, Some(first)) = (service.kind.kind(), ports.first())
        && first.protocol == Protocol::Tcp
    {
        let title = "the first port of a web service is not reached by tcp";
        let help = "put a port that speaks HTTP first, or make the service `private`";
        let diagnostic = Diagnostic::new(codes::FIRST_PORT_TCP, first.span, title).help(help);
        at.report(service, diagnostic);
    }
    if let Some(health) = resolved.find(|layer| &layer.health).value() {
        for diagnostic in probe_mismatches(health, ports) {
            at.report(service, diagnostic);
        }
    }
}

/// Ports with the number or the name of an earlier one, or without a name among several.
fn port_clashes(ports: &[PortDecl]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let (mut numbers, mut names) = (BTreeMap::new(), BTreeMap::new());
    for port in ports {
        if let Some(first) = numbers.insert(port.port.value, port.port.span) {
            let title = format!("port {} is used twice", port.port.value);
            found.push(clash(port, title, first));
        }
        match &port.name {
            Some(name) => {
                if let Some(first) = names.insert(name.value.clone(), name.span) {
                    let title = format!("the port name `{}` is used twice", name.value);
                    found.push(clash(port, title, first));
                }
            }
            None if ports.len() > 1 => found.push(
                Diagnostic::new(
                    codes::PORT_WITHOUT_NAME,
                    port.span,
                    format!("port {} has no name", port.port.value),
                )
                .help("the service has several ports: add `name=` to each"),
            ),
            None => {}
        }
    }
    found
}

fn clash(port: &PortDecl, title: String, first: crate::source::Span) -> Diagnostic {
    Diagnostic::new(codes::DUPLICATE_PORT, port.span, title)
        .label("second")
        .also(first, "first")
        .help("take one of the two out, or give it another number and name")
}

/// HTTP checks of ports that do not speak HTTP.
fn probe_mismatches(health: &HealthDecl, ports: &[PortDecl]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for probe in probes(health) {
        let CheckDecl::Http { .. } = probe.check else {
            continue;
        };
        let asked = match &probe.port {
            Some(port) => ports.iter().find(|known| known.port.value == port.value),
            None => ports.first(),
        };
        let Some(port) = asked else { continue };
        let right = match port.protocol {
            Protocol::Http | Protocol::H2c => continue,
            Protocol::Grpc => "health { ready kind=grpc; }",
            Protocol::Tcp => "health { ready kind=tcp; }",
        };
        let title = format!("port {} does not answer GET", port.port.value);
        found.push(
            Diagnostic::new(codes::PROBE_DOES_NOT_FIT, probe.span, title)
                .also(port.span, format!("speaks {}", port.protocol.as_str()))
                .help(format!(
                    "write `{right}`, or name a port that speaks HTTP with `port=`"
                )),
        );
    }
    found
}

/// A worker has no ports, so its probes name theirs, and its short forms have nothing to ask.
fn check_worker(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    let Some(health) = resolved.find(|layer| &layer.health).value() else {
        return;
    };
    for probe in probes(health).filter(|probe| probe.port.is_none()) {
        let diagnostic = Diagnostic::new(
            codes::PROBE_DOES_NOT_FIT,
            probe.span,
            "a worker has no port that could be asked",
        )
        .help("name the port: `health { live kind=http path=\"/healthz\" port=8080; }`");
        at.report(resolved.service, diagnostic);
    }
    if let (None, None, None, Some(within)) = (
        &health.ready,
        &health.live,
        &health.startup,
        &health.startup_within,
    ) {
        let diagnostic = Diagnostic::new(
            codes::PROBE_DOES_NOT_FIT,
            within.span,
            "`startup-within` has no effect on a worker without a probe",
        )
        .help("add a probe: `health { startup kind=tcp port=8080; }`, or take it out");
        at.report(resolved.service, diagnostic);
    }
}

/// Metrics are read by HTTP from a port that the service has; a worker has none, so it names one.
fn check_metrics(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    let Some(metrics) = resolved.find(|layer| &layer.metrics).value() else {
        return;
    };
    let ports = match resolved.find(|layer| &layer.ports) {
        Found::Set(ports, _) => ports.as_slice(),
        Found::Default => &[],
        Found::Broken => return,
    };
    let known = |port: u16| ports.iter().find(|known| known.port.value == port);
    let diagnostic = match &metrics.port {
        None if ports.is_empty() && resolved.incomplete() => return,
        None => match ports.first() {
            None => Diagnostic::new(
                codes::METRICS_DO_NOT_FIT,
                metrics.span,
                "`metrics` has no port to be read from",
            )
            .help("name it: `metrics port=9090`"),
            Some(port) => match speaks_no_http(port, metrics.span) {
                Some(diagnostic) => diagnostic,
                None => return,
            },
        },
        Some(_) if ports.is_empty() => return,
        Some(port) => match known(port.value) {
            None => {
                let title = format!("the service has no port {}", port.value);
                let help = format!(
                    "add `port {} name=metrics`, or name a port that the service has",
                    port.value
                );
                Diagnostic::new(codes::METRICS_DO_NOT_FIT, port.span, title).help(help)
            }
            Some(known) => match speaks_no_http(known, port.span) {
                Some(diagnostic) => diagnostic,
                None => return,
            },
        },
    };
    at.report(resolved.service, diagnostic);
}

fn speaks_no_http(port: &PortDecl, span: crate::source::Span) -> Option<Diagnostic> {
    match port.protocol {
        Protocol::Http | Protocol::H2c => None,
        Protocol::Grpc | Protocol::Tcp => {
            let title = format!("port {} does not answer GET", port.port.value);
            let spoken = format!("speaks {}", port.protocol.as_str());
            let help = "name a port that speaks HTTP: `metrics port=N`";
            Some(
                Diagnostic::new(codes::METRICS_DO_NOT_FIT, span, title)
                    .also(port.span, spoken)
                    .help(help),
            )
        }
    }
}

fn probes(health: &HealthDecl) -> impl Iterator<Item = &ProbeDecl> {
    [&health.ready, &health.live, &health.startup]
        .into_iter()
        .flatten()
}
