//! Secrets without a control plane: kept in the cluster that uses them, as a Secret of `starform-system`.
//!
//! Effects: asks and changes the cluster, the clock. Always holds: a value goes from here to the API
//! server and nowhere else; what accepted state uses is not removed. They are as safe as Secrets of the
//! cluster are: whoever may read those of `starform-system` may read them.

use std::collections::BTreeSet;

use anyhow::anyhow;
use starform_contract::{
    Bundle, ObjectKey, SecretName, bundle::SealedRef, registry::check_credentials,
    secret::is_generated,
};
use starform_reconciler::{
    api::body::{Items, Secret},
    time::Timestamp,
};
use starform_shuttle::persist::{self, KeptFor, KeptSecret, KeptValue};
use zeroize::Zeroizing;

use super::{Embedded, cache::Seen};
use crate::exit::{Exit, Failure};

impl Embedded {
    pub(crate) async fn set_secret(
        &self,
        of: KeptFor<'_>,
        name: &SecretName,
        value: Zeroizing<String>,
    ) -> anyhow::Result<Secret> {
        if let KeptFor::Cluster = of {
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

    pub(crate) async fn secrets(&self, of: KeptFor<'_>) -> anyhow::Result<Items<Secret>> {
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
        of: KeptFor<'_>,
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

fn refuse_used(seen: &Seen, of: KeptFor<'_>, name: &SecretName) -> anyhow::Result<()> {
    let users = used(seen, of, name);
    let users: Vec<String> = users.iter().map(|(key, _)| key.to_string()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let from = match of {
        KeptFor::Environment(..) => "starform.kdl",
        KeptFor::Cluster => "the profile",
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
fn used(seen: &Seen, of: KeptFor<'_>, name: &SecretName) -> Vec<(ObjectKey, u64)> {
    let of_bundle = |bundle: &Bundle, reference: &SealedRef| match (bundle, of) {
        (Bundle::Environment(bundle), KeptFor::Environment(project, environment)) => {
            let holder = reference.environment.as_ref();
            let holder = holder.unwrap_or(&bundle.environment);
            bundle.project_id == project && holder == environment
        }
        (Bundle::Project(_), KeptFor::Cluster) => true,
        (Bundle::Environment(_), KeptFor::Cluster)
        | (Bundle::Project(_), KeptFor::Environment(..)) => false,
    };
    let mut used = Vec::new();
    for bundle in seen.bundles.values() {
        for object in bundle.objects() {
            let references = object.sealed.values().filter(|reference| {
                reference.secret == name.as_str() && of_bundle(bundle, reference)
            });
            let versions: BTreeSet<u64> = references.map(|reference| reference.version).collect();
            let key = object.key();
            used.extend(
                versions
                    .into_iter()
                    .filter_map(|version| Some((key.clone()?, version))),
            );
        }
    }
    used
}
