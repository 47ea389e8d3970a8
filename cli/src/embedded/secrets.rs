//! Secrets without a control plane: kept in the cluster that uses them, as a Secret of `starform-system`.
//!
//! Effects: asks and changes the cluster, the clock. Always holds: a value goes from here to the API
//! server and nowhere else; what accepted state uses is not removed. They are as safe as Secrets of the
//! cluster are: whoever may read those of `starform-system` may read them.

use std::collections::BTreeSet;

use anyhow::anyhow;
use starform_contract::{
    ObjectKey, SecretName,
    registry::check_credentials,
    secret::{Scope, is_generated, users},
};
use starform_reconciler::{
    api::body::{Items, Secret},
    time::Timestamp,
};
use starform_shuttle::persist::{self, KeptSecret, KeptValue};
use zeroize::Zeroizing;

use super::{Embedded, cache::Seen};
use crate::exit::{Exit, Failure};

impl Embedded {
    pub(crate) async fn set_secret(
        &self,
        of: Scope<'_>,
        name: &SecretName,
        value: Zeroizing<String>,
    ) -> anyhow::Result<Secret> {
        if let Scope::Cluster = of {
            check_credentials(&value)
                .map_err(|fault| anyhow!("images cannot be pulled with this value: {fault}"))?;
        }
        let home = self.home().await?;
        let used = used(&home.seen, of, name);
        let used: BTreeSet<u64> = used.into_iter().map(|(_, version)| version).collect();
        let set_at = Timestamp::now();
        let version = persist::change_secrets(&home.client, of, |kept| {
            let value = KeptValue {
                value: value.clone(),
                set_at: set_at.millis(),
            };
            kept.set(name.as_str(), value, &used)
        })
        .await?;
        Ok(Secret {
            name: name.to_string(),
            version,
            since: version,
            generated: false,
            set_at,
            set_by: None,
        })
    }

    pub(crate) async fn secrets(&self, of: Scope<'_>) -> anyhow::Result<Items<Secret>> {
        let home = self.home().await?;
        let kept = persist::load_secrets(&home.client, of).await?;
        let items = kept.0.iter().filter_map(|(name, kept)| listed(name, kept));
        Ok(Items {
            items: items.collect(),
        })
    }

    /// `false`: there was no value.
    pub(crate) async fn remove_secret(
        &self,
        of: Scope<'_>,
        name: &SecretName,
    ) -> anyhow::Result<bool> {
        let home = self.home().await?;
        refuse_used(&home.seen, of, name)?;
        let removed =
            persist::change_secrets(&home.client, of, |kept| kept.remove(name.as_str())).await?;
        if removed.is_empty() {
            return Ok(false);
        }
        // What uses it may have been accepted between the look and the removal.
        let used = refuse_used(&self.home().await?.seen, of, name);
        if used.is_err() {
            persist::change_secrets(&home.client, of, |kept| {
                kept.put_back(name.as_str(), removed.clone());
            })
            .await?;
        }
        used.map(|()| true)
    }
}

fn refuse_used(seen: &Seen, of: Scope<'_>, name: &SecretName) -> anyhow::Result<()> {
    let used = used(seen, of, name);
    let users: Vec<String> = used.iter().map(|(key, _)| key.to_string()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let from = match of {
        Scope::Environment(..) => "starform.kdl",
        Scope::Cluster => "the profile",
    };
    let message = format!(
        "the secret `{name}` is in use ({}); take it out of {from} and apply that first",
        users.join(", ")
    );
    Err(Failure::because(Exit::Error, message))
}

fn listed(name: &str, kept: &KeptSecret) -> Option<Secret> {
    let (newest, value) = kept.values.last_key_value()?;
    Some(Secret {
        name: name.to_owned(),
        version: *newest,
        since: *kept.values.first_key_value()?.0,
        generated: is_generated(name),
        set_at: Timestamp::from_millis(value.set_at),
        set_by: None,
    })
}

/// Accepted objects that use the secret, and which version.
fn used(seen: &Seen, of: Scope<'_>, name: &SecretName) -> Vec<(ObjectKey, u64)> {
    let bundles = seen.bundles.values();
    let used = bundles.flat_map(|bundle| users(bundle, of, name.as_str()));
    used.collect()
}
