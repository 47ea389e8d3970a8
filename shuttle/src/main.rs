//! `starform-shuttle`: the agent's command line.
//!
//! Effects: all of them, through `run.rs`. Exits 0 when converged or stopped, 5 when some of a
//! `--once` run failed, 1 on errors.

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};
use starform_shuttle::{
    config::{Cli, Command, Run},
    run::{self, Ended},
};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let Command::Run(run) = cli.command;
    log(&run);
    match run::agent(&run).await {
        Ok(Ended::Converged | Ended::Stopped | Ended::WaitOver) => ExitCode::SUCCESS,
        Ok(Ended::Partial) => ExitCode::from(5),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Usage errors exit 1, as those of `starform` do.
fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell when standard error is gone.
    let _ = error.print();
    let asked = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
    if asked.contains(&error.kind()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// To standard error; `RUST_LOG` chooses what. The client logs each answer of 500 and above as an
/// error; what such an answer means is said where it is handled.
fn log(run: &Run) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube_client=off"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    if run.log_json {
        lines.json().init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).init();
    }
}
