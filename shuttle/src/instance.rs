//! Who this process is to the control plane's lease.
//!
//! Effects: locks the agent file, reads the host's name and boot. Always holds: two processes that
//! live at once are never the same instance; one that is started again where the former one died is
//! the same, so that it need not wait until the former one's lease has run out.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use uuid::Uuid;

/// An instance for as long as it is held.
#[derive(Debug)]
pub struct Instance {
    pub id: Uuid,
    /// The operating system lets go of it when the process ends, however it ends.
    _lock: Option<File>,
}

impl Instance {
    /// The instance of this place, or a new one when another process of this place is alive.
    pub fn claim(agent_file: &Path) -> Self {
        match (place(agent_file), lock(agent_file)) {
            (Some(place), Some(lock)) => Self {
                id: Uuid::new_v5(&Uuid::NAMESPACE_URL, place.as_bytes()),
                _lock: Some(lock),
            },
            (_, _) => Self {
                id: Uuid::now_v7(),
                _lock: None,
            },
        }
    }
}

fn lock(agent_file: &Path) -> Option<File> {
    let file = File::open(agent_file).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

/// This boot of this host (in a cluster: this pod) and this file; `None` where the system does not say.
fn place(agent_file: &Path) -> Option<String> {
    let told = |path: &str| std::fs::read_to_string(path).ok();
    let boot = told("/proc/sys/kernel/random/boot_id")?;
    let host = told("/proc/sys/kernel/hostname")?;
    let file = std::fs::canonicalize(agent_file).ok()?;
    Some(format!(
        "starform-shuttle {} {} {}",
        boot.trim(),
        host.trim(),
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_instance_at_a_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let first = Instance::claim(file.path());
        let id = first.id;
        let beside = Instance::claim(file.path());
        assert_ne!(beside.id, id);
        drop(first);
        assert_eq!(Instance::claim(file.path()).id, id);
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        assert_ne!(Instance::claim(elsewhere.path()).id, id);
    }
}
