//! Sums the closing lines of many test binaries.
//!
//! Effects: runs the tests of a soak; passes on what tests print. Always holds: a line that is no closing line changes
//! nothing.
//! Read on in `test.rs`.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
}

impl Tally {
    /// Passes every line on as it comes, and sums the closing ones.
    ///
    /// # Errors
    /// Where the output cannot be read or passed on.
    pub fn stream(output: impl Read) -> Result<Self> {
        let mut tally = Self::default();
        let mut ours = std::io::stdout().lock();
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            ours.write_all(&line)?;
            ours.write_all(b"\n")?;
            tally.read(&String::from_utf8_lossy(&line));
        }
        Ok(tally)
    }

    /// Runs tests whose names were given, and shows what they measure while they do.
    ///
    /// # Errors
    /// Where they do not build, one fails, or fewer than `least` passed: a name that no test has is no success.
    pub fn held(tests: &mut Command, least: u64) -> Result<()> {
        let mut child = tests
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start cargo test")?;
        let tally = Self::stream(child.stdout.take().context("standard output was piped")?)?;
        let status = child.wait()?;
        ensure!(status.success(), "cargo test: {status}: {tally}");
        ensure!(
            tally.passed >= least,
            "only {tally}, where at least {least} tests were wanted: one was renamed or left out"
        );
        Ok(())
    }

    /// Adds one line of `cargo test`'s standard output, such as
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    pub fn read(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        for part in counts.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(kind)) = (words.next().map(str::parse::<u64>), words.next())
            else {
                continue;
            };
            match kind {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} skipped", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn sums_only_closing_lines() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test passed ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 12.5s",
        ] {
            tally.read(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 13,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(tally.to_string(), "13 passed, 2 failed, 1 skipped");
    }
}
