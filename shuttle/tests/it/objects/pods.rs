//! What Pod Security Admission says of the pods: it enforces on Pods alone, so a bare one is made from each template.
//!
//! Effects: network; dry-runs in two namespaces that differ in the level that they enforce. Always holds: whether a
//! service asked for root is read from its model, and what the API server says from its answer.

use std::{cell::RefCell, collections::BTreeMap};

use http::Method;
use serde_json::{Value, json};
use starform_contract::{EnvironmentBundle, ServiceEntry};
use starform_shuttle::call::{APPLY, CallError, JSON, call, get, request};

use kube::Client;

use super::golden::goldens;
use crate::shell_support::{cluster, eventually, namespace};

/// The levels of Kubernetes' Pod Security Standards that a namespace of ours names.
const LEVELS: [&str; 2] = ["restricted", "baseline"];

/// Namespaces that enforce a level each, and how often each verdict was given.
pub(super) struct Security {
    client: Client,
    spaces: BTreeMap<&'static str, String>,
    pub(super) verdicts: RefCell<BTreeMap<(&'static str, Verdict), usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Accepted,
    /// By Pod Security Admission, and by nothing else.
    Refused,
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_the_goldens_keep_to_the_restricted_level() {
    let Some(client) = cluster().await else {
        return;
    };
    let security = Security::start(client).await;
    let mut wrong = Vec::new();
    for golden in goldens() {
        wrong.extend(security.wrong_of(&golden.environment).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let verdicts = security.verdicts.take();
    assert!(
        verdicts.contains_key(&("restricted", Verdict::Accepted)),
        "{verdicts:?}"
    );
    assert_eq!(verdicts.get(&("baseline", Verdict::Refused)), None);
}

/// The check can fail: a pod that may become more than it was is refused, by the level that says so.
#[tokio::test(flavor = "multi_thread")]
async fn pods_that_ask_for_more_are_refused() {
    let Some(client) = cluster().await else {
        return;
    };
    let security = Security::start(client).await;
    let golden = goldens().swap_remove(0);
    let template = golden
        .environment
        .services
        .iter()
        .find_map(|service| templates(service).next());
    let plain = template.unwrap();
    let container = |field: &str, value: Value| {
        let mut pod = plain.clone();
        pod["spec"]["containers"][0]["securityContext"][field] = value;
        pod
    };
    let of_host = |field: &str| {
        let mut pod = plain.clone();
        pod["spec"][field] = json!(true);
        pod
    };
    let (accepted, refused) = (Verdict::Accepted, Verdict::Refused);
    for (pod, restricted, baseline) in [
        (plain.clone(), accepted, accepted),
        (
            container("allowPrivilegeEscalation", json!(true)),
            refused,
            accepted,
        ),
        (container("capabilities", json!({})), refused, accepted),
        (container("runAsUser", json!(0)), refused, accepted),
        (
            container(
                "capabilities",
                json!({"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
            ),
            refused,
            refused,
        ),
        (of_host("hostNetwork"), refused, refused),
    ] {
        let found = (
            security.verdict(&pod, "restricted").await.unwrap(),
            security.verdict(&pod, "baseline").await.unwrap(),
        );
        assert_eq!(found, (restricted, baseline), "{pod}");
    }
}

impl Security {
    pub(super) async fn start(client: Client) -> Self {
        let mut spaces = BTreeMap::new();
        for level in LEVELS {
            let space = namespace(&client, &format!("objects-{level}")).await;
            let label = json!({"pod-security.kubernetes.io/enforce": level});
            let enforcing = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": label}});
            let path = format!("/api/v1/namespaces/{space}?fieldManager=tests&force=true");
            call(
                &client,
                request(Method::PATCH, &path, Some((APPLY, &enforcing))),
            )
            .await
            .unwrap();
            // No pod is admitted before its account is there.
            let account = format!("/api/v1/namespaces/{space}/serviceaccounts/default");
            eventually("the default account", async || {
                call(&client, get(&account)).await.ok()
            })
            .await;
            spaces.insert(level, space);
        }
        Self {
            client,
            spaces,
            verdicts: RefCell::default(),
        }
    }

    /// Who asked for root is refused by the restricted level alone, and nobody else is by any.
    pub(super) async fn wrong_of(&self, environment: &EnvironmentBundle) -> Vec<String> {
        let mut wrong = Vec::new();
        for service in &environment.services {
            let root = service.model["run-as"] == "root";
            for template in templates(service) {
                for level in LEVELS {
                    let wanted = if root && level == "restricted" {
                        Verdict::Refused
                    } else {
                        Verdict::Accepted
                    };
                    let found = self.verdict(template, level).await;
                    if found != Ok(wanted) {
                        let role = &template["metadata"]["labels"]["starform.io/role"];
                        wrong.push(format!("{} {role}, {level}: {found:?}", service.name));
                    }
                }
            }
        }
        wrong
    }

    /// # Errors
    /// What the API server said where it refused for another reason.
    async fn verdict(&self, template: &Value, level: &'static str) -> Result<Verdict, String> {
        let path = format!(
            "/api/v1/namespaces/{}/pods?dryRun=All&fieldValidation=Strict",
            self.spaces[level]
        );
        let create = request(Method::POST, &path, Some((JSON, &bare(template))));
        let verdict = match call(&self.client, create).await {
            Ok(_) => Verdict::Accepted,
            Err(CallError::Refused(refusal))
                if refusal
                    .message
                    .contains(&format!("violates PodSecurity \"{level}:")) =>
            {
                Verdict::Refused
            }
            Err(error) => return Err(error.to_string()),
        };
        *self
            .verdicts
            .borrow_mut()
            .entry((level, verdict))
            .or_default() += 1;
        Ok(verdict)
    }
}

fn templates(service: &ServiceEntry) -> impl Iterator<Item = &Value> {
    service.objects.iter().filter_map(|object| {
        let spec = object.manifest.get("spec")?;
        let template = spec
            .get("template")
            .or_else(|| spec.pointer("/jobTemplate/spec/template"))?;
        Some(template)
    })
}

/// The account is the namespace's own, because the service's is not there; no level looks at it.
fn bare(template: &Value) -> Value {
    let mut pod = template.clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!("bare");
    pod["spec"]["serviceAccountName"] = json!("default");
    pod
}
