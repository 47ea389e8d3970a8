//! From the text of a project to the plans for its environments; the server and the command line's
//! embedded mode run the same steps.
//!
//! Pure: no clock, no files, no network. Always holds: either every asked environment has a plan, or
//! nothing has and all errors are listed.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    ClusterProfile, EnvironmentName, ObjectKey, ProjectId, ServiceName, WorkspaceId,
};
use starform_dsl::{
    Bindings, Project, VerifiedHosts, compile, diag::Diagnostic, emit, source::SourceTree,
};
use starform_plan::{
    accepted::AcceptedProject,
    codes,
    document::{Finding, FindingSeverity},
    former::{self, Former},
    names::bind_names,
    propose::{Proposal, ProposeInput, propose},
    render::{Rendered, render},
};

use crate::fit::{Misfit, misfits};

/// What to plan.
#[derive(Debug, Clone, Default)]
pub struct PlanRequest {
    pub sources: SourceTree,
    /// Of the sources, for provenance.
    pub revision: Option<String>,
    /// All when `None`.
    pub environments: Option<Vec<EnvironmentName>>,
    /// Images that replace the ones in the files.
    pub images: BTreeMap<ServiceName, String>,
    /// Only these change; the others keep their accepted state.
    pub services: Option<BTreeSet<ServiceName>>,
    /// Existing objects, not ours so far, that become ours.
    pub adopt: BTreeSet<ObjectKey>,
    /// Services whose accepted release is tried once more.
    pub again: BTreeMap<EnvironmentName, BTreeSet<ServiceName>>,
}

/// Whose project it is.
#[derive(Debug, Clone)]
pub struct Identity {
    pub workspace_id: WorkspaceId,
    pub workspace: String,
    pub project_id: ProjectId,
    pub tier: String,
    /// Hosts that are shown to be the project's.
    pub hosts: VerifiedHosts,
    /// The domains under which clusters give services their hosts; that of the profile may be left out.
    pub platforms: BTreeSet<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("the project has errors")]
    Diagnostics(Vec<Diagnostic>),
    #[error("the cluster does not have what the project asks for:\n{}", lines(.0))]
    Unfit(Vec<Misfit>),
    #[error("there is no environment `{asked}`; the project declares {}", list(.declared))]
    UnknownEnvironment {
        asked: EnvironmentName,
        declared: Vec<EnvironmentName>,
    },
}

/// One plan per asked environment, in the order of the file.
pub fn plans(
    request: &PlanRequest,
    identity: &Identity,
    accepted: &AcceptedProject,
    profile: &ClusterProfile,
) -> Result<Vec<Proposal>, PlanError> {
    let compiled = compile(&request.sources);
    let Some(project) = compiled.project else {
        return Err(PlanError::Diagnostics(compiled.diagnostics));
    };
    let mut proposals = Vec::new();
    let (mut diagnostics, mut unfit) = (Vec::new(), Vec::new());
    for environment in chosen(&project, request.environments.as_deref())? {
        match plan(&project, &environment, request, identity, accepted, profile) {
            Ok(proposal) => proposals.push(proposal),
            Err(NoPlan::Diagnostics(found)) => diagnostics.extend(found),
            Err(NoPlan::Unfit(found)) => unfit.extend(found),
        }
    }
    // The tier is the same in every environment.
    unfit.dedup();
    if !diagnostics.is_empty() {
        Err(PlanError::Diagnostics(diagnostics))
    } else if !unfit.is_empty() {
        Err(PlanError::Unfit(unfit))
    } else {
        if let Some(first) = proposals.first_mut() {
            first.plan.findings.extend(undeclared(&project, accepted));
        }
        Ok(proposals)
    }
}

/// What left the file keeps running: nothing is deleted that no plan lists. Previews are declared by none.
fn undeclared(project: &Project, accepted: &AcceptedProject) -> Vec<Finding> {
    let declared: BTreeSet<&EnvironmentName> =
        project.environments().map(|(name, _)| name).collect();
    let gone = accepted
        .environments()
        .into_iter()
        .filter(|(name, bundle)| {
            !declared.contains(name) && !bundle.ephemeral && !bundle.is_empty()
        });
    gone.map(|(name, _)| Finding {
        code: codes::UNDECLARED.code.to_owned(),
        severity: FindingSeverity::Warning,
        title: format!(
            "{name} runs, but starform.kdl declares it no more; it stays as it is until `starform environment delete {name}`"
        ),
        at: None,
    })
    .collect()
}

/// In the order of the file: people write the environment that goes first above the others.
fn chosen(
    project: &Project,
    asked: Option<&[EnvironmentName]>,
) -> Result<Vec<EnvironmentName>, PlanError> {
    let mut declared: Vec<EnvironmentName> = project
        .environments()
        .map(|(name, _)| name.clone())
        .collect();
    let asked = asked.unwrap_or(&declared);
    let previews: Vec<EnvironmentName> = asked
        .iter()
        .filter(|name| project.preview(name).is_some())
        .cloned()
        .collect();
    if let Some(unknown) = asked
        .iter()
        .find(|name| !declared.contains(name) && !previews.contains(name))
    {
        return Err(PlanError::UnknownEnvironment {
            asked: unknown.clone(),
            declared,
        });
    }
    let asked: BTreeSet<EnvironmentName> = asked.iter().cloned().collect();
    declared.extend(previews);
    declared.retain(|name| asked.contains(name));
    declared.dedup();
    Ok(declared)
}

/// Why an environment has no plan.
enum NoPlan {
    Diagnostics(Vec<Diagnostic>),
    Unfit(Vec<Misfit>),
}

fn plan(
    project: &Project,
    environment: &EnvironmentName,
    request: &PlanRequest,
    identity: &Identity,
    accepted: &AcceptedProject,
    profile: &ClusterProfile,
) -> Result<Proposal, NoPlan> {
    let services = project.service_names_in(environment);
    let was = project.former_names();
    let bindings = Bindings {
        workspace_id: identity.workspace_id,
        workspace: identity.workspace.clone(),
        project_id: identity.project_id,
        tier: identity.tier.clone(),
        names: bind_names(identity.project_id, accepted, &services, &was),
        base_domain: profile.base_domain.clone(),
        images: request.images.clone(),
        hosts: identity.hosts.clone(),
        secrets: accepted.secrets.clone(),
    };
    let emitted = emit(project, environment, &bindings).map_err(NoPlan::Diagnostics)?;
    let before = accepted.environment(environment);
    let unfit = misfits(
        &emitted.state,
        &emitted.origins,
        profile,
        &identity.platforms,
        before,
    );
    if !unfit.is_empty() {
        return Err(NoPlan::Unfit(unfit));
    }
    let Rendered {
        project,
        environment,
    } = render(
        &emitted.state,
        &profile.clone().with_newest(&accepted.secrets),
    );
    let mut proposal = propose(ProposeInput {
        accepted,
        project,
        environment,
        origins: &emitted.origins,
        revision: request.revision.clone(),
        only: request.services.as_ref(),
        adopt: &request.adopt,
        again: request
            .again
            .get(&emitted.state.environment)
            .unwrap_or(&BTreeSet::new()),
        removed: &emitted.state.removed,
    });
    let former = Former {
        was: &was,
        removed: &emitted.state.removed,
        origins: &emitted.origins,
    };
    let never_here = former::findings(former, accepted, &proposal);
    proposal.plan.findings.extend(never_here);
    Ok(proposal)
}

fn lines(misfits: &[Misfit]) -> String {
    let lines: Vec<String> = misfits.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn list(names: &[EnvironmentName]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
