//! Who asks: the bearer token of a request to the actor that it stands for.
//!
//! Effects: the store, the clock. Always holds: nothing behind [`require_token`] runs without an
//! actor; answers to missing, malformed, unknown, revoked and expired tokens differ in nothing that a
//! stranger could use.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use super::{Api, ApiError};
use crate::{
    access::{Action, Actor, Decision, allowed},
    time::Timestamp,
    token::Token,
};

/// Puts the [`Actor`] into the request's extensions, or answers 401.
pub(super) async fn require_token(
    State(api): State<Api>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let token = bearer(request.headers())?;
    let actor = api.store.authenticate(&token, Timestamp::now()).await?;
    let Some(actor) = actor else {
        return Err(ApiError::unauthenticated(
            "this token opens nothing here: it is unknown, expired or revoked",
        ));
    };
    request.extensions_mut().insert(actor);
    Ok(next.run(request).await)
}

/// The decision as an answer; `what` is for people.
pub(super) fn check(actor: &Actor, action: Action<'_>, what: &str) -> Result<(), ApiError> {
    match allowed(&actor.scope, action) {
        Decision::Allow => Ok(()),
        Decision::Forbid => Err(ApiError::forbidden(&format!("this token may not {what}"))),
        Decision::Hide => Err(ApiError::not_found()),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Token, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        let detail =
            "send a token: `Authorization: Bearer sf_…` (the command line reads STARFORM_TOKEN)";
        return Err(ApiError::unauthenticated(detail));
    };
    let text = value.to_str().unwrap_or_default();
    let token = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.map_or("", |(_, token)| token.trim());
    Token::parse(token).map_err(|error| ApiError::unauthenticated(&error.to_string()))
}
