//! `golden/plans/<topic>/<case>.case`: two states of a project, and what the views say of the way from
//! the one to the other.
//!
//! Effects: reads `golden/plans`; writes there with `UPDATE_GOLDEN=1`: read what changed before it is
//! committed. Always holds: every case names at least one view, and every case is held against the laws
//! of all views ([`lawful`]), named or not; a file that is no case fails, as does a case that no view
//! tells apart from another of its topic. Read on in [`file`] for the form of a case, in [`project`] for
//! how its plans are made.

#![allow(
    clippy::disallowed_methods,
    reason = "the cases are files, and this is their one reader"
)]

mod file;
mod generated;
pub(crate) mod lawful;
mod machine;
mod project;
mod verified;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use starform_plan::{
    document::Plans,
    view::{MarkdownOptions, TextOptions, github, html, markdown, ndjson, sarif, text},
};

use self::file::Case;

/// What stands where a case's own lines go.
const HOLE: &str = "@@";

/// A test for each folder, so that they run beside each other.
macro_rules! topics {
    ($($topic:ident),*) => {
        $(#[test]
        fn $topic() {
            holds(stringify!($topic));
        })*
        const TOPICS: &[&str] = &[$(stringify!($topic)),*];
    };
}

topics!(
    approvals, budget, fold, lines, objects, pages, removal, secrets, settings, standing, values,
    verified, widths, words
);

/// Cases are added, not lost.
const LEAST: usize = 600;

#[test]
fn every_folder_has_its_test() {
    let folders = files(&root());
    let names: Vec<_> = folders
        .iter()
        .map(|path| path.file_name().unwrap())
        .collect();
    assert_eq!(names, TOPICS);
    let cases = folders.iter().flat_map(|folder| files(folder));
    let count = cases
        .filter(|path| path.extension().unwrap() == "case")
        .count();
    assert!(count >= LEAST, "{count} cases");
}

fn holds(topic: &str) {
    let mut wrong = Vec::new();
    let count = of_topic(&root().join(topic), &mut wrong);
    assert!(
        wrong.is_empty(),
        "{} of {count} cases:\n{}\nUPDATE_GOLDEN=1 rewrites what is expected",
        wrong.len(),
        wrong.join("\n")
    );
}

fn of_topic(topic: &Path, wrong: &mut Vec<String>) -> usize {
    let base = fs::read_to_string(topic.join("base.kdl")).unwrap_or_else(|_| HOLE.to_owned());
    let mut told: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut count = 0;
    for path in files(topic) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "base.kdl" {
            continue;
        }
        if !name.ends_with(".case") {
            wrong.push(format!("{} is no case", path.display()));
            continue;
        }
        count += 1;
        let old = fs::read_to_string(&path).unwrap();
        match of_case(&base, &old) {
            Ok(new) => {
                if let Some(other) = told.insert(new.views(), path.clone()) {
                    let (path, other) = (path.display(), other.display());
                    wrong.push(format!("{path} says the same as {other}"));
                }
                compare(&path, &old, &new.text(), wrong);
            }
            Err(problem) => wrong.push(format!("{}: {problem}", path.display())),
        }
    }
    count
}

fn of_case(base: &str, text: &str) -> Result<Case, String> {
    let mut case = Case::read(text)?;
    let mut plans = project::plans(base, &case)?;
    verified::join(&mut plans, &case)?;
    // A case has no value of a secret: what must not be shown is generated.
    lawful::check(&plans, &lawful::Views::of(&plans), &[])?;
    for (view, expected) in &mut case.expected {
        *expected = shown(view, &plans)?;
    }
    Ok(case)
}

/// A view by its name: `terminal`, `terminal 120`, `full 100`, `colour`, `markdown`, `markdown 1000`,
/// `html`, `sarif`, `github`, `ndjson`.
fn shown(view: &str, plans: &Plans) -> Result<String, String> {
    let (name, number) = view.split_once(' ').unwrap_or((view, ""));
    let number = match number {
        "" => None,
        text => Some(text.parse().map_err(|_| format!("`{view}`: no number"))?),
    };
    let on_terminal = |width: usize, color: bool, full: bool| {
        let options = TextOptions {
            width: number.unwrap_or(width),
            color,
            full,
        };
        text(plans, &options).replace('\u{1b}', "␛")
    };
    Ok(match name {
        "terminal" => on_terminal(80, false, false),
        "full" => on_terminal(100, false, true),
        "colour" => on_terminal(80, true, false),
        "markdown" => {
            let budget = number.unwrap_or(MarkdownOptions::default().budget);
            let link = None;
            markdown(plans, &MarkdownOptions { budget, link }).map_err(|few| few.to_string())?
        }
        "html" => without_style(&html(plans)),
        "sarif" => sarif(plans, ""),
        "github" => github(plans, ""),
        "ndjson" => ndjson(plans),
        _ => return Err(format!("there is no view `{view}`")),
    })
}

/// How a page looks is the same on every one, and has a file of its own.
fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    format!("{before}<style></style>{after}")
}

fn compare(path: &Path, old: &str, new: &str, wrong: &mut Vec<String>) {
    if old == new {
        return;
    }
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, new).unwrap();
    } else {
        wrong.push(format!("{} differs", path.display()));
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/plans")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let found: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.into_iter().collect()
}
