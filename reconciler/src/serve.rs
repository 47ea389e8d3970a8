//! The running server: opens the store, makes the admin token known, answers until it is told to stop.
//!
//! Effects: sockets, files (the admin token), the database, signals. Always holds: a token file is
//! made with mode 0600 and never overwritten; after the word to stop, what runs has 25 s to end.

use std::{
    fs,
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Api, router},
    keyfile::KeyFileError,
    keys::SigningKeys,
    private,
    proof::{DnsServer, NoDnsServer, Proofs},
    store::{DatabaseUrl, Store, StoreError},
    time::Timestamp,
    token::{NotAToken, Token, TokenKind},
    vault::SecretKeys,
};

/// From the word to stop until what still runs is cut off.
const DRAIN: Duration = Duration::from_secs(25);

/// The flags of `starform serve`.
#[derive(Clone)]
pub struct ServeConfig {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub database: DatabaseUrl,
    /// Made with a new token if it does not exist.
    pub admin_token_file: PathBuf,
    /// Made with a new key if it does not exist. Processes that share a store share the file.
    pub signing_key_file: PathBuf,
    /// Made with a new key if it does not exist and no secret is stored. Processes that share a store
    /// share the file.
    pub secrets_key_file: PathBuf,
    /// Asked whether hosts are their projects'; `None`: the servers that this machine asks.
    pub dns_server: Option<DnsServer>,
}

/// What a person who starts the server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    AdminTokenCreated(PathBuf),
    SigningKeyCreated(PathBuf),
    SecretsKeyCreated(PathBuf),
    /// Others than its owner may read or write this file, which holds a token or keys.
    FileOpen(PathBuf),
    /// So many secrets were under another key and are under the first one of the file now.
    SecretsRewrapped(u64),
    /// `SCOPE/NAME` of secrets of which stored values do not decrypt; everything else goes on.
    SecretsDamaged(Vec<String>),
    /// Ready; printed as `listening on http://…`.
    Listening(SocketAddr),
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {listen}: {reason}; choose another --listen address")]
    Listen {
        listen: SocketAddr,
        reason: io::Error,
    },
    #[error("the admin token file {}: {reason}; check --admin-token-file", path.display())]
    TokenFile { path: PathBuf, reason: io::Error },
    #[error("the admin token file {}: {reason}; remove it to get a new token", path.display())]
    NotAToken { path: PathBuf, reason: NotAToken },
    #[error("the admin token file {} holds a token of another kind; remove it to get a new one", path.display())]
    NotAdmin { path: PathBuf },
    #[error("the signing key file {}: {reason}; check --signing-key-file", path.display())]
    KeyFile { path: PathBuf, reason: KeyFileError },
    #[error("the secrets key file {}: {reason}; check --secrets-key-file", path.display())]
    SecretsKeyFile { path: PathBuf, reason: KeyFileError },
    #[error("the store holds secrets under the key `{id}`, which the secrets key file {} lacks; put that key back from its backup, or check --secrets-key-file", path.display())]
    SecretsKeyLost { path: PathBuf, id: String },
    #[error(transparent)]
    NoDnsServer(#[from] NoDnsServer),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the server: {0}")]
    Io(#[from] io::Error),
}

/// Answers until `shutdown` ends, then drains.
pub async fn serve(
    config: ServeConfig,
    shutdown: impl Future<Output = ()>,
    tell: impl Fn(Notice),
) -> Result<(), ServeError> {
    let api = open(&config, &tell).await?;
    let listen = config.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|reason| ServeError::Listen { listen, reason })?;
    tell(Notice::Listening(listener.local_addr()?));
    let Api {
        store,
        proofs,
        stopping,
        ..
    } = api.clone();
    let watching = tokio::spawn({
        let (store, stopping) = (store.clone(), stopping.clone());
        async move { store.watch_changes(stopping).await }
    });
    let looking = tokio::spawn({
        let (store, stopping) = (store.clone(), stopping.clone());
        async move { store.watch_hosts(proofs, stopping).await }
    });
    let server = axum::serve(listener, router(api))
        .with_graceful_shutdown(stopping.clone().cancelled_owned());
    let mut server = Box::pin(server.into_future());
    tokio::select! {
        ended = &mut server => ended?,
        () = shutdown => {
            stopping.cancel();
            if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
                tracing::warn!("requests still ran after {} s and were cut off", DRAIN.as_secs());
            }
        }
    }
    stopping.cancel();
    // They end at the cancellation; a panic in one has been logged.
    drop((watching.await, looking.await));
    store.close().await;
    Ok(())
}

