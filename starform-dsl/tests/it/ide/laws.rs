//! Laws of changing a text: renaming there and back is nothing, and a renamed project means the same; a fix leaves fewer errors.
//! Reads `examples/` and `golden/ui`.
//! Read on in `starform_dsl::ide`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use starform_contract::EnvironmentName;
use starform_dsl::ide::{self, Analysis, NameKind, TokenClass};
use starform_dsl::syntax::TextRange;
use starform_dsl::{Bindings, compile, emit};

use super::{FILE, edited, offset, tree};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(path).expect("the file is there")
}

/// The places of all names of a text, by kind.
fn names(text: &str) -> Vec<(NameKind, TextRange)> {
    ide::semantic_tokens(&Analysis::of(tree(text)), FILE)
        .into_iter()
        .filter_map(|token| match token.class {
            TokenClass::Name(kind) => Some((kind, token.range)),
            TokenClass::Comment
            | TokenClass::Keyword
            | TokenClass::Unknown
            | TokenClass::Property
            | TokenClass::Annotation
            | TokenClass::Output
            | TokenClass::String
            | TokenClass::Number
            | TokenClass::Literal
            | TokenClass::Operator => None,
        })
        .collect()
}

fn errors(text: &str) -> usize {
    let said = compile(&tree(text)).diagnostics;
    said.iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count()
}

#[test]
fn renaming_there_and_back_is_nothing() {
    let mut kinds = BTreeSet::new();
    for example in [
        "examples/shop/starform.kdl",
        "examples/online-boutique/starform.kdl",
    ] {
        let text = read(example);
        for (kind, range) in names(&text) {
            let middle = range.start() + range.len() / 2;
            let analysis = Analysis::of(tree(&text));
            let to = match kind {
                NameKind::Variable => "ANOTHER_KEY",
                NameKind::Environment | NameKind::Group | NameKind::Partial | NameKind::Service => {
                    "another-name"
                }
            };
            let old = text[range.as_range()].trim_matches('"');
            let edits = match ide::rename(&analysis, FILE, middle, to) {
                Ok(edits) => edits,
                Err(error) => panic!("{example}: {old}: {error}"),
            };
            let there = edited(&text, &edits);
            assert!(
                !there.contains(&format!("\"{old}.")),
                "{example}: {old} is left in {there}"
            );
            assert_eq!(errors(&there), 0, "{example}: {old} in {there}");
            // The first edit moves nothing before it, so the name begins there still.
            let back = edits.first().expect("an edit").span.range.start();
            let analysis = Analysis::of(tree(&there));
            let edits = ide::rename(&analysis, FILE, back, old).expect("the old name is free");
            assert_eq!(edited(&there, &edits), text, "{example}: {old}");
            kinds.insert(format!("{kind:?}"));
        }
    }
    assert!(kinds.len() >= 4, "only {kinds:?} were renamed");
}

/// A text in which every kind of mention of a service occurs.
const SHOP: &str = r#"project shop {
  environment staging branch=main
  environment production branch=release
  preview from=staging on=pull-request expire="3d"
  var-group shared { CATALOG (ref)"catalog.private-url"; in production { BOTH (template)"{front.host}-{catalog.port}"; }; }
  web front was=shop-front { image "a/b:1"; port 80; use shared; vars { SELF (ref)"front.public-url"; }; }
  private catalog { image-of front; port 9090; use shared; allow-from front mailer; in preview { scale 2; }; }
  worker mailer { image-of catalog; vars { FRONT (template)"{{}}{front.hostport}"; }; only production; }
  cron report schedule="0 3 * * *" { image-of front; not-in production; }
}
"#;

/// The state of every environment and of a preview, whatever the order of names.
fn states(text: &str, bindings: &Bindings, from: &str, to: &str) -> Vec<Value> {
    let project = crate::project::project(text);
    let pull_request: EnvironmentName = "pr-7".parse().expect("a name");
    let declared = project.environments().map(|(name, _)| name.clone());
    let preview = project.preview(&pull_request).map(|preview| preview.name);
    let states = declared.chain(preview).map(|environment| {
        let emitted = emit(&project, &environment, bindings).expect("it is deployed");
        let mut state = serde_json::to_value(&emitted.state).expect("a state is JSON");
        replace(&mut state, from, to);
        state
    });
    states.collect()
}

