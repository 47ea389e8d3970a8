//! The names of IANA time zones, compiled in.
//! Pure. The list is that of tzdata 2025b (public domain), zones and links, without `Factory`.
//! Read on in `timezones.txt`, one name a line, in byte order.

const LIST: &str = include_str!("timezones.txt");

/// Whether Kubernetes' controllers know the zone; names are case-sensitive.
pub fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// In byte order.
pub fn names() -> impl Iterator<Item = &'static str> {
    LIST.lines()
}
