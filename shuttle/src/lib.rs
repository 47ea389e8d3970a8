//! Shuttle, the agent: makes one cluster match its desired state and reports. It decides nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`] | pure: events in, requests out |
//! | [`kinds`] | the kinds that a bundle may contain, and their REST resources |
//! | [`trust`] | pure: which desired state is believed |
//! | [`client`], [`call`] | how both servers are spoken to |
//! | [`access`] | as whom requests go |
//! | [`cluster`] | performs the engine's requests |
//! | [`values`] | the values of secrets, from where they are kept into what is written |
//! | [`watch`] | tells the engine what lives |
//! | [`annotate`] | annotations on objects of others |
//! | [`persist`] | accepted state and inventory in ConfigMaps of `starform-system` |
//! | [`pull`], [`source`], [`feed`] | desired state from the control plane or from a folder |
//! | [`export`] | that folder, for a cluster that reaches no control plane |
//! | [`drive`], [`run`] | the loop around the engine, and its two uses |
//! | [`verify`] | whether the API server would take what plans write |
//! | [`manifests`] | pure: what has to stand in a cluster before an agent runs |
//! | [`journal`] | what people read in the log |
//! | [`surface`], [`metrics`], [`vitals`] | what machines read: metrics, health |
//! | [`config`], [`instance`] | command line, agent file, and who this process is |

pub mod access;
pub mod annotate;
pub mod backoff;
pub mod call;
pub mod client;
pub mod cluster;
pub mod config;
pub mod drive;
pub mod engine;
pub mod export;
pub mod feed;
pub mod instance;
pub mod journal;
pub mod kinds;
pub mod manifests;
pub mod metrics;
pub mod persist;
pub mod pull;
pub mod run;
pub mod source;
pub mod surface;
pub mod trust;
pub mod values;
pub mod verify;
pub mod vitals;
pub mod watch;
