//! What makes no difference: the order of nodes, the files they stand in, comments, white space, spelling.
//! Pure.
//! Read on in `limits` for how much a project may hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use starform_contract::Digest;
use starform_dsl::{Bindings, compile, emit, source::SourceTree};

use crate::project::state;

/// One service, each child a line; children of one name keep their order among themselves.
const CHILDREN: [&str; 9] = [
    "image \"ghcr.io/acme/api:1.4.2\"",
    "port 8080 name=http; port 9090 name=admin",
    "size cpu=\"500m\" memory=\"512Mi\"",
    "scale min=2 max=5 cpu=70",
    "drain grace=\"45s\"",
    "use shared more",
    "vars { A 1; B (ref)\"other.hostport\"; C (template)\"{self.public-url}/x\"; }",
    "domain \"shop.example\" { alias \"b.example\"; alias \"a.example\" redirect=#true; }",
    "in production { size cpu=\"1\"; vars { B #null; }; }",
];

const SIBLINGS: [&str; 6] = [
    "environment production branch=main { deploy after=manual; drift report; }",
    "var-group shared { LEVEL debug; NAME \"x y\"; in production { LEVEL info; } }",
    "var-group more { EXTRA 1; }",
    "partial small { size memory=\"64Mi\"; }",
    "private other like=small { image \"a/b:1\"; port 7070 protocol=grpc; allow-from api nightly; }",
    "cron nightly schedule=\"*/5 * * * *\" like=small { image \"a/b:1\"; run \"bin/report --all\"; only production; }",
];

fn text(siblings: &[&str], children: &[&str], between: &str) -> String {
    let children = children.join(between);
    let mut nodes: Vec<String> = siblings.iter().map(|node| (*node).to_owned()).collect();
    nodes.insert(
        nodes.len() / 2,
        format!("web api {{{between}{children}{between}}}"),
    );
    format!(
        "project shop {{{between}{}{between}}}\n",
        nodes.join(between)
    )
}

/// What may stand between two nodes.
fn between() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just(" // a note\n".to_owned()),
        Just("\n/* more\n notes */\n".to_owned()),
        Just("\n\t  \n".to_owned()),
        Just("\n/- left-out { by slashdash 1; }\n".to_owned()),
        Just("\n x-other tool=here { anything; }\n".to_owned()),
    ];
    proptest::collection::vec(piece, 1..3).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_comments_change_nothing(
        siblings in Just(SIBLINGS.to_vec()).prop_shuffle(),
        children in Just(CHILDREN.to_vec()).prop_shuffle(),
        between in between(),
    ) {
        let plain = state(&text(&SIBLINGS, &CHILDREN, "\n"), "production");
        let other = state(&text(&siblings, &children, &between), "production");
        prop_assert_eq!(Digest::of(&plain), Digest::of(&other));
        prop_assert_eq!(plain, other);
    }
}

/// The children of the project spread over files: each goes where its number says, 0 is the root file.
fn spread(children: &[&str], places: &[usize]) -> SourceTree {
    let mut texts = vec![String::new(); 5];
    for (child, place) in children.iter().zip(places) {
        texts[*place] += &format!("{child}\n");
    }
    // The first three are included from the root file, the last from the third.
    let include = |name: &str| format!("include \"{name}\"\n");
    texts[3] = include("deep/**/f4.kdl") + &texts[3];
    let root = include("parts/*.kdl") + &texts[0];
    let paths = [
        "parts/f1.kdl",
        "parts/f2.kdl",
        "parts/f3.kdl",
        "deep/a/b/f4.kdl",
    ];
    let mut files: BTreeMap<String, Arc<str>> = paths
        .iter()
        .zip(&texts[1..])
        .map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_str())))
        .collect();
    files.insert(
        "starform.kdl".to_owned(),
        format!("project shop {{\n{root}}}\n").into(),
    );
    SourceTree::new(files)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spreading_over_files_changes_nothing(
        siblings in Just(SIBLINGS.to_vec()).prop_shuffle(),
        places in proptest::collection::vec(0_usize..5, SIBLINGS.len() + 1),
    ) {
        let web = format!("web api {{\n{}\n}}", CHILDREN.join("\n"));
        let children: Vec<&str> = siblings.into_iter().chain([web.as_str()]).collect();
        let compiled = compile(&spread(&children, &places));
        let said: Vec<&str> = compiled.diagnostics.iter().map(|d| d.title.as_str()).collect();
        prop_assert!(compiled.project.is_some(), "{:?}", said);
        let Some(project) = compiled.project else { return Ok(()) };
        let production = "production".parse().expect("a name");
        let emitted = emit(&project, &production, &Bindings::first(&project)).expect("a state");
        prop_assert_eq!(emitted.state, state(&text(&SIBLINGS, &CHILDREN, "\n"), "production"));
    }
}

#[test]
fn spelling_changes_nothing() {
    let spelt = |size: &str, drain: &str, run: &str| {
        let text = format!(
            "project p {{ environment e branch=x; web w {{ image \"a/b:1\"; port 0x50; size {size}; drain {drain}; run {run}; }}; }}"
        );
        state(&text, "e")
    };
    let plain = spelt("cpu=1 memory=\"1Gi\"", "grace=\"90s\"", "\"a\" \"b c\"");
    let other = spelt(
        "memory=\"1024Mi\" cpu=\"1000m\"",
        "grace=\"1m30s\"",
        "\"a 'b c'\"",
    );
    assert_eq!(plain, other);
}

/// One mistake each, which is wrong whatever stands before and after it.
const MISTAKES: [&str; 12] = [
    "environment staging branch=release/1.0",
    "environmnt testing branch=main",
    "var-group g { PORT 1; 9X 1; K 1e3; }",
    "var-group h { A 1; in nowhere { A 2; } }",
    "web a { image \"a/b:1\"; }",
    "web b { image \"a/b:1\"; port 70000; use missing; }",
    "private c { image \"a/b:1\"; port 80 protocol=udp; vars { K (ref)\"gone.host\"; } }",
    "worker d like=lost { image \"a/b:1\"; scale min=5 max=2; in nowhere { scale 1; } }",
    "cron e schedule=\"@daily\" timezone=\"Mars\" { image \"a/b:1\"; }",
    "cron f schedule=\"0 0 * * *\" { image-of nobody; port 1; }",
    "worker g { image \"a/b:1\"; size memory=lots; drain grace=\"1y\"; replicas 3; }",
    "postgres db",
];

/// Codes, titles and culprits, sorted.
fn mistakes(children: &[&str]) -> Vec<(String, String, String)> {
    let text = format!(
        "project p {{\nenvironment e branch=x\n{}\n}}\n",
        children.join("\n")
    );
    let sources = SourceTree::single("starform.kdl", &text);
    let said = compile(&sources).diagnostics;
    let each = said.iter().map(|d| {
        let culprit = sources.text(d.primary.span).to_owned();
        (d.code.to_string(), d.title.clone(), culprit)
    });
    let mut all: Vec<_> = each.collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_changes_no_mistake(children in Just(MISTAKES.to_vec()).prop_shuffle()) {
        let plain = mistakes(&MISTAKES);
        prop_assert!(plain.len() >= 16, "{:?}", plain);
        prop_assert_eq!(mistakes(&children), plain);
    }
}
