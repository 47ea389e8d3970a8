//! Formatting in an editor: the edits it is given, in both ways of counting columns.
//! Starts the built program; no server, no cluster.

use serde_json::{Value, json};

use super::editor::Editor;

/// The text after the edits, which are in the units of UTF-16 and apart.
fn edited(text: &str, edits: &Value) -> String {
    let offset = |place: &Value| {
        let line = place["line"].as_u64().unwrap() as usize;
        let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = place["character"].as_u64().unwrap() as usize;
        let within = text[before..].char_indices().find(|(_, character)| {
            let here = units == 0;
            units = units.saturating_sub(character.len_utf16());
            here
        });
        before + within.map_or(text.len() - before, |(at, _)| at)
    };
    let mut out = String::new();
    let mut done = 0;
    for edit in edits.as_array().unwrap() {
        let (start, end) = (
            offset(&edit["range"]["start"]),
            offset(&edit["range"]["end"]),
        );
        assert!(done <= start && start <= end, "{edits}");
        out.push_str(&text[done..start]);
        out.push_str(edit["newText"].as_str().unwrap());
        done = end;
    }
    out + &text[done..]
}

#[test]
fn a_file_is_formatted_by_the_white_space_that_changes() {
    let untidy = "project  shop {\n environment production branch = main // 😀  \n\n\n\n  /* 😀 */ web   api { port 1;port 2 }\n}";
    let tidy = "project shop contract=1 {\n  environment production branch=main // 😀\n\n  /* 😀 */ web api { port 1; port 2; }\n}\n";
    let options = json!({"tabSize": 8, "insertSpaces": false});
    for encodings in [&["utf-8"][..], &["utf-16"]] {
        let mut editor = Editor::open(untidy, encodings);
        let document = json!({"uri": editor.uri()});
        let ask = json!({"textDocument": document, "options": options});
        let edits = editor.ask("textDocument/formatting", ask.clone());
        if encodings == ["utf-16"] {
            assert_eq!(edited(untidy, &edits), tidy);
        }
        let words = |edit: &Value| edit["newText"].as_str().unwrap().trim().to_owned();
        let written: Vec<String> = edits.as_array().unwrap().iter().map(words).collect();
        assert_eq!(
            written,
            ["", "contract=1", "", "", "", "", "", ";", ";", ""]
        );
        // Of a part of it only the white space there; what `starform fmt` would add elsewhere is not written.
        let line =
            json!({"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 9}});
        let mut part = ask.clone();
        part["range"] = line;
        let edits = editor.ask("textDocument/rangeFormatting", part);
        let indented =
            json!({"start": {"line": 0, "character": 15}, "end": {"line": 1, "character": 1}});
        assert_eq!(edits, json!([{"range": indented, "newText": "\n  "}]));
        editor.close();
    }
    let mut editor = Editor::open(tidy, &["utf-16"]);
    let ask = json!({"textDocument": {"uri": editor.uri()}, "options": options});
    assert_eq!(
        editor.ask("textDocument/formatting", ask.clone()),
        json!([])
    );
    editor.edit((0, 0), (0, 0), "}");
    let edits = editor.ask("textDocument/formatting", ask);
    assert_eq!(edits, json!([]), "braces that do not match are left alone");
    editor.close();
}
