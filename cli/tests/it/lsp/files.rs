//! A project of several files in an editor: some open, some unsaved, some deleted, and files that are somebody else's.
//! Effects: starts the built program, writes and deletes files in a folder of its own.
//! Read on in `cli/src/lsp/documents.rs`.

use serde_json::{Value, json};

use super::{
    TEXT,
    editor::{Editor, ROOT, codes, labels, replaced},
};

const SHOP: &str = "project shop {
  environment production branch=main
  include \"services/*.kdl\"
}
";
const API: &str = "services/api.kdl";
const GOOD: &str = "web api {\n  image \"ghcr.io/acme/api:1.4.2\"\n  port 8080\n}\n";
const BAD: &str = "web api {\n  image \"ghcr.io/acme/api:1.4.2\"\n  prt 8080\n}\n";

#[test]
fn open_texts_stand_above_the_files_of_the_disk() {
    let mut editor = Editor::start(&[(ROOT, SHOP), (API, BAD)], &["utf-8"]);
    editor.show(ROOT, SHOP);
    // A file that is included but not open is judged, too.
    editor.await_errors(API, &["SF2004"]);
    editor.show(API, GOOD);
    editor.await_errors(API, &[]);
    editor.hide(API);
    editor.await_errors(API, &["SF2004"]);
    editor.delete(API);
    let changed = json!({"changes": [{"uri": editor.address(API), "type": 3}]});
    editor.tell("workspace/didChangeWatchedFiles", changed.clone());
    editor.await_errors(ROOT, &["SF2021"]);
    editor.await_errors(API, &[]);
    editor.write(API, GOOD);
    editor.tell("workspace/didChangeWatchedFiles", changed);
    editor.await_errors(ROOT, &[]);
    editor.close();
}

/// A key that is typed reads nothing from the disk: what changes there is seen when the editor says so.
#[test]
fn the_disk_is_read_again_where_the_editor_says_that_it_changed() {
    const OTHER: &str = "services/other.kdl";
    let root = SHOP.replace("services/*", "*/*");
    let mut editor = watching(&[(ROOT, &root), (API, BAD)]);
    editor.show(ROOT, &root);
    editor.await_errors(API, &["SF2004"]);
    let typed = [replaced((1, 0), (1, 0), " ")];
    // Changed, come and gone: nobody said so.
    editor.write(API, GOOD);
    editor.write(OTHER, BAD.replace("api", "other"));
    editor.change(ROOT, &typed);
    editor.await_errors(API, &["SF2004"]);
    editor.tell(
        "workspace/didChangeWatchedFiles",
        json!({"changes": [
            {"uri": editor.address(API), "type": 2},
            {"uri": editor.address(OTHER), "type": 1},
        ]}),
    );
    editor.await_errors(API, &[]);
    editor.await_errors(OTHER, &["SF2004"]);
    editor.write(OTHER, GOOD.replace("api", "other"));
    editor.change(ROOT, &typed);
    editor.await_errors(OTHER, &["SF2004"]);
    let saved = json!({"textDocument": {"uri": editor.address(OTHER)}});
    editor.tell("textDocument/didSave", saved);
    editor.await_errors(OTHER, &[]);
    editor.delete(OTHER);
    // A folder that goes takes its files with it.
    editor.delete(API);
    let folder = editor.address("services");
    let gone = json!({"changes": [{"uri": folder, "type": 3}]});
    editor.tell("workspace/didChangeWatchedFiles", gone);
    editor.await_errors(ROOT, &["SF2021"]);
    editor.close();
}

#[test]
fn an_included_file_that_cannot_be_read_is_told_and_the_others_stay() {
    const OTHER: &str = "services/other.kdl";
    let mut editor = Editor::start(&[(ROOT, SHOP), (API, BAD)], &["utf-8"]);
    editor.write(OTHER, b"web other {\xff\n");
    editor.show(ROOT, SHOP);
    let address = editor.address(OTHER);
    let said = editor.published(|params| params["uri"] == address);
    let message = said[0]["message"].as_str().unwrap();
    assert!(
        message.contains("is not UTF-8 text (first bad byte at offset 11)"),
        "{message}"
    );
    assert_eq!(codes(&said), ["SF2028"]);
    // One that is too large has its code.
    editor.write(OTHER, "x".repeat((1 << 20) + 1));
    let changed = json!({"changes": [{"uri": editor.address(OTHER), "type": 2}]});
    editor.tell("workspace/didChangeWatchedFiles", changed.clone());
    editor.await_errors(OTHER, &["SF5001"]);
    editor.write(OTHER, GOOD.replace("api", "other"));
    editor.tell("workspace/didChangeWatchedFiles", changed);
    editor.await_errors(API, &["SF2004"]);
    editor.await_errors(OTHER, &[]);
    editor.close();
}

