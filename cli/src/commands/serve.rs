//! `starform serve`: the control plane in one process.
//!
//! Effects: listens, stores, logs to standard error; prints where it listens to standard output.

use starform_reconciler::{Notice, ServeConfig, serve, serve::told_to_stop};
use tracing_subscriber::EnvFilter;

use super::print;
use crate::{args::ServeArgs, exit::Exit};

pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    log(args.log_json);
    let config = ServeConfig {
        listen: args.listen,
        database: args.database,
        admin_token_file: args.admin_token_file,
        signing_key_file: args.signing_key_file,
        secrets_key_file: args.secrets_key_file,
        dns_server: args.dns_server,
    };
    serve(config, stop_asked(), tell).await?;
    Ok(Exit::Success)
}

async fn stop_asked() {
    if let Err(error) = told_to_stop().await {
        tracing::warn!(%error, "cannot listen to signals; only SIGKILL ends this process");
        std::future::pending::<()>().await;
    }
}

fn tell(notice: Notice) {
    match notice {
        Notice::AdminTokenCreated(path) => {
            say!(
                "made a new administrator's token in {} (mode 0600)",
                path.display()
            );
        }
        Notice::SigningKeyCreated(path) => {
            say!(
                "made a new key that signs desired state in {} (mode 0600); keep a copy: agents trust it",
                path.display()
            );
        }
        Notice::SecretsKeyCreated(path) => {
            say!(
                "made a new key for stored secrets in {} (mode 0600); keep a copy apart from the database: without it no secret can be read",
                path.display()
            );
        }
        Notice::FileOpen(path) => say!(
            "warning: others than its owner may read or write {}; run chmod 600 on it",
            path.display()
        ),
        Notice::SecretsRewrapped(count) => {
            say!("{count} stored secrets are under the first key of the secrets key file now");
        }
        Notice::SecretsDamaged(names) => say!(
            "stored values do not decrypt and stay under their key: {}; set these secrets anew, or restore a backup of the store",
            names.join(", ")
        ),
        Notice::Listening(address) => print(&format!("listening on http://{address}\n")),
    }
}

/// `RUST_LOG` decides what is logged; by default what an operator needs.
fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder.init();
    }
}
