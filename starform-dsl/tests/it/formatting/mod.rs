//! Formatting: golden texts, the official suite, generated documents, and texts that are broken in every way.
//! Reads `golden/fmt`, `golden/ui`, `examples` and the suite's package; with `UPDATE_GOLDEN=1` it writes `golden/fmt` anew.
//! Read on in `laws` for what every formatted text is judged by.
#![allow(
    clippy::print_stdout,
    reason = "the full-size run shows what it judged"
)]

pub(crate) mod generate;
mod hostile;
pub(crate) mod laws;
mod v1;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::abstract_tree::ours;
use crate::properties::pieces::PIECES;
use crate::suite::{kdl_files, suite_folder};
use generate::{Dice, document};
use laws::judge;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_golden_is_formatted_as_its_file_says() {
    let folder = root().join("golden/fmt");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for path in kdl_files(&folder) {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let formatted = judge(&text).text;
        let golden = path.with_extension("formatted");
        if update {
            fs::write(&golden, &formatted).expect("golden/fmt can be written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != formatted {
            wrong.push(path);
        }
    }
    assert!(
        wrong.is_empty(),
        "formatted otherwise; look at it with UPDATE_GOLDEN=1: {wrong:?}"
    );
}

#[test]
fn every_formatted_golden_belongs_to_a_text() {
    for entry in fs::read_dir(root().join("golden/fmt")).expect("golden/fmt is there") {
        let path = entry.expect("an entry").path();
        assert!(path.with_extension("kdl").exists(), "{path:?} has no .kdl");
    }
}

/// What was judged: texts, those that changed, and the comments in them.
#[derive(Debug, Default)]
struct Judged {
    texts: usize,
    changed: usize,
    comments: usize,
}

impl Judged {
    fn judge(&mut self, text: &str) {
        let formatted = judge(text);
        self.texts += 1;
        self.changed += usize::from(formatted.changed);
        self.comments += laws::comments(text).len();
    }
}

fn generated(seeds: std::ops::Range<u64>) -> Judged {
    let mut judged = Judged::default();
    for seed in seeds {
        let text = document(&mut Dice::new(seed));
        let faults = ours(&text).err();
        assert_eq!(faults, None, "seed {seed} gives KDL: {text:?}");
        judged.judge(&text);
    }
    judged
}

#[test]
fn generated_documents_keep_their_meaning() {
    let judged = generated(0..500);
    assert!(
        judged.changed > 400 && judged.comments > 500,
        "too tame: {judged:?}"
    );
}

/// `cargo xtask soak fmt`: what every text there is comes to.
#[test]
#[ignore = "full size; the other tests are slices of it"]
fn all_texts_and_ten_thousand_generated_ones_keep_their_meaning() {
    let suite = the_suite(|name| !name.ends_with("_fail"));
    let rejected = the_suite(|name| name.ends_with("_fail"));
    let goldens = texts_below(&["golden", "examples", "fuzz/seeds"]);
    let documents = generated(0..10_000);
    let broken = mutated(0..10_000);
    for (of, judged) in [
        ("valid files of the suite", &suite),
        ("other files of the suite", &rejected),
        ("goldens, examples and kept cases", &goldens),
        ("generated documents", &documents),
        ("broken documents", &broken),
    ] {
        println!("{of}: {judged:?}");
    }
    assert_eq!((documents.texts, broken.texts), (10_000, 10_000));
}

/// A document with a few bytes taken out, doubled, or put in.
pub(crate) fn mutate(dice: &mut Dice, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=dice.below(3) {
        let at = dice.below(chars.len() + 1);
        match dice.below(3) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 => {
                let end = (at + dice.below(8)).min(chars.len());
                let part = chars[at..end].to_vec();
                chars.splice(at..at, part);
            }
            _ => {
                let piece = dice.pick(PIECES).chars();
                chars.splice(at..at, piece);
            }
        }
    }
    chars.into_iter().collect()
}

fn mutated(seeds: std::ops::Range<u64>) -> Judged {
    let mut judged = Judged::default();
    for seed in seeds {
        let mut dice = Dice::new(seed);
        let text = document(&mut dice);
        judged.judge(&mutate(&mut dice, &text));
    }
    judged
}

#[test]
fn broken_documents_keep_their_broken_lines() {
    mutated(0..1_000);
}

/// Each was formatted to another meaning once.
#[test]
fn a_newline_is_never_joined_to_what_is_copied() {
    for (text, formatted) in [
        // `true` is a mistake, `\` goes on to the first CR, and with LF for the second both would be one newline.
        ("true\\\r\rnode", "true\\\r\rnode\n"),
        ("true\\\r\r\rnode", "true\\\r\r\rnode\n"),
        ("true\\\r\u{85}", "true\\\r\r"),
    ] {
        assert_eq!(judge(text).text, formatted, "{text:?}");
    }
}

/// What looks like a comment ends with its line, whichever newline that has: the mistakes behind it stay mistakes.
#[test]
fn a_line_that_looks_like_a_comment_ends_at_every_newline() {
    for newline in [
        "\n", "\r", "\r\n", "\u{85}", "\u{b}", "\u{c}", "\u{2028}", "\u{2029}",
    ] {
        judge(&format!("a #{newline}true"));
        judge(&format!("\"#\"a\"#\"#{newline}true"));
    }
}

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_formatted(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn any_pieces_are_formatted(text in pieces()) {
        judge(&text);
    }
}

/// The files of the official suite of these names.
fn the_suite(wanted: impl Fn(&str) -> bool) -> Judged {
    let mut judged = Judged::default();
    for path in kdl_files(&suite_folder().join("input")) {
        let name = path.file_stem().expect("a file").to_string_lossy();
        if wanted(&name)
            && let Ok(text) = fs::read_to_string(&path)
        {
            judged.judge(&text);
        }
    }
    judged
}

#[test]
fn the_suite_keeps_its_meaning() {
    let valid = the_suite(|name| !name.ends_with("_fail"));
    let rejected = the_suite(|name| name.ends_with("_fail"));
    assert!(
        valid.texts > 200 && rejected.texts > 80 && valid.comments > 30,
        "cases are missing: {valid:?}, {rejected:?}"
    );
}

/// Every file of KDL in these folders and those below.
fn texts_below(folders: &[&str]) -> Judged {
    let mut judged = Judged::default();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder of the repository");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "kdl")
            && let Ok(text) = fs::read_to_string(&path)
        {
            judged.judge(&text);
        }
    }
    judged
}

#[test]
fn goldens_and_half_typed_examples_are_formatted() {
    let judged = texts_below(&["golden", "examples"]);
    assert!(judged.texts > 250, "goldens are missing: {judged:?}");
    for text in examples() {
        for (at, _) in text.char_indices().step_by(7) {
            judge(&text[..at]);
        }
    }
}

fn examples() -> Vec<String> {
    let folders = fs::read_dir(root().join("examples")).expect("examples are there");
    folders
        .map(|folder| folder.expect("an entry").path().join("starform.kdl"))
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}
