//! Ctrl-C, heard from before something is accepted until all is done.
//!
//! Effects: takes the signal away from the process, which would end at it. Always holds: one that comes while nobody
//! waits for it is kept for who waits next.

use std::{future::Future, io, pin::Pin};

use futures::FutureExt as _;
use tokio::signal::ctrl_c;

pub(crate) struct Interrupts {
    next: Pin<Box<dyn Future<Output = io::Result<()>> + Send>>,
    /// One was heard, and is for who waits next.
    kept: bool,
}

impl Interrupts {
    /// From here on.
    pub(crate) fn listen() -> Self {
        Self {
            next: next(),
            kept: false,
        }
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        if std::mem::take(&mut self.kept) {
            return;
        }
        // Where nothing can be heard, nothing comes.
        if self.next.as_mut().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.next = next();
    }

    /// Whether there was one that nobody waited for; it is for who waits next all the same.
    pub(crate) fn is_heard(&mut self) -> bool {
        if let Some(heard) = self.next.as_mut().now_or_never() {
            self.next = next();
            self.kept |= heard.is_ok();
        }
        self.kept
    }

    /// What the work comes to; `None`: the second one came before it was done. A first one lets it end, and is for
    /// who waits next.
    pub(crate) async fn until_second<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut heard = false;
        loop {
            tokio::select! {
                done = work.as_mut() => {
                    self.kept |= heard;
                    return Some(done);
                }
                () = self.next() => {
                    if std::mem::replace(&mut heard, true) {
                        return None;
                    }
                    say!("stopping; once more to stop at once");
                }
            }
        }
    }
}

fn next() -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
    let mut next: Pin<Box<dyn Future<Output = io::Result<()>> + Send>> = Box::pin(ctrl_c());
    // The first look at it is what makes it listen.
    match next.as_mut().now_or_never() {
        None => next,
        Some(heard) => Box::pin(std::future::ready(heard)),
    }
}
