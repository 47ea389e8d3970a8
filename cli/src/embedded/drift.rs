//! What in the cluster is not as it was accepted, asked of the cluster itself: with values for `drift`, without
//! any beside plans and in `status`.
//!
//! Effects: asks the API server, as whoever the kubeconfig names. Read on in [`super::look`].

use std::collections::BTreeSet;

use starform_contract::{
    Bundle, EnvironmentBundle, EnvironmentName, Object, ObjectKey, ProjectId, ProjectName,
    state::DriftPolicy,
};
use starform_plan::{
    document::FieldChange,
    standing::{Differing, Known, Standing},
    view::values,
};
use starform_reconciler::api::body::{EnvironmentDrift, Found};

use super::{Embedded, home::Home, look::Look, status};
use crate::backend::nothing_accepted;

impl Embedded {
    pub(crate) async fn drift(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
    ) -> anyhow::Result<EnvironmentDrift> {
        let home = self.home().await?;
        let id = ProjectId::local(project);
        let Some(bundle) = status::accepted(&home, id, environment) else {
            return Err(nothing_accepted(project, environment));
        };
        let objects: Vec<&Object> = objects(&home, id, bundle).collect();
        let keys: BTreeSet<ObjectKey> = objects.iter().filter_map(|object| object.key()).collect();
        let going = going(&home, id, environment, &keys);
        let look = Look::at(&home.client, keys.iter().chain(&going).cloned()).await?;
        Ok(EnvironmentDrift {
            project: project.clone(),
            environment: environment.clone(),
            generation: home.seen.index.generation,
            accepted: None,
            reported_at: None,
            found: objects
                .iter()
                .flat_map(|object| look.found(object))
                .collect(),
            remains: going.into_iter().filter(|key| look.has(key)).collect(),
            break_glass: keys
                .iter()
                .filter_map(|key| look.break_glass(key))
                .collect(),
        })
    }
}

/// How the cluster stands to what is accepted for the environment; where it may not be read, that. `None`:
/// nothing is accepted for it.
pub(super) async fn standing(
    home: &Home,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Option<Standing> {
    let bundle = status::accepted(home, project, environment)?;
    let objects: Vec<&Object> = objects(home, project, bundle).collect();
    let keys: BTreeSet<ObjectKey> = objects.iter().filter_map(|object| object.key()).collect();
    let going = going(home, project, environment, &keys);
    let kept = bundle.kept.iter().filter_map(|kept| kept.object.key());
    let kept: Vec<ObjectKey> = kept.collect();
    let all = keys.iter().chain(&going).chain(&kept).cloned();
    let look = match Look::at(&home.client, all).await {
        Ok(look) => look,
        Err(error) => {
            let why = format!("{error:#}");
            return Some(Standing::of(Known::Unread { why }));
        }
    };
    let differs = objects.iter().flat_map(|object| {
        let is_left = |key| {
            let reports = bundle.drift == DriftPolicy::Report && look.was_written(object, &key);
            reports || look.is_suspended(&key)
        };
        let left = object.key().is_some_and(is_left);
        let found = look.found(object).into_iter();
        found.map(move |found| differing(found, left))
    });
    Some(Standing {
        known: Known::Cluster,
        differs: differs.collect(),
        remains: going.into_iter().filter(|key| look.has(key)).collect(),
        lost: kept.into_iter().filter(|key| !look.has(key)).collect(),
    })
}

/// Without its values.
pub(crate) fn differing(found: Found, left: bool) -> Differing {
    let Found { drift, fields, .. } = found;
    let path = |field: &FieldChange| {
        field
            .words
            .clone()
            .unwrap_or_else(|| values::words(&field.path))
    };
    let paths = match fields.as_slice() {
        [] => drift.paths,
        fields => fields.iter().map(path).collect(),
    };
    Differing {
        key: drift.key,
        kind: drift.kind,
        paths,
        manager: drift.manager,
        left,
    }
}

/// What an accepted plan of the environment deletes and no apply is known to have done; not what is wanted again.
fn going(
    home: &Home,
    project: ProjectId,
    environment: &EnvironmentName,
    wanted: &BTreeSet<ObjectKey>,
) -> Vec<ObjectKey> {
    let mut index = home.index_without_finished();
    let entry = index.projects.remove(&project);
    let plans = entry.into_iter().flat_map(|entry| entry.accepted);
    let plans = plans.filter(|plan| plan.environment == *environment);
    let going = plans.flat_map(|plan| plan.consent.delete.into_iter().chain(plan.consent.destroy));
    let going = going.filter(|key| !wanted.contains(key));
    going.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The environment's, and the project's own.
fn objects<'a>(
    home: &'a Home,
    project: ProjectId,
    bundle: &'a EnvironmentBundle,
) -> impl Iterator<Item = &'a Object> {
    let entry = home.seen.index.projects.get(&project);
    let own = entry.and_then(|entry| home.seen.bundles.get(&entry.bundle));
    let own = match own {
        Some(Bundle::Project(own)) => own.objects.as_slice(),
        Some(Bundle::Environment(_)) | None => &[],
    };
    own.iter().chain(bundle.all_objects())
}
