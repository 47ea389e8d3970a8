//! Editors that keep the rules of the protocol and editors that do not: the server answers both and stays up.
//! Effects: starts the built program.
//! Read on in `cli/src/lsp/streams.rs`.

use serde_json::{Value, json};

use super::{
    TEXT,
    editor::{Editor, ROOT, codes, labels, replaced},
};

const COMPLETION: &str = "textDocument/completion";

fn error_code(reply: &Value) -> i64 {
    reply["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("an error, not {reply}"))
}

#[test]
fn what_is_no_message_is_refused_and_the_next_one_answered() {
    let mut editor = Editor::open(TEXT, &["utf-8"]);
    editor.diagnostics(ROOT);
    for broken in [
        "{",
        "[]",
        "null",
        "",
        "{\"jsonrpc\": \"2.0\", \"id\": {}}",
        "{\"jsonrpc\": \"2.0\"}",
    ] {
        editor.send_bytes(broken);
        let refused = editor.next();
        assert!(refused["id"].is_null(), "{broken}: {refused}");
        assert_eq!(error_code(&refused), -32700, "{broken}");
    }
    editor.send_raw(b"Content-Length: many\r\n\r\n");
    assert_eq!(error_code(&editor.next()), -32700);
    // Parameters that are none are refused under the question's number.
    for bad in [
        json!({}),
        json!([1]),
        json!({"textDocument": {"uri": "::"}}),
    ] {
        assert_eq!(error_code(&editor.reply(COMPLETION, bad)), -32602);
    }
    assert_eq!(
        error_code(&editor.reply("textDocument/moniker", json!({}))),
        -32601
    );
    editor.tell("textDocument/noSuchThing", json!({"a": 1}));
    editor.tell("textDocument/didChange", json!({"a": 1}));
    editor.tell("$/setTrace", json!({"value": "off"}));
    assert!(labels(&editor.ask_at(COMPLETION, 6, 8)).contains(&"shared"));
    editor.close();
}

#[test]
fn a_conversation_begins_and_ends_as_the_protocol_says() {
    let mut early = Editor::silent(&[]);
    assert_eq!(error_code(&early.reply(COMPLETION, json!({}))), -32002);
    assert_eq!(error_code(&early.reply("shutdown", Value::Null)), -32002);
    assert_eq!(error_code(&early.reply("initialize", json!(3))), -32602);
    early.tell("textDocument/didOpen", json!({}));
    early.ask("initialize", json!({"capabilities": {}}));
    let again = early.reply("initialize", json!({"capabilities": {}}));
    assert_eq!(error_code(&again), -32600);
    assert_eq!(early.ask("shutdown", Value::Null), Value::Null);
    let late = early.at(0, 0);
    assert_eq!(error_code(&early.reply(COMPLETION, late)), -32600);
    early.tell("exit", Value::Null);
    assert_eq!(early.ended().code(), Some(0));

    let mut impolite = Editor::open(TEXT, &[]);
    impolite.tell("exit", Value::Null);
    assert_eq!(impolite.ended().code(), Some(1));
    assert_eq!(Editor::open(TEXT, &[]).leave().code(), Some(1));
    assert_eq!(Editor::silent(&[]).leave().code(), Some(1));
}

/// A question that is taken back before it is read is answered so; one that was answered already is not answered twice.
#[test]
fn a_question_taken_back_is_not_worked_on() {
    let mut editor = Editor::open(TEXT, &["utf-8"]);
    editor.diagnostics(ROOT);
    // All of it arrives together, the question behind a text that takes a while to read.
    let large = format!(
        "project shop {{\n{}}}\n",
        "  x-note \"text\"\n".repeat(20_000)
    );
    let document = json!({"uri": editor.uri(), "version": 2});
    let change = json!({"textDocument": document, "contentChanges": [{"text": large}]});
    let change = json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": change});
    let mut question = json!({"jsonrpc": "2.0", "id": 900, "method": COMPLETION});
    question["params"] = editor.at(1, 2);
    let cancel = json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 900}});
    editor.send_together(&[change, question, cancel.clone()]);
    assert_eq!(error_code(&editor.reply_to(900)), -32800);
    editor.send(&cancel);
    let at = editor.at(1, 2);
    assert!(editor.ask(COMPLETION, at).is_array());
    editor.close();
}

#[test]
fn changes_of_what_is_not_open_change_nothing() {
    let mut editor = Editor::start(&[(ROOT, TEXT)], &["utf-8"]);
    editor.change(ROOT, &[json!({"text": "project other {}"})]);
    editor.hide(ROOT);
    let found = editor.ask_at(COMPLETION, 6, 8);
    assert!(labels(&found).contains(&"shared"), "{found}");
    // An edit far outside of the text is one at its end.
    editor.show(ROOT, TEXT);
    let said = editor.edit((900, 7), (2, 0), "prt 1\n");
    assert_eq!(codes(&said), ["SF2004"], "{said:?}");
    editor.close();
}

/// Texts are what was said last, whatever number it had.
#[test]
fn a_version_that_goes_backwards_is_still_the_last_word() {
    let mut editor = Editor::open("project shop {", &["utf-8"]);
    editor.diagnostics(ROOT);
    let document = json!({"uri": editor.uri(), "version": -7});
    let change = json!({"textDocument": document, "contentChanges": [{"text": TEXT}]});
    editor.tell("textDocument/didChange", change);
    editor.await_errors(ROOT, &[]);
    editor.show(ROOT, "project shop {}\n");
    assert_eq!(codes(&editor.diagnostics(ROOT)), ["SF2017"]);
    editor.close();
}

#[test]
fn a_huge_text_is_refused_with_one_diagnostic_and_answered() {
    let mut editor = Editor::open(TEXT, &["utf-16"]);
    editor.diagnostics(ROOT);
    let line = format!("project shop {{ {}}}\n", "x-note \"ä\"; ".repeat(200_000));
    for text in [line, "a".repeat(9 << 20)] {
        editor.change(ROOT, &[json!({"text": text})]);
        let said = editor.diagnostics(ROOT);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0]["code"].as_str().unwrap().starts_with("SF5"),
            "{said:?}"
        );
        let at = editor.at(0, 300_000);
        assert!(editor.ask(COMPLETION, at).is_array());
        assert!(editor.whole("textDocument/documentSymbol").is_array());
    }
    assert!(
        codes(&{
            editor.change(ROOT, &[json!({"text": TEXT})]);
            editor.diagnostics(ROOT)
        })
        .is_empty()
    );
    editor.close();
}

/// A line of a thousand nodes, each an edit of its own: the text is that of one edit.
#[test]
fn many_edits_at_once_are_one_text() {
    let mut editor = Editor::open("project shop {\n}\n", &["utf-16"]);
    editor.diagnostics(ROOT);
    let edits: Vec<Value> = (0..1_000)
        .map(|_| replaced((1, 0), (1, 0), "  x-😀 \"é\"\r\n"))
        .chain([replaced((1, 4), (1_000, 6), "")])
        .collect();
    editor.change(ROOT, &edits);
    editor.diagnostics(ROOT);
    let kept = editor.whole("textDocument/semanticTokens/full");
    editor.change(
        ROOT,
        &[json!({"text": "project shop {\n  x- \"é\"\r\n}\n"})],
    );
    editor.diagnostics(ROOT);
    assert_eq!(editor.whole("textDocument/semanticTokens/full"), kept);
    editor.close();
}
