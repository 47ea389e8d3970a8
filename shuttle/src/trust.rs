//! What an agent believes: the rules under which an index and its bundles are acted upon.
//!
//! Pure. Always holds: a generation never goes back, one generation never has two contents, and an
//! object is written only under the tenant key of the entry that it stands in.

use serde_json::Value;
use starform_contract::{
    Bundle, ClusterId, Digest, Generation, Index, Object, ObjectKey, ServiceEntry,
    signature::Unsigned, verify::Verification,
};

/// How an index that may be acted upon relates to the recorded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    New,
    /// The recorded one.
    Same,
}

/// Why nothing of an index or a bundle is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    #[error(
        "{0}; if the control plane's keys were changed, `starform cluster trust --agent-file FILE` brings the new ones"
    )]
    Signature(#[from] Unsigned),
    #[error(
        "namespace starform-system keeps the accepted state of cluster {recorded}, the desired state is for {found}; to hand the cluster over, delete the ConfigMap starform-system/starform-index"
    )]
    Recorded {
        found: ClusterId,
        recorded: ClusterId,
    },
    #[error(
        "the desired state is for cluster {found}, this is cluster {expected}; use the agent file that `starform cluster register` wrote for this cluster, or the kubeconfig of that one"
    )]
    Cluster {
        found: ClusterId,
        expected: ClusterId,
    },
    #[error(
        "the desired state does not have the digest that it claims, {0}; it was damaged on its way"
    )]
    IndexDigest(Digest),
    #[error(
        "the desired state went back from generation {recorded} to {found}; after the store was restored from a backup, `starform cluster reset-generation NAME --confirm` goes on from what it holds"
    )]
    WentBack {
        found: Generation,
        recorded: Generation,
    },
    #[error(
        "generation {0} was served with two different contents; once it is clear that the control plane's is right, `starform cluster reset-generation NAME --confirm` makes it the next generation"
    )]
    Forked(Generation),
    #[error("bundle {0} does not have its digest")]
    BundleDigest(Digest),
    #[error("object {key} of bundle {bundle}: {why}")]
    Object {
        bundle: Digest,
        key: String,
        why: Misfit,
    },
    #[error("object {key} that a plan asks about: {why}")]
    Asked { key: String, why: Misfit },
}

impl Distrust {
    /// The condition in one word, as the control plane is told of it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Signature(Unsigned::Missing) => "not-signed",
            Self::Signature(Unsigned::UnknownKey(_)) => "unknown-key",
            Self::Signature(Unsigned::Algorithm(_) | Unsigned::Wrong(_)) => "wrong-signature",
            Self::Recorded { .. } | Self::Cluster { .. } => "other-cluster",
            Self::IndexDigest(_) | Self::BundleDigest(_) => "wrong-digest",
            Self::WentBack { .. } => "went-back",
            Self::Forked(_) => "forked",
            Self::Object { .. } | Self::Asked { .. } => "wrong-object",
        }
    }
}

/// Why an object does not belong where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("it has no apiVersion, kind or name")]
    NoKey,
    #[error("its content does not have its digest")]
    Digest,
    #[error("it lies outside the project's namespace {0}")]
    Namespace(String),
    #[error("its label {label} is not {expected}")]
    Label {
        label: &'static str,
        expected: String,
    },
}

