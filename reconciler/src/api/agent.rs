//! What a cluster's agent asks and reports: desired state, bundles, its secrets, reports.
//!
//! Effects: the store, the clock. Always holds: only the cluster's own token opens these routes, and
//! only the instance that holds the lease is answered; another gets 409 `standby`.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    extract::{Extension, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use starform_contract::{
    ClusterId, Digest, Generation, Report,
    sealed::{AgentKeyPost, SealedFor, SealedRequest, SealedValues, seal},
    verify::{Verdicts, Verifications},
};
use tokio::{sync::watch, time::Instant};

use super::{
    Api, ApiError,
    authenticate::check,
    extract::{self, Body, DocumentBody},
};
use crate::{
    access::{Action, Actor},
    store::{AgentKeyPinned, AgentWord, Answered, Lease, Needed, NeededValue, Recorded},
    time::Timestamp,
};

const JSON: &str = "application/json";
/// A bundle never changes; a proxy must not keep it for others.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// The index; 304 while it is the one that the agent has, after waiting as long as `Prefer` says.
pub(super) async fn desired_state(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (cluster, _) = working(&api, &actor, &cluster, &headers).await?;
    api.store.hear(cluster, &word(&headers)?).await?;
    let until = Instant::now() + extract::wait(&headers);
    let mut changes = api.store.subscribe(cluster);
    loop {
        let digest = api.store.desired_digest(cluster).await?;
        let digest = digest.ok_or_else(ApiError::not_found)?;
        let tag = tag(&digest);
        if !extract::none_match(&headers, &tag) {
            return index(&api, cluster).await;
        }
        if !changed(&mut changes, &api, until).await {
            let head = [
                (header::ETAG, tag),
                (header::CACHE_CONTROL, "no-cache".to_owned()),
            ];
            return Ok((StatusCode::NOT_MODIFIED, head).into_response());
        }
    }
}

