//! What images are pulled with: Docker's `config.json`, as Secrets of type `kubernetes.io/dockerconfigjson` hold it.
//!
//! Pure. Always holds: a fault repeats nothing of the text, and no copy of a password outlives the look
//! at it. Source: Kubernetes, "Pull an Image from a Private Registry".

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Why a text is not what images can be pulled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCredentials {
    #[error(
        "it is not the JSON of Docker's `config.json`; give the file that `docker login` writes"
    )]
    NotJson,
    #[error(
        "it names no registry under `auths`; log in where no credential helper (`credsStore`) keeps the password elsewhere"
    )]
    NoRegistry,
    #[error(
        "a registry under `auths` has neither `auth` (base64 of user:password) nor `username` and `password`; a credential helper may keep them elsewhere"
    )]
    NoPassword,
}

/// The parts that the kubelet reads, not copied where the JSON has no escapes.
#[derive(Deserialize)]
struct Config<'t> {
    #[serde(borrow, default)]
    auths: BTreeMap<Cow<'t, str>, Login<'t>>,
}

#[derive(Deserialize)]
struct Login<'t> {
    #[serde(borrow, default)]
    auth: Cow<'t, str>,
    #[serde(borrow, default)]
    username: Cow<'t, str>,
    #[serde(borrow, default)]
    password: Cow<'t, str>,
}

/// Whether the kubelet can pull images with `text`.
///
/// # Errors
/// [`NotCredentials`]
pub fn check_credentials(text: &str) -> Result<(), NotCredentials> {
    // serde's message may quote the text.
    let config: Config<'_> = serde_json::from_str(text).map_err(|_| NotCredentials::NotJson)?;
    if config.auths.is_empty() {
        Err(NotCredentials::NoRegistry)
    } else if config.auths.values().all(Login::is_whole) {
        Ok(())
    } else {
        Err(NotCredentials::NoPassword)
    }
}

impl Login<'_> {
    fn is_whole(&self) -> bool {
        let pair = Zeroizing::new(STANDARD.decode(self.auth.as_bytes()).unwrap_or_default());
        let user = pair.iter().position(|byte| *byte == b':');
        user.is_some_and(|at| at > 0) || !(self.username.is_empty() || self.password.is_empty())
    }
}
