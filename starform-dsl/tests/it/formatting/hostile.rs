//! Formatting texts that are meant to take long: in time, on a small stack, whatever is asked of the formatter.
//! Starts threads and measures what they spend on a processor.
//! Read on in `crate::hostile` and `crate::heavy` for the texts.

use std::time::Duration;

use starform_dsl::fmt;
use starform_dsl::source::FileId;

use crate::heavy::{self, spent};
use crate::hostile::{MIB, hostile};

/// Tells how much came of it.
type Work = fn(&str) -> usize;

/// What is asked of the formatter, by name.
const WORK: [(&str, Work); 4] = [
    ("format", |text| {
        fmt::format(text).expect("the meaning stays").text.len()
    }),
    ("edits", |text| {
        fmt::edits(FileId(0), text)
            .expect("the meaning stays")
            .len()
    }),
    ("migrate", |text| {
        fmt::migrate(text).converted().map_or(0, str::len)
    }),
    ("covered", |text| fmt::covered(text).len()),
];

/// The quickest of several runs, on a small stack.
fn took(text: &str, work: Work, runs: usize) -> Duration {
    let text = text.to_owned();
    let run = move || {
        let start = spent();
        work(&text);
        spent() - start
    };
    let worker = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || (0..runs).map(|_| run()).min().expect("at least one run"))
        .expect("a thread starts");
    worker.join().expect("no text aborts")
}

fn late(texts: &[(String, String)], most: Duration, runs: usize) -> Vec<(String, Duration)> {
    let mut late = Vec::new();
    for (name, text) in texts {
        for (of, work) in WORK {
            let took = took(text, work, runs);
            if took >= most {
                late.push((format!("{of} {name}"), took));
            }
        }
    }
    late
}

/// Pieces of KDL version 1, each repeated after a line that is no version 2. What is longer than half a file may come
/// out longer than a file may be.
#[rustfmt::skip]
const VERSION_1: [&str; 18] = [
    "a true\n", "a true;", "é\n", "a#\n", "a true a#=1 b#=1\n", ".\n", "-\n", "_;", "+ true\n",
    "inf true\n", "(é)é é=(é)true\n", "a \"one\ntwo\"\n", "a r\"x\"\n", "a r\"x\ny\"\n", "a \"b\\/c\"\n",
    "a \"\u{7f}\"\n", "/*\u{202e}*/\n", "a{\n b null\n}\n",
];

fn texts(size: usize) -> Vec<(String, String)> {
    let mut texts = hostile(size);
    for piece in VERSION_1 {
        for size in [size / 2, size] {
            let text = format!("z true\n{}", piece.repeat((size - 7) / piece.len()));
            texts.push((format!("version 1 {piece:?} {size}"), text));
        }
    }
    texts
}

#[test]
fn texts_of_version_1_are_converted_up_to_the_limits() {
    let converted = texts(MIB / 64)
        .iter()
        .filter(|(name, text)| {
            name.starts_with("version 1") && fmt::migrate(text).converted().is_some()
        })
        .count();
    assert_eq!(converted, 2 * VERSION_1.len());
}

/// What grows with the text takes a few milliseconds for a 64th of the size, and what grows with its square seconds.
#[test]
fn hostile_texts_are_formatted_on_a_small_stack() {
    let late = late(&texts(MIB / 64), Duration::from_secs(1), 1);
    assert!(late.is_empty(), "{late:#?}");
}

/// The goal. `cargo xtask soak language` runs it in release.
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn soak_formatting_a_hostile_text_takes_a_tenth_of_a_second() {
    let mut texts = texts(MIB);
    texts.extend(heavy::texts().map(|(name, text)| (name.to_owned(), text)));
    let late = late(&texts, Duration::from_millis(100), 3);
    println!("{} texts, {} ways", texts.len(), WORK.len());
    assert!(late.is_empty(), "{late:#?}");
}