#[test]
fn what_was_never_saved_belongs_to_the_project() {
    let mut editor = Editor::start(&[(ROOT, "project shop {}\n")], &["utf-8"]);
    editor.show(ROOT, SHOP);
    assert_eq!(codes(&editor.diagnostics(ROOT)), ["SF2021"]);
    editor.show(API, GOOD);
    assert!(codes(&editor.diagnostics(API)).is_empty());
    editor.await_errors(ROOT, &[]);
    // Names lead from one unsaved text to the other.
    editor.change(
        ROOT,
        &[replaced(
            (3, 0),
            (3, 0),
            "  worker jobs { image-of api; }\n",
        )],
    );
    assert!(codes(&editor.diagnostics(ROOT)).is_empty());
    let found = editor.ask_at("textDocument/definition", 3, 26);
    assert_eq!(found[0]["uri"], editor.address(API));
    editor.close();

    // A root file that is nowhere on the disk.
    let mut editor = Editor::start(&[], &["utf-8"]);
    editor.show(ROOT, SHOP);
    editor.show(API, GOOD);
    assert!(codes(&editor.diagnostics(API)).is_empty());
    editor.close();
}

#[test]
fn a_text_without_a_file_is_a_project_of_its_own() {
    let mut editor = Editor::start(&[], &["utf-8"]);
    let uri = "untitled:Untitled-1";
    let text = TEXT.replace("port", "prt");
    let document = json!({"uri": uri, "languageId": "starform", "version": 1, "text": text});
    editor.tell("textDocument/didOpen", json!({"textDocument": document}));
    let said = editor.next();
    assert_eq!(said["params"]["uri"], uri);
    let mut judged = said["params"]["diagnostics"].as_array().unwrap().iter();
    let range = judged.find(|said| said["code"] == "SF2004").unwrap()["range"].clone();
    let ask = json!({"textDocument": {"uri": uri}, "range": range, "context": {"diagnostics": []}});
    let actions = editor.ask("textDocument/codeAction", ask);
    assert_eq!(actions[0]["edit"]["changes"][uri][0]["newText"], "port");
    editor.close();
}

/// Other programs write KDL, too.
#[test]
fn files_of_somebody_else_are_left_alone() {
    let other = "config.kdl";
    let files = [(ROOT, SHOP), (API, GOOD), (other, "layout { pane; }\n")];
    let mut editor = Editor::start(&files, &["utf-8"]);
    editor.show(other, "layout { pane; }\n");
    let below = editor.at_of(other, 0, 9);
    for method in [
        "textDocument/completion",
        "textDocument/hover",
        "textDocument/semanticTokens/full",
        "textDocument/documentSymbol",
    ] {
        assert_eq!(editor.ask(method, below.clone()), Value::Null, "{method}");
    }
    editor.show(ROOT, SHOP);
    loop {
        let params = editor.next()["params"].clone();
        assert_ne!(params["uri"], editor.address(other), "{params}");
        if params["uri"] == editor.uri() {
            break;
        }
    }
    editor.close();
}

/// An editor that never tells of changes on the disk is helped when it saves, whatever it saves.
#[test]
fn an_editor_that_does_not_watch_sees_the_disk_when_it_saves() {
    let mut editor = Editor::start(&[(ROOT, SHOP), (API, BAD)], &["utf-8"]);
    editor.show(ROOT, SHOP);
    editor.await_errors(API, &["SF2004"]);
    editor.write(API, GOOD);
    let saved = json!({"textDocument": {"uri": editor.uri()}});
    editor.tell("textDocument/didSave", saved);
    editor.await_errors(API, &[]);
    editor.close();
}

/// An editor that was asked to tell of changes on the disk.
fn watching(files: &[(&str, &str)]) -> Editor {
    let mut editor = Editor::silent(files);
    let watches = json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}});
    editor.ask("initialize", json!({"capabilities": watches}));
    editor.tell("initialized", json!({}));
    editor
}

#[test]
fn the_editor_is_asked_to_watch_files_where_it_can() {
    let mut editor = watching(&[]);
    let asked = editor.next();
    assert_eq!(asked["method"], "client/registerCapability");
    let registration = &asked["params"]["registrations"][0];
    assert_eq!(registration["method"], "workspace/didChangeWatchedFiles");
    assert_eq!(
        registration["registerOptions"]["watchers"][0]["globPattern"],
        "**/*.kdl"
    );
    editor.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": null}));
    editor.close();
}

/// Included files are offered where `include` is written, the root file and those that stand there already are not.
#[test]
fn include_offers_the_files_that_are_there() {
    let files = [
        (ROOT, SHOP),
        (API, GOOD),
        ("jobs/nightly.kdl", ""),
        ("jobs/weekly.kdl", ""),
        (".hidden/x.kdl", ""),
        ("README.md", ""),
    ];
    let mut editor = Editor::start(&files, &["utf-8"]);
    editor.show(ROOT, SHOP);
    editor.change(ROOT, &[replaced((3, 0), (3, 0), "  include \"\"\n")]);
    let found = editor.ask_at("textDocument/completion", 3, 11);
    assert_eq!(
        labels(&found),
        ["jobs/*.kdl", "jobs/nightly.kdl", "jobs/weekly.kdl"]
    );
    let edit = &found[1]["textEdit"];
    assert_eq!(edit["newText"], "jobs/nightly.kdl");
    editor.change(ROOT, &[replaced((3, 10), (3, 12), "")]);
    let found = editor.ask_at("textDocument/completion", 3, 10);
    assert_eq!(found[1]["textEdit"]["newText"], "\"jobs/nightly.kdl\"");
    editor.close();
}
