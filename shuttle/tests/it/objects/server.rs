//! One object after the other to the real API server, with the whole object as the answer.
//!
//! Effects: network. Always holds: what is sent is validated as strictly as the agent asks for it, under the agent's own
//! field manager.

use futures::{StreamExt as _, stream};
use http::Method;
use serde_json::Value;
use starform_contract::ObjectKey;
use starform_shuttle::{
    access::Access,
    call::{APPLY, CallError, get, request},
    cluster::MANAGER,
    kinds::{Kind, kind_of},
};

/// Requests at a time.
const AT_ONCE: usize = 16;

/// Whether a request takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Dry,
    Real,
}

/// Applies a manifest; the answer is the object as it is kept, or would be.
pub(super) async fn apply(access: &Access, manifest: &Value, run: Run) -> Result<Value, CallError> {
    let (key, kind) = place(manifest);
    let dry_run = match run {
        Run::Dry => "&dryRun=All",
        Run::Real => "",
    };
    let uri = format!(
        "{}?fieldManager={MANAGER}&force=true&fieldValidation=Strict{dry_run}",
        kind.path(&key)
    );
    let patch = request(Method::PATCH, &uri, Some((APPLY, manifest)));
    access
        .call_about(kind, key.namespace.as_deref(), patch)
        .await
}

/// The object of a manifest as the cluster has it.
pub(super) async fn live(access: &Access, manifest: &Value) -> Result<Value, CallError> {
    let (key, kind) = place(manifest);
    let read = get(&kind.path(&key));
    access
        .call_about(kind, key.namespace.as_deref(), read)
        .await
}

/// Asks about all of these, several at a time; what is wrong, with the object's key.
pub(super) async fn wrong_of_all<'m, F: Future<Output = Result<(), String>>>(
    manifests: impl IntoIterator<Item = &'m Value>,
    ask: impl Fn(&'m Value) -> F,
) -> Vec<String> {
    let asked = manifests.into_iter().map(|manifest| {
        let asked = ask(manifest);
        async move {
            let key = ObjectKey::of(manifest).unwrap();
            asked.await.map_err(|why| format!("{key}: {why}"))
        }
    });
    let answers: Vec<Result<(), String>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    answers.into_iter().filter_map(Result::err).collect()
}

fn place(manifest: &Value) -> (ObjectKey, &'static Kind) {
    let key = ObjectKey::of(manifest).unwrap();
    let kind = kind_of(&key).unwrap();
    (key, kind)
}
