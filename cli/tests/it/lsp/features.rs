//! What a person sees while they write: completions that fit the place, values under the pointer, repairs, new names.
//! Effects: starts the built program.
//! Read on in `golden/ide` for each feature on more texts.

use serde_json::{Value, json};

use super::editor::{Editor, ROOT, codes, labels, replaced};

const SHOP: &str = "project shop {
  environment staging branch=main
  environment production branch=release
  var-group payments { STRIPE_API_KEY (secret)stripe-api-key; }
  partial small { size cpu=\"250m\"; }
  web api like=small {
    image \"ghcr.io/acme/api:1.4.2\"
    port 8080
    scale 2
    use payments
    in production { scale min=3 max=9; }
  }
  private catalog {
    image \"ghcr.io/acme/catalog:1.4.2\"
    port 9090
  }
}
";

/// What stands in a line of the web service, the cursor as `|`, and what must then be among the first three completions.
const TYPED: &[(&str, &str)] = &[
    ("heal|", "health"),
    ("allow-from |", "catalog"),
    ("only |", "staging"),
    ("in |", "production"),
    ("port 80 protocol=|", "http"),
    ("drain |", "grace="),
    ("drain grace=|", "30s"),
    ("vars { A_TOKEN |; }", "(secret)"),
    ("vars { A (|; }", "ref"),
    ("vars { A (secret)|; }", "stripe-api-key"),
    ("vars { A (generate)|; }", "bytes32"),
    ("vars { A (ref)\"cat|\"; }", "catalog.host"),
    (
        "vars { A (template)\"https://{self.pub|\"; }",
        "self.public-host",
    ),
];

#[test]
fn completions_fit_the_place() {
    let mut editor = Editor::open(SHOP, &["utf-8"]);
    for (typed, wanted) in TYPED {
        let line = typed.replace('|', "") + "\n";
        let whole = json!({"text": SHOP});
        editor.change(ROOT, &[whole, replaced((10, 0), (10, 0), &line)]);
        editor.diagnostics(ROOT);
        let column = typed.find('|').unwrap() as u32;
        let found = editor.ask_at("textDocument/completion", 10, column);
        let labels = labels(&found);
        assert!(
            labels.iter().take(3).any(|label| label == wanted),
            "{typed}: {labels:?}"
        );
    }
    editor.close();
}

#[test]
fn the_pointer_shows_what_holds_in_each_environment() {
    let mut editor = Editor::open(SHOP, &["utf-8"]);
    editor.diagnostics(ROOT);
    let text = |hover: Value| hover["contents"]["value"].as_str().unwrap().to_owned();
    let scale = text(editor.ask_at("textDocument/hover", 8, 6));
    assert!(
        scale.contains("staging") && scale.contains("production"),
        "{scale}"
    );
    assert!(
        scale.contains('9') && scale.contains("Left out: "),
        "{scale}"
    );
    let branch = text(editor.ask_at("textDocument/hover", 1, 24));
    assert!(branch.contains("`branch=` of `environment`"), "{branch}");
    let secret = text(editor.ask_at("textDocument/hover", 3, 26));
    assert!(secret.contains("STRIPE_API_KEY"), "{secret}");
    editor.close();
}

#[test]
fn a_service_with_another_name_is_renamed_everywhere() {
    let mut editor = Editor::open(SHOP, &["utf-8"]);
    editor.diagnostics(ROOT);
    editor.change(
        ROOT,
        &[replaced(
            (8, 0),
            (8, 0),
            "    vars { C (ref)\"catalog.host\"; }\n",
        )],
    );
    editor.diagnostics(ROOT);
    let range = editor.ask_at("textDocument/prepareRename", 13, 12);
    assert_eq!(range["start"], json!({"line": 13, "character": 10}));
    let mut ask = editor.at(13, 12);
    ask["newName"] = json!("stock");
    let edits = editor.ask("textDocument/rename", ask)["changes"][editor.uri()].clone();
    let mut edits = edits.as_array().unwrap().clone();
    // An editor applies them as one change; from the last to the first no place moves.
    edits.reverse();
    let changes: Vec<Value> = edits
        .iter()
        .map(|edit| json!({"range": edit["range"], "text": edit["newText"]}))
        .collect();
    editor.change(ROOT, &changes);
    assert!(codes(&editor.diagnostics(ROOT)).is_empty());
    let found = editor.ask_at("textDocument/definition", 8, 21);
    assert_eq!(found[0]["range"]["start"]["line"], 13);
    editor.close();
}

