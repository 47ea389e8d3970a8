//! What is said about mistakes: each `golden/ui/*.kdl` names its diagnostics and has its rendered text beside it.
//! Reads `golden/ui`; with `UPDATE_GOLDEN=1` it writes the texts anew.
//! `// ~ SF2004 words` expects a diagnostic that begins on this line, `// ~^ …` one on the nearest line above that has no such comment alone.
//! Read on in `crate::project` for how a text is compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use starform_dsl::{
    compile,
    diag::{Diagnostic, codes},
    render::{self, Human},
    source::SourceTree,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/ui")
}

fn files(extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("golden/ui is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// Line, code and words of every expectation, in the order of the text.
fn expectations(text: &str) -> Vec<(u32, String, String)> {
    let mut found = Vec::new();
    let mut target = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let alone = line.trim_start().starts_with("// ~^");
        if !alone {
            target = number;
        }
        let Some((_, rest)) = line.split_once("// ~") else {
            continue;
        };
        let rest = rest.trim_start_matches('^').trim();
        let (code, words) = rest.split_once(' ').unwrap_or((rest, ""));
        found.push((target, code.to_owned(), words.to_owned()));
    }
    found
}

fn line_of(sources: &SourceTree, diagnostic: &Diagnostic) -> u32 {
    let span = diagnostic.primary.span;
    sources.file(span.file).position(span.range.start()).line
}

/// What differs between what a file expects and what is said about it.
fn differences(sources: &SourceTree, text: &str, said: &[Diagnostic]) -> Vec<String> {
    let mut open: Vec<&Diagnostic> = said.iter().collect();
    let mut differences = Vec::new();
    for (line, code, words) in expectations(text) {
        let matching = open.iter().position(|diagnostic| {
            line_of(sources, diagnostic) == line
                && diagnostic.code.to_string() == code
                && diagnostic.title.contains(&words)
        });
        match matching {
            Some(index) => {
                open.remove(index);
            }
            None => differences.push(format!("line {line}: expected {code} {words}")),
        }
    }
    for diagnostic in open {
        let line = line_of(sources, diagnostic);
        differences.push(format!(
            "line {line}: said {} {} ({:?})",
            diagnostic.code, diagnostic.title, diagnostic.help
        ));
    }
    differences
}

#[test]
fn every_mistake_is_said_as_its_file_expects() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for path in files("kdl") {
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        let sources = SourceTree::single(&name, &text);
        let compiled = compile(&sources);
        let said = compiled.diagnostics;
        for difference in differences(&sources, &text, &said) {
            wrong.push(format!("{name}: {difference}"));
        }
        let human = Human {
            width: 100,
            color: false,
            secrets: &compiled.secrets,
        };
        let shown = render::human(&sources, &said, human);
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &shown).expect("golden/ui can be written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!(
                "{name}: its .txt differs; look at it with UPDATE_GOLDEN=1"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_text_belongs_to_a_file() {
    for text in files("txt") {
        assert!(
            text.with_extension("kdl").exists(),
            "{} has no .kdl",
            text.display()
        );
    }
}

/// Codes of the language that no text fit for reading raises; `limits` has those of limits.
const BEYOND_A_FILE: [&str; 6] = ["SF5028", "SF5029", "SF5030", "SF5034", "SF5035", "SF9001"];

#[test]
fn every_code_of_the_language_has_a_case() {
    let mut raised = BTreeMap::new();
    for path in files("kdl") {
        let text = fs::read_to_string(&path).expect("UTF-8");
        for (_, code, _) in expectations(&text) {
            raised.insert(code, path.clone());
        }
    }
    let without: BTreeSet<String> = codes::all()
        .map(|entry| entry.code.to_string())
        .filter(|code| !code.starts_with("SF1") && !code.starts_with("SF500"))
        .filter(|code| !BEYOND_A_FILE.contains(&code.as_str()) && !raised.contains_key(code))
        .collect();
    assert!(
        without.is_empty(),
        "no case in golden/ui raises {without:?}"
    );
}
