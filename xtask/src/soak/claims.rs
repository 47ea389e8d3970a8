//! A thousand claims of one host by two projects, at once, on SQLite and on Postgres: one of them has it.
//!
//! Effects: builds the testbed, starts a PostgreSQL server.
//! Read on in `reconciler/tests/it/hosts.rs`.

use anyhow::Result;

use crate::postgres::Postgres;
use crate::tally::Tally;
use crate::{process, testbed};

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let postgres = Postgres::start(&testbed)?;
    let arguments =
        "test --package starform-reconciler --test it -- --ignored --nocapture hosts::soak_";
    let mut tests = process::cargo(arguments.split(' '));
    tests.env("POSTGRES_URL_FOR_TESTS", postgres.url());
    Tally::held(&mut tests, 2)
}
