//! The command line of `cargo xtask`.
//!
//! Effects: as the command that is named. The exit code is 0 only if everything that was asked for worked.
//! Read on in `lib.rs`, one module per command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{bench, demo, fuzz, soak, test, testbed};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything: fmt, clippy, unit, golden, store on both databases, real API server
    Test {
        /// Leave out what needs servers
        #[arg(long)]
        fast: bool,
    },
    /// Start all parts, plan and apply a project, and show that a second plan is empty
    Demo {
        /// The folder of the project
        #[arg(default_value = "examples/shop")]
        path: PathBuf,
        /// Stop when it is shown, do not wait for Ctrl-C
        #[arg(long)]
        exit: bool,
    },
    /// Measure, with a floor or a peer in the same run where there is one
    Bench {
        /// One benchmark; all of them without a name
        name: Option<String>,
        /// One JSON object a line: name, ours, floor, ratio, unit, n
        #[arg(long)]
        json: bool,
    },
    /// Run laws and loops at full size
    Soak {
        /// One of them; all of them without a name
        name: Option<String>,
    },
    /// Fuzz the language; needs cargo-fuzz and a nightly compiler
    Fuzz {
        /// One target; all of them without a name
        target: Option<String>,
        /// For each target
        #[arg(long, default_value_t = 300)]
        seconds: u32,
    },
    /// The testbed alone: build, up, down, run, status, audit, kubectl, …
    #[command(disable_help_flag = true)]
    Testbed {
        /// `build`, or a command of the testbed with its flags
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test { fast } => test::run(fast),
        Command::Demo { path, exit } => demo::run(&path, exit).map(|()| ExitCode::SUCCESS),
        Command::Bench { name, json } => {
            bench::run(name.as_deref(), json).map(|()| ExitCode::SUCCESS)
        }
        Command::Soak { name } => soak::run(name.as_deref()).map(|()| ExitCode::SUCCESS),
        Command::Fuzz { target, seconds } => {
            fuzz::run(target.as_deref(), seconds).map(|()| ExitCode::SUCCESS)
        }
        Command::Testbed { arguments } => testbed::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
