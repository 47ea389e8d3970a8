//! Secrets without a control plane: kept in the cluster that uses them, as a Secret of `starform-system`.
//!
//! Effects: asks and changes the cluster, the clock. Always holds: a value goes from here to the API
//! server and nowhere else; what accepted state uses is not removed. They are as safe as Secrets of the
//! cluster are: whoever may read those of `starform-system` may read them.

use starform_contract::{
    Bundle, EnvironmentName, ObjectKey, ProjectId, ProjectName, SecretName, secret::is_generated,
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
        project: &ProjectName,
        environment: &EnvironmentName,
        name: &SecretName,
        value: Zeroizing<String>,
    ) -> anyhow::Result<Secret> {
        let home = self.home().await?;
        let project = ProjectId::local(project);
        let set_at = Timestamp::now();
        let version = persist::change_secrets(&home.client, project, environment, |kept| {
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

    pub(crate) async fn secrets(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
    ) -> anyhow::Result<Items<Secret>> {
        let home = self.home().await?;
        let project = ProjectId::local(project);
        let kept = persist::load_secrets(&home.client, project, environment).await?;
        let items = kept.0.iter().filter_map(|(name, kept)| listed(name, kept));
        Ok(Items {
            items: items.collect(),
        })
    }

    /// `false`: there was no value.
    pub(crate) async fn remove_secret(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> anyhow::Result<bool> {
        let home = self.home().await?;
        let project = ProjectId::local(project);
        let users: Vec<String> = users(&home.seen, project, environment, name)
            .iter()
            .map(|key| key.name.clone())
            .collect();
        if !users.is_empty() {
            let message = format!(
                "the secret `{name}` is in use ({}); take it out of starform.kdl and apply that first",
                users.join(", ")
            );
            return Err(Failure::because(Exit::Error, message));
        }
        let removed = persist::change_secrets(&home.client, project, environment, |kept| {
            kept.remove(name.as_str())
        });
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

/// Objects of the accepted project that use the secret of this environment.
fn users(
    seen: &Seen,
    project: ProjectId,
    environment: &EnvironmentName,
    name: &SecretName,
) -> Vec<ObjectKey> {
    let bundles = seen.bundles.values().filter_map(|bundle| match bundle {
        Bundle::Environment(bundle) => (bundle.project_id == project).then_some(bundle),
        Bundle::Project(_) => None,
    });
    bundles
        .flat_map(|bundle| {
            let objects = bundle.all_objects().filter(|object| {
                object.sealed.values().any(|reference| {
                    let holder = reference
                        .environment
                        .as_ref()
                        .unwrap_or(&bundle.environment);
                    reference.secret == name.as_str() && holder == environment
                })
            });
            objects.filter_map(starform_contract::Object::key)
        })
        .collect()
}
