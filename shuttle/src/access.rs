//! As whom requests go to the API server.
//!
//! Effects: network, a short wait. Always holds: whatever an agent asks about a project's namespace it
//! asks as that project's applier, so that an agent's own rights reach no tenant; a person who applies by
//! hand uses their own rights throughout. Read on in `kinds.rs` for what stays the agent's own, in
//! `manifests/` for the rights themselves.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request};
use kube::Client;
use serde_json::{Value, json};
use starform_contract::{
    ObjectKey,
    name::{APPLIER, applier_user},
};

use crate::{
    call::{CallError, JSON, Refusal, call, get, request},
    kinds::{Kind, Writer},
};

/// Where anybody may ask what they themselves may do.
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// Whose word the API server takes it for; it asks whether the caller may `impersonate` them.
const IMPERSONATE: HeaderName = HeaderName::from_static("impersonate-user");

/// The API server learns of a new RoleBinding by a watch of its own, usually within milliseconds.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LAST_WAIT: Duration = Duration::from_millis(1600);

/// A client, and as whom it acts.
#[derive(Clone)]
pub struct Access {
    client: Client,
    acting: Acting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acting {
    AsApplier,
    AsSelf,
}

impl Access {
    /// Of the agent: in a project's namespace it acts as the project's applier.
    pub fn of_agent(client: Client) -> Self {
        Self {
            client,
            acting: Acting::AsApplier,
        }
    }

    /// Of a person who applies without a control plane.
    pub fn of_person(client: Client) -> Self {
        Self {
            client,
            acting: Acting::AsSelf,
        }
    }

    /// For what is about no project: the cluster, and the namespace `starform-system`.
    pub fn own(&self) -> &Client {
        &self.client
    }

    /// Performs a request about objects of this kind in this namespace.
    ///
    /// # Errors
    /// [`CallError`]. In a namespace that is gone everything is not found (404), and in one that is
    /// going a conflict (409), although its applier has no rights there any more.
    pub async fn call_about(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        request: Request<Vec<u8>>,
    ) -> Result<Value, CallError> {
        match (kind.writer, namespace) {
            (Writer::Applier, Some(namespace)) => self.call_in(namespace, request).await,
            (Writer::Applier | Writer::Agent, _) => call(&self.client, request).await,
        }
    }

    /// Performs a request about a project's namespace.
    ///
    /// # Errors
    /// As [`Self::call_about`].
    pub async fn call_in(
        &self,
        namespace: &str,
        request: Request<Vec<u8>>,
    ) -> Result<Value, CallError> {
        let request = self.acting_in(namespace, request);
        let mut wait = FIRST_WAIT;
        loop {
            match call(&self.client, request.clone()).await {
                Err(CallError::Refused(refusal)) if self.is_barred(namespace, &refusal) => {
                    self.stands(namespace).await?;
                    if wait > LAST_WAIT {
                        return Err(CallError::Refused(Box::new(explained(*refusal))));
                    }
                }
                answer => return answer,
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    /// Waits until the API server knows of the rights that were just given in a namespace, so that
    /// nothing is asked for in vain. Whoever asks in spite of a wait that was too short is told why not.
    pub async fn rights_given(&self, rights: &ObjectKey) {
        let Some(namespace) = rights.namespace.as_deref().filter(|_| gives_rights(rights)) else {
            return;
        };
        let mut wait = FIRST_WAIT;
        while wait <= LAST_WAIT && !self.is_entitled(namespace).await.unwrap_or(true) {
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    /// Whether the applier of this namespace has its rights: where they are missing, asking for
    /// anything would be refused, and stand in the audit log as if it were an attempt.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn is_entitled(&self, namespace: &str) -> Result<bool, CallError> {
        match self.acting {
            Acting::AsSelf => Ok(true),
            Acting::AsApplier => {
                let review = json!({
                    "apiVersion": "authorization.k8s.io/v1",
                    "kind": "SelfSubjectAccessReview",
                    "spec": {"resourceAttributes": {
                        "namespace": namespace, "verb": "list", "resource": "secrets",
                    }},
                });
                let ask = request(Method::POST, REVIEWS, Some((JSON, &review)));
                let answer = call(&self.client, self.acting_in(namespace, ask)).await?;
                Ok(answer.pointer("/status/allowed") == Some(&Value::Bool(true)))
            }
        }
    }

    /// The same request as the applier's of this namespace, where an agent acts.
    pub fn acting_in(&self, namespace: &str, mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
        match self.acting {
            Acting::AsSelf => {}
            Acting::AsApplier => {
                let user = HeaderValue::from_str(&applier_user(namespace))
                    .expect("a namespace's name is ASCII");
                request.headers_mut().insert(IMPERSONATE, user);
            }
        }
        request
    }

    /// The applier has no such right here: its RoleBinding, or the ClusterRole, is not there (yet).
    pub fn is_barred(&self, namespace: &str, refusal: &Refusal) -> bool {
        match self.acting {
            Acting::AsSelf => false,
            Acting::AsApplier => {
                let said = format!("User \"{}\" cannot ", applier_user(namespace));
                refusal.code == 403 && refusal.message.contains(&said)
            }
        }
    }

    /// # Errors
    /// Refused with 404 where the namespace is gone, with 409 where it is going.
    pub async fn stands(&self, namespace: &str) -> Result<(), CallError> {
        let path = format!("/api/v1/namespaces/{namespace}");
        let found = call(&self.client, get(&path)).await?;
        if found.pointer("/metadata/deletionTimestamp").is_none() {
            return Ok(());
        }
        Err(CallError::Refused(Box::new(Refusal {
            code: 409,
            reason: "Terminating".to_owned(),
            message: format!("namespace {namespace} is being deleted"),
            causes: Vec::new(),
            retry_after: None,
        })))
    }
}

fn gives_rights(key: &ObjectKey) -> bool {
    (key.group.as_str(), key.kind.as_str(), key.name.as_str())
        == ("rbac.authorization.k8s.io", "RoleBinding", APPLIER)
}

fn explained(refusal: Refusal) -> Refusal {
    Refusal {
        message: format!(
            "{}; the RoleBinding starform-applier of the namespace or the ClusterRole of that name is missing or older: apply `starform-shuttle manifests` again, and then the project",
            refusal.message
        ),
        ..refusal
    }
}
