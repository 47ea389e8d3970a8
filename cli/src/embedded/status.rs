//! How the accepted services of an environment do, asked of the cluster itself.
//!
//! Effects: asks the API server. Health is the engine's own judgement of what lives now.

use anyhow::Context;
use kube::Client;
use serde_json::Value;
use starform_contract::{
    Bundle, EnvironmentBundle, EnvironmentName, Object, ObjectKey, ProjectId, ProjectName,
    ServiceEntry,
    report::{BreakGlass, Health},
};
use starform_plan::{
    health::{self, Assessment},
    standing::Standing,
};
use starform_reconciler::{api::body, time::Timestamp};
use starform_shuttle::{
    call,
    engine::io::{Millis, Observed},
    kinds,
};

use super::{Embedded, drift, home::Home};
use crate::backend::say_nothing_accepted;

const CURRENT: Assessment = Assessment {
    health: Health::Current,
    reason: None,
};

impl Embedded {
    pub(crate) async fn status(
        &self,
        project: &ProjectName,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<Vec<body::EnvironmentStatus>> {
        let home = self.home().await?;
        let id = ProjectId::local(project);
        let mut all = Vec::new();
        for environment in environments {
            if let Some(bundle) = accepted(&home, id, environment) {
                let standing = drift::standing(&home, id, environment).await;
                all.push(environment_status(&home, bundle, standing).await?);
            } else {
                say_nothing_accepted(project, environment);
            }
        }
        Ok(all)
    }
}

pub(super) fn accepted<'a>(
    home: &'a Home,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Option<&'a EnvironmentBundle> {
    let digest = home
        .seen
        .index
        .projects
        .get(&project)?
        .environments
        .get(environment)?;
    match home.seen.bundles.get(digest)? {
        Bundle::Environment(bundle) => Some(bundle),
        Bundle::Project(_) => None,
    }
}

async fn environment_status(
    home: &Home,
    bundle: &EnvironmentBundle,
    standing: Option<Standing>,
) -> anyhow::Result<body::EnvironmentStatus> {
    let mut services = Vec::new();
    let mut break_glass = Vec::new();
    for service in &bundle.services {
        let (Assessment { health, reason }, asked) = service_health(&home.client, service).await?;
        break_glass.extend(asked);
        services.push(body::ServiceStatus {
            name: service.name.clone(),
            service_id: service.service_id,
            kind: service.kind,
            health,
            reason: reason.or_else(|| not_as_accepted(service, standing.as_ref()?)),
            hosts: body::HostStatus::all(service),
        });
    }
    Ok(body::EnvironmentStatus {
        project: bundle.project.clone(),
        project_id: bundle.project_id,
        environment: bundle.environment.clone(),
        namespace: bundle.namespace.clone(),
        generation: home.seen.index.generation,
        bundle: bundle.digest(),
        reported: None,
        agent_seen_at: None,
        services,
        kept: body::KeptVolume::all(bundle),
        break_glass,
        last_apply: None,
        standing,
    })
}

/// Which of its objects are not as accepted, where it does well otherwise.
fn not_as_accepted(service: &ServiceEntry, standing: &Standing) -> Option<String> {
    let own = |key: &ObjectKey| {
        let mut objects = service.objects.iter();
        objects.any(|object| object.key().as_ref() == Some(key))
    };
    let differing = standing.differs.iter().map(|one| &one.key);
    let names: Vec<String> = differing
        .filter(|key| own(key))
        .map(|key| format!("{} {}", key.kind, key.name))
        .collect();
    (!names.is_empty()).then(|| format!("not as accepted: {}", names.join(", ")))
}

/// Whether somebody wants the object left alone.
pub(super) fn break_glass(live: &Observed) -> Option<BreakGlass> {
    let now = u64::try_from(Timestamp::now().millis()).unwrap_or_default();
    Some(BreakGlass {
        key: live.key.clone(),
        suspension: live.suspension(Millis(now))?,
    })
}

/// The worst of its objects that have a status of their own, and which somebody wants left alone.
async fn service_health(
    client: &Client,
    service: &ServiceEntry,
) -> anyhow::Result<(Assessment, Vec<BreakGlass>)> {
    let mut worst = CURRENT;
    let mut asked = Vec::new();
    for object in &service.objects {
        let Some(key) = object.key() else { continue };
        let (found, alone) = object_health(client, &key, object).await?;
        asked.extend(alone);
        if rank(found.health) > rank(worst.health) {
            worst = found;
        }
    }
    Ok((worst, asked))
}

async fn object_health(
    client: &Client,
    key: &ObjectKey,
    object: &Object,
) -> anyhow::Result<(Assessment, Option<BreakGlass>)> {
    let kind = kinds::kind_of(key)?;
    match call::call(client, call::get(&kind.path(key))).await {
        Ok(live) => {
            let observed = Observed::of(kind, &live);
            let alone = observed.as_ref().and_then(break_glass);
            Ok((with_pods(client, &live).await, alone))
        }
        // What it ran is done, or Shuttle would have made it again.
        Err(call::CallError::Refused(refusal))
            if refusal.code == 404 && object.release().is_some() =>
        {
            Ok((CURRENT, None))
        }
        Err(call::CallError::Refused(refusal)) if refusal.code == 404 => {
            let missing = Assessment {
                health: Health::NotFound,
                reason: Some(format!("{key} is not there")),
            };
            Ok((missing, None))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {key}")),
    }
}

/// What a Deployment or a Job says about itself; when it is not well, what its pods say.
async fn with_pods(client: &Client, live: &Value) -> Assessment {
    let assessment = health::assess(live);
    let labels = live
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let namespace = live.pointer("/metadata/namespace").and_then(Value::as_str);
    let (Some(labels), Some(namespace)) = (labels, namespace) else {
        return assessment;
    };
    if assessment.health == Health::Current {
        return assessment;
    }
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let selector = call::query(&pairs.join(","));
    let uri = format!("/api/v1/namespaces/{namespace}/pods?limit=20&labelSelector={selector}");
    // Pods only explain; without them the object's own words stand.
    let pods = call::call(client, call::get(&uri)).await.ok();
    let pods = pods
        .and_then(|list| list["items"].as_array().cloned())
        .unwrap_or_default();
    health::explain(assessment, &pods)
}

fn rank(health: Health) -> u8 {
    match health {
        Health::Current => 0,
        Health::Unknown => 1,
        Health::Terminating => 2,
        Health::InProgress => 3,
        Health::NotFound => 4,
        Health::Failed => 5,
    }
}
