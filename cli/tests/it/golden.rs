//! `examples/<name>/` compiled, rendered and planned from nothing, compared with `golden/<name>/`.
//!
//! `UPDATE_GOLDEN=1` rewrites them: read what changed before it is committed. A golden that no
//! example asks for fails, so that none is left behind.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use crate::support::{
    process::{Ran, args, run, starform},
    project::Project,
    root,
};

/// Folders of `golden/` that belong to other harnesses.
const OTHERS: [&str; 6] = ["fmt", "help", "ide", "plans", "rights", "ui"];

#[test]
fn examples_give_their_goldens() {
    let mut wanted = BTreeSet::new();
    let mut wrong = Vec::new();
    for example in folders(&root().join("examples")) {
        let name = example.file_name().unwrap().to_string_lossy().into_owned();
        args(&mut starform(), ["check".as_ref(), example.as_os_str()]).expect(0);
        for environment in environments(&example) {
            for (file, text) in outputs(&example, &environment) {
                let path = root()
                    .join("golden")
                    .join(&name)
                    .join(&environment)
                    .join(file);
                compare(&path, &text, &mut wrong);
                wanted.insert(path);
            }
        }
    }
    wrong.extend(unreferenced(&wanted));
    assert!(
        wrong.is_empty(),
        "{}\nUPDATE_GOLDEN=1 rewrites goldens",
        wrong.join("\n")
    );
}

#[test]
fn a_second_process_gives_the_same_bytes() {
    let example = root().join("examples/shop");
    assert_eq!(
        outputs(&example, "production"),
        outputs(&example, "production")
    );
    for format in ["json", "html", "sarif", "github", "ndjson"] {
        let shown = || in_copy(&example, &["plan", "--format", format]).stdout;
        let first = shown();
        assert!(!first.is_empty(), "{format}");
        assert_eq!(first, shown(), "{format}");
    }
}

fn outputs(example: &Path, environment: &str) -> Vec<(&'static str, String)> {
    let run = |words: &[&str]| in_copy(example, &[words, &["--env", environment]].concat()).stdout;
    vec![
        ("bundle.json", run(&["compile"])),
        ("objects.yaml", run(&["render"])),
        ("plan.txt", run(&["plan"])),
        ("plan.md", run(&["plan", "--format", "markdown"])),
    ]
}

fn environments(example: &Path) -> Vec<String> {
    let plans = in_copy(example, &["plan", "--format", "json"]).json();
    let names = plans["plans"].as_array().unwrap().iter();
    names
        .map(|plan| plan["environment"].as_str().unwrap().to_owned())
        .collect()
}

/// In a copy, since a plan keeps its cache beside the project; without a cluster, so from nothing.
fn in_copy(example: &Path, words: &[&str]) -> Ran {
    let copy = Project::new(&fs::read_to_string(example.join("starform.kdl")).unwrap());
    let mut command = starform();
    command
        .env("KUBECONFIG", "/dev/null")
        .current_dir(copy.path());
    run(command.args(words)).expect(0)
}

fn compare(path: &Path, text: &str, wrong: &mut Vec<String>) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    if fs::read_to_string(path).unwrap_or_default() != text {
        wrong.push(format!("{} differs", path.display()));
    }
}

fn unreferenced(wanted: &BTreeSet<PathBuf>) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders(&root().join("golden")) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !OTHERS.contains(&name.as_str()) {
            files(&folder, &mut found);
        }
    }
    found.retain(|path| !wanted.contains(path));
    found
        .iter()
        .map(|path| format!("{} belongs to no example", path.display()))
        .collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}
