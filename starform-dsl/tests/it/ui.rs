//! What is said about mistakes: each case of `golden/ui` names its diagnostics and has its renderings beside it.
//! Reads `golden/ui`; with `UPDATE_GOLDEN=1` it writes the renderings anew and deletes those that no case has.
//! A case is a file `NAME.kdl`, or a folder `NAME` of several files. Beside it lie `NAME.txt` (for people),
//! `NAME.json`, and, where safe fixes change something, `NAME.fixed` (the texts after them).
//! `// ~ SF2004 words` expects a diagnostic that begins on this line, `// ~^ …` one on the nearest line above that has no such comment alone, each more `^` one line further up.
//! Read on in `crate::fixes` for what holds of fixes in general.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use starform_dsl::{
    Compiled, compile,
    diag::{Diagnostic, codes},
    fix::{self, Level},
    render::{self, Human},
    source::{SourceFile, SourceTree, Span},
};

/// One project with mistakes.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) sources: SourceTree,
}

/// In the order of their names.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = entries(&folder()).into_iter().filter_map(case).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/ui")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

fn case(path: PathBuf) -> Option<Case> {
    let name = |path: &Path| -> String {
        let name = path.file_name().expect("it has a name");
        name.to_str().expect("UTF-8").to_owned()
    };
    let mut files: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let case = if path.is_dir() {
        gather(&path, "", &mut files);
        name(&path)
    } else {
        let file = name(&path);
        let case = file.strip_suffix(".kdl")?.to_owned();
        files.insert(file, read(&path));
        case
    };
    Some(Case {
        name: case,
        sources: SourceTree::new(files),
    })
}

/// All files below a folder, by the paths that a repository would have for them.
fn gather(folder: &Path, above: &str, files: &mut BTreeMap<String, Arc<str>>) {
    for path in entries(folder) {
        let name = path.file_name().expect("it has a name").to_string_lossy();
        if path.is_dir() {
            gather(&path, &format!("{above}{name}/"), files);
        } else {
            files.insert(format!("{above}{name}"), read(&path));
        }
    }
}

fn read(path: &Path) -> Arc<str> {
    fs::read_to_string(path).expect("UTF-8").into()
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
        let words = rest.trim_start_matches('^');
        let further = u32::try_from((rest.len() - words.len()).saturating_sub(1));
        let target = target - further.expect("few carets");
        let rest = words.trim();
        let (code, words) = rest.split_once(' ').unwrap_or((rest, ""));
        found.push((target, code.to_owned(), words.to_owned()));
    }
    found
}

/// The text without its expectations.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        match line.split_once("// ~") {
            Some((before, _)) if before.trim().is_empty() => {}
            Some((before, _)) => {
                out.push_str(before.trim_end());
                out.push('\n');
            }
            None => out.push_str(line),
        }
    }
    out
}

fn line_of(sources: &SourceTree, diagnostic: &Diagnostic) -> u32 {
    let span = diagnostic.primary.span;
    sources.file(span.file).position(span.range.start()).line
}

/// What differs between what the files expect and what is said about them.
fn differences(sources: &SourceTree, said: &[Diagnostic]) -> Vec<String> {
    let mut open: Vec<&Diagnostic> = said.iter().collect();
    let mut differences = Vec::new();
    for (id, file) in sources.files() {
        for (line, code, words) in expectations(file.text()) {
            let matching = open.iter().position(|diagnostic| {
                diagnostic.primary.span.file == id
                    && line_of(sources, diagnostic) == line
                    && diagnostic.code.to_string() == code
                    && diagnostic.title.contains(&words)
            });
            match matching {
                Some(index) => {
                    open.remove(index);
                }
                None => {
                    differences.push(format!("{}:{line}: expected {code} {words}", file.path()))
                }
            }
        }
    }
    for diagnostic in open {
        let path = sources.file(diagnostic.primary.span.file).path();
        let line = line_of(sources, diagnostic);
        differences.push(format!(
            "{path}:{line}: said {} {} ({:?})",
            diagnostic.code, diagnostic.title, diagnostic.help
        ));
    }
    differences
}

/// What stands beside a case, by its file's ending.
fn goldens(case: &Case, compiled: &Compiled) -> Vec<(&'static str, String)> {
    let human = Human {
        width: 100,
        color: false,
        secrets: &compiled.secrets,
    };
    let said = &compiled.diagnostics;
    let mut goldens = vec![
        ("txt", render::human(&case.sources, said, human)),
        ("json", render::json(&case.sources, said)),
    ];
    let repaired = fix::repair(&case.sources, Level::Safe);
    let mut fixed = String::new();
    for ((_, before), (_, after)) in case.sources.files().zip(repaired.sources.files()) {
        if before.text() != after.text() {
            if case.sources.files().count() > 1 {
                fixed.push_str(&format!("// {}\n", after.path()));
            }
            fixed.push_str(&plain(after.text()));
        }
    }
    if !fixed.is_empty() {
        goldens.push(("fixed", fixed));
    }
    goldens
}

