//! Text as it is typed: at the end of each prefix of each golden and example, every question has an answer.
//! Reads `golden/` and `examples/`; the prefixes are a slice of all, the same in each run. One test measures time.
//! Read on in `starform_dsl::ide`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use starform_dsl::ide::{self, Analysis};

use super::{FILE, offset, tree};
use crate::properties::questions;

/// So many prefixes of all texts.
const SLICE: usize = 1_200;

/// Every `.kdl` file below a folder of the repository.
fn texts(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder),
    ];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == "kdl") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} has texts");
    found
}

/// Asks everything at an offset of a text.
fn ask(text: &str, at: u32) -> usize {
    questions::ask(&Analysis::of(tree(text)), FILE, at)
}

/// Every so many bytes of all texts behind each other, so short ones have their turn too: the prefixes that were asked,
/// and the answers.
fn judge(step: usize) -> (usize, usize) {
    let (mut next, mut asked, mut answers) = (0, 0, 0);
    for (_, text) in texts("golden").into_iter().chain(texts("examples")) {
        while next <= text.len() {
            if text.is_char_boundary(next) {
                answers += ask(&text[..next], offset(next));
                asked += 1;
            }
            next += step;
        }
        next -= text.len();
    }
    (asked, answers)
}

#[test]
fn every_prefix_has_answers() {
    let all = texts("golden").into_iter().chain(texts("examples"));
    let bytes: usize = all.map(|(_, text)| text.len()).sum();
    let (asked, answers) = judge(bytes / SLICE);
    assert!(asked > SLICE / 2, "only {asked} prefixes");
    assert!(answers > 10_000, "only {answers} answers");
}

/// `cargo xtask soak language`
#[test]
#[ignore = "full size; `every_prefix_has_answers` is a slice of it"]
fn soak_every_prefix_has_answers() {
    let (asked, answers) = judge(1);
    eprintln!("{asked} prefixes, {answers} answers");
}

/// The goal: what is typed is answered within 10 ms in 99 of 100 cases, and no project takes 50 ms.
#[test]
#[ignore = "a measurement; only meaningful in release on a quiet machine"]
fn what_is_typed_is_answered_within_ten_milliseconds() {
    let mut took: Vec<Duration> = Vec::new();
    for (_, text) in texts("golden").into_iter().chain(texts("examples")) {
        let ends = (0..=text.len()).filter(|&end| text.is_char_boundary(end));
        took.extend(ends.map(|end| completion(&text[..end])));
    }
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    let most = took[took.len() - 1];
    let large = services(1_000);
    let of_large = (0..11).map(|_| completion(&large)).min();
    eprintln!(
        "{} prefixes: 99 of 100 within {p99:?}, the longest {most:?}; {} KB of services: {of_large:?}",
        took.len(),
        large.len() / 1_000
    );
    assert!(p99 < Duration::from_millis(10), "99 of 100 within {p99:?}");
    assert!(
        of_large < Some(Duration::from_millis(50)),
        "1 000 services take {of_large:?}"
    );
}

/// An analysis and what may be typed at its end.
fn completion(text: &str) -> Duration {
    let started = Instant::now();
    let analysis = Analysis::of(tree(text));
    std::hint::black_box(ide::completions(&analysis, FILE, offset(text.len())));
    started.elapsed()
}

/// A half-typed project of so many services that refer to each other.
fn services(count: usize) -> String {
    let mut text = String::from(
        "project shop {\n  environment production branch=main\n  var-group shared { LEVEL info; }\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "  private service-{index} {{\n    image \"ghcr.io/acme/api:1.0.{index}\"\n    port 8080\n    use shared\n    \
             vars {{\n      LEVEL debug\n      NEXT (ref)\"service-{}.private-url\"\n    }}\n    in production {{ scale 2; }}\n  }}\n",
            (index + 1) % count
        );
    }
    text.push_str("  web last { vars { FIRST (ref)\"");
    text
}

#[test]
fn every_offset_of_a_text_has_answers() {
    let (_, text) = texts("examples").pop().expect("the shop");
    let step = (text.len() / 50).max(1);
    for at in (0..=text.len() + 3).step_by(step) {
        ask(&text, offset(at));
    }
}
