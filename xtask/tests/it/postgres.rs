//! The throwaway PostgreSQL answers while it is held, and is gone afterwards.
//!
//! Starts a server of its own.
//! Read on in `xtask/src/postgres.rs`.

use std::net::TcpStream;

use xtask::postgres::Postgres;

use crate::given_testbed;

#[test]
fn a_dropped_server_is_gone() {
    let Some(testbed) = given_testbed() else {
        return;
    };
    let server = Postgres::start(&testbed).expect("PostgreSQL starts");
    let url = server.url();
    let address = url
        .trim_start_matches("postgres://postgres@")
        .trim_end_matches("/postgres");
    assert!(
        TcpStream::connect(address).is_ok(),
        "nothing listens on {address}"
    );
    drop(server);
    assert!(
        TcpStream::connect(address).is_err(),
        "something still listens on {address}"
    );
}
