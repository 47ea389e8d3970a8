//! From text to digests: what changes nothing of meaning changes none, and every other edit changes exactly its own.
//!
//! Pure. The edits are data, `tests/digests.json`: each replaces a text that an example holds once. Always holds: a row
//! names every service whose entry changes, in each environment, with the kinds of its objects that do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use starform_contract::{ClusterProfile, Digest, Object, ObjectKey};
use starform_dsl::{Bindings, compile, emit, fmt, source::SourceTree};
use starform_plan::render::{Rendered, render};

const ROOT: &str = "starform.kdl";
const EXAMPLES: [(&str, &str); 4] = [
    (
        "hello",
        include_str!("../../../../examples/hello/starform.kdl"),
    ),
    (
        "online-boutique",
        include_str!("../../../../examples/online-boutique/starform.kdl"),
    ),
    (
        "shop",
        include_str!("../../../../examples/shop/starform.kdl"),
    ),
    (
        "subscriptions",
        include_str!("../../../../examples/subscriptions/starform.kdl"),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    of: String,
    replace: String,
    by: String,
    changes: Changes,
}

/// By environment, then by service (or [`ENVIRONMENT`]): the kinds of the objects that are other ones. No kind: the
/// model alone changes, and with it what a plan says.
type Changes = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What belongs to no service but to the environment.
const ENVIRONMENT: &str = "(environment)";

#[test]
fn an_edit_changes_exactly_its_own_digests() {
    let edits: Vec<Edit> = serde_json::from_str(include_str!("../digests.json")).unwrap();
    assert!(edits.len() >= 25, "{}", edits.len());
    let examples = EXAMPLES.map(|(name, text)| (name, (text, rendered(&single(text)))));
    let examples = BTreeMap::from(examples);
    let mut wrong = Vec::new();
    for edit in &edits {
        let (text, before) = &examples[edit.of.as_str()];
        assert_eq!(text.matches(&edit.replace).count(), 1, "{edit:?}");
        let after = rendered(&single(&text.replace(&edit.replace, &edit.by)));
        let found = changes(before, &after);
        assert!(!found.is_empty(), "{edit:?}");
        if found != edit.changes {
            let found = serde_json::to_string(&found).unwrap();
            wrong.push(format!("{} {:?}: {found}", edit.of, edit.by));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} times:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_changes_nothing_of_meaning_changes_no_digest() {
    for (name, text) in EXAMPLES {
        let wanted = digests(&rendered(&single(text)));
        let formatted = fmt::format(text).unwrap().text;
        for (what, tree) in [
            ("no comments", single(&without_comments(text))),
            ("more comments", single(&more_comments(text))),
            ("line ends of Windows", single(&text.replace('\n', "\r\n"))),
            ("a byte order mark", single(&format!("\u{feff}{text}"))),
            ("one formatting", single(&formatted)),
            (
                "another formatting",
                single(&text.replace("\n  ", "\n\n\t   ")),
            ),
            (
                "another order",
                single(&put_together(
                    &parts(text).into_iter().rev().collect::<Vec<_>>(),
                )),
            ),
            ("several files", spread(&parts(text))),
        ] {
            if what != "one formatting" {
                assert_ne!(
                    tree.find(ROOT)
                        .map(|file| tree.file(file).text().to_owned())
                        .as_deref(),
                    Some(text),
                    "{name}: {what}"
                );
            }
            assert_eq!(digests(&rendered(&tree)), wanted, "{name}: {what}");
        }
    }
}

fn single(text: &str) -> SourceTree {
    SourceTree::single(ROOT, text)
}

/// Every environment that the project declares, by name.
fn rendered(sources: &SourceTree) -> BTreeMap<String, Rendered> {
    let compiled = compile(sources);
    let said: Vec<&str> = compiled
        .diagnostics
        .iter()
        .map(|said| said.title.as_str())
        .collect();
    let project = compiled.project.unwrap_or_else(|| panic!("{said:?}"));
    let profile = ClusterProfile::default();
    let environments = project.environments().map(|(name, _)| {
        let emitted = emit(&project, name, &Bindings::first(&project)).unwrap();
        (name.to_string(), render(&emitted.state, &profile))
    });
    environments.collect()
}

/// Of the bundles.
fn digests(rendered: &BTreeMap<String, Rendered>) -> BTreeMap<String, (Digest, Digest)> {
    let of = |rendered: &Rendered| (rendered.project.digest(), rendered.environment.digest());
    rendered
        .iter()
        .map(|(name, rendered)| (name.clone(), of(rendered)))
        .collect()
}

/// Also holds the digests against each other: a bundle's is another exactly if something of its own is.
fn changes(before: &BTreeMap<String, Rendered>, after: &BTreeMap<String, Rendered>) -> Changes {
    assert!(before.keys().eq(after.keys()));
    let mut changes = Changes::new();
    for ((name, before), after) in before.iter().zip(after.values()) {
        let found = changes_of(before, after);
        let differs = before.environment.digest() != after.environment.digest();
        assert_eq!(differs, !found.is_empty(), "{name}");
        if differs {
            changes.insert(name.clone(), found);
        }
    }
    changes
}

fn changes_of(before: &Rendered, after: &Rendered) -> BTreeMap<String, BTreeSet<String>> {
    let entries = |rendered: &Rendered| -> BTreeMap<String, (Digest, Vec<Object>)> {
        let services = rendered.environment.services.iter();
        let services = services.map(|service| {
            (
                service.name.to_string(),
                (service.digest(), service.objects.clone()),
            )
        });
        let objects = rendered.environment.objects.clone();
        let own = (ENVIRONMENT.to_owned(), (Digest::of(&objects), objects));
        services.chain([own]).collect()
    };
    let (before, after) = (entries(before), entries(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| {
            before.get(*name).map(|entry| &entry.0) != after.get(*name).map(|entry| &entry.0)
        })
        .map(|name| {
            let objects = |entries: &BTreeMap<String, (Digest, Vec<Object>)>| {
                entries
                    .get(name)
                    .map(|entry| by_key(&entry.1))
                    .unwrap_or_default()
            };
            (
                name.clone(),
                kinds_that_differ(&objects(&before), &objects(&after)),
            )
        })
        .collect()
}

fn by_key(objects: &[Object]) -> BTreeMap<ObjectKey, Digest> {
    let entry = |object: &Object| (object.key().unwrap(), object.digest.clone());
    objects.iter().map(entry).collect()
}

fn kinds_that_differ(
    before: &BTreeMap<ObjectKey, Digest>,
    after: &BTreeMap<ObjectKey, Digest>,
) -> BTreeSet<String> {
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| before.get(key) != after.get(key))
        .map(|key| key.kind.clone())
        .collect()
}

/// The head of a project's text, and what stands in it, a node each. Examples are formatted: a child of the project is
/// indented by two.
fn parts(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let start = text.find("{\n").unwrap() + 2;
    let end = text.rfind('}').unwrap();
    let mut parts = vec![text[..start].to_owned()];
    for line in text[start..end]
        .lines()
        .filter(|line| !line.trim().is_empty())
    {
        if line.starts_with("  ") && !line.starts_with("   ") && !line.trim_start().starts_with('}')
        {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.push_str(line);
        part.push('\n');
    }
    assert!(parts.len() > 2, "{parts:?}");
    parts
}

/// Wherever the head stands among them.
fn put_together(parts: &[String]) -> String {
    let (head, children): (Vec<&String>, Vec<&String>) =
        parts.iter().partition(|part| part.starts_with("project "));
    let children: String = children.into_iter().map(String::as_str).collect();
    format!("{}{children}}}\n", head[0])
}

/// Each child in a file of its own.
fn spread(parts: &[String]) -> SourceTree {
    let root = format!("{}  include \"parts/*.kdl\"\n}}\n", parts[0]);
    let children = parts[1..].iter().zip(0..);
    let mut files: BTreeMap<String, Arc<str>> = children
        .map(|(part, n)| (format!("parts/{n}.kdl"), part.as_str().into()))
        .collect();
    files.insert(ROOT.to_owned(), root.into());
    SourceTree::new(files)
}

fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Above each line, and at the end of the first and the last.
fn more_comments(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| format!("// said before\n/* and again */ {line}\n"));
    let lines: String = lines.collect();
    format!("/- web nothing {{ image a; }}\n{lines}// the end\n")
}