type Made = fn(PathBuf) -> Notice;

/// The store with its keys and what must be in it; tells what was made or does not look right.
async fn open(config: &ServeConfig, tell: &impl Fn(Notice)) -> Result<Api, ServeError> {
    let store = Store::open(&config.database).await?;
    let proofs = Proofs::new(config.dns_server)?;
    let (token, new_token) = admin_token(&config.admin_token_file)?;
    let path = config.signing_key_file.clone();
    let (keys, new_key) =
        SigningKeys::open(&path).map_err(|reason| ServeError::KeyFile { path, reason })?;
    let (secret_keys, new_secret_key) = secret_keys(&store, &config.secrets_key_file).await?;
    store.ensure_admin_token(&token, Timestamp::now()).await?;
    store.ensure_workspace(Timestamp::now()).await?;
    let files: [(_, _, Made); 3] = [
        (
            new_token,
            &config.admin_token_file,
            Notice::AdminTokenCreated,
        ),
        (new_key, &config.signing_key_file, Notice::SigningKeyCreated),
        (
            new_secret_key,
            &config.secrets_key_file,
            Notice::SecretsKeyCreated,
        ),
    ];
    for (is_new, path, notice) in files {
        if is_new {
            tell(notice(path.clone()));
        }
        if private::is_open(path)? {
            tell(Notice::FileOpen(path.clone()));
        }
    }
    let rewrapped = store.rewrap_secrets(&secret_keys).await?;
    if rewrapped.values > 0 {
        tell(Notice::SecretsRewrapped(rewrapped.values));
    }
    if !rewrapped.damaged.is_empty() {
        tell(Notice::SecretsDamaged(rewrapped.damaged));
    }
    Ok(Api {
        store,
        keys,
        secret_keys,
        proofs,
        stopping: CancellationToken::new(),
    })
}

/// Ends at SIGTERM or Ctrl-C.
pub async fn told_to_stop() -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = term.recv() => Ok(()),
        ended = tokio::signal::ctrl_c() => ended,
    }
}

/// The keys in the file; a new one in a new file, and `true`, where none was ever needed.
async fn secret_keys(store: &Store, path: &Path) -> Result<(SecretKeys, bool), ServeError> {
    let failed = |reason| ServeError::SecretsKeyFile {
        path: path.to_path_buf(),
        reason,
    };
    let keys = SecretKeys::read(path).map_err(failed)?;
    if let Some(id) = store.lacking_secret_key(keys.as_ref()).await? {
        let path = path.to_path_buf();
        return Err(ServeError::SecretsKeyLost { path, id });
    }
    match keys {
        Some(keys) => Ok((keys, false)),
        None => Ok((SecretKeys::create(path).map_err(failed)?, true)),
    }
}

/// The token in the file, or a new one in a new file; and whether it is new.
fn admin_token(path: &Path) -> Result<(Token, bool), ServeError> {
    let path = path.to_path_buf();
    match fs::read_to_string(&path) {
        Ok(text) => match Token::parse(text.trim()) {
            Ok(token) if token.kind() == TokenKind::Admin => Ok((token, false)),
            Ok(_) => Err(ServeError::NotAdmin { path }),
            Err(reason) => Err(ServeError::NotAToken { path, reason }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let token = Token::issue(TokenKind::Admin);
            match private::create(&path, token.reveal()) {
                Ok(()) => Ok((token, true)),
                Err(reason) => Err(ServeError::TokenFile { path, reason }),
            }
        }
        Err(reason) => Err(ServeError::TokenFile { path, reason }),
    }
}
