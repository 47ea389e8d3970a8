//! `cargo xtask test`: everything that has to hold before a change lands.
//!
//! Effects: runs cargo, starts one cluster and one PostgreSQL for all test binaries together.
//! Always holds: the last line is the sum of all test binaries, alone on its line; the exit code is 0 only if every
//! step passed; nothing that was started is left.
//! Read on in `testbed.rs`, `postgres.rs` and, for what tests read from the environment, [`Servers`].

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result};

use crate::guard::{Guarded, Terms};
use crate::postgres::Postgres;
use crate::tally::Tally;
use crate::testbed::{self, Cluster, Testbed};
use crate::{place, process};

/// What property tests begin with: the same cases in each run. New ones are looked for by `cargo xtask soak` and
/// `fuzz`, by a test binary alone, or with another number here.
const SEED: &str = "PROPTEST_RNG_SEED";

/// What tests find in the environment. A value that is there already is used instead of a server of our own.
pub struct Servers {
    testbed: Testbed,
    cluster: Option<Cluster>,
    postgres: Option<Postgres>,
}

/// Runs every step; `fast` leaves out what needs servers.
///
/// # Errors
/// Where a step before the tests fails, or a server does not start.
pub fn run(fast: bool) -> Result<ExitCode> {
    process::run(&mut process::cargo(["fmt", "--all", "--check"]))?;
    process::run(&mut process::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    deny()?;
    if fast {
        let mut tests = tests();
        tests.env("STARFORM_TEST_FAST", "1").stdout(Stdio::piped());
        let mut child = tests.spawn().context("cannot start cargo test")?;
        let tally = Tally::stream(child.stdout.take().context("standard output was piped")?)?;
        return Ok(close(tally, child.wait()?));
    }
    let testbed = testbed::build()?;
    // Compiled before the servers start: they shall not wait for a compiler. Binaries too: tests run them.
    process::run(&mut process::cargo([
        "build",
        "--workspace",
        "--all-targets",
    ]))?;
    let servers = Servers::start(testbed)?;
    let mut tests = tests();
    tests.envs(servers.environment());
    let terms = Terms {
        piped: true,
        ..Terms::default()
    };
    let mut guarded = Guarded::start(&servers.testbed.binary, &terms, &tests)?;
    let tally = Tally::stream(guarded.output().context("standard output was piped")?)?;
    let status = guarded.wait()?;
    drop(servers);
    Ok(close(tally, status))
}

impl Servers {
    /// Starts what the environment does not name already.
    ///
    /// # Errors
    /// Where one of them does not start.
    pub fn start(testbed: Testbed) -> Result<Self> {
        let missing = |name: &str| env::var_os(name).is_none();
        let cluster = missing("KUBECONFIG_FOR_TESTS")
            .then(|| Cluster::start(&testbed, 3))
            .transpose()?;
        let postgres = missing("POSTGRES_URL_FOR_TESTS")
            .then(|| Postgres::start(&testbed))
            .transpose()?;
        Ok(Self {
            testbed,
            cluster,
            postgres,
        })
    }

    /// The variables for a test binary; those that we were given it inherits.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let path = |path: PathBuf| path.into_os_string();
        let mut variables = vec![
            ("TESTBED_BIN_FOR_TESTS", path(self.testbed.binary.clone())),
            ("STARFORM_BIN_DIR_FOR_TESTS", path(place::binaries())),
        ];
        if let Some(cluster) = &self.cluster {
            let found = cluster.variables();
            variables.extend(found.map(|(name, place)| (name, path(place))));
        }
        if let Some(postgres) = &self.postgres {
            variables.push(("POSTGRES_URL_FOR_TESTS", postgres.url().into()));
        }
        variables
    }
}

/// Licences, sources and bans, where the tool is installed: `deny.toml` says what is allowed.
fn deny() -> Result<()> {
    let installed = process::output(&mut process::cargo(["deny", "--version"])).is_ok();
    if !installed {
        eprintln!("» cargo deny check: left out, cargo-deny is not installed");
        return Ok(());
    }
    process::run(&mut process::cargo([
        "deny",
        "--workspace",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}

fn tests() -> Command {
    let mut tests = process::cargo(["test", "--workspace", "--no-fail-fast"]);
    if env::var_os(SEED).is_none() {
        tests.env(SEED, "1");
    }
    tests
}

fn close(mut tally: Tally, status: ExitStatus) -> ExitCode {
    if !status.success() && tally.failed == 0 {
        eprintln!(
            "cargo test: {status}, and no test says so: a test binary did not build or ended early"
        );
        tally.failed = 1;
    }
    println!("{tally}");
    if status.success() && tally.failed == 0 && tally.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
