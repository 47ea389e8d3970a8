//! What single values mean: commands, hosts, images, paths, schedules, time zones.
//! Pure. Each parser takes the whole text and says in one sentence what is wrong and what would be right.
//! Read on in `crate::lower::value`, which turns these into diagnostics.

pub mod cron;
pub mod host;
pub mod image;
pub mod path;
pub mod timezone;
pub mod words;
