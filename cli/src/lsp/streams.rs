//! The two streams between an editor and the server.
//!
//! Effects: a thread reads standard input; answers are written to standard output. Always holds: what is no message is
//! answered with an error and ends nothing, and an editor that does not read yet is still read from.
//! Read on in `super` for what is done with the messages.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    sync::mpsc::{self, Receiver},
    thread,
};

use lsp_server::{ErrorCode, Message, Notification, RequestId};
use lsp_types::notification::{Cancel, Exit, Notification as _};
use serde::Deserialize;
use serde_json::json;

/// What came from the editor.
pub(super) enum Incoming {
    Message(Message),
    /// Why it is no message.
    Malformed(String),
}

pub(super) struct Streams {
    arriving: Receiver<Incoming>,
    /// Arrived, and not looked at yet.
    waiting: VecDeque<Incoming>,
}

impl Streams {
    /// Begins to read standard input.
    pub(super) fn open() -> Streams {
        let (sender, arriving) = mpsc::channel();
        thread::spawn(move || {
            let mut input = io::stdin().lock();
            while let Some(incoming) = read(&mut input) {
                let last = is_exit(&incoming);
                if sender.send(incoming).is_err() || last {
                    break;
                }
            }
        });
        Streams {
            arriving,
            waiting: VecDeque::new(),
        }
    }

    /// Waits for a message; `None` where the editor has closed its end.
    pub(super) fn next(&mut self) -> Option<Incoming> {
        if self.is_idle() {
            self.waiting.extend(self.arriving.recv());
        }
        self.take_arrived();
        self.waiting.pop_front()
    }

    /// Whether everything that arrived has been looked at.
    pub(super) fn is_idle(&mut self) -> bool {
        self.take_arrived();
        self.waiting.is_empty()
    }

    /// Whether the editor took a question back that was not answered yet.
    pub(super) fn is_cancelled(&self, id: &RequestId) -> bool {
        self.waiting.iter().any(|incoming| match incoming {
            Incoming::Message(Message::Notification(said)) => cancelled(said).as_ref() == Some(id),
            Incoming::Message(Message::Request(_) | Message::Response(_))
            | Incoming::Malformed(_) => false,
        })
    }

    pub(super) fn send(&self, message: impl Into<Message>) -> io::Result<()> {
        message.into().write(&mut io::stdout().lock())
    }

    /// Answers what could not be read, and so has no number.
    pub(super) fn refuse(&self, why: &str) -> io::Result<()> {
        let error = json!({"code": ErrorCode::ParseError as i32, "message": why});
        let text = json!({"jsonrpc": "2.0", "id": null, "error": error}).to_string();
        let mut output = io::stdout().lock();
        write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        output.flush()
    }

    fn take_arrived(&mut self) {
        self.waiting.extend(self.arriving.try_iter());
    }
}

/// The next message. After a bad header the next line is tried, so that the stream is found again.
fn read(input: &mut io::StdinLock<'_>) -> Option<Incoming> {
    match Message::read(input) {
        Ok(message) => message.map(Incoming::Message),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Some(Incoming::Malformed(error.to_string()))
        }
        Err(_) => None,
    }
}

fn is_exit(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Message(Message::Notification(said)) => said.method == Exit::METHOD,
        Incoming::Message(Message::Request(_) | Message::Response(_)) | Incoming::Malformed(_) => {
            false
        }
    }
}

/// The question that a notification takes back.
fn cancelled(said: &Notification) -> Option<RequestId> {
    #[derive(Deserialize)]
    struct Cancelled {
        id: RequestId,
    }
    if said.method != Cancel::METHOD {
        return None;
    }
    let cancelled = Cancelled::deserialize(&said.params).ok()?;
    Some(cancelled.id)
}
