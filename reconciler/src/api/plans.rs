//! Making and showing plans.
//!
//! Effects: the store, the clock; compiling runs beside the server's own work. Always holds: either every
//! asked environment gets a plan, or none does and all errors are sent. Read on in `accept`.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Extension, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use starform_contract::ProjectId;
use starform_dsl::{VerifiedHosts, diag::Diagnostic, render, source::SourceTree};
use starform_plan::{
    crosscheck::{hosts_of, unverified_hosts},
    document::{Plan, Plans},
    hosts::OthersHosts,
    propose::Proposal,
    verified::{Verifications, Verified},
    view::{self, Shown},
};
use tokio::time::Instant;

use super::{
    Api, ApiError,
    accept::{stored, visible},
    agent::changed,
    authenticate::check,
    body::{CreatePlans, ShownPlan},
    extract::{self, Body},
};
use crate::{
    access::{Action, Actor, Decision, Scope, allowed},
    compile::{Identity, PlanError, PlanRequest, plans},
    proof::Proof,
    store::{Planning, StoredPlan},
    time::Timestamp,
};

/// Columns of a plan as text.
const TEXT_WIDTH: usize = 100;

/// A plan waits no longer for a DNS server.
const PROOFS_WITHIN: Duration = Duration::from_secs(2);

/// `?bundles=true`: with the bundles that the plans result in.
#[derive(Deserialize)]
pub(super) struct WithBundles {
    #[serde(default)]
    pub(super) bundles: bool,
}

pub(super) async fn create(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(project): Path<String>,
    Query(with): Query<WithBundles>,
    Body(body): Body<CreatePlans>,
) -> Result<(StatusCode, Json<Plans>), ApiError> {
    let project: ProjectId = extract::id(&project)?;
    check(&actor, Action::Read(project), "see this project")?;
    for environment in body.environments.iter().flatten() {
        check(
            &actor,
            Action::Change(project, environment),
            &format!("plan {environment}"),
        )?;
    }
    let request = request(body, &actor)?;
    let planning = planning(&api, project).await?;
    let request = Arc::new(request);
    let (mut planning, mut proposals) = compile(&request, planning).await?;
    let taken = taken(&api, project, proposals.iter()).await?;
    let shown = newly_shown(&api, project, &proposals, &taken).await?;
    if !shown.is_empty() || !taken.is_empty() {
        planning.hosts.extend(shown);
        planning.accepted.others = OthersHosts::of_nobody(taken);
        (_, proposals) = compile(&request, planning).await?;
    }
    let may = |plan: &Plan| {
        allowed(&actor.scope, Action::Change(project, &plan.environment)) == Decision::Allow
    };
    let proposals: Vec<Proposal> = proposals
        .into_iter()
        .filter(|proposal| may(&proposal.plan))
        .collect();
    stored(&api, &actor, project, proposals, with.bundles).await
}

/// Hosts of the proposals that another project has.
async fn taken(
    api: &Api,
    project: ProjectId,
    proposals: impl Iterator<Item = &Proposal>,
) -> Result<BTreeSet<String>, ApiError> {
    let environments = proposals.map(|proposal| &proposal.environment);
    let hosts = environments.flat_map(hosts_of).collect();
    Ok(api.store.hosts_taken(project, &hosts).await?)
}

/// Hosts whose record has been made since they were last looked at. What nobody answers in time is
/// for the next plan, or for [`crate::store::Store::watch_hosts`].
async fn newly_shown(
    api: &Api,
    project: ProjectId,
    proposals: &[Proposal],
    taken: &BTreeSet<String>,
) -> Result<BTreeSet<String>, ApiError> {
    let environments = proposals.iter().map(|proposal| &proposal.environment);
    let unverified: BTreeSet<String> = environments.flat_map(unverified_hosts).collect();
    let open: BTreeSet<String> = unverified.difference(taken).cloned().collect();
    if open.is_empty() {
        return Ok(open);
    }
    let mut shown = api.proofs.shown(project, open, PROOFS_WITHIN).await;
    for host in shown.clone() {
        let proof = api
            .store
            .note_proof(&host, project, Proof::Shown, Timestamp::now());
        if !proof.await? {
            shown.remove(&host);
        }
    }
    Ok(shown)
}

/// What a plan of the project starts from; one that was deleted gets none.
pub(super) async fn planning(api: &Api, project: ProjectId) -> Result<Planning, ApiError> {
    let planning = api.store.planning(project).await?;
    let planning = planning.ok_or_else(ApiError::not_found)?;
    match planning.project.deleted_at {
        Some(_) => Err(ApiError::project_deleted(&planning.project.name)),
        None => Ok(planning),
    }
}

