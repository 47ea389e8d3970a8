//! What plans ask of a cluster: whether its API server would take what they write.
//!
//! Effects: network. Always holds: nothing is written, every request is a dry-run or a read; a question
//! that nobody trusted has signed, that is for another cluster, or whose objects lie outside their
//! project is not performed; few requests are under way at a time, beside those of the engine.
//!
//! | module | what it holds |
//! |---|---|
//! | `ask` | one object, and what the API server says of it |
//! | `schema` | pure: what its schema says, where it cannot be tried |
//! | `kept` | pure: whether it would store what was stated |

mod ask;
mod kept;
mod schema;

use self::ask::Missing;

use std::time::Duration;

use futures::{StreamExt as _, stream};
use starform_contract::{
    ClusterId, ObjectKey, ProjectId,
    signature::Signed as _,
    verify::{Asked, ObjectVerdict, Verdict, Verdicts, Verification, Verifications},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    access::Access,
    backoff::Backoff,
    feed::Trust,
    pull::{ControlPlane, Questions},
    trust::{self, Distrust},
};

/// Requests under way at a time.
const BESIDE: usize = 4;
/// How long the objects of one plan may take.
const LIMIT: Duration = Duration::from_secs(30);
const STANDBY_LEAST: Duration = Duration::from_secs(1);

