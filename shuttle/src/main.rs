//! `starform-shuttle`: the agent's command line.
//!
//! Effects: all of them, through `run.rs`. Exits 0 when converged or stopped, 5 when some of a
//! `--once` run failed, 1 on errors.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{Parser as _, error::ErrorKind};
use starform_plan::yaml;
use starform_shuttle::{
    config::{self, Cli, Command, Manifests, ProfileFileError, Run},
    manifests::manifests,
    run::{self, Ended},
};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ended = match cli.command {
        Command::Manifests(asked) => print(&asked).map_err(|error| error.to_string()),
        Command::Run(run) => {
            log(&run);
            follow(&run).await
        }
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

async fn follow(run: &Run) -> Result<ExitCode, String> {
    match run::agent(run).await {
        Ok(Ended::Converged | Ended::Stopped | Ended::WaitOver) => Ok(ExitCode::SUCCESS),
        Ok(Ended::Partial) => Ok(ExitCode::from(5)),
        Err(error) => Err(error.to_string()),
    }
}

fn print(asked: &Manifests) -> Result<ExitCode, ProfileFileError> {
    let profile = config::profile(asked.profile.as_deref())?;
    let text: String = manifests(&profile).iter().map(yaml::document).collect();
    // Whoever reads less than all of it has what they wanted.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
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