/// By `Accept`: `text/plain` as people read it, else the document, `starform.plan/v1`.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(plan): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let StoredPlan { project_id, plan } = visible(&api, &actor, &plan).await?;
    let plans = [plan];
    let verifications = verified(&api, project_id, &plans, &headers).await?;
    let approvals = api
        .store
        .approvals(project_id, &plans, Timestamp::now())
        .await?;
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/plain")) {
        let options = view::TextOptions {
            width: TEXT_WIDTH,
            color: false,
            full: true,
        };
        let shown = Shown {
            plans: &plans,
            approvals: &approvals,
            verifications: &verifications,
            ..Shown::from(&plans)
        };
        return Ok(view::text(shown, &options).into_response());
    }
    let [plan] = plans;
    let approval = approvals.into_values().next();
    let verification = verifications.into_values().next();
    let shown = ShownPlan {
        plan,
        approval,
        verification,
    };
    Ok(Json(shown).into_response())
}

/// What the cluster says of the plans; while it has not answered, after waiting as long as `Prefer` says.
async fn verified(
    api: &Api,
    project: ProjectId,
    plans: &[Plan],
    headers: &HeaderMap,
) -> Result<Verifications, ApiError> {
    let until = Instant::now() + extract::wait(headers);
    let planning = api.store.project(project).await?;
    let planning = planning.ok_or_else(ApiError::not_found)?;
    let mut changes = api.store.subscribe(planning.cluster_id);
    let found = || api.store.verifications(project, plans, Timestamp::now());
    while found().await?.values().any(Verified::is_waiting) {
        if !changed(&mut changes, api, until).await {
            break;
        }
    }
    // How long there was no answer is told as of now.
    Ok(found().await?)
}

/// A token for some environments plans those, unless it asks for certain ones.
fn request(body: CreatePlans, actor: &Actor) -> Result<PlanRequest, ApiError> {
    if let Some(revision) = &body.revision
        && (revision.chars().count() > 200 || revision.chars().any(char::is_control))
    {
        let detail = "a revision has at most 200 characters, none of them a control character";
        return Err(ApiError::unprocessable("invalid-revision", detail));
    }
    if body.source.files.is_empty() {
        let detail = "the request holds no files; send `starform.kdl` in `source.files`";
        return Err(ApiError::unprocessable("no-source", detail));
    }
    let own = match &actor.scope {
        Scope::Ci { environments, .. } => environments
            .as_ref()
            .map(|set| set.iter().cloned().collect()),
        Scope::Admin | Scope::User { .. } | Scope::Agent(_) => None,
    };
    let files = body
        .source
        .files
        .into_iter()
        .map(|(path, text)| (path, Arc::from(text)));
    Ok(PlanRequest {
        sources: SourceTree::new(files.collect()),
        revision: body.revision,
        environments: body.environments.or(own),
        images: body.images,
        services: body.services,
        adopt: body.adopt,
        again: body.again,
    })
}

/// Compiling is work for a processor, so it leaves the threads that answer requests alone.
async fn compile(
    request: &Arc<PlanRequest>,
    planning: Planning,
) -> Result<(Planning, Vec<Proposal>), ApiError> {
    let request = Arc::clone(request);
    let worked = tokio::task::spawn_blocking(move || {
        let identity = Identity {
            workspace_id: planning.project.workspace_id,
            workspace: planning.workspace.clone(),
            project_id: planning.project.id,
            tier: planning.tier.clone(),
            hosts: VerifiedHosts::Only(planning.hosts.clone()),
            platforms: planning.platforms.clone(),
        };
        let made = plans(&request, &identity, &planning.accepted, &planning.profile)
            .map_err(|error| refused_plan(error, &request.sources))?;
        match made
            .iter()
            .find(|proposal| proposal.plan.project != planning.project.name)
        {
            Some(other) => Err(other_project(&other.plan, planning.project.name.as_str())),
            None => Ok((planning, made)),
        }
    });
    worked.await.map_err(|error| ApiError::internal(&error))?
}

fn refused_plan(error: PlanError, sources: &SourceTree) -> ApiError {
    let text = error.to_string();
    match error {
        PlanError::Diagnostics(diagnostics) => {
            let json = render::json(sources, &diagnostics);
            let json = serde_json::from_str(&json).unwrap_or(serde_json::Value::Null);
            let errors: Vec<_> = diagnostics
                .into_iter()
                .filter(Diagnostic::is_error)
                .collect();
            let detail = render::short(sources, &errors);
            ApiError::unprocessable("compile-failed", detail).with_diagnostics(json)
        }
        PlanError::Unfit(_) => ApiError::unprocessable("cluster-lacks", text),
        PlanError::UnknownEnvironment { .. } => {
            ApiError::unprocessable("unknown-environment", text)
        }
    }
}

fn other_project(plan: &Plan, expected: &str) -> ApiError {
    let declared = &plan.project;
    let detail = format!(
        "the files declare project `{declared}`, this is project `{expected}`; plan it under its own name, or rename it in starform.kdl"
    );
    ApiError::unprocessable("other-project", detail)
}