/// Answers what the control plane asks, until it is aborted.
pub async fn follow(plane: ControlPlane, access: Access, mut trust: Trust) {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
    loop {
        let pause = match plane.verifications().await {
            Ok(Questions::None) => Duration::ZERO,
            Ok(Questions::Standby(pause)) => pause.max(STANDBY_LEAST),
            Ok(Questions::Asked(asked)) => match believed(plane.cluster_id, &asked, &mut trust) {
                Ok(()) => {
                    backoff.reset();
                    answer_all(&plane, &access, asked.verifications).await
                }
                Err(distrust) => {
                    tracing::warn!(error = %distrust, "what plans ask is not verified");
                    backoff.wait()
                }
            },
            Err(error) => {
                // The feed tells of a control plane that is away.
                tracing::debug!(%error, "cannot ask what to verify");
                error.retry_after().unwrap_or_else(|| backoff.wait())
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// What the API server says of each object, in their order.
pub async fn verdicts(
    access: &Access,
    project: ProjectId,
    namespace: &str,
    objects: &[Asked],
) -> Vec<ObjectVerdict> {
    let deadline = Instant::now() + LIMIT;
    let missing = match timeout_at(deadline, ask::missing(access, namespace)).await {
        Ok(missing) => missing,
        Err(_) => Some(Missing::Unknown(too_slow())),
    };
    let mut judged = Vec::with_capacity(objects.len());
    for asked in objects {
        let place = Place {
            access,
            project,
            deadline,
            missing: missing.as_ref(),
        };
        judged.extend(asked.object.key().map(|key| place.judge(key, asked)));
    }
    stream::iter(judged).buffered(BESIDE).collect().await
}

/// Where objects are judged, and until when.
#[derive(Clone, Copy)]
struct Place<'a> {
    access: &'a Access,
    project: ProjectId,
    deadline: Instant,
    /// Why nothing in the namespace can be tried.
    missing: Option<&'a Missing>,
}

impl Place<'_> {
    async fn judge(self, key: ObjectKey, asked: &Asked) -> ObjectVerdict {
        let verdict = match self.missing.filter(|_| ask::needs_namespace(&key)) {
            Some(Missing::Unknown(why)) => Verdict::Unchecked { why: why.clone() },
            Some(Missing::Yet(why)) => {
                self.in_time(ask::by_schema(self.access, &key, &asked.object, why))
                    .await
            }
            None => {
                self.in_time(ask::verdict(self.access, self.project, &key, asked))
                    .await
            }
        };
        ObjectVerdict {
            key,
            digest: asked.object.digest.clone(),
            verdict: verdict.bounded(),
        }
    }

    async fn in_time(self, verdict: impl Future<Output = Verdict>) -> Verdict {
        timeout_at(self.deadline, verdict)
            .await
            .unwrap_or_else(|_| Verdict::Unchecked { why: too_slow() })
    }
}

fn too_slow() -> String {
    format!("there was no answer within {} s", LIMIT.as_secs())
}

fn believed(cluster: ClusterId, asked: &Verifications, trust: &mut Trust) -> Result<(), Distrust> {
    if asked.cluster_id != cluster {
        return Err(Distrust::Cluster {
            found: asked.cluster_id,
            expected: cluster,
        });
    }
    trust.verify(&asked.digest(), asked.signature.as_ref())?;
    asked.verifications.iter().try_for_each(trust::check_asked)
}

/// Gives how long to wait before asking again.
async fn answer_all(
    plane: &ControlPlane,
    access: &Access,
    verifications: Vec<Verification>,
) -> Duration {
    for verification in verifications {
        let Verification {
            id,
            project_id,
            environment,
            namespace,
            objects,
        } = verification;
        let verdicts = verdicts(access, project_id, &namespace, &objects).await;
        tracing::info!(project = %project_id, %environment, objects = verdicts.len(), "verified what a plan writes");
        if let Err(error) = plane.answer(&id, &Verdicts::new(verdicts)).await {
            tracing::warn!(%error, "the control plane has not taken what was verified");
            return STANDBY_LEAST;
        }
    }
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use starform_contract::{
        Deletion, Object, ProjectId, bundle::Wave, signature::SigningKey, verify::Way,
    };

    use super::*;

    fn cluster() -> ClusterId {
        "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap()
    }

    fn key(byte: u8) -> SigningKey {
        SigningKey::new("k-1", &[byte; 32]).unwrap()
    }

    fn asked(manifest: Value) -> Verifications {
        let object = Object::new(manifest, Wave(0), Deletion::Delete);
        let verification = Verification {
            id: "1".to_owned(),
            project_id: ProjectId::local(&"shop".parse().unwrap()),
            environment: "production".parse().unwrap(),
            namespace: "sf-shop".to_owned(),
            objects: vec![Asked {
                object,
                way: Way::Write,
            }],
        };
        Verifications::new(cluster(), vec![verification])
    }

    fn service(namespace: &str, project: &ProjectId) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {
            "name": "api", "namespace": namespace, "labels": {
                "app.kubernetes.io/managed-by": "starform",
                "starform.io/project-id": project,
        }}})
    }

    fn word(asked: &Verifications) -> Result<(), &'static str> {
        let mut trust = Trust::Keys(vec![key(1).trusted()]);
        believed(cluster(), asked, &mut trust).map_err(|distrust| distrust.word())
    }

    #[test]
    fn what_nobody_trusted_has_asked_is_not_performed() {
        let own = ProjectId::local(&"shop".parse().unwrap());
        let other = ProjectId::local(&"other".parse().unwrap());
        let good = asked(service("sf-shop", &own));
        assert_eq!(word(&good), Err("not-signed"));
        assert_eq!(word(&good.clone().signed(&key(2))), Err("wrong-signature"));
        assert_eq!(word(&good.clone().signed(&key(1))), Ok(()));
        let mut moved = good.clone().signed(&key(1));
        moved.verifications[0].namespace = "kube-system".to_owned();
        assert_eq!(word(&moved), Err("wrong-signature"));
        let mut elsewhere = good.clone();
        elsewhere.cluster_id = ClusterId::new(uuid::Uuid::nil());
        assert_eq!(word(&elsewhere.signed(&key(1))), Err("other-cluster"));
        let mut damaged = good;
        damaged.verifications[0].objects[0].object.manifest["spec"] = json!({"x": 1});
        assert_eq!(word(&damaged.signed(&key(1))), Err("wrong-object"));
        for stray in [service("kube-system", &own), service("sf-shop", &other)] {
            assert_eq!(word(&asked(stray).signed(&key(1))), Err("wrong-object"));
        }
    }
}
