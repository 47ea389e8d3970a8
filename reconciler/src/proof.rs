//! Whether whoever has a host wants a project to have it: a TXT record in the host's own zone says so.
//!
//! Effects: asks a DNS server. Always holds: an answer is waited for a bounded time, and a server that
//! does not answer proves nothing, neither that a host is a project's nor that it is not.
//! Read on in `store/hostnames.rs` for what follows from it.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use futures::{StreamExt as _, future, stream};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{op::ResponseCode, rr::RData},
};
use starform_contract::{ProjectId, name::proof_record};

/// Of one question; the second one is asked after it.
const ANSWER: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 2;
/// Questions that are open at once.
const AT_ONCE: usize = 16;

/// Asks one DNS server, or those that this machine asks. Cheap to clone.
#[derive(Clone)]
pub struct Proofs(TokioResolver);

/// Where a DNS server answers; port 53 where none is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DnsServer(pub SocketAddr);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The record is there.
    Shown,
    /// It is not.
    Missing,
    /// Nobody says.
    Unanswered,
}

#[derive(Debug, thiserror::Error)]
#[error("no DNS server to ask who has a host: {0}; name one with --dns-server")]
pub struct NoDnsServer(#[from] NetError);

impl Proofs {
    /// `None`: this machine's own servers (`/etc/resolv.conf`).
    ///
    /// # Errors
    /// [`NoDnsServer`]
    pub fn new(server: Option<DnsServer>) -> Result<Self, NoDnsServer> {
        let mut builder = match server {
            Some(DnsServer(at)) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                let connections = connections.map(|mut connection| {
                    connection.port = at.port();
                    connection
                });
                let server = NameServerConfig::new(at.ip(), true, connections.to_vec());
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        options.timeout = ANSWER;
        options.attempts = ATTEMPTS;
        // Who has just made the record is not told of the time before.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self(builder.build()?))
    }

    pub async fn look(&self, project: ProjectId, host: &str) -> Proof {
        let id = project.to_string();
        match self.0.txt_lookup(format!("{}.", proof_record(host))).await {
            Ok(found) => {
                let mut texts = found.answers().iter().filter_map(|record| {
                    let RData::TXT(text) = &record.data else {
                        return None;
                    };
                    Some(text.txt_data.concat())
                });
                let shown = texts.any(|text| text.trim_ascii() == id.as_bytes());
                if shown { Proof::Shown } else { Proof::Missing }
            }
            Err(error) if says_no(&error) => Proof::Missing,
            Err(error) => {
                tracing::debug!(host, %error, "nobody says whose the host is");
                Proof::Unanswered
            }
        }
    }

    /// Those of `hosts` that are shown to be the project's within the time.
    pub async fn shown(
        &self,
        project: ProjectId,
        hosts: BTreeSet<String>,
        within: Duration,
    ) -> BTreeSet<String> {
        let looked = self.look_at(hosts.into_iter().map(|host| (host, project)).collect());
        let end = tokio::time::sleep(within);
        let looked = looked.take_until(end);
        let shown = looked
            .filter_map(|(host, _, proof)| future::ready((proof == Proof::Shown).then_some(host)));
        shown.collect().await
    }

    /// A proof for each host, as they come.
    pub fn look_at(
        &self,
        hosts: Vec<(String, ProjectId)>,
    ) -> impl futures::Stream<Item = (String, ProjectId, Proof)> + '_ {
        let questions = hosts.into_iter().map(move |(host, project)| async move {
            let proof = self.look(project, &host).await;
            (host, project, proof)
        });
        stream::iter(questions).buffer_unordered(AT_ONCE)
    }
}

/// A server that fails or refuses says nothing about the record.
fn says_no(error: &NetError) -> bool {
    if let NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) = error {
        matches!(
            response_code,
            ResponseCode::NXDomain | ResponseCode::NoError
        )
    } else {
        false
    }
}

impl FromStr for DnsServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = text.parse::<SocketAddr>();
        let host = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        whole.or_else(|_| host()).map(Self).map_err(|_| {
            "write the address of a DNS server, such as 9.9.9.9 or 127.0.0.1:5353".to_owned()
        })
    }
}
