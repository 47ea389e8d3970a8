//! A control plane in memory: one cluster's index with the bundles that it names.
//!
//! Pure. Always holds: what is proposed is rendered from an environment whose names were bound to what
//! is accepted, as the real pipeline does it.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Bundle, ClusterId, ClusterProfile, Digest, EnvironmentName, EnvironmentState, Index, ObjectKey,
    Origins, ProjectId, ProjectName, ServiceName,
    model::{AllowFrom, Domain, Workload},
    name,
    profile::{DEFAULT_TIER, Tier},
};
use starform_plan::{
    AcceptOutcome, AcceptedProject, Proposal, ProposeInput, Refusal, accept,
    approval::Approval,
    bind_names,
    hosts::OthersHosts,
    names,
    propose::propose,
    render::{self, Rendered},
};

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) index: Index,
    pub(crate) bundles: BTreeMap<Digest, Bundle>,
    pub(crate) profile: ClusterProfile,
    /// What services say that they were, by their name now.
    pub(crate) former: BTreeMap<ServiceName, ServiceName>,
}

/// What is asked for besides the wanted state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) only: Option<BTreeSet<ServiceName>>,
    pub(crate) adopt: BTreeSet<ObjectKey>,
    pub(crate) origins: Origins,
    pub(crate) revision: Option<String>,
    pub(crate) again: BTreeSet<ServiceName>,
}

impl World {
    pub(crate) fn new() -> Self {
        let cluster: ClusterId = "0191f0a4-0000-7000-8000-000000000001".parse().unwrap();
        Self {
            index: Index::empty(cluster),
            bundles: BTreeMap::new(),
            profile: unlimited(),
            former: BTreeMap::new(),
        }
    }

