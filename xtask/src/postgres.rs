//! A throwaway PostgreSQL of our own, from the binaries that are installed.
//!
//! Effects: runs `initdb` and `postgres` in a temporary folder, listening on one loopback port; as `nobody` when we
//! are root, because PostgreSQL refuses to run as root.
//! Always holds: the server and its folder are gone when the value is, also when we are killed.
//! Read on in `test.rs`.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::guard::{Guarded, Terms};
use crate::process;
use crate::testbed::Testbed;

/// The oldest version that the store supports.
const OLDEST: u32 = 15;

/// A running server.
pub struct Postgres {
    _server: Guarded,
    _folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Starts an empty server.
    ///
    /// # Errors
    /// Where no PostgreSQL of version 15 or newer is installed, or it does not start.
    pub fn start(testbed: &Testbed) -> Result<Self> {
        let bin = binaries()?;
        let folder = tempfile::Builder::new()
            .prefix("starform-postgres-")
            .tempdir()?;
        let data = folder.path().join("data");
        let user = account(folder.path())?;
        let terms = |log: &str| Terms {
            user: user.clone(),
            log: Some(folder.path().join(log)),
            ..Terms::default()
        };
        let mut initdb = Command::new(bin.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        initdb.arg(&data).current_dir(folder.path());
        let status = Guarded::start(&testbed.binary, &terms("initdb.log"), &initdb)?.wait()?;
        if !status.success() {
            bail!(
                "initdb: {status}\n{}",
                fs::read_to_string(folder.path().join("initdb.log")).unwrap_or_default()
            );
        }
        let port = free_port()?;
        let terms = Terms {
            interrupt: true,
            remove: Some(folder.path().to_owned()),
            ..terms("postgres.log")
        };
        let mut server = Guarded::start(
            &testbed.binary,
            &terms,
            &server(&bin, &data, folder.path(), port),
        )?;
        await_ready(&bin, port, &mut server, &folder.path().join("postgres.log"))?;
        Ok(Self {
            _server: server,
            _folder: folder,
            port,
        })
    }

    /// For the database `postgres`; a test creates its own beside it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

/// Where `postgres` and `initdb` are: what `pg_config` says, then the folders of Debian, newest first.
fn binaries() -> Result<PathBuf> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Ok(told) = process::output(Command::new("pg_config").arg("--bindir")) {
        candidates.push(PathBuf::from(told.trim()));
    }
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut folders: Vec<PathBuf> = versions
            .flatten()
            .map(|version| version.path().join("bin"))
            .collect();
        folders.sort();
        candidates.extend(folders.into_iter().rev());
    }
    candidates
        .into_iter()
        .find(|bin| bin.join("initdb").exists() && version(bin).is_ok_and(|version| version >= OLDEST))
        .with_context(|| {
            format!("the tests need the server binaries of PostgreSQL {OLDEST} or newer (Debian: apt-get install postgresql), or POSTGRES_URL_FOR_TESTS")
        })
}

/// `postgres (PostgreSQL) 15.14 (Debian …)` is 15.
fn version(bin: &Path) -> Result<u32> {
    let text = process::output(Command::new(bin.join("postgres")).arg("--version"))?;
    let number = text
        .split_whitespace()
        .nth(2)
        .and_then(|version| version.split('.').next())
        .unwrap_or_default();
    number
        .parse()
        .with_context(|| format!("no version in {text:?}"))
}

/// `nobody` when we are root; the folder then belongs to that user.
fn account(folder: &Path) -> Result<Option<String>> {
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let ids = accounts.lines().find_map(|line| {
        let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    let (user, group) =
        ids.context("PostgreSQL refuses to run as root, and there is no user nobody")?;
    chown(folder, Some(user), Some(group))?;
    Ok(Some("nobody".to_owned()))
}

/// Nothing here outlives the run: no flush to disk.
fn server(bin: &Path, data: &Path, sockets: &Path, port: u16) -> Command {
    let mut command = Command::new(bin.join("postgres"));
    command
        .arg("-D")
        .arg(data)
        .arg("-p")
        .arg(port.to_string())
        .arg("-k")
        .arg(sockets)
        .current_dir(sockets);
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=300",
        "log_min_messages=warning",
    ] {
        command.args([OsString::from("-c"), OsString::from(setting)]);
    }
    command
}

fn await_ready(bin: &Path, port: u16, server: &mut Guarded, log: &Path) -> Result<()> {
    let port = port.to_string();
    let ready = process::await_some(Duration::from_secs(30), || {
        if !server.runs() {
            return Some(false);
        }
        let mut question = Command::new(bin.join("pg_isready"));
        process::output(question.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port]))
            .ok()
            .map(|_| true)
    });
    if ready != Some(true) {
        bail!(
            "PostgreSQL did not start:\n{}",
            fs::read_to_string(log).unwrap_or_default()
        );
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