pub(super) async fn bundle(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((cluster, digest)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (cluster, _) = working(&api, &actor, &cluster, &headers).await?;
    let digest: Digest = extract::id(&digest)?;
    let text = api.store.cluster_bundle(cluster, &digest).await?;
    let text = text.ok_or_else(ApiError::not_found)?;
    let head = [
        (header::CONTENT_TYPE, JSON.to_owned()),
        (header::ETAG, tag(&digest)),
        (header::CACHE_CONTROL, FOR_EVER.to_owned()),
    ];
    Ok((head, text).into_response())
}

/// 201 for a new report, 200 for one that was recorded before.
pub(super) async fn report(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    DocumentBody(report): DocumentBody<Report>,
) -> Result<StatusCode, ApiError> {
    let (cluster, instance) = working(&api, &actor, &cluster, &headers).await?;
    let recorded = api
        .store
        .record_report(cluster, &instance, &report, Timestamp::now())
        .await?;
    match recorded {
        Recorded::New => Ok(StatusCode::CREATED),
        Recorded::Before => Ok(StatusCode::OK),
        Recorded::NoEnvironment => Err(ApiError::not_found()),
        Recorded::NoGeneration => {
            let detail = format!(
                "generation {} with digest {} was never made here; was the store restored from an older backup?",
                report.generation, report.digest
            );
            Err(ApiError::conflict("unknown-generation", detail))
        }
    }
}

/// The agent's public key, pinned by its first contact.
pub(super) async fn put_key(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    Body(post): Body<AgentKeyPost>,
) -> Result<StatusCode, ApiError> {
    let (cluster, _) = working(&api, &actor, &cluster, &headers).await?;
    let pinned = api
        .store
        .pin_agent_key(&actor, cluster, &post.public_key, Timestamp::now())
        .await?;
    match pinned {
        AgentKeyPinned::Pinned => Ok(StatusCode::NO_CONTENT),
        AgentKeyPinned::Other => {
            let detail = "secrets of this cluster are sealed to another key than this agent's; if its key was lost or made anew on purpose, run `starform cluster forget-key NAME --confirm`, else find out who else runs as this cluster's agent";
            Err(ApiError::conflict("agent-key-changed", detail))
        }
    }
}

/// The values of one object, each sealed to the agent's key for its place; signed as the index is.
pub(super) async fn sealed(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<SealedRequest>,
) -> Result<Json<SealedValues>, ApiError> {
    let (cluster, _) = working(&api, &actor, &cluster, &headers).await?;
    let Some(key) = api.store.agent_key(cluster).await? else {
        let detail = "the agent has not posted its public key yet; it does so by itself, and for one that does not reach this server `starform-shuttle export --public-key KEY` does";
        return Err(ApiError::conflict("no-agent-key", detail));
    };
    let now = Timestamp::now();
    let needed = api
        .store
        .needed_values(&api.secret_keys, cluster, &asked.bundle, &asked.object, now)
        .await?;
    let needed = match needed {
        Needed::Values(needed) => needed,
        Needed::NoObject => return Err(ApiError::not_found()),
        Needed::NoValue(reference) => {
            let detail = format!(
                "the secret `{}` has no value of version {} any more; set it again and apply a new plan",
                reference.secret, reference.version
            );
            return Err(ApiError::conflict("no-secret-value", detail));
        }
    };
    let mut values = BTreeMap::new();
    for NeededValue {
        key: name,
        reference,
        value,
    } in needed
    {
        let place = SealedFor {
            cluster,
            object: &asked.object,
            key: &name,
            reference: &reference,
        };
        let sealed = seal(&key, place, &value, &mut rand::rng())
            .map_err(|unusable| ApiError::conflict("unusable-agent-key", unusable.to_string()))?;
        values.insert(name, (reference, sealed));
    }
    let answer = SealedValues::new(cluster, asked.object, values);
    Ok(Json(api.keys.sign_document(answer)))
}

/// What plans ask of the cluster, signed as the index is; 204 while they ask nothing, after waiting as
/// long as `Prefer` says.
pub(super) async fn verifications(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (cluster, _) = working(&api, &actor, &cluster, &headers).await?;
    api.store.note_verifies(cluster, Timestamp::now()).await?;
    let until = Instant::now() + extract::wait(&headers);
    let mut changes = api.store.subscribe(cluster);
    loop {
        let open = api.store.open_verifications(cluster, Timestamp::now());
        let open = open.await?;
        if !open.is_empty() {
            let asked = Verifications::new(cluster, open);
            return Ok(Json(api.keys.sign_document(asked)).into_response());
        }
        if !changed(&mut changes, &api, until).await {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    }
}

/// 201 for an answer, 200 where the question was answered before.
pub(super) async fn verdicts(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((cluster, verification)): Path<(String, String)>,
    headers: HeaderMap,
    DocumentBody(verdicts): DocumentBody<Verdicts>,
) -> Result<StatusCode, ApiError> {
    let (cluster, _) = working(&api, &actor, &cluster, &headers).await?;
    let answered =
        api.store
            .answer_verification(cluster, &verification, &verdicts, Timestamp::now());
    match answered.await? {
        Answered::New => Ok(StatusCode::CREATED),
        Answered::Before => Ok(StatusCode::OK),
        Answered::Unasked => Err(ApiError::not_found()),
        Answered::Other => {
            let detail = "the verdicts are about other objects than the verification asks for";
            Err(ApiError::unprocessable("other-objects", detail))
        }
    }
}

/// The cluster and the instance that may work for it now.
async fn working(
    api: &Api,
    actor: &Actor,
    cluster: &str,
    headers: &HeaderMap,
) -> Result<(ClusterId, String), ApiError> {
    let cluster: ClusterId = extract::id(cluster)?;
    check(actor, Action::Agent(cluster), "work for this cluster")?;
    let instance = headers
        .get("starform-agent-instance")
        .and_then(|value| value.to_str().ok());
    let Some(instance) = instance.filter(|text| (1..=100).contains(&text.len())) else {
        let detail =
            "an agent says which instance it is: `Starform-Agent-Instance`, 1 to 100 characters";
        return Err(ApiError::bad_request("invalid-header", detail));
    };
    match api.store.lease(cluster, instance, Timestamp::now()).await? {
        Lease::Held => Ok((cluster, instance.to_owned())),
        Lease::NoCluster => Err(ApiError::not_found()),
        Lease::Standby(left) => {
            let detail = "another instance of this cluster's agent is at work; ask again when its lease may have ended";
            let seconds = left.as_secs().max(1).to_string();
            Err(ApiError::conflict("standby", detail).with_header(header::RETRY_AFTER, seconds))
        }
    }
}

/// What the agent says of itself in this request's headers.
fn word(headers: &HeaderMap) -> Result<AgentWord, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let generation = text("starform-agent-generation")
        .map(|text| text.parse().map(Generation::new))
        .transpose()
        .map_err(|_| {
            let detail = "`Starform-Agent-Generation` is the number of a generation";
            ApiError::bad_request("invalid-header", detail)
        })?;
    Ok(AgentWord {
        generation,
        refuses: one_word(headers, "starform-agent-refuses")?,
        annotations: one_word(headers, "starform-agent-annotations")?,
    })
}

fn one_word(headers: &HeaderMap, name: &str) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let is_word = |text: &&str| {
        (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    };
    let word = value.to_str().ok().filter(is_word).ok_or_else(|| {
        let detail = format!("`{name}` is one word of lower-case letters and hyphens");
        ApiError::bad_request("invalid-header", detail)
    })?;
    Ok(Some(word.to_owned()))
}

async fn index(api: &Api, cluster: ClusterId) -> Result<Response, ApiError> {
    let found = api.store.desired_state(cluster).await?;
    let found = api.keys.sign(found.ok_or_else(ApiError::not_found)?);
    let head = [
        (header::ETAG, tag(&found.digest)),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    Ok((head, Json(found)).into_response())
}

/// Waits for a change of the cluster; `false` when the time is over or the server stops.
pub(super) async fn changed(changes: &mut watch::Receiver<i64>, api: &Api, until: Instant) -> bool {
    if until.saturating_duration_since(Instant::now()) == Duration::ZERO {
        return false;
    }
    tokio::select! {
        change = changes.changed() => change.is_ok(),
        () = tokio::time::sleep_until(until) => false,
        () = api.stopping.cancelled() => false,
    }
}

fn tag(digest: &Digest) -> String {
    format!("W/\"{digest}\"")
}
