//! The crate `kdl` and Starform read the same: generated documents, valid and nearly so, and all texts of the project.
//! Reads `golden` and `examples`.
//! Read on in `properties::agree` for what `kdl` gets wrong, and in `suite` for the official cases.

use std::fs;
use std::path::Path;

use crate::abstract_tree::{oracle, ours};
use crate::formatting::generate::{Dice, document};
use crate::formatting::mutate;
use crate::properties::agree::{ACCEPTED, REFUSED, agree};
use crate::properties::pieces::PIECES;

/// Judges texts; names all that are read differently.
fn judge(texts: impl Iterator<Item = (String, String)>) -> usize {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for (name, text) in texts {
        judged += 1;
        if let Err(reason) = agree(&text) {
            wrong.push(format!("{name}: {reason}\n  {:?}", smallest(text)));
        }
    }
    let shown: Vec<String> = wrong.iter().take(12).cloned().collect();
    assert!(
        wrong.is_empty(),
        "{} of {judged} are read differently:\n{}",
        wrong.len(),
        shown.join("\n")
    );
    judged
}

/// A small part of a text that is read differently too.
fn smallest(mut text: String) -> String {
    let mut size = text.len();
    while size > 0 {
        let mut at = 0;
        while at < text.len() {
            let end = text.ceil_char_boundary((at + size).min(text.len()));
            let shorter = [&text[..at], &text[end..]].concat();
            if agree(&shorter).is_err() {
                text = shorter;
            } else {
                at = text.ceil_char_boundary(at + size);
            }
        }
        size /= 2;
    }
    text
}

fn generated(seeds: std::ops::Range<u64>) {
    judge(seeds.clone().map(|seed| {
        let text = document(&mut Dice::new(seed));
        (format!("seed {seed}"), text)
    }));
    judge(seeds.clone().map(|seed| {
        let mut dice = Dice::new(seed);
        let text: String = (0..dice.below(24)).map(|_| dice.pick(PIECES)).collect();
        (format!("pieces of seed {seed}"), text)
    }));
    judge(seeds.map(|seed| {
        let mut dice = Dice::new(seed);
        let text = document(&mut dice);
        (format!("seed {seed}, mutated"), mutate(&mut dice, &text))
    }));
}

#[test]
fn generated_documents_are_read_the_same() {
    generated(0..500);
}

#[test]
fn every_text_of_the_project_is_read_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    let mut folders = vec![root.join("golden"), root.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "kdl") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                texts.push((path.display().to_string(), text));
            }
        }
    }
    let judged = judge(texts.into_iter());
    assert!(judged >= 200, "only {judged} texts");
}

/// A name that no longer holds is taken off its list.
#[test]
fn the_oracle_still_is_wrong_where_it_is_named() {
    for known in REFUSED {
        let (name, example) = (known.name, known.example);
        assert!(ours(example).is_ok(), "{name}: {example:?}");
        assert!(oracle(example).is_err(), "{name}: {example:?}");
        assert_eq!(agree(example), Ok(()), "{name}");
    }
    for known in ACCEPTED {
        let (name, example) = (known.name, known.example);
        assert!(ours(example).is_err(), "{name}: {example:?}");
        assert!(oracle(example).is_ok(), "{name}: {example:?}");
        assert_eq!(agree(example), Ok(()), "{name}");
    }
}

/// `cargo xtask soak language`
#[test]
#[ignore = "full size; `generated_documents_are_read_the_same` is a slice of it"]
fn soak_generated_documents_are_read_the_same() {
    generated(0..100_000);
}
