//! What an operator says about a registered cluster: its profile, the size of its load balancer.
//!
//! Effects: the database. Always holds: what concerns no project reaches the agent at once, as a
//! generation of its own, and only if it differs; what concerns projects waits for their plans.

use starform_contract::{ClusterId, ClusterProfile};

use super::{
    Store, StoreError,
    audit::{self, Entry},
    database::params,
    plans, registry, reports,
};
use crate::{access::Actor, api::body::Cluster, time::Timestamp};

/// What changes; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct ClusterChange {
    pub profile: Option<ClusterProfile>,
    /// 0: nobody says any more.
    pub lb_size_units: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    Made(Box<Cluster>),
    NoCluster,
    /// A size was given, and the profile names no load balancer.
    NoLoadBalancer,
}

impl Store {
    /// The profile takes effect with the next plan of each project on the cluster.
    pub async fn change_cluster(
        &self,
        actor: &Actor,
        id: ClusterId,
        change: &ClusterChange,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let mut tx = self.database.write().await?;
        let Some(changes) = reports::touch(&mut tx, id).await? else {
            return Ok(Changed::NoCluster);
        };
        let Some(cluster) = registry::cluster(&mut tx, id).await? else {
            return Ok(Changed::NoCluster);
        };
        let profile = change.profile.as_ref().unwrap_or(&cluster.profile);
        let units = match change.lb_size_units {
            Some(units) => Some(units).filter(|units| *units > 0),
            None => cluster.lb_size_units,
        };
        let asked = change.lb_size_units.is_some_and(|units| units > 0);
        if asked && profile.gateway.load_balancer.is_none() {
            return Ok(Changed::NoLoadBalancer);
        }
        tx.execute(
            "UPDATE clusters SET profile = $2, lb_size_units = $3 WHERE id = $1",
            params![id, registry::json(profile), units.map(i64::from)],
        )
        .await?;
        let before = plans::current_index(&mut tx, id).await?;
        let after = before.with_settings(&profile.people, profile.annotation_patches(units));
        if let Some(next) = &after {
            registry::write_index(&mut tx, next, now).await?;
            let sql = "UPDATE clusters SET generation = $2 WHERE id = $1";
            tx.execute(sql, params![id, next.generation]).await?;
        }
        let entry = Entry {
            action: "cluster.set",
            resource: id.to_string(),
            before: Some(before.digest.as_str()),
            after: after.as_ref().map(|next| next.digest.as_str()),
        };
        audit::record(&mut tx, actor, entry, now).await?;
        let cluster = registry::cluster(&mut tx, id).await?;
        tx.commit().await?;
        self.changes.publish(id, changes);
        Ok(cluster.map_or(Changed::NoCluster, |cluster| {
            Changed::Made(Box::new(cluster))
        }))
    }
}
