//! Standard output and standard error of a command.
//!
//! Effects: writes to both. Always holds: a command whose answer could not be written whole does not
//! end with exit 0, and losing standard error breaks nothing. A reader that has gone away (`| head`)
//! is no error.

use std::{
    fmt,
    io::{self, Write as _},
    sync::OnceLock,
};

/// Why the answer is not whole: the first failure.
static LOST: OnceLock<String> = OnceLock::new();

/// A part of the command's answer.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Why the answer is not whole, if it is not.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Words beside the answer: nobody may be listening.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// As `eprintln!`, which panics where standard error cannot be written to.
macro_rules! say {
    ($($word:tt)*) => {
        $crate::output::say(format_args!("{}\n", format_args!($($word)*)))
    };
}

/// As `eprint!`.
macro_rules! say_part {
    ($($word:tt)*) => {
        $crate::output::say(format_args!($($word)*))
    };
}