#[test]
fn repairs_are_offered_one_by_one_and_all_at_once() {
    let broken = SHOP
        .replace("cpu=\"250m\"", "cpu=250m")
        .replace("port 8080", "prt 8080");
    let mut editor = Editor::open(&broken, &["utf-8"]);
    assert_eq!(codes(&editor.diagnostics(ROOT)), ["SF1003", "SF2004"]);
    let titles = |actions: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let actions = actions.as_array().unwrap().iter();
        actions
            .map(|action| (text(&action["kind"]), text(&action["title"])))
            .collect()
    };
    let one = editor.within("textDocument/codeAction", (7, 4), (7, 7));
    assert_eq!(
        titles(&one),
        [("quickfix".to_owned(), "write `port`".to_owned())]
    );
    assert_eq!(one[0]["isPreferred"], false, "somebody has to decide");
    // Which safe fixes do no harm takes many compilations, and this editor could not ask for them later.
    let two = editor.within("textDocument/codeAction", (4, 27), (4, 27));
    let quick = [("quickfix".to_owned(), "quote it".to_owned())];
    assert_eq!(titles(&two), quick);
    let ask = json!({
        "textDocument": {"uri": editor.uri()},
        "range": super::editor::range((0, 0), (0, 0)),
        "context": {"diagnostics": [], "only": ["source.fixAll"]},
    });
    let all = editor.ask("textDocument/codeAction", ask);
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    let edit = all[0]["edit"]["changes"][editor.uri()][0].clone();
    let said = editor_change(&mut editor, &edit);
    assert_eq!(codes(&said), ["SF2004"], "only the safe one");
    editor.close();
}

#[test]
fn an_editor_that_asks_later_gets_all_fixes_when_it_wants_them() {
    let can = json!({"codeAction": {
        "dataSupport": true,
        "resolveSupport": {"properties": ["edit"]},
    }});
    let text = SHOP
        .replace("\"250m\"", "250m")
        .replace("port 8080", "prt 8080");
    let mut editor = Editor::able(&[], &["utf-8"], &can);
    let provider = &editor.greeting["capabilities"]["codeActionProvider"];
    assert_eq!(provider["resolveProvider"], true);
    editor.show(ROOT, &text);
    editor.diagnostics(ROOT);
    let offered = editor.within("textDocument/codeAction", (4, 27), (4, 27));
    let all = offered.as_array().unwrap().last().unwrap().clone();
    assert_eq!(all["kind"], "source.fixAll");
    assert_eq!(all["edit"], Value::Null, "nobody wants it yet");
    let resolved = editor.ask("codeAction/resolve", all.clone());
    assert_eq!(resolved["title"], all["title"]);
    let edit = resolved["edit"]["changes"][editor.uri()][0].clone();
    let said = editor_change(&mut editor, &edit);
    assert_eq!(codes(&said), ["SF2004"], "only the safe one");
    // Nothing is left to be fixed, so nothing is offered, and what was offered changes nothing.
    let offered = editor.within("textDocument/codeAction", (4, 27), (4, 27));
    assert_eq!(offered, json!([]));
    let late = editor.ask("codeAction/resolve", all);
    assert_eq!(late["edit"]["changes"], json!({}));
    let strange = editor.reply("codeAction/resolve", json!({"title": "x"}));
    assert_eq!(strange["error"]["code"], -32602, "{strange}");
    editor.close();
}

fn editor_change(editor: &mut Editor, edit: &Value) -> Vec<Value> {
    editor.change(
        ROOT,
        &[json!({"range": edit["range"], "text": edit["newText"]})],
    );
    editor.diagnostics(ROOT)
}
