//! Values of secrets for the agent of a cluster that needs them, and generated ones made for it.
//!
//! Effects: the database, randomness. Always holds: a value is read only for an object of a bundle that
//! is in force; a generated one is made once. Read on in `secrets` for those that people set.

use rand::RngExt as _;
use starform_contract::{
    Bundle, ClusterId, Digest, ObjectKey, SecretValue,
    bundle::SealedRef,
    secret::{GENERATED_BYTES, Scope, generated_value, is_generated},
};
use zeroize::Zeroizing;

use super::{
    Store, StoreError,
    database::params,
    plans,
    secrets::{SecretScope, insert_version, integer, kept_value},
};
use crate::{
    time::Timestamp,
    vault::{Place, SecretKeys},
};

/// One value for an agent: the key of the Secret's `data`, what it is, and the value.
pub struct NeededValue {
    pub key: String,
    pub reference: SealedRef,
    pub value: SecretValue,
}

/// The answer to "the values of this object".
pub enum Needed {
    Values(Vec<NeededValue>),
    /// The bundle is not in force on the cluster, or lacks the object.
    NoObject,
    /// A value was removed.
    NoValue(SealedRef),
}

impl Store {
    /// The values that an object of a bundle in force needs. What is to be generated and has no value
    /// yet gets one now, once.
    pub async fn needed_values(
        &self,
        keys: &SecretKeys,
        cluster: ClusterId,
        bundle: &Digest,
        object: &ObjectKey,
        now: Timestamp,
    ) -> Result<Needed, StoreError> {
        let mut tx = self.database.read().await?;
        let index = plans::current_index(&mut tx, cluster).await?;
        let in_force = index.bundles().contains(bundle);
        let found = match in_force {
            true => plans::bundle(&mut tx, bundle).await?,
            false => None,
        };
        tx.commit().await?;
        let references = found.and_then(|found| references(cluster, &found, object));
        let Some(references) = references else {
            return Ok(Needed::NoObject);
        };
        let mut values = Vec::with_capacity(references.len());
        for (key, scope, reference) in references {
            let value = match self.value(keys, &scope, &reference).await? {
                None if is_generated(&reference.secret) => {
                    self.generate(keys, &scope, &reference, now).await?;
                    self.value(keys, &scope, &reference).await?
                }
                found => found,
            };
            match value {
                Some(value) => values.push(NeededValue {
                    key,
                    reference,
                    value,
                }),
                None => return Ok(Needed::NoValue(reference)),
            }
        }
        Ok(Needed::Values(values))
    }

    async fn value(
        &self,
        keys: &SecretKeys,
        scope: &str,
        reference: &SealedRef,
    ) -> Result<Option<SecretValue>, StoreError> {
        let mut tx = self.database.read().await?;
        let place = Place {
            scope,
            name: &reference.secret,
            version: reference.version,
        };
        let value = kept_value(&mut tx, keys, place).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// Of two who do it at once, the second one changes nothing.
    async fn generate(
        &self,
        keys: &SecretKeys,
        scope: &str,
        reference: &SealedRef,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let bytes: Zeroizing<[u8; GENERATED_BYTES]> = Zeroizing::new(rand::rng().random());
        let value = SecretValue::new(generated_value(&bytes).as_bytes().to_vec());
        let place = Place {
            scope,
            name: &reference.secret,
            version: reference.version,
        };
        let mut tx = self.database.write().await?;
        let sql = "INSERT INTO secrets (scope, name, newest, since) VALUES ($1, $2, $3, $3)
                   ON CONFLICT DO NOTHING";
        tx.execute(
            sql,
            params![place.scope, place.name, integer(place.version)],
        )
        .await?;
        insert_version(&mut tx, place, &keys.encrypt(place, &value), None, now).await?;
        tx.commit().await
    }
}

/// The sealed references of one object: key, scope, reference.
fn references(
    cluster: ClusterId,
    bundle: &Bundle,
    object: &ObjectKey,
) -> Option<Vec<(String, String, SealedRef)>> {
    let found = bundle
        .objects()
        .find(|candidate| candidate.key().as_ref() == Some(object))?;
    let references = found.sealed.iter().map(|(key, reference)| {
        let scope = SecretScope::new(
            cluster,
            Scope::of(bundle.project_id(), bundle.environment(), reference),
        )
        .to_string();
        (key.clone(), scope, reference.clone())
    });
    Some(references.collect())
}
