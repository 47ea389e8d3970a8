//! What the status of a service says of its hosts: routed, or why not.
//!
//! Pure data.

use serde::{Deserialize, Serialize};
use starform_contract::{ProjectId, bundle::ServiceEntry, name::proof_record};
use starform_plan::hosts;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    pub host: String,
    pub url: String,
    pub state: HostState,
    /// The domain that it only redirects to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirects_to: Option<String>,
    /// The TXT record that shows the host to be the project's, where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<TxtRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    /// What is accepted routes it.
    Routed,
    /// Not routed until a record shows it to be the project's.
    Unproved,
    /// Shown since what is accepted was planned: the next plan routes it.
    Proved,
    /// Not routed: it is another project's.
    Taken,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxtRecord {
    pub name: String,
    pub text: String,
}

impl HostStatus {
    /// As what is accepted says by itself.
    pub fn all(service: &ServiceEntry) -> Vec<Self> {
        let hosts = hosts::of_service(&service.model).into_iter();
        hosts
            .map(|host| Self::of(host, service.project_id))
            .collect()
    }

    fn of(found: hosts::ServiceHost<'_>, project: ProjectId) -> Self {
        let record = (!found.verified).then(|| TxtRecord {
            name: proof_record(found.host),
            text: project.to_string(),
        });
        Self {
            host: found.host.to_owned(),
            url: format!("https://{}", found.host),
            state: match found.verified {
                true => HostState::Routed,
                false => HostState::Unproved,
            },
            redirects_to: found.redirects_to.map(str::to_owned),
            record,
        }
    }
}
