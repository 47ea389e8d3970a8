//! One request to the Kubernetes API server and its answer.
//!
//! Effects: network. Always holds: a call ends within its time limit; an error carries what the API
//! server said about fields, and gives it away in one of two forms, of which the one for sensitive
//! kinds holds no value. Read on in `cluster.rs` and `persist/`.

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use kube::{Client, client::Body, core::Status};
use serde_json::Value;

/// The longest that anything about one object may take. An answer that is lost is waited for so long, and twice in a
/// row is no minute; what was asked may be asked again. Longer than an admission webhook has unless it asks for more.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest that a page of a LIST may take.
const LIST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody knows whether the request was performed.
    #[error("the API server did not answer in time")]
    Timeout,
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the API server's answer is not JSON: {0}")]
    NotJson(String),
    #[error(transparent)]
    Refused(Box<Refusal>),
}

/// The API server's word against a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code} {reason})")]
pub struct Refusal {
    pub code: u16,
    /// `NotFound`, `Invalid`, `Forbidden` …
    pub reason: String,
    /// May repeat values of the request; see [`Refusal::without_values`].
    pub message: String,
    pub causes: Vec<Cause>,
    pub retry_after: Option<Duration>,
}

/// One field that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldManagerConflict` …
    pub reason: String,
    /// `spec.selector`
    pub field: String,
    /// May repeat values of the request.
    pub message: String,
}

impl Refusal {
    /// Reason and field paths alone: what may be said about a Secret.
    pub fn without_values(&self) -> String {
        let fields: Vec<&str> = self
            .causes
            .iter()
            .map(|cause| cause.field.as_str())
            .filter(|field| !field.is_empty())
            .collect();
        let reason = if self.reason.is_empty() {
            "refused"
        } else {
            &self.reason
        };
        if fields.is_empty() {
            format!("{reason} ({})", self.code)
        } else {
            format!("{reason} ({}): {}", self.code, fields.join(", "))
        }
    }

    /// The fields that the API server calls immutable.
    pub fn immutable_fields(&self) -> Vec<String> {
        self.causes
            .iter()
            .filter(|cause| cause.message.contains("immutable"))
            .map(|cause| cause.field.clone())
            .collect()
    }
}

/// Performs a request and reads its JSON answer.
///
/// # Errors
/// [`CallError`]: an answer of 400 or above is [`CallError::Refused`].
pub async fn call(client: &Client, request: Request<Vec<u8>>) -> Result<Value, CallError> {
    tokio::time::timeout(CALL_TIMEOUT, exchange(client, request))
        .await
        .map_err(|_| CallError::Timeout)?
}

/// The same for a page of a LIST.
///
/// # Errors
/// As [`call`].
pub async fn call_list(client: &Client, request: Request<Vec<u8>>) -> Result<Value, CallError> {
    tokio::time::timeout(LIST_TIMEOUT, exchange(client, request))
        .await
        .map_err(|_| CallError::Timeout)?
}

async fn exchange(client: &Client, request: Request<Vec<u8>>) -> Result<Value, CallError> {
    let unreachable = |error: kube::Error| CallError::Unreachable(innermost(&error));
    let response = client
        .send(request.map(Body::from))
        .await
        .map_err(unreachable)?;
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let body = response
        .into_body()
        .collect_bytes()
        .await
        .map_err(unreachable)?;
    if status.is_client_error() || status.is_server_error() {
        return Err(CallError::Refused(Box::new(refusal(
            status,
            retry_after,
            &body,
        ))));
    }
    // serde's message names a position, and never text of the answer.
    serde_json::from_slice(&body).map_err(|error| CallError::NotJson(error.to_string()))
}

fn refusal(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Refusal {
    let told: Status = serde_json::from_slice(body).unwrap_or_else(|_| Status {
        // Flow control and proxies answer in plain text.
        message: String::from_utf8_lossy(body).trim().to_owned(),
        ..Status::default()
    });
    let (seconds, causes) = told.details.map_or((0, Vec::new()), |details| {
        (u64::from(details.retry_after_seconds), details.causes)
    });
    Refusal {
        code: status.as_u16(),
        reason: told.reason,
        message: told.message,
        causes: causes
            .into_iter()
            .map(|cause| Cause {
                reason: cause.reason,
                field: cause.field,
                message: cause.message,
            })
            .collect(),
        retry_after: retry_after.or_else(|| (seconds > 0).then(|| Duration::from_secs(seconds))),
    }
}

/// Percent-encodes what stands in a query (RFC 3986: all but unreserved characters).
pub fn query(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => write!(encoded, "%{other:02X}").expect("writing to a string cannot fail"),
        }
        encoded
    })
}

/// A request without a body.
pub fn get(uri: &str) -> Request<Vec<u8>> {
    request(Method::GET, uri, None)
}

/// A request, its body JSON of this content type.
pub fn request(
    method: Method,
    uri: &str,
    body: Option<(&'static str, &Value)>,
) -> Request<Vec<u8>> {
    let text = body.map(|(_, value)| value.to_string().into_bytes());
    let mut request = Request::new(text.unwrap_or_default());
    *request.method_mut() = method;
    *request.uri_mut() = uri
        .parse()
        .expect("names of Kubernetes objects and encoded queries are valid in a URI");
    if let Some((content_type, _)) = body {
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    request
}

/// Server-side apply; its YAML may be JSON.
pub const APPLY: &str = "application/apply-patch+yaml";
pub const JSON: &str = "application/json";
pub const JSON_PATCH: &str = "application/json-patch+json";

/// Seconds only: the API server and the control plane send no dates.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The last error of the chain says what happened (`Connection refused`), the ones before say where.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_secret_shows_no_value() {
        let body = br#"{"kind":"Status","status":"Failure","reason":"Invalid","code":422,
            "message":"Secret \"s\" is invalid: data[TOKEN]: Invalid value: \"hunter2\"",
            "details":{"causes":[{"reason":"FieldValueInvalid","field":"data[TOKEN]","message":"Invalid value: \"hunter2\""}]}}"#;
        let refusal = refusal(StatusCode::UNPROCESSABLE_ENTITY, None, body);
        assert_eq!(refusal.without_values(), "Invalid (422): data[TOKEN]");
        assert!(
            refusal.to_string().contains("hunter2"),
            "the test would prove nothing"
        );
    }

    #[test]
    fn immutable_fields_are_named() {
        let body = br#"{"reason":"Invalid","code":422,"message":"m","details":{"causes":[
            {"reason":"FieldValueInvalid","field":"spec.selector","message":"Invalid value: x: field is immutable"},
            {"reason":"FieldValueInvalid","field":"spec.replicas","message":"must be greater"}]}}"#;
        let refusal = refusal(StatusCode::UNPROCESSABLE_ENTITY, None, body);
        assert_eq!(refusal.immutable_fields(), ["spec.selector"]);
    }

    #[test]
    fn flow_control_speaks_plain_text() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let refusal = refusal(
            StatusCode::TOO_MANY_REQUESTS,
            retry_after(&headers),
            b"Too many requests, please try again later.\n",
        );
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(
            refusal.message,
            "Too many requests, please try again later."
        );
    }
}
