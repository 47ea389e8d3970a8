//! Text as it is typed: every golden and example, one character after the other, into the running server.
//! Effects: starts the built program; reads `golden/` and `examples/`. Always holds: after each character every question
//! has an answer that is no error, and diagnostics come for what stands there. One test measures time.
//! Read on in `starform-dsl/tests/it/ide/prefixes.rs` for the same without a process.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::editor::{Editor, ROOT, range};

/// So many characters are typed in every run, spread over all texts.
const SLICE: usize = 400;

/// Asked where the cursor stands.
const AT_THE_CURSOR: [&str; 5] = [
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/documentHighlight",
    "textDocument/prepareRename",
];

/// Asked of the whole text.
const OF_THE_TEXT: [&str; 4] = [
    "textDocument/semanticTokens/full",
    "textDocument/foldingRange",
    "textDocument/documentSymbol",
    "textDocument/documentLink",
];

const OF_A_RANGE: [&str; 2] = ["textDocument/codeAction", "textDocument/inlayHint"];

/// How long the server took.
#[derive(Default)]
struct Times {
    /// From a character until its diagnostics are there.
    judged: Vec<Duration>,
    /// From a character until its completions are there, the diagnostics before them.
    completed: Vec<Duration>,
    /// Each other question.
    others: Vec<Duration>,
}

#[test]
fn what_is_typed_is_answered_at_every_character() {
    let texts = texts();
    let characters: usize = texts.iter().map(|(_, text)| text.chars().count()).sum();
    let mut times = Times::default();
    let mut editor = Editor::open("", &["utf-8"]);
    editor.diagnostics(ROOT);
    for (index, (_, text)) in texts.iter().enumerate() {
        // Another part of each text, so that beginnings, middles and ends have their turn.
        let count = (text.chars().count() * SLICE).div_ceil(characters);
        let before = text.chars().count().saturating_sub(count) * (index % 7) / 6;
        let end = text.char_indices().nth(before).map_or(0, |(end, _)| end);
        let (already, typed) = text.split_at(end);
        replay(&mut editor, already, typed.chars().take(count), &mut times);
    }
    assert!(times.completed.len() >= SLICE);
    assert_eq!(times.judged.len(), times.completed.len());
    editor.close();
}

/// The goal: 99 of 100 characters are judged and completed within 10 ms, and so is every other question.
#[test]
#[ignore = "a measurement; only meaningful in release on a quiet machine"]
fn soak_what_is_typed_is_answered_within_ten_milliseconds() {
    let texts = texts();
    let mut times = Times::default();
    let mut editor = Editor::open("", &["utf-8"]);
    editor.diagnostics(ROOT);
    for (_, text) in &texts {
        replay(&mut editor, "", text.chars(), &mut times);
    }
    editor.close();
    println!(
        "{} texts, {} characters typed:",
        texts.len(),
        times.completed.len()
    );
    let measured = [
        ("diagnostics", times.judged),
        ("completions", times.completed),
        ("other questions", times.others),
    ];
    for (what, mut took) in measured {
        took.sort();
        let part = |hundredths: usize| took[(took.len() - 1) * hundredths / 100];
        let (p50, p99, most) = (part(50), part(99), part(100));
        let count = took.len();
        println!("  {what}: {count} answers, p50 {p50:?}, p99 {p99:?}, max {most:?}");
        assert!(p99 < Duration::from_millis(10), "{what}: p99 {p99:?}");
    }
}

/// Puts `already` in place, then types; after each character the editor asks what editors ask.
fn replay(
    editor: &mut Editor,
    already: &str,
    typed: impl Iterator<Item = char>,
    times: &mut Times,
) {
    editor.change(ROOT, &[json!({"text": already})]);
    editor.diagnostics(ROOT);
    let mut cursor = end_of(already);
    for character in typed {
        let started = Instant::now();
        let text = character.to_string();
        editor.change(
            ROOT,
            &[json!({"range": range(cursor, cursor), "text": text})],
        );
        editor.diagnostics(ROOT);
        times.judged.push(started.elapsed());
        cursor = if character == '\n' {
            (cursor.0 + 1, 0)
        } else {
            (cursor.0, cursor.1 + character.len_utf8() as u32)
        };
        let found = editor.ask_at("textDocument/completion", cursor.0, cursor.1);
        times.completed.push(started.elapsed());
        assert!(found.is_array(), "{found}");
        ask_the_rest(editor, cursor, times);
    }
}

fn ask_the_rest(editor: &mut Editor, cursor: (u32, u32), times: &mut Times) {
    let mut timed = |ask: &mut dyn FnMut() -> Value| {
        let started = Instant::now();
        let answer = ask();
        times.others.push(started.elapsed());
        answer
    };
    for method in AT_THE_CURSOR {
        let mut ask = editor.at(cursor.0, cursor.1);
        ask["context"] = json!({"includeDeclaration": true});
        timed(&mut || editor.ask(method, ask.clone()));
    }
    for method in OF_THE_TEXT {
        let answer = timed(&mut || editor.whole(method));
        assert!(!answer.is_null(), "{method} at {cursor:?}");
    }
    for method in OF_A_RANGE {
        let answer = timed(&mut || editor.within(method, (0, 0), cursor));
        assert!(answer.is_array(), "{method} at {cursor:?}: {answer}");
    }
}

/// Line and byte column of a text's end.
fn end_of(text: &str) -> (u32, u32) {
    let start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.matches('\n').count();
    (line as u32, (text.len() - start) as u32)
}

/// Every `.kdl` file of the goldens and examples.
fn texts() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut open = ["golden", "examples"]
        .map(|name| repository.join(name))
        .to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == "kdl") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 100, "only {} texts", found.len());
    found
}
