//! How every file of the project is written.
//!
//! Reads the files that git knows or would add. Each rule is a pure function of one file, tried on a file that
//! breaks it.
//! Read on in `purity.rs` for what the pure crates may not call.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::{place, process};

const SOFT_LIMIT: usize = 500;
const HARD_LIMIT: usize = 1000;

/// One file: its path below the root, and its text.
struct Source {
    path: String,
    text: String,
}

type Rule = fn(&Source) -> Option<String>;

const RULES: [(&str, Rule); 5] = [
    ("begins with what it is", begins_with_docs),
    ("is not too long", is_short),
    ("is finished", is_finished),
    ("names things by what they are", names_things),
    ("is not about one machine", is_portable),
];

#[test]
fn every_file_keeps_the_rules() {
    let sources = sources();
    assert!(
        sources
            .iter()
            .any(|source| source.path == "xtask/tests/it/tidy.rs"),
        "this file is one of them"
    );
    let mut broken: Vec<String> = Vec::new();
    for source in &sources {
        for (name, rule) in RULES {
            if let Some(why) = rule(source) {
                broken.push(format!("{}: not: {name}: {why}", source.path));
            }
        }
        let lines = source.text.lines().count();
        if source.is_code() && lines > SOFT_LIMIT {
            println!("{}: {lines} lines, aim at {SOFT_LIMIT}", source.path);
        }
    }
    assert!(
        broken.is_empty(),
        "{} times:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn each_rule_can_be_broken() {
    let docs = "//! What it is.\n";
    let breaking = [
        (
            "begins with what it is",
            "src/a.rs",
            "use std::fs;\n".to_owned(),
        ),
        (
            "is not too long",
            "src/a.rs",
            format!("{docs}{}", "\n".repeat(HARD_LIMIT)),
        ),
        (
            "is finished",
            "src/a.rs",
            format!("{docs}fn a() {{ {}) }}\n", UNFINISHED[0]),
        ),
        (
            "names things by what they are",
            "src/a.rs",
            format!("{docs}pub struct Plan{};\n", VAGUE[0]),
        ),
        (
            "is not about one machine",
            "docs/a.md",
            format!("see {}/docs\n", place::root().display()),
        ),
    ];
    for (name, path, text) in breaking {
        let source = Source {
            path: path.to_owned(),
            text,
        };
        let found: Vec<&str> = RULES
            .iter()
            .filter(|(_, rule)| rule(&source).is_some())
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(found, [name]);
    }
}

impl Source {
    fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    fn is_code(&self) -> bool {
        self.is_rust()
            || Path::new(&self.path)
                .extension()
                .is_some_and(|extension| extension == "go")
    }
}

fn begins_with_docs(source: &Source) -> Option<String> {
    (source.is_rust() && !source.text.starts_with("//! "))
        .then(|| "the first line has to begin with `//! ` and one sentence".to_owned())
}

fn is_short(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (source.is_code() && lines > HARD_LIMIT).then(|| format!("{lines} lines, at most {HARD_LIMIT}"))
}

// Written in two halves, or this file would break its own rule.
const UNFINISHED: [&str; 3] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("d", "bg!("),
];

fn is_finished(source: &Source) -> Option<String> {
    let found = UNFINISHED
        .iter()
        .find(|word| source.is_rust() && source.text.contains(**word))?;
    Some(format!("{found}…)"))
}

const VAGUE: [&str; 4] = ["Manager", "Helper", "Helpers", "Utils"];

/// A type or module whose name says nothing hides what it is for.
fn names_things(source: &Source) -> Option<String> {
    let stem = Path::new(&source.path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    if source.is_rust() && VAGUE.iter().any(|word| stem.eq_ignore_ascii_case(word)) {
        return Some(format!("a module named {stem}"));
    }
    source
        .text
        .lines()
        .filter(|_| source.is_rust())
        .filter_map(declared_type)
        .find(|name| is_vague(name))
        .map(|name| format!("a type named {name}"))
}

/// A field manager is what Kubernetes calls the writer of a field.
fn is_vague(name: &str) -> bool {
    !name.ends_with("FieldManager") && VAGUE.iter().any(|word| name.ends_with(word))
}

fn declared_type(line: &str) -> Option<String> {
    let mut words = line
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty());
    let keyword =
        words.find(|word| !matches!(*word, "pub" | "crate" | "super" | "in" | "unsafe"))?;
    matches!(keyword, "struct" | "enum" | "trait" | "type")
        .then(|| words.next().map(str::to_owned))
        .flatten()
}

fn is_portable(source: &Source) -> Option<String> {
    let here = place::root().to_str().expect("the checkout's path is text");
    let line = source.text.lines().find(|line| names_folder(line, here))?;
    Some(format!(
        "it names the folder of one checkout: {}",
        line.trim()
    ))
}

/// Whether the folder itself is named, not a longer name that begins the same.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        !line[at + folder.len()..]
            .starts_with(|next: char| next.is_alphanumeric() || matches!(next, '-' | '_' | '.'))
    })
}

/// Text files only: what is no UTF-8 has no lines to speak of.
fn sources() -> Vec<Source> {
    let listed = process::output(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(place::root()),
    )
    .expect("the tests run in a git checkout");
    listed
        .lines()
        .filter_map(|path| {
            let text = fs::read_to_string(place::root().join(path)).ok()?;
            Some(Source {
                path: path.to_owned(),
                text,
            })
        })
        .collect()
}