/// Every text that is `from` becomes `to`; lists in the order of names are sorted anew.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(elements) => elements.iter_mut().for_each(|each| replace(each, from, to)),
        Value::Object(fields) => {
            for (key, field) in fields {
                replace(field, from, to);
                if let (Value::Array(elements), "services" | "names" | "refs") = (field, &**key) {
                    elements.sort_by_key(Value::to_string);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn renaming_a_service_keeps_the_state_but_for_its_name() {
    let examples = ["shop", "online-boutique"];
    let examples = examples.map(|name| read(&format!("examples/{name}/starform.kdl")));
    let mut renamed = 0;
    for text in examples.iter().map(String::as_str).chain([SHOP]) {
        let project = crate::project::project(text);
        let bindings = Bindings::first(&project);
        let analysis = Analysis::of(tree(text));
        for old in project.services() {
            let declared = ["web", "private", "worker", "cron"]
                .iter()
                .find_map(|kind| {
                    let words = format!("{kind} {old}");
                    Some(text.find(&words)? + kind.len() + 1)
                })
                .expect("it is declared");
            let edits = ide::rename(&analysis, FILE, offset(declared), "renamed");
            let after = edited(text, &edits.expect("the name is free"));
            // As whoever binds names does for `was=`: id and object name stay.
            let mut bound = bindings.clone();
            let mut entries = bound.names.iter_mut();
            let entry = entries.find(|entry| entry.name == *old).expect("a name");
            entry.name = "renamed".parse().expect("a name");
            let (old, new) = (old.as_str(), "renamed");
            let before = states(text, &bindings, old, old);
            assert_eq!(states(&after, &bound, new, old), before, "{old} in {after}");
            let project = crate::project::project(&after);
            let former = project.former_names();
            assert!(
                former.keys().any(|name| name.as_str() == new),
                "{old} in {after}"
            );
            renamed += 1;
        }
    }
    assert!(renamed > 15, "only {renamed} services");
}

#[test]
fn a_name_of_the_past_is_not_given_to_another_service() {
    let text = "project p {
  environment e branch=main
  web api was=backend { image \"a/b:1\"; port 80; }
  worker mailer { image \"a/b:1\"; }
  removed web old data=keep
  removed volume mailer.spool data=keep
}
";
    let analysis = Analysis::of(tree(text));
    let renamed = |word: &str, to: &str| {
        let place = text.find(word).expect("it is there") + word.len() - 1;
        let edits = ide::rename(&analysis, FILE, offset(place), to);
        edits.map(|edits| edited(text, &edits))
    };
    for name in ["backend", "old"] {
        let error = renamed("worker mailer", name).expect_err(name).to_string();
        let words = format!("`{name}` is named in `was=` or `removed` as what was");
        assert!(error.starts_with(&words), "{error}");
    }
    let back = renamed("web api", "backend").expect("it is its own");
    assert!(back.contains("web backend {"), "{back}");
    let there = renamed("worker mailer", "post").expect("it is free");
    let volume = "worker post was=mailer {";
    assert!(
        there.contains(volume) && there.contains("removed volume post.spool"),
        "{there}"
    );
    assert_eq!(errors(&there), 0, "{there}");
}

#[test]
fn no_action_makes_a_text_worse() {
    let mut applied = 0;
    for name in [
        "values",
        "syntax",
        "references",
        "unknown-nodes",
        "unknown-properties",
    ] {
        let text = read(&format!("golden/ui/{name}.kdl"));
        let analysis = Analysis::of(tree(&text));
        let before = errors(&text);
        let all = TextRange::new(0, offset(text.len()));
        for action in ide::actions(&analysis, FILE, all).iter().step_by(7) {
            let after = errors(&edited(&text, &action.fix.edits));
            let what = &action.diagnostic.title;
            assert!(
                after <= before,
                "{name}: {what}: {} makes {after} of {before}",
                action.fix.title
            );
            applied += 1;
        }
    }
    assert!(applied > 5, "only {applied} actions");
}
