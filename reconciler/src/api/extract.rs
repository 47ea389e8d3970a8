//! Reading requests: JSON bodies, ids in paths, the headers that matter; each error in our own words.
//!
//! Pure but for the body that it reads. Always holds: an id that cannot be one answers 404, like an
//! id of nothing.

use std::{str::FromStr, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;
use starform_contract::schema::{self, Document, Unreadable};

use super::ApiError;
use crate::store::Idempotency;

/// A JSON body of at most the route's size.
pub(super) struct Body<T>(pub(super) T);

/// As [`Body`], for a document that names its schema: judged before anything else in it is read.
pub(super) struct DocumentBody<T>(pub(super) T);

/// As [`Body`], for what must not be repeated: its errors tell a place alone.
pub(super) struct PrivateBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let read = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| error.to_string())
            .and_then(|value| {
                json.end()
                    .map(|()| value)
                    .map_err(|error| error.to_string())
            });
        let value = read.map_err(|error| not_taken(&error))?;
        Ok(Self(value))
    }
}

impl<T: Document, S: Send + Sync> FromRequest<S> for DocumentBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        let read = schema::read(&bytes).map_err(|why| match why {
            Unreadable::Newer { .. } => {
                let version = env!("CARGO_PKG_VERSION");
                let detail = format!("the control plane ({version}) cannot read the body: {why}");
                ApiError::bad_request("unknown-schema", detail)
            }
            Unreadable::Other { .. } | Unreadable::None { .. } | Unreadable::Shape(_) => {
                not_taken(&why)
            }
        });
        read.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for PrivateBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        // serde's message may quote the text.
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            not_taken(&format_args!(
                "line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        Ok(Self(value))
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::too_large("the body is larger than this route takes")
            } else {
                ApiError::bad_request(
                    "invalid-body",
                    "the body did not arrive whole; send it again",
                )
            }
        })
}

fn not_taken(why: &dyn std::fmt::Display) -> ApiError {
    ApiError::bad_request(
        "invalid-body",
        format!("the body is not what this route takes: {why}"),
    )
}

/// An id or name from the path.
pub(super) fn id<T: FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

/// The `Idempotency-Key` header, together with what it is used for.
pub(super) fn idempotency(
    headers: &HeaderMap,
    operation: String,
) -> Result<Option<Idempotency>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 200 {
        let detail = "an Idempotency-Key has 1 to 200 printable ASCII characters";
        return Err(ApiError::bad_request("invalid-header", detail));
    }
    Ok(Some(Idempotency {
        key: key.to_owned(),
        operation,
    }))
}

/// `Prefer: wait=25` (RFC 7240); at most 60 s, zero where it is not asked for.
pub(super) fn wait(headers: &HeaderMap) -> Duration {
    let preferences = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let seconds = preferences
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| preference.trim().strip_prefix("wait=")?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0).min(60))
}

/// Whether `If-None-Match` names this entity tag, compared weakly (RFC 9110, 13.1.2).
pub(super) fn none_match(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim() == "*" || opaque(value) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn waits_are_read_and_capped() {
        for (value, seconds) in [
            ("wait=25", 25),
            ("respond-async, wait=5", 5),
            ("wait=9999", 60),
            ("wait=soon", 0),
            ("return=minimal", 0),
        ] {
            assert_eq!(
                wait(&headers("prefer", value)).as_secs(),
                seconds,
                "{value}"
            );
        }
        assert!(wait(&HeaderMap::new()).is_zero());
    }

    #[test]
    fn entity_tags_match_weakly() {
        let tag = "W/\"sha256:1\"";
        for value in [
            "W/\"sha256:1\"",
            "\"sha256:1\"",
            "\"x\", W/\"sha256:1\"",
            "*",
        ] {
            assert!(none_match(&headers("if-none-match", value), tag), "{value}");
        }
        assert!(!none_match(&headers("if-none-match", "\"sha256:2\""), tag));
        assert!(!none_match(&HeaderMap::new(), tag));
    }
}
