//! The names of IANA time zones, compiled in.
//! Pure. The list is that of tzdata 2025b (public domain), zones and links, without `Factory`.
//! Read on in `timezones.txt`, one name a line, in byte order.

use std::sync::LazyLock;

static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("timezones.txt").lines().collect());

/// Whether Kubernetes' controllers know the zone; names are case-sensitive.
pub fn is_known(name: &str) -> bool {
    NAMES.binary_search(&name).is_ok()
}

/// In byte order.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}