    /// On a cluster whose tiers are these.
    pub(crate) fn of_tiers(tiers: &str) -> Self {
        let profile = ClusterProfile::read(&format!(r#"{{"tiers":{tiers}}}"#)).unwrap();
        Self {
            profile,
            ..Self::new()
        }
    }

    /// With `state` accepted.
    pub(crate) fn having(state: &EnvironmentState) -> Self {
        let mut world = Self::new();
        let proposal = world.propose(state);
        world.accept(&proposal).unwrap();
        world
    }

    pub(crate) fn accepted(&self, project: ProjectId) -> AcceptedProject {
        let accepted = AcceptedProject::from_index(&self.index, project, |digest| {
            self.bundles.get(digest).cloned()
        });
        let environment = |digest: &Digest| match self.bundles.get(digest) {
            Some(Bundle::Environment(bundle)) => Some(bundle),
            Some(Bundle::Project(_)) | None => None,
        };
        let others = OthersHosts::of_index(&self.index, project, environment);
        accepted.unwrap().with_others(others)
    }

    pub(crate) fn render(&self, state: &EnvironmentState) -> Rendered {
        let accepted = self.accepted(state.project_id);
        render::render(&rebound(state, &accepted, &self.former), &self.profile)
    }

    pub(crate) fn propose(&self, state: &EnvironmentState) -> Proposal {
        self.propose_asked(state, &Asked::default())
    }

    pub(crate) fn propose_asked(&self, state: &EnvironmentState, asked: &Asked) -> Proposal {
        self.propose_on(&self.accepted(state.project_id), state, asked)
    }

    pub(crate) fn propose_on(
        &self,
        accepted: &AcceptedProject,
        state: &EnvironmentState,
        asked: &Asked,
    ) -> Proposal {
        let Rendered {
            project,
            environment,
        } = self.render(state);
        propose(ProposeInput {
            accepted,
            project,
            environment,
            origins: &asked.origins,
            revision: asked.revision.clone(),
            only: asked.only.as_ref(),
            adopt: &asked.adopt,
            again: &asked.again,
            removed: &state.removed,
        })
    }

    /// Whether there was something to do; every approval is given.
    pub(crate) fn accept(&mut self, proposal: &Proposal) -> Result<bool, Refusal> {
        self.accept_with(proposal, Approval::Given)
    }

    pub(crate) fn accept_with(
        &mut self,
        proposal: &Proposal,
        approval: Approval,
    ) -> Result<bool, Refusal> {
        let accepted = self.accepted(proposal.project.project_id);
        match accept::accept(&self.index, &accepted, proposal, approval)? {
            AcceptOutcome::NothingToDo => Ok(false),
            AcceptOutcome::Accepted(next) => {
                let bundles = [
                    Bundle::Project(next.project),
                    Bundle::Environment(next.environment),
                ];
                for bundle in bundles {
                    self.bundles.insert(bundle.digest(), bundle);
                }
                self.index = next.index;
                Ok(true)
            }
        }
    }
}

/// What is arbitrary may be large; quotas have tests of their own.
fn unlimited() -> ClusterProfile {
    ClusterProfile {
        tiers: BTreeMap::from([(DEFAULT_TIER.to_owned(), Tier::default())]),
        ..ClusterProfile::default()
    }
}

/// `state` with the names in use, as the language's bindings would have it.
fn rebound(
    state: &EnvironmentState,
    accepted: &AcceptedProject,
    former: &BTreeMap<ServiceName, ServiceName>,
) -> EnvironmentState {
    let wanted: Vec<ServiceName> = state.services.iter().map(|s| s.name.clone()).collect();
    let mut state = state.clone();
    state.names = bind_names(state.project_id, accepted, &wanted, former);
    for service in &mut state.services {
        let entry = names::live(&state.names, &service.name).unwrap();
        service.service_id = entry.service_id;
        service.object_name = entry.object_name.clone();
        if let Workload::Web(web) = &mut service.model.workload {
            web.platform_host = name::platform_host(
                &service.object_name,
                &state.environment,
                state.project_id,
                service.service_id,
                "starform.localhost",
            );
        }
    }
    state
}

/// Without what other services of the same state may not bear: references to services that are not
/// there, and hosts that two of them claim. Hosts are few, so that two states of an environment have some of
/// them both, and named after it.
pub(crate) fn sound(mut state: EnvironmentState) -> EnvironmentState {
    let mut claimed = BTreeSet::new();
    let names: BTreeSet<ServiceName> = state.services.iter().map(|s| s.name.clone()).collect();
    for service in &mut state.services {
        service.model.refs.retain(|name| names.contains(name));
        let allow_from = match &mut service.model.workload {
            Workload::Web(web) => {
                claim(&mut web.domains, &state.environment, &mut claimed);
                &mut web.allow_from
            }
            Workload::Private(private) => &mut private.allow_from,
            Workload::Worker(_) | Workload::Cron(_) => continue,
        };
        if let AllowFrom::Services(services) = allow_from {
            services.retain(|name| names.contains(name));
        }
    }
    state
}

/// Those that nobody has claimed.
fn claim(domains: &mut Vec<Domain>, environment: &EnvironmentName, claimed: &mut BTreeSet<String>) {
    const FEW: u32 = 8;
    let mut is_free = |host: &mut String| {
        let number = host.bytes().map(u32::from).sum::<u32>() % FEW;
        *host = format!("{environment}-{number}.example");
        claimed.insert(host.clone())
    };
    domains.retain_mut(|domain| {
        let is_own = is_free(&mut domain.host);
        domain
            .aliases
            .retain_mut(|alias| is_own && is_free(&mut alias.host));
        is_own
    });
    domains.sort_by(|one, other| one.host.cmp(&other.host));
}

/// The same of another environment, whose hosts are its own.
pub(crate) fn of_environment(
    state: &EnvironmentState,
    environment: &EnvironmentName,
) -> EnvironmentState {
    let mut state = EnvironmentState {
        environment: environment.clone(),
        ..state.clone()
    };
    for service in &mut state.services {
        if let Workload::Web(web) = &mut service.model.workload {
            for domain in &mut web.domains {
                let aliases = domain.aliases.iter_mut().map(|alias| &mut alias.host);
                for host in aliases.chain([&mut domain.host]) {
                    let (_, rest) = host.split_once('-').unwrap();
                    *host = format!("{environment}-{rest}");
                }
            }
        }
    }
    state
}

pub(crate) fn shop_id() -> ProjectId {
    ProjectId::local(&ProjectName::new("shop").unwrap())
}

pub(crate) fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::new(name).unwrap()
}