/// Decides about an index that was served for `cluster`, given the one acted upon last.
///
/// # Errors
/// [`Distrust`]: nothing of it may be written.
pub fn admit(
    cluster: ClusterId,
    recorded: Option<&Index>,
    incoming: &Index,
) -> Result<Admission, Distrust> {
    if incoming.cluster_id != cluster {
        return Err(Distrust::Cluster {
            found: incoming.cluster_id,
            expected: cluster,
        });
    }
    if !incoming.digest_holds() {
        return Err(Distrust::IndexDigest(incoming.digest.clone()));
    }
    let Some(recorded) = recorded else {
        return Ok(Admission::New);
    };
    if incoming.cluster_id != recorded.cluster_id {
        return Err(Distrust::Recorded {
            found: incoming.cluster_id,
            recorded: recorded.cluster_id,
        });
    }
    if incoming.generation < recorded.generation {
        return Err(Distrust::WentBack {
            found: incoming.generation,
            recorded: recorded.generation,
        });
    }
    match (
        incoming.generation == recorded.generation,
        incoming.digest == recorded.digest,
    ) {
        (true, true) => Ok(Admission::Same),
        (true, false) => Err(Distrust::Forked(incoming.generation)),
        (false, _) => Ok(Admission::New),
    }
}

/// Whether every object of a bundle carries its digest and its entry's tenant key.
///
/// # Errors
/// [`Distrust`] naming the first object that does not.
pub fn check_bundle(bundle: &Bundle, digest: &Digest) -> Result<(), Distrust> {
    if bundle.digest() != *digest {
        return Err(Distrust::BundleDigest(digest.clone()));
    }
    let verdict = match bundle {
        Bundle::Project(project) => check_all(&project.objects, &scope(bundle, None)),
        Bundle::Environment(environment) => check_all(&environment.objects, &scope(bundle, None))
            .and_then(|()| {
                environment.services.iter().try_for_each(|service| {
                    check_all(&service.objects, &scope(bundle, Some(service)))
                })
            }),
    };
    verdict.map_err(|(object, why)| Distrust::Object {
        bundle: digest.clone(),
        key: object
            .key()
            .map_or_else(|| "?".to_owned(), |key| key.to_string()),
        why,
    })
}

/// Whether every object that a plan asks about carries its digest and its project's tenant key.
///
/// # Errors
/// [`Distrust`] naming the first object that does not.
pub fn check_asked(asked: &Verification) -> Result<(), Distrust> {
    let scope = Scope {
        namespace: asked.namespace.clone(),
        labels: vec![
            ("app.kubernetes.io/managed-by", "starform".to_owned()),
            ("starform.io/project-id", asked.project_id.to_string()),
        ],
    };
    asked.objects.iter().try_for_each(|asked| {
        let object = &asked.object;
        check_object(object, &scope).map_err(|why| Distrust::Asked {
            key: object
                .key()
                .map_or_else(|| "?".to_owned(), |key| key.to_string()),
            why,
        })
    })
}

/// What every object of one entry must carry.
struct Scope {
    namespace: String,
    labels: Vec<(&'static str, String)>,
}

fn scope(bundle: &Bundle, service: Option<&ServiceEntry>) -> Scope {
    let (workspace, project, environment) = match bundle {
        Bundle::Project(project) => (project.workspace_id, project.project_id, None),
        Bundle::Environment(own) => (
            own.workspace_id,
            own.project_id,
            Some(own.environment.to_string()),
        ),
    };
    let mut labels = vec![
        ("app.kubernetes.io/managed-by", "starform".to_owned()),
        ("starform.io/workspace-id", workspace.to_string()),
        ("starform.io/project-id", project.to_string()),
    ];
    labels.extend(environment.map(|name| ("starform.io/environment", name)));
    labels
        .extend(service.map(|service| ("starform.io/service-id", service.service_id.to_string())));
    Scope {
        namespace: bundle.namespace().to_owned(),
        labels,
    }
}

fn check_all<'a>(objects: &'a [Object], scope: &Scope) -> Result<(), (&'a Object, Misfit)> {
    objects
        .iter()
        .try_for_each(|object| check_object(object, scope).map_err(|why| (object, why)))
}

