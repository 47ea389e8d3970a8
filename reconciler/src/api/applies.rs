//! An apply and its events.
//!
//! Effects: the store. A stream reads the store whenever the cluster changes, so it shows the same
//! events whichever process recorded the reports, and resumes by `Last-Event-ID` after any break.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::{Extension, Path, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream::{self, Stream};
use tokio::sync::watch;

use super::{
    Api, ApiError,
    authenticate::check,
    body::{Apply, ApplyEvent, ApplyState, ObjectTally},
};
use crate::{
    access::{Action, Actor},
    store::EventPage,
};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn show(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<Apply>, ApiError> {
    visible(&api, &actor, &id).await.map(Json)
}

/// Server-sent events until the apply is finished; 204 where nothing can follow any more, which tells
/// an `EventSource` not to come back.
pub(super) async fn events(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let apply = visible(&api, &actor, &id).await?;
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let page = api.store.apply_events(&id, last.unwrap_or(0)).await?;
    let page = page.ok_or_else(ApiError::not_found)?;
    if last.is_some() && page.state.is_final() && page.reports.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let changes = api.store.subscribe(apply.cluster_id);
    let accepted = last.is_none().then(|| accepted(&apply));
    let follow = Follow {
        api,
        id,
        changes,
        after: last.unwrap_or(0),
        apply,
    };
    let events = stream_events(accepted, follow);
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

async fn visible(api: &Api, actor: &Actor, id: &str) -> Result<Apply, ApiError> {
    let apply = api.store.apply(id).await?.ok_or_else(ApiError::not_found)?;
    check(actor, Action::Read(apply.project_id), "see this project")?;
    Ok(apply)
}

/// Where one stream stands.
struct Follow {
    api: Api,
    id: String,
    changes: watch::Receiver<i64>,
    /// Number of the last report that was sent.
    after: i64,
    apply: Apply,
}

fn stream_events(
    first: Option<Event>,
    follow: Follow,
) -> impl Stream<Item = Result<Event, Infallible>> {
    use futures::StreamExt as _;
    let pages = stream::unfold(Some(follow), |follow| async {
        let (events, next) = next_events(follow?).await;
        Some((stream::iter(events), next))
    });
    stream::iter(first).chain(pages.flatten()).map(Ok)
}

/// Waits until there is something to send; without a successor the stream ends.
async fn next_events(mut follow: Follow) -> (Vec<Event>, Option<Follow>) {
    loop {
        let page = match follow
            .api
            .store
            .apply_events(&follow.id, follow.after)
            .await
        {
            Ok(Some(page)) => page,
            Ok(None) => return (Vec::new(), None),
            Err(error) => {
                tracing::warn!(%error, "an event stream broke off");
                return (Vec::new(), None);
            }
        };
        let (events, ended) = to_events(&mut follow, &page);
        if ended {
            return (events, None);
        }
        if !events.is_empty() {
            return (events, Some(follow));
        }
        let goes_on = tokio::select! {
            change = follow.changes.changed() => change.is_ok(),
            () = follow.api.stopping.cancelled() => false,
        };
        if !goes_on {
            return (Vec::new(), None);
        }
    }
}

/// The page as events, and whether the apply ended with them.
fn to_events(follow: &mut Follow, page: &EventPage) -> (Vec<Event>, bool) {
    let mut events = Vec::new();
    for report in &page.reports {
        follow.after = report.number;
        let ends = page.finished_by == Some(report.number);
        let name = if ends { "finished" } else { "progress" };
        events.push(event(report.number, name, &report.event));
        if ends {
            return (events, true);
        }
    }
    // The report that ended it is never dropped, so here no report ended it: there was nothing to do.
    let silent_end = page.state.is_final() && page.reports.is_empty();
    if silent_end {
        let state = page.state;
        events.push(event(
            follow.after,
            "finished",
            &without_report(&follow.apply, state),
        ));
    }
    (events, silent_end)
}

fn accepted(apply: &Apply) -> Event {
    event(0, "accepted", &without_report(apply, ApplyState::Pending))
}

fn without_report(apply: &Apply, state: ApplyState) -> ApplyEvent {
    ApplyEvent {
        apply_id: apply.id.clone(),
        state,
        generation: apply.generation,
        services: Vec::new(),
        objects: ObjectTally::default(),
        failed: Vec::new(),
        retained: Vec::new(),
    }
}

fn event(number: i64, name: &str, data: &ApplyEvent) -> Event {
    let text = serde_json::to_string(data).expect("an event has string keys");
    Event::default()
        .id(number.to_string())
        .event(name)
        .data(text)
}
