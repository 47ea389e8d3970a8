//! Small bundles and reports by hand, so that the store is tested apart from language and renderer.
//!
//! Pure.

use std::collections::BTreeMap;

use serde_json::json;
use starform_contract::{
    Deletion, Digest, EnvironmentBundle, Generation, Index, NameEntry, Object, ProjectBundle,
    Report, ServiceEntry, ServiceId,
    bundle::{BundleSchema, Wave},
    name::service_object,
    report::{Health, ObjectReport, Outcome, ReportSchema, ServiceReport},
    state::DriftPolicy,
};
use starform_plan::{
    names::bind_names,
    propose::{Proposal, ProposeInput, propose},
};
use starform_reconciler::{
    api::body::Project,
    store::{AcceptRequest, AcceptResult, Planning},
    time::Timestamp,
};

use crate::world::{Place, World};

/// A plan that wants `environment` to have exactly these services, by name and image.
pub(crate) fn proposal(
    planning: &Planning,
    environment: &str,
    services: &[(&str, &str)],
) -> Proposal {
    proposal_at(planning, environment, services, (false, "0123abc"))
}

/// As [`proposal`], of an environment that is protected or not, at a revision.
pub(crate) fn proposal_at(
    planning: &Planning,
    environment: &str,
    services: &[(&str, &str)],
    (protect, revision): (bool, &str),
) -> Proposal {
    let project = &planning.project;
    let names: Vec<_> = services
        .iter()
        .map(|(name, _)| name.parse().unwrap())
        .collect();
    let entries = bind_names(project.id, &planning.accepted, &names, &BTreeMap::new());
    let services = services
        .iter()
        .map(|(name, image)| service(project, environment, &entries, name, image))
        .collect();
    let wanted = EnvironmentBundle {
        schema: BundleSchema::V1,
        workspace_id: project.workspace_id,
        project_id: project.id,
        project: project.name.clone(),
        namespace: project.namespace.clone(),
        tier: planning.tier.clone(),
        environment: environment.parse().unwrap(),
        ephemeral: false,
        drift: DriftPolicy::Correct,
        protect,
        objects: Vec::new(),
        services,
        kept: Vec::new(),
    };
    propose(ProposeInput {
        accepted: &planning.accepted,
        project: project_bundle(planning, entries),
        environment: wanted,
        origins: &starform_contract::Origins::default(),
        revision: Some(revision.to_owned()),
        only: None,
        adopt: &std::collections::BTreeSet::new(),
        again: &std::collections::BTreeSet::new(),
        removed: &[],
    })
}

/// Plans and stores; the plan's id.
pub(crate) async fn planned(
    world: &World,
    place: &Place,
    environment: &str,
    services: &[(&str, &str)],
) -> Proposal {
    let planning = world
        .store
        .planning(place.project.id)
        .await
        .unwrap()
        .unwrap();
    let proposal = proposal(&planning, environment, services);
    let proposals = [proposal.clone()];
    world
        .store
        .save_plans(&world.actor, place.project.id, &proposals, Timestamp::now())
        .await
        .unwrap();
    proposal
}

pub(crate) async fn accepted(world: &World, place: &Place, proposal: &Proposal) -> AcceptResult {
    let request = AcceptRequest {
        actor: &world.actor,
        project: place.project.id,
        plan_id: &proposal.plan.plan_id,
        once: None,
        now: Timestamp::now(),
    };
    world.store.accept(&request).await.unwrap()
}

/// Plans, stores and accepts; the id of the apply.
pub(crate) async fn applied(
    world: &World,
    place: &Place,
    environment: &str,
    services: &[(&str, &str)],
) -> String {
    let proposal = planned(world, place, environment, services).await;
    match accepted(world, place, &proposal).await {
        AcceptResult::Applied(id) => id,
        other @ (AcceptResult::Before(_)
        | AcceptResult::NoPlan
        | AcceptResult::Consumed(_)
        | AcceptResult::KeyReused
        | AcceptResult::Deleted
        | AcceptResult::Refused(_)) => panic!("{other:?}"),
    }
}

pub(crate) async fn index(world: &World, place: &Place) -> Index {
    world
        .store
        .desired_state(place.cluster)
        .await
        .unwrap()
        .unwrap()
}

/// About the current generation.
pub(crate) async fn report(
    world: &World,
    place: &Place,
    environment: &str,
    sequence: u64,
    health: Health,
) -> Report {
    let index = index(world, place).await;
    report_of(
        place,
        environment,
        sequence,
        (index.generation, index.digest),
        health,
    )
}

/// Finished, unless `health` is still in progress.
pub(crate) fn report_of(
    place: &Place,
    environment: &str,
    sequence: u64,
    (generation, digest): (Generation, Digest),
    health: Health,
) -> Report {
    let project = &place.project;
    let key = format!("apps/Deployment/{}/web--{environment}", project.namespace);
    Report {
        schema: ReportSchema::V1,
        sequence,
        generation,
        digest,
        project_id: project.id,
        environment: environment.parse().unwrap(),
        objects: vec![ObjectReport {
            key: key.parse().unwrap(),
            outcome: Outcome::Applied,
            reason: None,
            health,
        }],
        services: vec![ServiceReport {
            workspace_id: project.workspace_id,
            project_id: project.id,
            environment: environment.parse().unwrap(),
            service_id: ServiceId::derive(project.id, &"web".parse().unwrap(), 0),
            name: "web".parse().unwrap(),
            health,
            reason: (health == Health::Failed).then(|| "the image cannot be pulled".to_owned()),
        }],
        drift: Vec::new(),
        break_glass: Vec::new(),
        orphans: Vec::new(),
        finished: health != Health::InProgress,
    }
}

fn project_bundle(planning: &Planning, names: Vec<NameEntry>) -> ProjectBundle {
    let project = &planning.project;
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": project.namespace},
    });
    ProjectBundle {
        schema: BundleSchema::V1,
        workspace_id: project.workspace_id,
        project_id: project.id,
        project: project.name.clone(),
        namespace: project.namespace.clone(),
        tier: planning.tier.clone(),
        objects: vec![Object::new(namespace, Wave(0), Deletion::WithProject)],
        names,
    }
}

fn service(
    project: &Project,
    environment: &str,
    entries: &[NameEntry],
    name: &str,
    image: &str,
) -> ServiceEntry {
    let name = name.parse().unwrap();
    let entry = starform_plan::names::live(entries, &name).unwrap();
    let environment = environment.parse().unwrap();
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": service_object(&entry.object_name, &environment),
            "namespace": project.namespace,
        },
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}},
    });
    ServiceEntry {
        workspace_id: project.workspace_id,
        project_id: project.id,
        environment,
        service_id: entry.service_id,
        name,
        object_name: entry.object_name.clone(),
        kind: starform_contract::ServiceKind::Private,
        model: json!({"image": image}),
        objects: vec![Object::new(deployment, Wave(4), Deletion::Delete)],
    }
}
