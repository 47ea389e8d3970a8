//! What in the cluster is not as it was accepted, asked of the cluster itself.
//!
//! Effects: asks the API server, as whoever the kubeconfig names. Always holds: an object whose fields nobody took
//! from us is not compared by value; no value of a Secret is told. Read on in
//! [`starform_shuttle::engine::drift`] for the rule.

use std::collections::BTreeMap;

use anyhow::Context;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::Client;
use serde_json::Value;
use starform_contract::{
    Bundle, EnvironmentName, Object, ObjectKey, ProjectId, ProjectName,
    report::{BreakGlass, Drift, DriftKind},
};
use starform_plan::{diff::fields, document::FieldChange};
use starform_reconciler::api::body::{EnvironmentDrift, Found};
use starform_shuttle::{
    call,
    engine::{
        drift,
        io::{InventoryEntry, Observed},
    },
    kinds, persist,
};

use super::{Embedded, status};
use crate::backend::nothing_accepted;

/// Questions at a time.
const AT_ONCE: usize = 8;

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
        let entry = &home.seen.index.projects[&id];
        let own = match home.seen.bundles.get(&entry.bundle) {
            Some(Bundle::Project(own)) => own.objects.as_slice(),
            Some(Bundle::Environment(_)) | None => &[],
        };
        let shards = persist::load_inventory(&home.client)
            .await
            .context("cannot read the inventory")?;
        let inventory: BTreeMap<ObjectKey, InventoryEntry> =
            shards.into_iter().flat_map(|shard| shard.entries).collect();
        let objects = own.iter().chain(bundle.all_objects());
        let looked = objects.map(|object| look(&home.client, object, &inventory));
        let looked: Vec<Looked> = stream::iter(looked).buffered(AT_ONCE).try_collect().await?;
        let (found, asked): (Vec<Vec<Found>>, Vec<Option<BreakGlass>>) = looked.into_iter().unzip();
        Ok(EnvironmentDrift {
            project: project.clone(),
            environment: environment.clone(),
            generation: home.seen.index.generation,
            reported_at: None,
            found: found.into_iter().flatten().collect(),
            break_glass: asked.into_iter().flatten().collect(),
        })
    }
}

/// What is not as accepted of one object, and whether somebody wants it left alone.
type Looked = (Vec<Found>, Option<BreakGlass>);

async fn look(
    client: &Client,
    wanted: &Object,
    inventory: &BTreeMap<ObjectKey, InventoryEntry>,
) -> anyhow::Result<Looked> {
    let Some(key) = wanted.key() else {
        return Ok((Vec::new(), None));
    };
    let kind = kinds::kind_of(&key)?;
    let live = match call::call(client, call::get(&kind.path(&key))).await {
        Ok(live) => Some(live),
        Err(call::CallError::Refused(refusal)) if refusal.code == 404 => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {key}")),
    };
    let observed = live.as_ref().and_then(|live| Observed::of(kind, live));
    let drifts = drift::standing(wanted, &key, observed.as_ref(), inventory.get(&key));
    let found = drifts.into_iter().map(|drift| {
        let fields = match (drift.kind, &live) {
            (DriftKind::Changed, Some(live)) => changed(live, wanted),
            (DriftKind::Changed | DriftKind::Added | DriftKind::Deleted, _) => Vec::new(),
        };
        Found {
            drift: named(drift, &fields),
            seen_at: None,
            fields,
        }
    });
    Ok((
        found.collect(),
        observed.as_ref().and_then(status::break_glass),
    ))
}

/// Where values differ, these are what was changed; otherwise what the other manager holds.
fn named(drift: Drift, fields: &[FieldChange]) -> Drift {
    if fields.is_empty() {
        return drift;
    }
    Drift {
        paths: Vec::new(),
        ..drift
    }
}

/// What restoring the object changes, over the fields that it states.
fn changed(live: &Value, wanted: &Object) -> Vec<FieldChange> {
    let stated = stated(live, &wanted.manifest);
    let live = Object::with_sealed(stated, wanted.wave, wanted.deletion, wanted.sealed.clone());
    fields::between(Some(&live), Some(wanted))
}

/// Of `live`, what `wanted` speaks of; elements of lists by their place where they have no name.
fn stated(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let both = wanted.iter().filter_map(|(name, wanted)| {
                let live = live.get(name)?;
                Some((name.clone(), stated(live, wanted)))
            });
            Value::Object(both.collect())
        }
        (Value::Array(live), Value::Array(wanted)) => {
            let named = |value: &Value| value.get("name").cloned();
            let same = |place: usize, element: &Value| match named(element) {
                Some(name) => wanted.iter().find(|one| named(one).as_ref() == Some(&name)),
                None => wanted.get(place),
            };
            let elements = live.iter().enumerate().map(|(place, element)| {
                same(place, element).map_or_else(|| element.clone(), |one| stated(element, one))
            });
            elements.collect()
        }
        (
            live @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_)),
            _,
        ) => live.clone(),
    }
}
