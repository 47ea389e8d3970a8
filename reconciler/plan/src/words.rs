//! What the checks between services read of each service's model, found by one walk over it.
//!
//! Pure; borrows what it finds. Always holds: the fields are those of the model as JSON, so models of other versions
//! are read too. An environment that is the same on both sides is read once. Read on in [`crate::crosscheck`].

use std::{collections::BTreeMap, rc::Rc};

use serde_json::Value;
use starform_contract::{EnvironmentBundle, EnvironmentName, ServiceEntry};

use crate::accepted::Environments;

/// Fields of a model, as they stand there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Words<'a> {
    pub(crate) allow_from: Option<&'a Value>,
    pub(crate) domains: Option<&'a Value>,
    pub(crate) overlap: Option<&'a Value>,
    pub(crate) platform_host: Option<&'a Value>,
    pub(crate) redirects: Option<&'a Value>,
    pub(crate) refs: Option<&'a Value>,
    pub(crate) release: Option<&'a Value>,
    pub(crate) routes: Option<&'a Value>,
    pub(crate) scale: Option<&'a Value>,
    pub(crate) schedule: Option<&'a Value>,
    pub(crate) size: Option<&'a Value>,
    pub(crate) timeout: Option<&'a Value>,
    pub(crate) volumes: Option<&'a Value>,
}

/// A service with its words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service<'a> {
    pub(crate) entry: &'a ServiceEntry,
    pub(crate) words: Words<'a>,
}

/// The services of each environment of a project.
pub(crate) type Services<'a> = BTreeMap<&'a EnvironmentName, Rc<[Service<'a>]>>;

impl<'a> Words<'a> {
    pub(crate) fn of(model: &'a Value) -> Self {
        let mut words = Self::default();
        for (name, value) in model.as_object().into_iter().flatten() {
            let place = match name.as_str() {
                "allow-from" => &mut words.allow_from,
                "domains" => &mut words.domains,
                "overlap" => &mut words.overlap,
                "platform-host" => &mut words.platform_host,
                "redirects" => &mut words.redirects,
                "refs" => &mut words.refs,
                "release" => &mut words.release,
                "routes" => &mut words.routes,
                "scale" => &mut words.scale,
                "schedule" => &mut words.schedule,
                "size" => &mut words.size,
                "timeout" => &mut words.timeout,
                "volumes" => &mut words.volumes,
                _ => continue,
            };
            *place = Some(value);
        }
        words
    }
}

impl<'a> Service<'a> {
    pub(crate) fn all(bundle: &'a EnvironmentBundle) -> impl Iterator<Item = Self> {
        bundle.services.iter().map(|entry| Self {
            entry,
            words: Words::of(&entry.model),
        })
    }
}

/// Before and after.
pub(crate) fn both<'a>(
    before: &Environments<'a>,
    after: &Environments<'a>,
) -> (Services<'a>, Services<'a>) {
    let read = |bundle: &'a EnvironmentBundle| Service::all(bundle).collect();
    let old: Services<'a> = before
        .iter()
        .map(|(name, bundle)| (*name, read(bundle)))
        .collect();
    let stays = |name: &EnvironmentName, bundle: &EnvironmentBundle| {
        let known = before
            .get(name)
            .filter(|known| std::ptr::eq(**known, bundle));
        known.and_then(|_| old.get(name)).map(Rc::clone)
    };
    let new = after.iter().map(|(name, bundle)| {
        let services = stays(name, bundle).unwrap_or_else(|| read(bundle));
        (*name, services)
    });
    let new = new.collect();
    (old, new)
}
