//! A program beside us that cannot outlive us.
//!
//! Effects: starts `testbed guard`, which runs the program until our end of its standard input closes:
//! by [`Guarded::stop`], by a drop, or by the kernel when we are killed.
//! Always holds: what the program started itself ends with it.
//! Read on in `testbed/guard.go`.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

/// How a program is guarded.
#[derive(Default)]
pub struct Terms {
    /// Run as this user; only root may ask for it.
    pub user: Option<String>,
    /// Ask with SIGINT to end, not with SIGTERM.
    pub interrupt: bool,
    /// Remove this folder at the end.
    pub remove: Option<PathBuf>,
    /// Standard output and standard error go here; without it, to ours.
    pub log: Option<PathBuf>,
    /// Standard output goes to us: see [`Guarded::output`].
    pub piped: bool,
}

/// A running program.
pub struct Guarded {
    child: Child,
    leash: Option<ChildStdin>,
}

impl Guarded {
    /// Starts the program with its arguments, environment and folder.
    ///
    /// # Errors
    /// Where the guard or the log file cannot be opened. A program that cannot be started ends with code 127.
    pub fn start(testbed: &Path, terms: &Terms, program: &Command) -> Result<Self> {
        let mut guard = Command::new(testbed);
        guard.arg("guard");
        if let Some(user) = &terms.user {
            guard.arg(format!("--user={user}"));
        }
        if let Some(folder) = &terms.remove {
            guard.arg("--remove").arg(folder);
        }
        if terms.interrupt {
            guard.arg("--interrupt");
        }
        guard
            .arg("--")
            .arg(program.get_program())
            .args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => guard.env(name, value),
                None => guard.env_remove(name),
            };
        }
        if let Some(folder) = program.get_current_dir() {
            guard.current_dir(folder);
        }
        if let Some(log) = &terms.log {
            let file =
                File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
            guard.stdout(file.try_clone()?).stderr(file);
        } else if terms.piped {
            guard.stdout(Stdio::piped());
        }
        // Ctrl-C is for us: we decide in which order things end.
        guard.stdin(Stdio::piped()).process_group(0);
        let mut child = guard.spawn().context("cannot start the testbed's guard")?;
        let leash = child.stdin.take();
        Ok(Self { child, leash })
    }

    /// The program's standard output, once, where it was asked for.
    pub fn output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether the program still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the program's own end.
    ///
    /// # Errors
    /// Where the system cannot say how it ended.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        // `Child::wait` would close standard input first, and that is the order to end.
        let leash = self.leash.take();
        let status = self.child.wait();
        drop(leash);
        status
    }

    /// Ends the program and returns when it and all that it started are gone.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.leash.take());
        // Its code was ours to ask for, and a guard that is gone has done its work.
        let _ = self.child.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}
