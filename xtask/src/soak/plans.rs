//! Plans at full size: all views of more than 100 000 generated plans, hostile texts in every place, held against
//! every law of a view; their fields, which turn what was into what will be; their ids; permuted input; and the bytes of
//! plans and views in two processes.
//!
//! Effects: builds and runs tests of `starform-plan` in release. Always holds: the cases are the same every time.
//! Read on in `reconciler/plan/tests/it/cases/`.

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::tally::Tally;

const TESTS: &str = "test --release --package starform-plan --test it -- --ignored --nocapture";

pub(super) fn run() -> Result<()> {
    let twice = [
        bytes(&[])?,
        bytes(&[("TZ", "Asia/Tokyo"), ("LC_ALL", "tr_TR.UTF-8")])?,
    ];
    let [one, other] = &twice;
    ensure!(
        one == other,
        "two processes made other bytes: {one}; {other}"
    );
    println!("{one}, in two processes");
    let halves = "cases::generated::soak_";
    Tally::held(&mut process::cargo(TESTS.split(' ').chain([halves])), 2)
}

/// What a process says of the bytes that it made.
fn bytes(environment: &[(&str, &str)]) -> Result<String> {
    let mut tests = process::cargo(TESTS.split(' ').chain(["cases::generated::bytes_"]));
    tests.envs(environment.iter().copied());
    let text = process::output(&mut tests)?;
    let mut lines = text.lines();
    let line = lines.find_map(|line| Some(&line[line.find("bytes of ")?..]));
    line.map(str::to_owned)
        .context("no bytes were told: the test was renamed")
}
