//! What a cluster needs that reaches no control plane: its desired state and sealed values as a folder.
//!
//! Effects: network, files. Always holds: nothing is written that an agent with the same agent file
//! would not believe; `index.json` is replaced last, so whoever follows the folder never sees half of
//! a state; `sealed.json` is its owner's alone, and holds no value in the clear. It asks as the
//! cluster's agent, so none may be at work meanwhile. Read on in `source.rs`, which reads the folder.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use starform_contract::{
    Bundle, Digest, Generation, Index, Object,
    digest::canonical,
    sealed::{SealedFile, SealedValues},
    signature::{self, Signed as _, TrustedKey, Unsigned},
};

use crate::{
    client::{self, ConnectError},
    config::{AgentFile, AgentFileError, Export},
    instance::Instance,
    pull::{ControlPlane, Polled, PullError, Standing},
    source::SEALED,
    trust::{Distrust, admit, check_bundle},
};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    pub generation: Generation,
    pub bundles: usize,
    /// Objects with sealed values.
    pub sealed: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    AgentFile(#[from] AgentFileError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Pull(#[from] PullError),
    #[error("the desired state is refused: {0}")]
    Distrust(#[from] Distrust),
    #[error("the sealed values of {object} are refused: {reason}")]
    Unsigned { object: String, reason: Unsigned },
    #[error("the control plane sent sealed values of another object than {0}")]
    Misplaced(String),
    #[error(
        "an agent of this cluster is at work and holds it for {} s; a cluster that reaches its control plane needs no export, and one that does not has its agent run with --desired-state", .0.as_secs()
    )]
    Standby(Duration),
    #[error("the control plane sent no desired state; ask again")]
    NoState,
    #[error("cannot write {path}: {source}; check --out")]
    Write { path: String, source: io::Error },
}

/// # Errors
/// [`ExportError`]; the folder holds what it held, or more bundles.
pub async fn export(asked: &Export) -> Result<Exported, ExportError> {
    client::install_tls();
    let agent = AgentFile::read(&asked.agent_file)?;
    // Held until the end. The next export of this file is the same instance, and need not wait.
    let instance = Instance::claim(&asked.agent_file);
    let plane = ControlPlane::new(client::control_plane()?, &agent, instance.id);
    let index = index(&plane, &agent.trusted_keys).await?;
    if let Some(key) = &asked.public_key {
        plane.put_key(key).await?;
    }
    let folder = asked.out.join("bundles");
    fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
    let mut sealed = Vec::new();
    let digests = index.bundles();
    for digest in &digests {
        let bundle = plane.bundle(digest).await?;
        check_bundle(&bundle, digest)?;
        for object in needing(&bundle) {
            sealed.push(values(&plane, &agent.trusted_keys, digest, object).await?);
        }
        let file = folder.join(format!("{}.json", digest.hex()));
        put(&file, &canonical(&bundle), 0o644)?;
    }
    let exported = Exported {
        generation: index.generation,
        bundles: digests.len(),
        sealed: sealed.len(),
    };
    put(
        &asked.out.join(SEALED),
        &canonical(&SealedFile::new(sealed)),
        0o600,
    )?;
    put(&asked.out.join("index.json"), &canonical(&index), 0o644)?;
    Ok(exported)
}

async fn index(plane: &ControlPlane, keys: &[TrustedKey]) -> Result<Index, ExportError> {
    let index = match plane.poll(None, Standing::default(), false).await? {
        Polled::New(index) => *index,
        Polled::Standby(left) => return Err(ExportError::Standby(left)),
        Polled::Unchanged => return Err(ExportError::NoState),
    };
    admit(plane.cluster_id, None, &index)?;
    signature::verify(keys, &index).map_err(Distrust::from)?;
    Ok(index)
}

fn needing(bundle: &Bundle) -> impl Iterator<Item = &Object> {
    bundle.objects().filter(|object| !object.sealed.is_empty())
}

async fn values(
    plane: &ControlPlane,
    keys: &[TrustedKey],
    bundle: &Digest,
    object: &Object,
) -> Result<SealedValues, ExportError> {
    let key = object.key().expect("the bundle was checked");
    let values = plane.sealed(bundle, &key).await?;
    if !values.are_for(plane.cluster_id, &key, &object.sealed) {
        return Err(ExportError::Misplaced(key.to_string()));
    }
    let signed = signature::verify_digest(keys, &values.digest(), values.signature.as_ref());
    signed.map_err(|reason| ExportError::Unsigned {
        object: key.to_string(),
        reason,
    })?;
    Ok(values)
}

/// Written beside and then renamed: the file is whole whenever it is there.
fn put(path: &Path, content: &[u8], mode: u32) -> Result<(), ExportError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || {
        if let Err(error) = fs::remove_file(&beside)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let mut file = options.open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> ExportError {
    ExportError::Write {
        path: path.display().to_string(),
        source,
    }
}
