//! Ctrl-C, heard from before something is accepted until it is done.
//!
//! Effects: takes the signal away from the process, which would end at it. Always holds: one that comes while nobody
//! waits for it is kept for who waits next.

use std::{future::Future, io, pin::Pin};

use tokio::signal::ctrl_c;

pub(crate) struct Interrupts(Pin<Box<dyn Future<Output = io::Result<()>> + Send>>);

impl Interrupts {
    /// From here on.
    pub(crate) async fn listen() -> Self {
        let mut next = Box::pin(ctrl_c());
        // The first look at it is what makes it listen.
        let _ = futures::poll!(next.as_mut());
        Self(next)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        // Where nothing can be heard, nothing comes.
        if self.0.as_mut().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self = Self::listen().await;
    }
}
