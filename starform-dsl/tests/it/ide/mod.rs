//! What an editor is told: goldens for each feature, laws of renaming, and every prefix of every text.
//! Reads `golden/` and `examples/`.
//! Read on in `goldens`.

mod document;
mod files;
mod goldens;
mod laws;
mod prefixes;

use starform_dsl::diag::Edit;
use starform_dsl::source::{FileId, SourceTree};

const FILE: FileId = FileId(0);

fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a small text")
}

fn tree(text: &str) -> SourceTree {
    SourceTree::single("starform.kdl", text)
}

/// A text after some edits, which are sorted and do not overlap.
fn edited(text: &str, edits: &[Edit]) -> String {
    let mut edited = text.to_owned();
    for edit in edits.iter().rev() {
        edited.replace_range(edit.span.range.as_range(), &edit.text);
    }
    edited
}
