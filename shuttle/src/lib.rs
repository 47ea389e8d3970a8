//! Shuttle, the agent: makes one cluster match its desired state and reports. It decides nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`] | pure: events in, requests out |
//! | [`kinds`] | the kinds that a bundle may contain |

pub mod engine;
pub mod kinds;
