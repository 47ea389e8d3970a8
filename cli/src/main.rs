//! `starform`: declare a project, see every change as a plan, apply it.
//!
//! Effects: everything a command needs. Parses the command line, runs one command, exits with its
//! code. Read on in `args` for the commands and in `exit` for the codes.

#[macro_use]
mod output;

mod args;
mod backend;
mod commands;
mod embedded;
mod exit;
mod interrupt;
mod lsp;
mod progress;
mod remote;
mod rewrite;
mod sources;
mod terminal;
mod usage;

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};

use crate::{args::Cli, exit::Exit};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let error = usage::advise(error, std::env::args_os().skip(1));
            let shown = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // Nothing can be done about a closed standard output.
            let _ = error.print();
            return if shown {
                Exit::Success.into()
            } else {
                Exit::Error.into()
            };
        }
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("no other TLS provider is installed before main");
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::tell(&error.into()).into(),
    };
    let exit = match runtime.block_on(commands::run(cli)) {
        Ok(exit) => exit,
        Err(error) => exit::tell(&error),
    };
    match output::lost() {
        Some(reason) => {
            say!("error: the answer could not be written whole: {reason}");
            Exit::Error.into()
        }
        None => exit.into(),
    }
}
