//! The kept cases of every fuzz target, replayed as they are and with seeded mutations.
//! Reads `fuzz/seeds`, and the official suite of KDL and the goldens for what is mutated beside them.
//! Read on in `properties` for what is judged, and in `docs/fuzzing.md` for where cases come from.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::formatting::generate::Dice;
use crate::properties::Target;
use crate::properties::pieces::PIECES;
use crate::suite::{kdl_files, suite_folder};

/// Of one target.
const MOST_FILES: usize = 200;
/// Of all targets: what a checkout can bear.
const MOST_BYTES: usize = 300 * 1024;

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds")
}

/// The kept cases of a target by path.
fn kept(target: Target) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(seeds().join(target.name())).expect("every target has cases");
    let mut cases: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), fs::read(&path).expect("a file")))
        .collect();
    cases.sort();
    cases
}

/// Checks cases; names all that do not hold.
fn judge(target: Target, cases: impl Iterator<Item = (String, Vec<u8>)>) -> usize {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for (name, bytes) in cases {
        judged += 1;
        if catch_unwind(AssertUnwindSafe(|| target.check(&bytes))).is_err() {
            wrong.push(format!("{name}: {:?}", String::from_utf8_lossy(&bytes)));
        }
    }
    let target = target.name();
    assert!(wrong.is_empty(), "{target} fails:\n{}", wrong.join("\n"));
    judged
}

#[test]
fn every_kept_case_holds() {
    for target in Target::ALL {
        let cases = kept(target).into_iter();
        let named = cases.map(|(path, bytes)| (path.display().to_string(), bytes));
        let judged = judge(target, named);
        assert!(judged >= 5, "{} has {judged} cases", target.name());
    }
}

#[test]
fn kept_cases_are_few_and_each_belongs_to_a_target() {
    let folders = fs::read_dir(seeds()).expect("fuzz/seeds is there");
    for folder in folders {
        let name = folder.expect("an entry").file_name();
        let known = Target::ALL.iter().any(|target| name == target.name());
        assert!(known, "{name:?} is no target");
    }
    let mut bytes = 0;
    for target in Target::ALL {
        let cases = kept(target);
        bytes += cases.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        let files = cases.len();
        assert!(files <= MOST_FILES, "{}: {files} files", target.name());
        let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
        let binary = main.join(target.name()).with_extension("rs");
        assert!(binary.is_file(), "{} is a target", binary.display());
    }
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}

/// Everything that may be mutated for a target: its own cases, the suite and the goldens.
fn texts(target: Target) -> Vec<Vec<u8>> {
    let own = kept(target).into_iter().map(|(_, bytes)| bytes);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden");
    let folders = [
        suite_folder().join("input"),
        golden.join("fmt"),
        golden.join("ui"),
    ];
    let others = folders
        .iter()
        .flat_map(|folder| kdl_files(folder))
        .map(|path| fs::read(path).expect("a file"));
    own.chain(others).collect()
}

/// Some bytes are taken out, doubled, turned, or put in: a piece of the language or a part of another case.
fn mutated(dice: &mut Dice, cases: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = cases[dice.below(cases.len())].clone();
    bytes.truncate(8_000);
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(12)).min(bytes.len());
        match dice.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            3 => {
                let other = &cases[dice.below(cases.len())];
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(40)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            _ => drop(bytes.splice(at..end, dice.pick(PIECES).bytes())),
        }
    }
    bytes
}

fn mutations(target: Target, count: u64) {
    let cases = texts(target);
    let mutants = (0..count).map(|seed| {
        let mut dice = Dice::new(seed);
        (format!("seed {seed}"), mutated(&mut dice, &cases))
    });
    judge(target, mutants);
}

#[test]
fn mutations_of_kept_cases_hold() {
    for target in Target::ALL {
        mutations(target, 40);
    }
}

/// `cargo xtask soak language`
#[test]
#[ignore = "full size; `mutations_of_kept_cases_hold` is a slice of it"]
fn soak_mutations_of_kept_cases_hold() {
    for target in Target::ALL {
        mutations(target, 50_000);
    }
}