fn check_object(object: &Object, scope: &Scope) -> Result<(), Misfit> {
    let key = object.key().ok_or(Misfit::NoKey)?;
    if !object.digest_holds() {
        return Err(Misfit::Digest);
    }
    if !lies_in(&key, &scope.namespace) {
        return Err(Misfit::Namespace(scope.namespace.clone()));
    }
    let labels = object.manifest.pointer("/metadata/labels");
    let carried = |label: &str| labels?.get(label).and_then(Value::as_str);
    scope
        .labels
        .iter()
        .find(|(label, expected)| carried(label) != Some(expected))
        .map_or(Ok(()), |(label, expected)| {
            Err(Misfit::Label {
                label,
                expected: expected.clone(),
            })
        })
}

/// In the namespace, or the namespace itself: a project has nothing else.
fn lies_in(key: &ObjectKey, namespace: &str) -> bool {
    match &key.namespace {
        Some(own) => own == namespace,
        None => key.group.is_empty() && key.kind == "Namespace" && key.name == namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use starform_contract::{
        Deletion, ProjectBundle, ProjectId, WorkspaceId,
        bundle::{BundleSchema, Wave},
    };
    use std::collections::BTreeMap;

    fn cluster() -> ClusterId {
        "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap()
    }

    #[test]
    fn a_generation_never_goes_back_and_never_forks() {
        let first = Index::empty(cluster());
        let second = first.successor(BTreeMap::new());
        let mut other = first.clone();
        other.people = vec!["someone".to_owned()];
        let fork = other.successor(BTreeMap::new());
        assert_eq!(admit(cluster(), None, &second), Ok(Admission::New));
        assert_eq!(admit(cluster(), Some(&first), &second), Ok(Admission::New));
        assert_eq!(
            admit(cluster(), Some(&second), &second),
            Ok(Admission::Same)
        );
        assert!(matches!(
            admit(cluster(), Some(&second), &first),
            Err(Distrust::WentBack { .. })
        ));
        assert!(matches!(
            admit(cluster(), Some(&second), &fork),
            Err(Distrust::Forked(_))
        ));
    }

    #[test]
    fn another_cluster_and_a_wrong_digest_are_refused() {
        let index = Index::empty(cluster());
        let elsewhere: ClusterId = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        assert!(matches!(
            admit(elsewhere, None, &index),
            Err(Distrust::Cluster { .. })
        ));
        let mut damaged = index.clone();
        damaged.people.push("mallory".to_owned());
        assert!(matches!(
            admit(cluster(), None, &damaged),
            Err(Distrust::IndexDigest(_))
        ));
    }

    fn project(manifest: Value) -> Bundle {
        let project = "shop".parse().unwrap();
        Bundle::Project(ProjectBundle {
            schema: BundleSchema::V1,
            workspace_id: WorkspaceId::local(),
            project_id: ProjectId::local(&project),
            project,
            namespace: "sf-shop".to_owned(),
            tier: "standard".to_owned(),
            objects: vec![Object::new(manifest, Wave(0), Deletion::WithProject)],
            names: Vec::new(),
        })
    }

    fn namespace(name: &str, project_id: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {
            "app.kubernetes.io/managed-by": "starform",
            "starform.io/workspace-id": WorkspaceId::local(),
            "starform.io/project-id": project_id,
        }}})
    }

    #[test]
    fn an_object_of_another_tenant_or_namespace_is_refused() {
        let own = ProjectId::local(&"shop".parse().unwrap()).to_string();
        let check = |bundle: &Bundle| check_bundle(bundle, &bundle.digest());
        assert_eq!(check(&project(namespace("sf-shop", &own))), Ok(()));
        let foreign = check(&project(namespace("sf-shop", "other"))).unwrap_err();
        assert!(
            foreign.to_string().contains("starform.io/project-id"),
            "{foreign}"
        );
        let outside = check(&project(namespace("kube-system", &own))).unwrap_err();
        assert!(outside.to_string().contains("outside"), "{outside}");
        let bundle = project(namespace("sf-shop", &own));
        assert!(matches!(
            check_bundle(&bundle, &Digest::of_bytes(b"")),
            Err(Distrust::BundleDigest(_))
        ));
    }
}
