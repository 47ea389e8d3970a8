//! What makes no difference: the order of nodes, comments, white space, spelling.
//! Pure.
//! Read on in `limits` for how much a project may hold.

use proptest::prelude::*;
use starform_contract::Digest;

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
