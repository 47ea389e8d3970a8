//! One folder of `golden/ide` for each feature: texts with the cursor as `<|>`, and what is answered there.
//! Reads `golden/ide`; with `UPDATE_GOLDEN=1` it writes the answers anew.
//! A text of `rename` says the new name in its first line: `// to NAME`.
//! Read on in `starform_dsl::ide`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use starform_dsl::ide::{self, Analysis, OutlineNode};
use starform_dsl::source::Span;
use starform_dsl::syntax::TextRange;

use super::{FILE, edited, offset, tree};

const CURSOR: &str = "<|>";

/// A text without its cursors, and where they stood.
struct Case {
    analysis: Analysis,
    text: String,
    cursors: Vec<u32>,
}

#[test]
fn every_feature_answers_as_its_goldens_say() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for feature in folders() {
        let name = feature
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for path in files(&feature, "kdl") {
            let case = read(&path);
            let answer = answer(&name, &case);
            let golden = path.with_extension("txt");
            if update {
                fs::write(&golden, &answer).expect("golden/ide can be written");
            } else if fs::read_to_string(&golden).unwrap_or_default() != answer {
                wrong.push(format!("{} now answers:\n{answer}", path.display()));
            }
        }
        for text in files(&feature, "txt") {
            assert!(
                text.with_extension("kdl").exists(),
                "{} has no .kdl",
                text.display()
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn answer(feature: &str, case: &Case) -> String {
    let at_each = |answer: fn(&Case, u32) -> String| {
        let answers = case.cursors.iter().map(|&cursor| {
            let place = place(case, Span::new(FILE, TextRange::at(cursor)));
            format!("at {place}\n{}\n", answer(case, cursor))
        });
        assert!(!case.cursors.is_empty(), "a text of {feature} has a cursor");
        answers.collect::<String>()
    };
    match feature {
        "completion" => at_each(completion),
        "hover" => at_each(hover),
        "names" => at_each(names),
        "rename" => at_each(rename),
        "tokens" => tokens(case),
        "outline" => outline(case),
        "actions" => actions(case),
        "hints" => hints(case),
        other => panic!("golden/ide/{other} is no feature"),
    }
}

fn completion(case: &Case, cursor: u32) -> String {
    let mut said = String::new();
    for found in ide::completions(&case.analysis, FILE, cursor) {
        let replaced = &case.text[found.edit.range.as_range()];
        let snippet = if found.edit.snippet { " (snippet)" } else { "" };
        let _ = writeln!(
            said,
            "  {} · {:?} · {}\n      {replaced:?} becomes {:?}{snippet}",
            found.label, found.kind, found.detail, found.edit.text
        );
    }
    or_nothing(said)
}

fn hover(case: &Case, cursor: u32) -> String {
    match ide::hover(&case.analysis, FILE, cursor) {
        None => or_nothing(String::new()),
        Some(found) => {
            let over = &case.text[found.range.as_range()];
            format!("over {over:?}\n{}\n", found.markdown)
        }
    }
}

fn names(case: &Case, cursor: u32) -> String {
    let places = |spans: Vec<Span>| {
        let places: Vec<String> = spans.into_iter().map(|span| place(case, span)).collect();
        places.join(" ")
    };
    let highlights = ide::highlights(&case.analysis, FILE, cursor);
    format!(
        "  declared  {}\n  used      {}\n  in all    {}\n",
        places(ide::definition(&case.analysis, FILE, cursor)),
        places(ide::references(&case.analysis, FILE, cursor, false)),
        places(highlights.into_iter().map(|found| found.span).collect()),
    )
}

fn rename(case: &Case, cursor: u32) -> String {
    let first = case.text.lines().next().unwrap_or_default();
    let to = first
        .strip_prefix("// to ")
        .expect("the new name in the first line");
    match ide::rename(&case.analysis, FILE, cursor, to) {
        Ok(edits) => edited(&case.text, &edits),
        Err(error) => format!("refused: {error}\n"),
    }
}

fn tokens(case: &Case) -> String {
    let mut said = String::new();
    for token in ide::semantic_tokens(&case.analysis, FILE) {
        let text = &case.text[token.range.as_range()];
        let declaration = if token.modifiers.declaration {
            " declaration"
        } else {
            ""
        };
        let unavailable = if token.modifiers.unavailable {
            " unavailable"
        } else {
            ""
        };
        let place = place(case, Span::new(FILE, token.range));
        let _ = writeln!(
            said,
            "{place} {:?}{declaration}{unavailable} {text:?}",
            token.class
        );
    }
    said
}

fn outline(case: &Case) -> String {
    fn write(said: &mut String, case: &Case, node: &OutlineNode, depth: usize) {
        let indent = "  ".repeat(depth);
        let place = place(case, node.selection);
        let _ = writeln!(
            said,
            "{indent}{} · {} · {:?} {place}",
            node.name, node.detail, node.kind
        );
        for child in &node.children {
            write(said, case, child, depth + 1);
        }
    }
    let mut said = String::new();
    for node in ide::symbols(&case.analysis, FILE) {
        write(&mut said, case, &node, 0);
    }
    for fold in ide::folding(&case.analysis, FILE) {
        let first = place(case, Span::new(FILE, TextRange::at(fold.range.start())));
        let last = place(case, Span::new(FILE, TextRange::at(fold.range.end())));
        let _ = writeln!(said, "fold {:?} {first} to {last}", fold.kind);
    }
    said
}

fn actions(case: &Case) -> String {
    let all = TextRange::new(0, offset(case.text.len()));
    let mut said = String::new();
    for action in ide::actions(&case.analysis, FILE, all) {
        let place = place(case, action.diagnostic.primary.span);
        let _ = writeln!(
            said,
            "{place} {} {}: {} ({})",
            action.diagnostic.code,
            action.diagnostic.title,
            action.fix.title,
            action.fix.applicability.word()
        );
    }
    said
}

fn hints(case: &Case) -> String {
    let all = TextRange::new(0, offset(case.text.len()));
    let mut said = String::new();
    for hint in ide::inlay_hints(&case.analysis, FILE, all) {
        let place = place(case, Span::new(FILE, TextRange::at(hint.offset)));
        let _ = writeln!(said, "{place} {}", hint.label);
    }
    said
}

fn or_nothing(said: String) -> String {
    if said.is_empty() {
        "  nothing\n".to_owned()
    } else {
        said
    }
}

fn place(case: &Case, span: Span) -> String {
    let position = case
        .analysis
        .sources()
        .file(span.file)
        .position(span.range.start());
    format!("{}:{}", position.line, position.column)
}

fn read(path: &Path) -> Case {
    let marked = fs::read_to_string(path).expect("UTF-8");
    let mut text = String::new();
    let mut cursors = Vec::new();
    for (index, piece) in marked.split(CURSOR).enumerate() {
        if index > 0 {
            cursors.push(offset(text.len()));
        }
        text.push_str(piece);
    }
    Case {
        analysis: Analysis::of(tree(&text)),
        text,
        cursors,
    }
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/ide");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .expect("golden/ide is there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    folders
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}
