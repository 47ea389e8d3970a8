//! An editor in a script: it starts the real server, opens, types and asks over the real streams.
//! Effects: starts the built program, writes files into a folder of its own. Always holds: no answer within twenty
//! seconds fails the test, and so does an answer to a question that was not asked.
//! Read on in `prefixes` for typing and in `protocol` for editors that do not keep the rules.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

pub(super) const ROOT: &str = "starform.kdl";

const PATIENCE: Duration = Duration::from_secs(20);

/// An editor with a folder.
pub(super) struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    said: Receiver<Value>,
    folder: tempfile::TempDir,
    version: i32,
    last: i32,
    /// What the server answered to `initialize`.
    pub(super) greeting: Value,
}

impl Editor {
    /// The root file open as `text`, while the disk has an older one.
    pub(super) fn open(text: &str, encodings: &[&str]) -> Editor {
        let mut editor = Editor::start(&[(ROOT, "// older on disk\n")], encodings);
        editor.show(ROOT, text);
        editor
    }

    /// Nothing open, these files on the disk.
    pub(super) fn start(files: &[(&str, &str)], encodings: &[&str]) -> Editor {
        Editor::able(files, encodings, &json!({}))
    }

    /// The same with what the editor can do with texts.
    pub(super) fn able(files: &[(&str, &str)], encodings: &[&str], texts: &Value) -> Editor {
        let mut editor = Editor::silent(files);
        let can = json!({"general": {"positionEncodings": encodings}, "textDocument": texts});
        editor.greeting = editor.ask("initialize", json!({"capabilities": can}));
        let agreed = editor.greeting["capabilities"]["positionEncoding"].clone();
        let agreed = agreed.as_str().unwrap();
        assert!(encodings.contains(&agreed) || (encodings.is_empty() && agreed == "utf-16"));
        editor.tell("initialized", json!({}));
        editor
    }

    /// Nothing is said yet.
    pub(super) fn silent(files: &[(&str, &str)]) -> Editor {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_starform"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(server.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            let mut output = output;
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let editor = Editor {
            input: server.stdin.take(),
            said,
            server,
            folder,
            version: 0,
            last: 0,
            greeting: Value::Null,
        };
        for (name, text) in files {
            editor.write(name, text);
        }
        editor
    }

    /// Writes a file beside the editor's back.
    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn delete(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    pub(super) fn address(&self, name: &str) -> String {
        format!("file://{}/{name}", self.folder.path().display())
    }

    /// The address of the root file.
    pub(super) fn uri(&self) -> String {
        self.address(ROOT)
    }

    pub(super) fn send(&mut self, message: &Value) {
        self.send_bytes(&message.to_string());
    }

    /// Sends a text as if it were a message.
    pub(super) fn send_bytes(&mut self, text: &str) {
        self.send_raw(framed(text).as_bytes());
    }

    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    /// Sends messages in one piece, so that none is read before the last is there.
    pub(super) fn send_together(&mut self, messages: &[Value]) {
        let framed = messages.iter().map(|message| framed(&message.to_string()));
        self.send_raw(framed.collect::<String>().as_bytes());
    }

    pub(super) fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    pub(super) fn next(&self) -> Value {
        self.said
            .recv_timeout(PATIENCE)
            .expect("the server went away or fell silent")
    }

    /// The answer to a question, with its error.
    pub(super) fn reply(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.reply_to(id)
    }

    pub(super) fn reply_to(&self, id: i32) -> Value {
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
            assert!(message["id"].is_null(), "nobody asked {message}");
        }
    }

