//! `starform lsp` from an editor's side: a scripted client for each question, real process, real streams.
//! Starts the built program; no server, no cluster.

mod editor;
mod features;
mod files;
mod formatting;
mod positions;
mod prefixes;
mod protocol;

use serde_json::json;

use editor::{Editor, ROOT, codes, labels};

const TEXT: &str = "project shop {
  environment production branch=main
  var-group shared { LOG_LEVEL info; }
  web api {
    image /* ä */ \"ghcr.io/acme/api:1.4.2\"
    port 8080
    use shared
  }
  worker jobs like=small {
    image \"ghcr.io/acme/jobs:1.4.2\"
    vars { API (ref)\"api.private-url\"; }
  }
  partial small { size cpu=\"250m\"; }
}
";

#[test]
fn what_is_typed_is_judged_and_repaired() {
    for encodings in [&["utf-8", "utf-16"][..], &["utf-16"], &[]] {
        let mut editor = Editor::open(TEXT, encodings);
        assert!(codes(&editor.diagnostics(ROOT)).is_empty());
        // The line holds a character of two bytes and one unit before the place.
        let wide = u32::from(encodings.contains(&"utf-8"));
        let said = editor.edit((4, 41 + wide), (4, 42 + wide), "\"; prt 9090");
        assert_eq!(codes(&said), ["SF2004"], "{said:?}");
        let range = said
            .iter()
            .find(|said| said["code"] == "SF2004")
            .map(|said| said["range"].clone())
            .unwrap();
        let ask = json!({"textDocument": {"uri": editor.uri()}, "range": range, "context": {"diagnostics": []}});
        let actions = editor.ask("textDocument/codeAction", ask);
        let edit = &actions[0]["edit"]["changes"][editor.uri()][0];
        assert_eq!(edit["newText"], "port", "{actions}");
        assert_eq!(edit["range"], range);
        editor.close();
    }
}

#[test]
fn names_are_completed_found_and_changed() {
    let mut editor = Editor::open(TEXT, &["utf-8"]);
    let found = editor.ask_at("textDocument/completion", 6, 8);
    let labels = labels(&found);
    assert!(labels.contains(&"shared"), "{labels:?}");
    let hover = editor.ask_at("textDocument/hover", 5, 5);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("port N"), "{text}");
    let definition = editor.ask_at("textDocument/definition", 10, 23);
    assert_eq!(
        definition[0]["range"]["start"],
        json!({"line": 3, "character": 6})
    );
    let mut ask = editor.at(3, 7);
    ask["context"] = json!({"includeDeclaration": true});
    let references = editor.ask("textDocument/references", ask);
    assert_eq!(references.as_array().unwrap().len(), 2);
    let marked = editor.ask_at("textDocument/documentHighlight", 3, 7);
    assert_eq!(marked.as_array().unwrap().len(), 2);
    let range = editor.ask_at("textDocument/prepareRename", 2, 14);
    assert_eq!(range["start"], json!({"line": 2, "character": 12}));
    let mut ask = editor.at(2, 14);
    ask["newName"] = json!("common");
    let uri = editor.uri();
    let edits = editor.ask("textDocument/rename", ask)["changes"][uri].clone();
    assert_eq!(edits.as_array().unwrap().len(), 2, "{edits}");
    let mut ask = editor.at(2, 14);
    ask["newName"] = json!("Not A Name");
    let refused = editor.reply("textDocument/rename", ask);
    assert!(refused["error"]["message"].is_string(), "{refused}");
    editor.close();
}

#[test]
fn a_file_is_coloured_folded_and_outlined() {
    let mut editor = Editor::open(TEXT, &["utf-8"]);
    let tokens = editor.whole("textDocument/semanticTokens/full")["data"].clone();
    let tokens = tokens.as_array().unwrap();
    assert_eq!(tokens.len() % 5, 0);
    // `project` is a keyword at the very beginning.
    assert_eq!(tokens[..4], [json!(0), json!(0), json!(7), json!(1)]);
    let folds = editor.whole("textDocument/foldingRange");
    assert_eq!(folds[0]["startLine"], 0);
    let symbols = editor.whole("textDocument/documentSymbol");
    assert_eq!(symbols[0]["name"], "shop");
    let links = editor.whole("textDocument/documentLink");
    assert!(links.is_array());
    let everything =
        json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let ask = json!({"textDocument": {"uri": editor.uri()}, "range": everything});
    let hints = editor.ask("textDocument/inlayHint", ask);
    assert!(
        hints.as_array().is_some_and(|hints| !hints.is_empty()),
        "{hints}"
    );
    let refused = editor.reply("textDocument/moniker", json!({}));
    assert_eq!(refused["error"]["code"], -32601);
    editor.close();
}
