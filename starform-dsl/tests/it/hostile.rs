//! Input that is meant to break a parser: it is answered in time, on a small stack.
//! Starts threads and measures time. Limits are wide enough for an unoptimised build on a busy machine.
//! Read on in `laws` for what holds for every text.

use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use starform_dsl::source::FileId;
use starform_dsl::syntax::{Parse, parse};

use crate::heavy;

/// Bytes of stack that every text must do with.
const STACK: usize = 256 * 1024;
/// Of an unoptimised build on a busy machine; what grows with the square of the text takes minutes.
const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const MIB: usize = 1 << 20;

#[test]
fn hostile_texts_are_answered_in_time_on_a_small_stack() {
    let late: Vec<String> = hostile(MIB)
        .into_iter()
        .filter_map(|(name, text)| (!in_time(text)).then_some(name))
        .collect();
    assert!(
        late.is_empty(),
        "not answered within {PATIENCE:?}: {late:#?}"
    );
}

#[test]
fn limits_have_codes() {
    let codes = |text: String| {
        let parse = on_small_stack(text);
        parse
            .diagnostics
            .iter()
            .map(|d| d.code.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("a".repeat(MIB)), Vec::<String>::new());
    assert_eq!(codes("a".repeat(MIB + 1)), ["SF5001"]);
    assert_eq!(codes(nested(64)), Vec::<String>::new());
    assert_eq!(codes(nested(65)), ["SF5002"]);
    assert_eq!(codes(nested(500)), ["SF5002"]);
    assert_eq!(codes("a\n".repeat(100_000)), Vec::<String>::new());
    assert_eq!(codes("a\n".repeat(100_001)), ["SF5003"]);
    assert_eq!(codes(format!("a {}", "9".repeat(40))), ["SF5004"]);
    let many = codes("a true\n".repeat(5_000));
    assert_eq!(
        (many.len(), many.last().map(String::as_str)),
        (1_000, Some("SF5005"))
    );
}

/// The goal, from text to what people read. `cargo xtask soak language` runs it in release.
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn soak_hostile_texts_take_a_tenth_of_a_second() {
    let answers = hostile(MIB).into_iter().map(|(name, text)| {
        let (took, codes) = heavy::answer(&text, 3);
        (name, took, codes.len())
    });
    let late: Vec<_> = answers
        .filter(|(_, took, _)| took.as_millis() >= 100)
        .collect();
    assert!(late.is_empty(), "{late:#?}");
}

fn nested(depth: usize) -> String {
    format!("{}{}", "a {\n".repeat(depth), "}\n".repeat(depth))
}

fn in_time(text: String) -> bool {
    let (answer, answered) = mpsc::channel();
    let worker = small_stack().spawn(move || answer.send(parse(FileId(0), text).diagnostics.len()));
    let kept = answered.recv_timeout(PATIENCE);
    drop(worker.expect("a thread starts"));
    kept.is_ok_and(|kept| kept <= 1_000)
}

fn on_small_stack(text: String) -> Parse {
    let worker = small_stack()
        .spawn(move || parse(FileId(0), text))
        .expect("a thread starts");
    worker.join().expect("the parser does not panic")
}

fn small_stack() -> std::thread::Builder {
    std::thread::Builder::new().stack_size(STACK)
}

/// Each is repeated until it fills a file.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "a{", "a{\n", "}", "}\n", "\"", "\"\n", "/*", "*/", "/-{", "/- {\n", "a /-{", "(", "(a",
    ")", "[", "]", "[]", "#", "#\"", "##\"", "#\"\"\"\n", "\"\"\"\n", "\"\"\"", "\\", "\\\n",
    "\"\\", "/", "a/*", "a/* ", "a/*b*/", "a=", "=", "==", ";", "a;", "r\"", "r#\"", "1,", "a:",
    "a,", "'", "\u{feff}", "\u{202e}", "\u{7f}", "\u{3000}", "\r", "a true\n", "a b=1 ", "/-",
    "/- a\n", "//\n", "0x", "1.", "#true", "\\u{", "\"\\u{", "\"a\" ", "\"a\"", "🙂",
    "a \"\"\"\n  x\n  \"\"\"\n", "a \"{ ", "a#", "a[", "a[]", "a\\",
];

/// Texts of nearly so many bytes, by name.
pub(crate) fn hostile(size: usize) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = PIECES
        .iter()
        .map(|piece| (format!("{piece:?}"), piece.repeat(size / piece.len())))
        .collect();
    for (open, close) in [
        ("\"", "\""),
        ("#\"", "\"#"),
        ("\"\"\"\n", "\n\"\"\""),
        ("a ", ""),
        ("\"", ""),
        ("/*", ""),
    ] {
        texts.push((
            format!("long {open:?}"),
            format!("{open}{}{close}", "x".repeat(size - 16)),
        ));
    }
    let hashes = "#".repeat(size / 2 - 2);
    texts.push(("hashes".to_owned(), format!("{hashes}\"{hashes}")));
    texts.push(("digits".to_owned(), format!("a {}", "1".repeat(size - 2))));
    texts.push((
        "blank lines".to_owned(),
        format!("a \"\"\"{}\"\"\"", "\n ".repeat(size / 2 - 8)),
    ));
    let mut falling = String::new();
    let mut hashes = 1_399;
    while hashes > 0 && falling.len() + hashes + 4 <= size {
        let _ = writeln!(falling, "{}\"\"\"", "#".repeat(hashes));
        hashes -= 1;
    }
    texts.push(("falling raw strings".to_owned(), falling));
    texts
}