    pub(super) fn ask(&mut self, method: &str, params: Value) -> Value {
        let reply = self.reply(method, params);
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].clone()
    }

    /// A place of the root file.
    pub(super) fn at(&self, line: u32, character: u32) -> Value {
        self.at_of(ROOT, line, character)
    }

    pub(super) fn at_of(&self, name: &str, line: u32, character: u32) -> Value {
        json!({
            "textDocument": {"uri": self.address(name)},
            "position": {"line": line, "character": character},
        })
    }

    pub(super) fn ask_at(&mut self, method: &str, line: u32, character: u32) -> Value {
        let at = self.at(line, character);
        self.ask(method, at)
    }

    /// A question about the whole root file.
    pub(super) fn whole(&mut self, method: &str) -> Value {
        let ask = json!({"textDocument": {"uri": self.uri()}});
        self.ask(method, ask)
    }

    /// A question about a range of the root file, from line and column to line and column.
    pub(super) fn within(&mut self, method: &str, from: (u32, u32), to: (u32, u32)) -> Value {
        let range = range(from, to);
        let ask = json!({"textDocument": {"uri": self.uri()}, "range": range, "context": {"diagnostics": []}});
        self.ask(method, ask)
    }

    /// Opens a file in the editor.
    pub(super) fn show(&mut self, name: &str, text: &str) {
        self.version += 1;
        let (uri, version) = (self.address(name), self.version);
        let document = json!({"uri": uri, "languageId": "kdl", "version": version, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    pub(super) fn hide(&mut self, name: &str) {
        let document = json!({"uri": self.address(name)});
        self.tell("textDocument/didClose", json!({"textDocument": document}));
    }

    /// Applies changes to an open file, in their order.
    pub(super) fn change(&mut self, name: &str, changes: &[Value]) {
        self.version += 1;
        let document = json!({"uri": self.address(name), "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": changes});
        self.tell("textDocument/didChange", params);
    }

    /// Replaces a range of the root file and gives the diagnostics that follow.
    pub(super) fn edit(&mut self, from: (u32, u32), to: (u32, u32), text: &str) -> Vec<Value> {
        self.change(ROOT, &[replaced(from, to, text)]);
        self.diagnostics(ROOT)
    }

    /// The diagnostics of a file as it is since the last change.
    pub(super) fn diagnostics(&self, name: &str) -> Vec<Value> {
        let (address, version) = (self.address(name), self.version);
        self.published(|params| params["uri"] == address && params["version"] == version)
    }

    /// Waits until a file has errors of these codes and no others, whatever was said before.
    pub(super) fn await_errors(&self, name: &str, expected: &[&str]) {
        let address = self.address(name);
        loop {
            let said = self.published(|params| params["uri"] == address);
            if codes(&said) == expected {
                break;
            }
            eprintln!("not yet {expected:?}: {said:?}");
        }
    }

    /// The diagnostics of the next publication that is wanted.
    pub(super) fn published(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        loop {
            let message = self.next();
            let params = &message["params"];
            if message["method"] == "textDocument/publishDiagnostics" && wanted(params) {
                return params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    /// Says goodbye as the protocol wants.
    pub(super) fn close(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.server.wait().unwrap().success());
    }

    /// Closes the stream without a word.
    pub(super) fn leave(mut self) -> ExitStatus {
        self.input = None;
        self.server.wait().unwrap()
    }

    /// Waits for the end that the server chose itself.
    pub(super) fn ended(mut self) -> ExitStatus {
        self.server.wait().unwrap()
    }
}

pub(super) fn range(from: (u32, u32), to: (u32, u32)) -> Value {
    let place = |(line, character)| json!({"line": line, "character": character});
    json!({"start": place(from), "end": place(to)})
}

/// One change of a text.
pub(super) fn replaced(from: (u32, u32), to: (u32, u32), text: &str) -> Value {
    json!({"range": range(from, to), "text": text})
}

/// The codes of the errors among diagnostics; each diagnostic has one.
pub(super) fn codes(diagnostics: &[Value]) -> Vec<&str> {
    let code = |said: &'_ Value| -> Option<String> { Some(said["code"].as_str()?.to_owned()) };
    assert!(diagnostics.iter().all(|said| code(said).is_some()));
    diagnostics
        .iter()
        .filter(|said| said["severity"] == 1)
        .map(|said| said["code"].as_str().unwrap())
        .collect()
}

/// The labels of completions.
pub(super) fn labels(found: &Value) -> Vec<&str> {
    let items = found.as_array().unwrap().iter();
    items.map(|item| item["label"].as_str().unwrap()).collect()
}

fn framed(text: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{text}", text.len())
}

/// `None` where the server has closed its stream.
fn read(output: &mut BufReader<ChildStdout>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().strip_prefix("Content-Length: ") {
            Some(digits) => length = digits.parse().ok()?,
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut bytes = vec![0; length];
    output.read_exact(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