#[test]
fn every_mistake_is_said_as_its_case_expects() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    let mut known: BTreeSet<PathBuf> = BTreeSet::new();
    for case in cases() {
        let compiled = compile(&case.sources);
        for difference in differences(&case.sources, &compiled.diagnostics) {
            wrong.push(difference);
        }
        known.insert(folder().join(&case.name));
        known.insert(folder().join(format!("{}.kdl", case.name)));
        for (ending, golden) in goldens(&case, &compiled) {
            let path = folder().join(format!("{}.{ending}", case.name));
            if update {
                fs::write(&path, &golden).expect("golden/ui can be written");
            } else if fs::read_to_string(&path).unwrap_or_default() != golden {
                let name = &case.name;
                wrong.push(format!(
                    "{name}: its .{ending} differs; look at it with UPDATE_GOLDEN=1"
                ));
            }
            known.insert(path);
        }
    }
    for path in entries(&folder()) {
        if known.contains(&path) {
            continue;
        }
        if update {
            fs::remove_file(&path).expect("golden/ui can be written");
        } else {
            wrong.push(format!("{} belongs to no case", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases that expect something on a line, and safe fixes that change several files at once.
#[test]
fn there_are_cases_enough() {
    let cases = cases();
    let expecting = |case: &&Case| {
        let mut files = case.sources.files();
        files.any(|(_, file)| !expectations(file.text()).is_empty())
    };
    let expecting = cases.iter().filter(expecting).count();
    assert!(expecting >= 300, "{expecting} cases with expectations");
    let fixed = fs::read_to_string(folder().join("fixes-in-files.fixed")).expect("a golden");
    assert_eq!(fixed.matches(".kdl\n").count(), 3, "{fixed}");
}

#[test]
fn what_is_said_has_its_form() {
    for case in cases() {
        for diagnostic in &compile(&case.sources).diagnostics {
            let (name, title) = (&case.name, &diagnostic.title);
            assert!(title.chars().count() <= 72, "{name}: `{title}` is long");
            assert!(
                !title.starts_with(char::is_uppercase) && !title.ends_with('.'),
                "{name}: `{title}` is a sentence"
            );
            assert!(
                diagnostic.help.is_some() || !diagnostic.fixes.is_empty(),
                "{name}: `{title}` names no next step"
            );
            let labels = diagnostic.labels.iter().map(|label| label.span);
            for span in labels.chain([diagnostic.primary.span]) {
                inside(&case.sources, span);
            }
            for fix in &diagnostic.fixes {
                assert!(
                    fix.edits.is_sorted_by(|a, b| a.span.file != b.span.file
                        || a.span.range.end() <= b.span.range.start()),
                    "{name}: the edits of `{}` overlap",
                    fix.title
                );
                for edit in &fix.edits {
                    inside(&case.sources, edit.span);
                    let same = case.sources.text(edit.span) == edit.text;
                    assert!(!same, "{name}: `{}` changes nothing", fix.title);
                }
            }
        }
    }
}

/// The span is of whole characters of its file, and counted as people count.
fn inside(sources: &SourceTree, span: Span) {
    let file = sources.file(span.file);
    let text = file.text();
    assert!(
        text.get(span.range.as_range()).is_some(),
        "{}: {span:?}",
        file.path()
    );
    for offset in [span.range.start(), span.range.end()] {
        assert_eq!(counted(file, offset), file.position(offset).column);
    }
}

/// The column of an offset, by counting.
fn counted(file: &SourceFile, offset: u32) -> u32 {
    let before = &file.text()[..offset as usize];
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    let newlines = "\n\r\u{b}\u{c}\u{85}\u{2028}\u{2029}";
    let line = before.rsplit(|c| newlines.contains(c));
    let line = line.into_iter().next().unwrap_or_default();
    u32::try_from(line.chars().count() + 1).expect("a short line")
}

#[test]
fn no_rendering_shows_what_looks_like_a_credential() {
    for case in cases() {
        let compiled = compile(&case.sources);
        for (ending, golden) in goldens(&case, &compiled) {
            let secrets = compiled.secrets.iter().map(|span| case.sources.text(*span));
            for secret in secrets.filter(|_| ending != "fixed") {
                let secret = secret.trim_matches('"');
                assert!(
                    !golden.contains(secret),
                    "{}.{ending} shows {secret}",
                    case.name
                );
            }
        }
    }
}

/// Codes that no file fit for reading raises: `limits` and `hostile` have those of limits, `table` and
/// `emission` what only a plan refuses, the tests of the command line the first, and nothing raises the last two.
#[rustfmt::skip]
const BEYOND_A_FILE: [&str; 14] = [
    "SF2028", "SF5001", "SF5002", "SF5003", "SF5005", "SF5028", "SF5029", "SF5030", "SF5034", "SF5035", "SF6004", "SF6005",
    "SF9001", "SF9002",
];

#[test]
fn every_code_has_a_case() {
    let mut raised = BTreeSet::new();
    for case in cases() {
        for (_, file) in case.sources.files() {
            raised.extend(
                expectations(file.text())
                    .into_iter()
                    .map(|(_, code, _)| code),
            );
        }
    }
    let without: BTreeSet<String> = codes::all()
        .map(|entry| entry.code.to_string())
        .filter(|code| !BEYOND_A_FILE.contains(&code.as_str()) && !raised.contains(code))
        .collect();
    assert!(
        without.is_empty(),
        "no case in golden/ui raises {without:?}"
    );
}
