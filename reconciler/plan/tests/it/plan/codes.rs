//! Every code of a finding has its page in `docs/errors`, in one form, and its line in the index.
//!
//! Reads `docs/errors`; with `UPDATE_GOLDEN=1` it writes the index of findings anew.

// The pages are files of the repository.
#![allow(clippy::disallowed_methods)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use starform_plan::codes::{self, FindingCode};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

fn judge(code: &FindingCode) -> Result<(), String> {
    let head = format!("# {}: {}\n\n{}\n\n## ", code.code, code.title, code.doc);
    if !code.page.starts_with(&head) {
        return Err(format!("does not begin with {head:?}"));
    }
    let sections: Vec<_> = code.page.split("\n## ").skip(1).collect();
    let headings: Vec<&str> = sections.iter().filter_map(|s| s.lines().next()).collect();
    if headings != ["In a plan", "Why", "What to do"] {
        return Err(format!("has the sections {headings:?}"));
    }
    let shown = format!("[{}] ", code.code);
    if !sections[0].contains("```text\n") || !sections[0].contains(&shown) {
        return Err(format!("does not show {shown:?} as a plan does"));
    }
    match sections.iter().find(|section| section.lines().count() < 3) {
        Some(section) => Err(format!("says nothing under {section:?}")),
        None => Ok(()),
    }
}

#[test]
fn every_finding_has_a_page() {
    let judged = codes::ALL.iter().map(|code| (code.code, judge(code)));
    let wrong: Vec<_> = judged.filter(|(_, verdict)| verdict.is_err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_page_of_a_finding_belongs_to_a_code() {
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = codes::ALL
            .iter()
            .any(|code| name == format!("{}.md", code.code));
        assert!(known || !name.starts_with("SF61"), "{name} has no code");
    }
}

const FROM: &str = "<!-- findings of plans: written by a test from the registry -->\n";
const TO: &str = "<!-- end of findings -->\n";

#[test]
fn the_index_names_every_finding() {
    let row = |code: &FindingCode| format!("| [{0}]({0}.md) | {1} |\n", code.code, code.title);
    let rows: String = codes::ALL.iter().map(row).collect();
    let table = format!("\n## SF61nn: findings of plans\n\n| code | |\n|---|---|\n{rows}\n");
    let path = folder().join("README.md");
    let index = fs::read_to_string(&path).unwrap();
    let (before, rest) = index.split_once(FROM).unwrap();
    let (old, after) = rest.split_once(TO).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{before}{FROM}{table}{TO}{after}")).unwrap();
    } else {
        assert!(old == table, "UPDATE_GOLDEN=1 writes the index of findings");
    }
}
