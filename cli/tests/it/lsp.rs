//! `starform lsp` from an editor's side: a scripted client for each question, real process, real streams.
//! Starts the built program; no server, no cluster.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

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

/// An editor with one project open.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
    version: i32,
    last: i32,
}

impl Editor {
    fn open(text: &str, encodings: &[&str]) -> Editor {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("starform.kdl"), "// older on disk\n").unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_starform"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut editor = Editor {
            input: server.stdin.take().unwrap(),
            output: BufReader::new(server.stdout.take().unwrap()),
            server,
            folder,
            version: 1,
            last: 0,
        };
        let offered = json!({"general": {"positionEncodings": encodings}});
        let answer = editor.ask("initialize", json!({"capabilities": offered}));
        let agreed = answer["capabilities"]["positionEncoding"].as_str().unwrap();
        assert!(encodings.is_empty() || encodings.contains(&agreed));
        editor.tell("initialized", json!({}));
        let document =
            json!({"uri": editor.uri(), "languageId": "kdl", "version": 1, "text": text});
        editor.tell("textDocument/didOpen", json!({"textDocument": document}));
        editor
    }

    fn uri(&self) -> String {
        format!("file://{}/starform.kdl", self.folder.path().display())
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn next(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "the server went away");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(digits) => length = digits.parse().unwrap(),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn reply(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let message = self.reply(method, params);
        assert!(message["error"].is_null(), "{method}: {message}");
        message["result"].clone()
    }

    fn ask_at(&mut self, method: &str, line: u32, character: u32) -> Value {
        let at = self.at(line, character);
        self.ask(method, at)
    }

    fn at(&self, line: u32, character: u32) -> Value {
        json!({"textDocument": {"uri": self.uri()}, "position": {"line": line, "character": character}})
    }

    fn whole(&mut self, method: &str) -> Value {
        let uri = self.uri();
        self.ask(method, json!({"textDocument": {"uri": uri}}))
    }

    /// Replaces a range; gives the diagnostics that follow.
    fn edit(&mut self, from: (u32, u32), to: (u32, u32), text: &str) -> Vec<Value> {
        self.version += 1;
        let place = |(line, character): (u32, u32)| json!({"line": line, "character": character});
        let change = json!({"range": {"start": place(from), "end": place(to)}, "text": text});
        let document = json!({"uri": self.uri(), "version": self.version});
        self.tell(
            "textDocument/didChange",
            json!({"textDocument": document, "contentChanges": [change]}),
        );
        self.diagnostics()
    }

    /// Those of the version at hand.
    fn diagnostics(&mut self) -> Vec<Value> {
        loop {
            let message = self.next();
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["version"] == self.version
            {
                return message["params"]["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    fn close(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.server.wait().unwrap().success());
    }
}

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    let code = |said: &'_ Value| -> Option<String> { Some(said["code"].as_str()?.to_owned()) };
    assert!(diagnostics.iter().all(|said| code(said).is_some()));
    diagnostics
        .iter()
        .filter(|said| said["severity"] == 1)
        .map(|said| said["code"].as_str().unwrap())
        .collect()
}

#[test]
fn what_is_typed_is_judged_and_repaired() {
    for encodings in [&["utf-8", "utf-16"][..], &["utf-16"], &[]] {
        let mut editor = Editor::open(TEXT, encodings);
        assert!(codes(&editor.diagnostics()).is_empty());
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
    let labels: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["label"].as_str())
        .collect();
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
