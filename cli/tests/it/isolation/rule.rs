//! Who may connect to whom, from the declarations alone.
//!
//! Pure. Knows nothing of policies, labels or selectors: it is what the rendering is judged by.

use super::declared::{Kind, Project, Service};

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'p> {
    Pod(Pod<'p>),
    /// The Gateway's proxies.
    Gateway,
    Scraper,
    ClusterDns,
    /// A pod of a project's namespace that no service declares.
    Undeclared,
    /// Any other pod of the cluster, whatever labels it wears.
    Bystander,
    Address(Address),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pod<'p> {
    pub(super) project: &'p str,
    pub(super) environment: &'p str,
    pub(super) service: &'p Service,
    /// `false` for a pod that only runs the service's release command.
    pub(super) listens: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    Internet,
    /// A range that the profile opens again, such as a managed database's.
    Opened,
    /// The node-local DNS cache.
    Dns,
    /// A node, the control plane, its store, a metadata service, anything else that is private.
    Platform,
}

impl<'p> Pod<'p> {
    /// The declared pod of this namespace and name.
    pub(super) fn find(projects: &'p [Project], namespace: &str, name: &str) -> Option<Self> {
        let project = projects.iter().find(|project| {
            let id = namespace.strip_prefix(&format!("sf-{}-", project.name));
            id.is_some_and(|id| id.len() == 8)
        })?;
        let environments = project.environments.iter();
        environments
            .flat_map(|environment| project.services.iter().map(move |s| (environment, s)))
            .find_map(|(environment, service)| {
                let rest = name.strip_prefix(&format!("{}--{environment}-", service.name))?;
                Some(Self {
                    project: &project.name,
                    environment,
                    service,
                    listens: !rest.starts_with("r-"),
                })
            })
    }

    pub(super) fn is_beside(&self, other: &Pod<'_>) -> bool {
        self.project == other.project && self.environment == other.environment
    }

    /// Whether a Service may send it traffic.
    pub(super) fn serves(&self) -> bool {
        self.listens && matches!(self.service.kind, Kind::Web | Kind::Private)
    }

    fn has_port(&self, port: &str) -> bool {
        let mut ports = self.service.ports.iter();
        self.listens && ports.any(|own| tcp(*own) == port)
    }

    fn allows(&self, from: &Pod<'_>) -> bool {
        self.service
            .allowed(self.environment)
            .is_none_or(|names| names.contains(&from.service.name))
    }

    fn is_routed_at(&self, port: &str) -> bool {
        let first = self.service.ports.first();
        self.listens && self.service.kind == Kind::Web && first.is_some_and(|p| tcp(*p) == port)
    }

    fn is_scraped_at(&self, port: &str) -> bool {
        let metrics = self.service.metrics.filter(|_| self.service.observed);
        self.listens && metrics.is_some_and(|own| tcp(own) == port)
    }
}

/// `None` where no project is concerned.
pub(super) fn may_connect(from: &End<'_>, to: &End<'_>, port: &str) -> Option<bool> {
    let dns = matches!(port, "TCP/53" | "UDP/53");
    Some(match (from, to) {
        (End::Undeclared, _) | (_, End::Undeclared) => false,
        (End::Pod(from), End::Pod(to)) => {
            from.is_beside(to) && to.has_port(port) && to.allows(from)
        }
        (End::Gateway, End::Pod(to)) => to.is_routed_at(port),
        (End::Scraper, End::Pod(to)) => to.is_scraped_at(port),
        (End::ClusterDns | End::Bystander | End::Address(_), End::Pod(_)) => false,
        (End::Pod(_), End::ClusterDns) => dns,
        (End::Pod(_), End::Address(address)) => match address {
            Address::Internet | Address::Opened => true,
            Address::Dns => dns,
            Address::Platform => false,
        },
        (End::Pod(_), End::Gateway | End::Scraper | End::Bystander) => false,
        (
            End::Gateway | End::Scraper | End::ClusterDns | End::Bystander | End::Address(_),
            End::Gateway | End::Scraper | End::ClusterDns | End::Bystander | End::Address(_),
        ) => return None,
    })
}

fn tcp(port: u16) -> String {
    format!("TCP/{port}")
}
