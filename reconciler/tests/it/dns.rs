//! A DNS server for one test, on loopback: TXT records that the test makes and takes away.
//!
//! Effects: a UDP socket. Always holds: what it does not have does not exist (NXDOMAIN), until it is told to fail.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hickory_resolver::proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, rdata::TXT},
};
use starform_reconciler::proof::{DnsServer, Proofs};
use tokio::net::UdpSocket;

#[derive(Clone)]
pub(crate) struct Dns {
    at: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

#[derive(Default)]
struct Zone {
    /// By name, without the dot at its end.
    texts: BTreeMap<String, Vec<String>>,
    fails: bool,
    asked: usize,
}

impl Dns {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let dns = Self {
            at: socket.local_addr().unwrap(),
            zone: Arc::default(),
        };
        let zone = Arc::clone(&dns.zone);
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let query = Message::from_vec(&buffer[..length]).unwrap();
                let answer = zone.lock().unwrap().answer(&query).to_vec().unwrap();
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        dns
    }

    /// Whatever is, or is not, there.
    pub(crate) fn at(at: SocketAddr) -> Self {
        let zone = Arc::default();
        Self { at, zone }
    }

    pub(crate) fn server(&self) -> DnsServer {
        DnsServer(self.at)
    }

    pub(crate) fn proofs(&self) -> Proofs {
        Proofs::new(Some(self.server())).unwrap()
    }

    /// The TXT records of a name; none: the name does not exist.
    pub(crate) fn set(&self, name: &str, texts: &[&str]) {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let zone = &mut self.zone.lock().unwrap();
        if texts.is_empty() {
            zone.texts.remove(name);
        } else {
            zone.texts.insert(name.to_owned(), texts);
        }
    }

    /// Whether it answers SERVFAIL.
    pub(crate) fn fail(&self, fails: bool) {
        self.zone.lock().unwrap().fails = fails;
    }

    /// How many questions it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.zone.lock().unwrap().asked
    }
}

impl Zone {
    fn answer(&mut self, query: &Message) -> Message {
        self.asked += 1;
        let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
        let question = query.queries[0].clone();
        let name = question.name().clone();
        let key = name.to_ascii().trim_end_matches('.').to_lowercase();
        answer.add_query(question);
        match self.texts.get(&key) {
            _ if self.fails => answer.metadata.response_code = ResponseCode::ServFail,
            None => answer.metadata.response_code = ResponseCode::NXDomain,
            Some(texts) => {
                let records = texts.iter().map(|text| {
                    let text = RData::TXT(TXT::new(vec![text.clone()]));
                    Record::from_rdata(name.clone(), 60, text)
                });
                answer.add_answers(records);
            }
        }
        answer
    }
}
