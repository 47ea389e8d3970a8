//! The help of every command at 80 columns, what shells complete, and the manual pages.
//!
//! Reads `golden/help/`; `UPDATE_GOLDEN=1` rewrites it.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use crate::support::{
    process::{run, starform},
    root,
};

fn folder() -> PathBuf {
    root().join("golden/help")
}

fn help(words: &[String]) -> String {
    run(starform().args(words).arg("--help")).expect(0).stdout
}

/// The commands that a help lists, without `help` itself.
fn listed(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command by its words, the program itself first.
fn all() -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let text = help(&words);
        open.extend(
            listed(&text)
                .into_iter()
                .map(|name| [words.clone(), vec![name]].concat()),
        );
        found.push((words, text));
    }
    found.sort();
    found
}

#[test]
fn every_help_is_read_at_80_columns_and_is_as_it_was() {
    let update = env::var_os("UPDATE_GOLDEN").is_some();
    if update {
        fs::create_dir_all(folder()).unwrap();
    }
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (words, text) in all() {
        let name = [vec!["starform".to_owned()], words.clone()]
            .concat()
            .join(" ");
        // A usage is one line, however long.
        for line in text.lines().filter(|line| !line.starts_with("Usage: ")) {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        // What is called by itself shows how; the commands of a command share the example of theirs.
        if words.len() == 1 {
            let example = text.lines().find_map(|line| line.strip_prefix("Example: "));
            let example = example.unwrap_or_else(|| panic!("{name} has no example:\n{text}"));
            assert!(example.starts_with(&name), "{name}: {example}");
        }
        let file = format!("{}.txt", name.replace(' ', "-"));
        let path = folder().join(&file);
        if update {
            fs::write(&path, &text).unwrap();
        }
        if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            wrong.push(file.clone());
        }
        seen.insert(file);
    }
    assert!(seen.len() > 25, "{seen:?}");
    assert!(wrong.is_empty(), "not as in golden/help: {wrong:?}");
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(seen.contains(&name), "golden/help/{name} is of no command");
    }
}

#[test]
fn shells_complete_every_command() {
    let commands = listed(&help(&[]));
    assert!(commands.contains(&"rollback".to_owned()), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = run(starform().args(["completions", shell]))
            .expect(0)
            .stdout;
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        assert!(script.contains("auto-approve"), "{shell}");
    }
    run(starform().args(["completions", "tcsh"])).expect(1);
}

/// The options that a help lists, without `--help` itself.
fn options(help: &str) -> BTreeSet<String> {
    let list = help.lines().skip_while(|line| *line != "Options:").skip(1);
    let own = list.filter(|line| line.trim_start().starts_with('-'));
    let words = own.flat_map(|line| line.split([' ', ',', '[', '=', '<']));
    let long = words.filter_map(|word| word.strip_prefix("--"));
    long.filter(|name| !matches!(*name, "help" | "version" | ""))
        .map(str::to_owned)
        .collect()
}

/// Each has its own block in a script for bash, and its own page.
#[test]
fn shells_and_pages_know_every_option_of_every_command() {
    let bash = run(starform().args(["completions", "bash"]))
        .expect(0)
        .stdout;
    let folder = tempfile::tempdir().unwrap();
    run(starform().args(["man", "--out"]).arg(folder.path())).expect(0);
    let mut count = 0;
    for (words, help) in all() {
        let name = [&["starform".to_owned()], &words[..]].concat();
        let block = format!("\n        {})\n", name.join("-").replace('-', "__subcmd__"));
        let (_, block) = bash.split_once(&block).unwrap_or_else(|| panic!("{block}"));
        let offered = block
            .lines()
            .find_map(|line| line.trim().strip_prefix("opts=\""));
        let offered: BTreeSet<&str> = offered.unwrap().split(['"', ' ']).collect();
        let page = folder.path().join(format!("{}.1", name.join("-")));
        let page = fs::read_to_string(page).unwrap();
        for option in options(&help) {
            count += 1;
            assert!(
                offered.contains(&*format!("--{option}")),
                "{name:?} --{option}: {offered:?}"
            );
            let written = format!("\\-\\-{}", option.replace('-', "\\-"));
            assert!(page.contains(&written), "{name:?} --{option}:\n{page}");
        }
    }
    assert!(count > 150, "{count}");
}

#[test]
fn every_command_has_its_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    run(starform().args(["man", "--out"]).arg(&out)).expect(0);
    for (words, _) in all() {
        let name = [vec!["starform".to_owned()], words].concat().join("-");
        let page = fs::read_to_string(out.join(format!("{name}.1"))).unwrap();
        assert!(
            page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"),
            "{name}: {page}"
        );
    }
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    run(starform().args(["man", "--out"]).arg(&file))
        .expect(1)
        .says(&["cannot write manual pages"]);
}
