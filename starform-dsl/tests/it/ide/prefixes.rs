//! Text as it is typed: at the end of each prefix of each golden and example, every question has an answer.
//! Reads `golden/` and `examples/`; the prefixes are a slice of all, the same in each run.
//! Read on in `starform_dsl::ide`.

use std::fs;
use std::path::{Path, PathBuf};

use starform_dsl::ide::{self, Analysis};
use starform_dsl::source::{FileId, SourceTree};
use starform_dsl::syntax::TextRange;

/// So many prefixes of each text.
const SLICE: usize = 25;

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

/// Asks everything at an offset; gives the number of answers, so that nothing is left out.
fn ask(text: &str, offset: u32) -> usize {
    let analysis = Analysis::of(SourceTree::single("starform.kdl", text));
    let file = FileId(0);
    let all = TextRange::new(0, u32::try_from(text.len()).expect("small"));
    ide::completions(&analysis, file, offset).len()
        + usize::from(ide::hover(&analysis, file, offset).is_some())
        + ide::definition(&analysis, file, offset).len()
        + ide::references(&analysis, file, offset, true).len()
        + ide::highlights(&analysis, file, offset).len()
        + usize::from(ide::prepare_rename(&analysis, file, offset).is_some())
        + ide::rename(&analysis, file, offset, "other").map_or(0, |edits| edits.len())
        + ide::actions(&analysis, file, all).len()
        + ide::semantic_tokens(&analysis, file).len()
        + ide::folding(&analysis, file).len()
        + ide::inlay_hints(&analysis, file, all).len()
        + ide::symbols(&analysis, file).len()
        + ide::links(&analysis, file).len()
}

#[test]
fn every_prefix_has_answers() {
    let mut answers = 0;
    for (_, text) in texts("golden").into_iter().chain(texts("examples")) {
        let step = (text.len() / SLICE).max(1);
        for end in (0..=text.len()).step_by(step) {
            let end = text.floor_char_boundary(end);
            answers += ask(&text[..end], u32::try_from(end).expect("small"));
        }
    }
    assert!(answers > 10_000, "only {answers} answers");
}

#[test]
fn every_offset_of_a_text_has_answers() {
    let (_, text) = texts("examples").pop().expect("the shop");
    let step = (text.len() / 50).max(1);
    for offset in (0..=text.len() + 3).step_by(step) {
        ask(&text, u32::try_from(offset).expect("small"));
    }
}
