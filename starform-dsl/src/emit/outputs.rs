//! What references become: the outputs of every service of an environment.
//! Pure. Outputs follow from names and declarations alone, so services may refer to each other in circles.
//! Read on in `crate::vars` for which service has which output.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    EnvironmentName, NameEntry, ServiceName,
    model::Protocol,
    name::{namespace, platform_host, service_object},
};

use super::Bindings;
use crate::diag::{Diagnostic, codes};
use crate::project::{DomainDecl, Project};
use crate::resolve::Resolved;
use crate::vars::{Output, Piece, Reference, Target, VarValue};

/// The outputs of every service, by name.
pub(super) struct Outputs<'b>(BTreeMap<ServiceName, Service<'b>>);

struct Service<'b> {
    entry: &'b NameEntry,
    /// Inside the cluster.
    host: String,
    /// The first port, where the service has one.
    port: Option<(u16, Protocol)>,
    platform_host: String,
    public_host: String,
}

impl<'b> Outputs<'b> {
    pub(super) fn of(
        project: &Project,
        environment: &EnvironmentName,
        bindings: &'b Bindings,
        resolved: &[Resolved<'_>],
    ) -> Result<Self, Vec<Diagnostic>> {
        let live: BTreeMap<&ServiceName, &NameEntry> = bindings
            .names
            .iter()
            .filter(|entry| !entry.retired)
            .map(|entry| (&entry.name, entry))
            .collect();
        let namespace = namespace(project.name(), bindings.project_id);
        let mut services = BTreeMap::new();
        let mut nameless = Vec::new();
        for service in resolved {
            let name = &service.service.name;
            let Some(entry) = live.get(&name.value) else {
                let title = format!("`{}` has no name in the cluster", name.value);
                let help = "bind the names of all services before emitting";
                nameless.push(Diagnostic::new(codes::INTERNAL, name.span, title).help(help));
                continue;
            };
            let outputs = Service::of(entry, service, environment, bindings, &namespace);
            services.insert(name.value.clone(), outputs);
        }
        if nameless.is_empty() {
            Ok(Self(services))
        } else {
            Err(nameless)
        }
    }

    pub(super) fn entry(&self, name: &ServiceName) -> Option<&NameEntry> {
        self.0.get(name).map(|service| service.entry)
    }

    pub(super) fn platform_host(&self, name: &ServiceName) -> Option<&str> {
        self.0
            .get(name)
            .map(|service| service.platform_host.as_str())
    }

    /// The text of a value; `own` is whom `self` means. `None` for a reference to nothing and for secrets.
    pub(super) fn text(&self, value: &VarValue, own: Option<&ServiceName>) -> Option<String> {
        match value {
            VarValue::Literal(text) => Some(text.clone()),
            VarValue::Ref(reference) => self.output(&reference.value, own),
            VarValue::Template(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.clone()),
                    Piece::Ref(reference) => self.output(&reference.value, own),
                })
                .collect(),
            VarValue::Secret(_) | VarValue::Generate(_) => None,
        }
    }

    /// The services that a value names, without the service itself.
    pub(super) fn named(&self, value: &VarValue) -> BTreeSet<ServiceName> {
        value
            .references()
            .filter_map(|reference| match &reference.value.target {
                Target::Own => None,
                Target::Service(name) => ServiceName::new(name.as_str()).ok(),
            })
            .filter(|name| self.0.contains_key(name))
            .collect()
    }

    fn output(&self, reference: &Reference, own: Option<&ServiceName>) -> Option<String> {
        let service = match &reference.target {
            Target::Own => self.0.get(own?)?,
            Target::Service(name) => self.0.get(&ServiceName::new(name.as_str()).ok()?)?,
        };
        service.output(reference.output)
    }
}

impl<'b> Service<'b> {
    fn of(
        entry: &'b NameEntry,
        resolved: &Resolved<'_>,
        environment: &EnvironmentName,
        bindings: &Bindings,
        namespace: &str,
    ) -> Self {
        let ports = resolved.find(|layer| &layer.ports).value();
        let domains = resolved.find(|layer| &layer.domains).value();
        let platform = platform_host(
            &entry.object_name,
            environment,
            bindings.project_id,
            entry.service_id,
            &bindings.base_domain,
        );
        let own = domains.and_then(|domains| public_domain(domains));
        Service {
            entry,
            host: format!(
                "{}.{namespace}.svc.cluster.local",
                service_object(&entry.object_name, environment)
            ),
            port: ports
                .and_then(|ports| ports.first())
                .map(|port| (port.port.value, port.protocol)),
            public_host: own.map_or_else(|| platform.clone(), str::to_owned),
            platform_host: platform,
        }
    }

    fn output(&self, output: Output) -> Option<String> {
        let host = &self.host;
        Some(match output {
            Output::Host => host.clone(),
            Output::Port => self.port?.0.to_string(),
            Output::HostPort => format!("{host}:{}", self.port?.0),
            Output::PrivateUrl => {
                let (port, protocol) = self.port?;
                let scheme = match protocol {
                    Protocol::Http | Protocol::H2c => "http",
                    Protocol::Grpc => "grpc",
                    Protocol::Tcp => "tcp",
                };
                format!("{scheme}://{host}:{port}")
            }
            Output::PublicHost => self.public_host.clone(),
            Output::PublicUrl => format!("https://{}", self.public_host),
        })
    }
}

/// The first domain that names one host; a wildcard is no place to send somebody.
fn public_domain(domains: &[DomainDecl]) -> Option<&str> {
    domains
        .iter()
        .map(|domain| domain.host.value.as_str())
        .find(|host| !host.starts_with("*."))
}
