//! A guarded program ends with its guard, and so does what it started.
//!
//! Starts a shell and a process that leaves its session, as daemons do.
//! Read on in `testbed/guard.go`.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use xtask::guard::{Guarded, Terms};
use xtask::process;

use crate::given_testbed;

#[test]
fn a_stopped_guard_leaves_nothing() {
    let Some(testbed) = given_testbed() else {
        return;
    };
    let mut program = Command::new("sh");
    program.args(["-c", "setsid sleep 3600 & echo $!; exec sleep 3600"]);
    let terms = Terms {
        piped: true,
        ..Terms::default()
    };
    let mut guarded = Guarded::start(&testbed.binary, &terms, &program).expect("the guard starts");
    let output = guarded.output().expect("output was piped");
    let mut stray = String::new();
    BufReader::new(output)
        .read_line(&mut stray)
        .expect("a line is text");
    let stray: u64 = stray.trim().parse().expect("the shell prints a pid");
    assert!(
        process::started(stray).is_some(),
        "process {stray} runs while its guard does"
    );
    assert!(guarded.runs());
    guarded.stop();
    assert!(process::started(stray).is_none(), "process {stray} is left");
}

#[test]
fn a_guard_passes_the_code_on() {
    let Some(testbed) = given_testbed() else {
        return;
    };
    let mut program = Command::new("sh");
    program.args(["-c", "exit 9"]);
    let mut guarded =
        Guarded::start(&testbed.binary, &Terms::default(), &program).expect("the guard starts");
    assert_eq!(guarded.wait().expect("a guard ends").code(), Some(9));
}
