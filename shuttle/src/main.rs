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
    client,
    config::{self, Cli, Command, Export, Key, Manifests, ProfileFileError, Run},
    export::export,
    manifests::manifests,
    persist::agent_key,
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
        Command::Export(asked) => carry(&asked).await,
        Command::Key(asked) => key(&asked).await,
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

async fn carry(asked: &Export) -> Result<ExitCode, String> {
    let wrote = export(asked).await.map_err(|error| error.to_string())?;
    eprintln!(
        "wrote generation {} to {}: {} bundles, sealed values of {} objects; carry the folder, and run `starform-shuttle run --desired-state DIR` in the cluster",
        wrote.generation,
        asked.out.display(),
        wrote.bundles,
        wrote.sealed
    );
    Ok(ExitCode::SUCCESS)
}

async fn key(asked: &Key) -> Result<ExitCode, String> {
    client::install_tls();
    let cluster = client::cluster(asked.kubeconfig.as_deref()).await;
    let cluster = cluster.map_err(|error| error.to_string())?;
    let key = agent_key(&cluster)
        .await
        .map_err(|error| error.to_string())?;
    let _ = writeln!(std::io::stdout(), "{}", key.public());
    Ok(ExitCode::SUCCESS)
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
