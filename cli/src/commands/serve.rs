//! `starform serve`: the control plane in one process.
//!
//! Effects: listens, stores, logs to standard error; prints where it listens to standard output.

use starform_reconciler::{ServeConfig, serve};
use tracing_subscriber::EnvFilter;

use super::print;
use crate::{args::ServeArgs, exit::Exit};

pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    log(args.log_json);
    let config = ServeConfig {
        listen: args.listen,
        database: args.database,
        admin_token_file: args.admin_token_file,
    };
    serve(config, stop_asked(), |address| print(&format!("listening on http://{address}\n"))).await?;
    Ok(Exit::Success)
}

async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// `RUST_LOG` decides what is logged; by default what an operator needs.
fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder.init();
    }
}
