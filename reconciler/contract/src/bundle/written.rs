//! The canonical text of an environment's bundle, written piece by piece, and what each service takes of it.
//!
//! Pure. Always holds: the bytes are those of [`crate::digest::canonical`], which the tests compare; so a service's
//! part of them is the text of which its own digest is made. Fields are taken apart by name, so that a new one
//! cannot be forgotten.

use std::collections::BTreeMap;

use super::{Deletion, EnvironmentBundle, Kept, Object, SealedRef, ServiceEntry, Wave};
use crate::{
    canonical::value::{self, Fields, list},
    digest::{Digest, Hash},
};

/// What an environment's bundle comes to as it is stored and sent, without the text itself, of which no more than one
/// service's is held at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    digest: Digest,
    bytes: usize,
    services: Vec<ServiceWritten>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ServiceWritten {
    bytes: usize,
    digest: Option<Digest>,
}

impl Written {
    /// With the digests of the services that are asked for: each costs a second pass over its text.
    pub fn new(bundle: &EnvironmentBundle, is_asked: impl Fn(&ServiceEntry) -> bool) -> Self {
        let mut whole = Hash::default();
        let mut bytes = 0;
        let mut services = Vec::with_capacity(bundle.services.len());
        let mut text = Vec::with_capacity(1 << 16);
        write_environment(bundle, &mut text, |service, start, text| {
            let own = &text[start..];
            services.push(ServiceWritten {
                bytes: own.len(),
                digest: is_asked(service).then(|| Digest::of_bytes(own)),
            });
            whole.add(text);
            bytes += text.len();
            text.clear();
        });
        whole.add(&text);
        Self {
            digest: whole.digest(),
            bytes: bytes + text.len(),
            services,
        }
    }

    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Of the service at this place of the bundle's list; `None` where it was not asked for.
    ///
    /// # Panics
    /// Where the bundle has no such place.
    pub fn service_digest(&self, place: usize) -> Option<&Digest> {
        self.services[place].digest.as_ref()
    }

    /// Bytes of the service at this place.
    ///
    /// # Panics
    /// Where the bundle has no such place.
    pub fn service_bytes(&self, place: usize) -> usize {
        self.services[place].bytes
    }
}

/// The canonical text.
pub(super) fn environment_text(bundle: &EnvironmentBundle) -> Vec<u8> {
    // What an environment of some services has; it grows.
    let mut text = Vec::with_capacity(1 << 16);
    write_environment(bundle, &mut text, |_, _, _| {});
    text
}

/// Calls `written` after each service, with where its text starts; what is written so far may be taken away.
fn write_environment(
    bundle: &EnvironmentBundle,
    out: &mut Vec<u8>,
    mut written: impl FnMut(&ServiceEntry, usize, &mut Vec<u8>),
) {
    let EnvironmentBundle {
        schema,
        workspace_id,
        project_id,
        project,
        namespace,
        tier,
        environment,
        ephemeral,
        drift,
        protect,
        objects,
        services,
        kept,
    } = bundle;
    let mut fields = Fields::new(out);
    fields.any("drift", drift);
    fields.text("environment", environment.as_str());
    fields.any("ephemeral", ephemeral);
    if !kept.is_empty() {
        list(kept, fields.field("kept"), write_kept);
    }
    fields.text("namespace", namespace);
    list(objects, fields.field("objects"), write_object);
    fields.text("project", project.as_str());
    fields.any("project_id", project_id);
    fields.any("protect", protect);
    fields.any("schema", schema);
    let out = fields.field("services");
    out.push(b'[');
    for (position, service) in services.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let start = out.len();
        write_service(service, out);
        written(service, start, out);
    }
    out.push(b']');
    fields.text("tier", tier);
    fields.any("workspace_id", workspace_id);
    fields.end();
}

pub(super) fn write_service(service: &ServiceEntry, out: &mut Vec<u8>) {
    let ServiceEntry {
        workspace_id,
        project_id,
        environment,
        service_id,
        name,
        object_name,
        kind,
        model,
        objects,
    } = service;
    let mut fields = Fields::new(out);
    fields.text("environment", environment.as_str());
    fields.any("kind", kind);
    value::write(model, fields.field("model"));
    fields.text("name", name.as_str());
    fields.text("object_name", object_name.as_str());
    list(objects, fields.field("objects"), write_object);
    fields.any("project_id", project_id);
    fields.any("service_id", service_id);
    fields.any("workspace_id", workspace_id);
    fields.end();
}

pub(super) fn write_object(object: &Object, out: &mut Vec<u8>) {
    let Object {
        wave,
        deletion,
        digest,
        manifest,
        sealed,
    } = object;
    let mut fields = Fields::new(out);
    fields.any("deletion", deletion);
    fields.text("digest", digest.as_str());
    value::write(manifest, fields.field("manifest"));
    if !sealed.is_empty() {
        fields.any("sealed", sealed);
    }
    fields.any("wave", wave);
    fields.end();
}

/// What an object's digest is made of.
pub(super) fn write_content(
    manifest: &serde_json::Value,
    wave: Wave,
    deletion: Deletion,
    sealed: &BTreeMap<String, SealedRef>,
    out: &mut Vec<u8>,
) {
    let mut fields = Fields::new(out);
    fields.any("deletion", &deletion);
    value::write(manifest, fields.field("manifest"));
    fields.any("sealed", sealed);
    fields.any("wave", &wave);
    fields.end();
}

fn write_kept(kept: &Kept, out: &mut Vec<u8>) {
    let Kept {
        service_id,
        service,
        volume,
        meant,
        object,
    } = kept;
    let mut fields = Fields::new(out);
    if *meant {
        fields.any("meant", meant);
    }
    write_object(object, fields.field("object"));
    fields.text("service", service.as_str());
    fields.any("service_id", service_id);
    fields.text("volume", volume.as_str());
    fields.end();
}
