//! The canonical text of an environment's bundle, written piece by piece, and where each service stands in it.
//!
//! Pure. Always holds: the bytes are those of [`crate::digest::canonical`], which the tests compare; so a service's
//! part of them is the text of which its own digest is made. Fields are taken apart by name, so that a new one
//! cannot be forgotten.

use std::{collections::BTreeMap, ops::Range};

use super::{Deletion, EnvironmentBundle, Kept, Object, SealedRef, ServiceEntry, Wave};
use crate::{
    canonical::value::{self, Fields, list},
    digest::Digest,
};

/// An environment's bundle as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    text: Vec<u8>,
    services: Vec<Range<usize>>,
}

impl Written {
    pub fn new(bundle: &EnvironmentBundle) -> Self {
        let mut written = Self {
            // What an environment of some services has; it grows.
            text: Vec::with_capacity(1 << 16),
            services: Vec::with_capacity(bundle.services.len()),
        };
        written.environment(bundle);
        written
    }

    pub fn digest(&self) -> Digest {
        Digest::of_bytes(&self.text)
    }

    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// Of the service at this place of the bundle's list.
    ///
    /// # Panics
    /// Where the bundle has no such place.
    pub fn service_digest(&self, place: usize) -> Digest {
        Digest::of_bytes(&self.text[self.services[place].clone()])
    }

    /// Bytes of the service at this place.
    ///
    /// # Panics
    /// Where the bundle has no such place.
    pub fn service_bytes(&self, place: usize) -> usize {
        self.services[place].len()
    }

    fn environment(&mut self, bundle: &EnvironmentBundle) {
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
        let mut fields = Fields::new(&mut self.text);
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
            self.services.push(start..out.len());
        }
        out.push(b']');
        fields.text("tier", tier);
        fields.any("workspace_id", workspace_id);
        fields.end();
    }
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
