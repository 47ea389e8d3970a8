//! Projects of several files that are meant to take long: each is answered with what is wrong, and a limit is one message.
//! Starts threads with a small stack and reads the clock.
//! Read on in `heavy` and `hostile` for single files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::heavy;

/// Files of the full size, which with the root file are a little less than a project may have.
const FILES: usize = 7;
const MIB: usize = 1 << 20;

/// What the answer to a project has to be.
#[derive(Clone, Copy)]
enum Answer {
    /// This one error, whatever the warnings.
    Limit(&'static str),
    /// These errors for each file.
    EachFile(&'static [&'static str]),
    /// The one error of a limit among at most so many.
    Among(&'static str, usize),
    /// As many as are kept, with the last saying so.
    Many,
    Nothing,
}

use Answer::{Among, EachFile, Limit, Many, Nothing};

/// A name, what the root holds beside the includes, how a file begins, what comes again and again (`#` counts through
/// all files), how a file ends, and the answer. `ENV` is an environment, `WEB` a service.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Answer,
);

#[rustfmt::skip]
const CASES: [Case; 21] = [
    ("comments", "ENV", "", "// x\n", "", Nothing),
    ("nodes of other tools", "ENV", "x-a {\n", "b 1\n", "}", Nothing),
    ("services", "ENV", "", "worker w# { image a; }\n", "", Limit("SF5028")),
    ("partials", "ENV", "", "partial p#\n", "", Limit("SF5035")),
    ("var-groups", "ENV", "", "var-group g#\n", "", Limit("SF5035")),
    ("environments", "ENV", "", "environment e# branch=x\n", "", Limit("SF5034")),
    ("variables", "ENV", "var-group g# {\n", "K# 1\n", "}", EachFile(&["SF5035"])),
    ("includes", "ENV", "", "include \"parts/f#.kdl\"\n", "", Among("SF5035", 101)),
    ("wide includes", "ENV", "", "include \"**/*.kdl\"\n", "", Among("SF5035", 101)),
    ("unknown nodes", "ENV", "", "nod# 1\n", "", Many),
    ("one name", "ENV", "", "worker w { image a; }\n", "", Many),
    ("references", "ENV WEB", "", "worker w# { image a; vars { K (ref)\"servce#.host\"; }; }\n", "", Limit("SF5028")),
    ("bare words", "ENV", "", "a true\n", "", Many),
    ("open braces", "ENV", "", "a{", "", EachFile(&["SF5002", "SF1019"])),
    ("closed braces", "ENV", "", "}\n", "", Many),
    ("open strings", "ENV", "a \"", "x", "", EachFile(&["SF1001"])),
    ("open raw strings", "ENV", "a #\"", "x", "", EachFile(&["SF1001"])),
    ("open comments", "ENV", "/*", "/*", "", EachFile(&["SF1002"])),
    ("left out blocks", "ENV", "", "/- {\n", "", Many),
    ("children", "ENV", "", "a\n", "", Many),
    ("escapes", "ENV", "a \"", "\\q", "\"", EachFile(&["SF1007"])),
];

fn project(case: &Case, size: usize) -> BTreeMap<String, Arc<str>> {
    let (_, root, before, piece, after, _) = *case;
    let root = root
        .replace("ENV", "environment e branch=x\n")
        .replace("WEB", "web w { image a; port 1; }\n");
    let root = format!("project p {{\n{root}include \"parts/*.kdl\"\n}}\n");
    let mut files = BTreeMap::from([("starform.kdl".to_owned(), Arc::from(root))]);
    let mut count = 0;
    for file in 0..FILES {
        let mut text = before.replace('#', &file.to_string());
        // A file has at most 100 000 nodes; that limit has its own test.
        for _ in 0..99_000 {
            let next = piece.replace('#', &count.to_string());
            if text.len() + next.len() + after.len() > size {
                break;
            }
            text.push_str(&next);
            count += 1;
        }
        text.push_str(after);
        files.insert(format!("parts/f{file}.kdl"), text.into());
    }
    files
}

/// Why an answer is not what it has to be.
fn wrong(wanted: Answer, codes: &[String]) -> Option<String> {
    let right = match wanted {
        Nothing => codes.is_empty(),
        Limit(code) => codes == [code],
        EachFile(each) => codes == each.repeat(FILES),
        Among(code, most) => {
            codes.len() <= most && codes.iter().filter(|found| *found == code).count() == 1
        }
        Many => codes.len() == 1_000 && codes.last().is_some_and(|last| last == "SF5005"),
    };
    let first: Vec<&String> = codes.iter().take(9).collect();
    (!right).then(|| format!("{} diagnostics: {first:?}", codes.len()))
}

fn judge(size: usize, runs: usize, most: Duration) {
    let mut found = Vec::new();
    for case in &CASES {
        let files = project(case, size);
        let bytes: usize = files.values().map(|text| text.len()).sum();
        let (took, codes) = heavy::answer_all(&files, runs);
        let name = case.0;
        eprintln!(
            "{name}: {bytes} bytes, {} diagnostics, {took:?}",
            codes.len()
        );
        if took > most {
            found.push(format!("{name}: {took:?}"));
        }
        found.extend(wrong(case.5, &codes).map(|why| format!("{name}: {why}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Of an unoptimised build on a busy machine.
#[test]
fn hostile_projects_are_answered() {
    judge(24 << 10, 1, Duration::from_secs(10));
}

/// The goal of one file, for each. `cargo xtask soak language` runs it in release.
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn soak_hostile_projects_take_a_tenth_of_a_second_for_each_file() {
    judge(MIB - 64, 3, Duration::from_millis(100 * (FILES as u64 + 1)));
}
