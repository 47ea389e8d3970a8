//! What the scenarios share: processes that end with the test, projects in temporary folders,
//! waiting on conditions.

pub(crate) mod canary;
pub(crate) mod cluster;
pub(crate) mod embedded;
pub(crate) mod fence;
pub(crate) mod platform;
pub(crate) mod process;
pub(crate) mod project;
pub(crate) mod standing;

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Whether tests that need servers are left out on purpose.
pub(crate) fn fast() -> bool {
    env::var_os("STARFORM_TEST_FAST").is_some()
}

/// Asks `condition` until it gives a value; panics with `what` after `limit`.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        // The interval of asking, not a guess at how long it takes.
        std::thread::sleep(Duration::from_millis(100));
    }
}
