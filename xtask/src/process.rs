//! Running other programs to their end, and waiting for conditions.
//!
//! Effects: starts processes, reads the clock. A program that fails is an error that names it.
//! Read on in `guard.rs` for programs that run beside us.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::place;

/// A cargo command in the root of the checkout.
pub fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Command {
    let mut command = Command::new(place::cargo());
    command.args(arguments).current_dir(place::root());
    command
}

/// Shows the command on standard error and runs it on this terminal.
///
/// # Errors
/// Where it cannot be started or ends with another code than 0.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    eprintln!("» {line}");
    let status = command
        .status()
        .with_context(|| format!("cannot start {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// What the command prints on standard output.
///
/// # Errors
/// Where it cannot be started or ends with another code than 0; the error carries its standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start {line}"))?;
    if !output.status.success() {
        bail!(
            "{line}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Asks every 50 ms until there is an answer; `None` when the limit is over.
pub fn await_some<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// When the process was started, in clock ticks since boot (proc(5), field 22); `None` where it has ended.
#[must_use]
pub fn started(pid: u64) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split_whitespace();
    (fields.next()? != "Z").then_some(())?;
    fields.nth(18)?.parse().ok()
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let mut line = String::new();
    for (position, word) in words.enumerate() {
        let word = word.to_string_lossy();
        // The program's own name is enough: its folder is the same for everyone.
        let word = if position == 0 {
            word.rsplit('/').next().unwrap_or(&word).to_owned()
        } else {
            word.into_owned()
        };
        line.push_str(if position == 0 { "" } else { " " });
        line.push_str(&word);
    }
    line
}
