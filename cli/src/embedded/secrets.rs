//! Secrets without a control plane: kept in the cluster that uses them, as a Secret of `starform-system`.
//!
//! Effects: asks and changes the cluster, the clock. Always holds: a value goes from here to the API
//! server and nowhere else; what accepted state uses is not removed. They are as safe as Secrets of the
//! cluster are: whoever may read those of `starform-system` may read them.

use anyhow::anyhow;
use starform_contract::{
    Bundle, Object, ObjectKey, SecretName, bundle::SealedRef, registry::check_credentials,
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
        let set_at = Timestamp::now();
        let version = persist::change_secrets(&home.client, of, |kept| {
            let value = KeptValue {
                value: value.clone(),
                set_at: set_at.millis(),
            };
            kept.set(name.as_str(), value)
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
        let users: Vec<String> = users(&home.seen, of, name)
            .iter()
            .map(ToString::to_string)
            .collect();
        if !users.is_empty() {
            let from = match of {
                KeptFor::Environment(..) => "starform.kdl",
                KeptFor::Cluster => "the profile",
            };
            let message = format!(
                "the secret `{name}` is in use ({}); take it out of {from} and apply that first",
                users.join(", ")
            );
            return Err(Failure::because(Exit::Error, message));
        }
        let removed = persist::change_secrets(&home.client, of, |kept| kept.remove(name.as_str()));
        Ok(removed.await?)
    }
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

/// Accepted objects that use the secret.
fn users(seen: &Seen, of: KeptFor<'_>, name: &SecretName) -> Vec<ObjectKey> {
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
    let uses = |bundle: &Bundle, object: &Object| {
        let mut references = object.sealed.values();
        references
            .any(|reference| reference.secret == name.as_str() && of_bundle(bundle, reference))
    };
    seen.bundles
        .values()
        .flat_map(|bundle| bundle.objects().filter(move |object| uses(bundle, object)))
        .filter_map(Object::key)
        .collect()
}
