//! Half-written and broken projects: nothing aborts, a project exists exactly if nothing is wrong, and what exists has a state.
//! Reads `examples`.
//! Read on in `hostile` for texts made to hurt.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use starform_dsl::{
    compile, describe, emit,
    render::{self, Human},
    source::SourceTree,
};

use crate::project::bindings;

pub(crate) fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name);
    fs::read_to_string(path.join("starform.kdl")).expect("the example is there")
}

/// The laws that hold of every text.
fn judge(text: &str) {
    let sources = SourceTree::single("starform.kdl", text);
    let compiled = compile(&sources);
    let failed = compiled
        .diagnostics
        .iter()
        .any(starform_dsl::diag::Diagnostic::is_error);
    assert_eq!(
        compiled.project.is_none(),
        failed,
        "a project and an error, or neither"
    );
    let length = u32::try_from(text.len()).expect("small");
    for diagnostic in &compiled.diagnostics {
        let spans = diagnostic
            .labels
            .iter()
            .map(|label| label.span)
            .chain([diagnostic.primary.span]);
        for span in spans {
            assert!(
                span.range.end() <= length,
                "{} lies outside",
                diagnostic.title
            );
            assert!(
                text.is_char_boundary(span.range.start() as usize),
                "{}",
                diagnostic.title
            );
        }
        assert!(
            diagnostic.help.is_some() || !diagnostic.fixes.is_empty(),
            "no next step: {}",
            diagnostic.title
        );
    }
    let how = Human {
        width: 80,
        color: false,
        secrets: &compiled.secrets,
    };
    assert_eq!(
        render::human(&sources, &compiled.diagnostics, how).is_empty(),
        compiled.diagnostics.is_empty()
    );
    if let Some(project) = compiled.project {
        for (environment, _) in project.environments() {
            let bindings = bindings(&project);
            describe(&project, environment, &bindings).expect("what compiles has a state");
            let refused = emit(&project, environment, &bindings).err();
            for diagnostic in refused.into_iter().flatten() {
                let code = diagnostic.code.to_string();
                assert!(code == "SF6004" || code == "SF6005", "{}", diagnostic.title);
            }
        }
    }
}

#[test]
fn every_beginning_of_an_example_is_answered_at_once() {
    let text = example("shop");
    let mut slowest = Duration::ZERO;
    for end in (0..text.len())
        .filter(|end| text.is_char_boundary(*end))
        .step_by(7)
    {
        let start = Instant::now();
        judge(&text[..end]);
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

/// One line of a text is taken out, doubled, exchanged with another, or loses a word.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Remove(prop::sample::Index),
    Double(prop::sample::Index),
    Exchange(prop::sample::Index, prop::sample::Index),
    DropWord(prop::sample::Index, prop::sample::Index),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        index().prop_map(Change::Remove),
        index().prop_map(Change::Double),
        (index(), index()).prop_map(|(a, b)| Change::Exchange(a, b)),
        (index(), index()).prop_map(|(a, b)| Change::DropWord(a, b)),
    ]
}

pub(crate) fn changed(text: &str, changes: &[Change]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for change in changes {
        let count = lines.len();
        match change {
            Change::Remove(line) => drop(lines.remove(line.index(count))),
            Change::Double(line) => {
                lines.insert(line.index(count), lines[line.index(count)].clone())
            }
            Change::Exchange(a, b) => lines.swap(a.index(count), b.index(count)),
            Change::DropWord(line, word) => {
                let line = &mut lines[line.index(count)];
                let mut words: Vec<&str> = line.split(' ').collect();
                words.remove(word.index(words.len()));
                *line = words.join(" ");
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_examples_are_answered(
        name in prop_oneof![Just("shop"), Just("online-boutique"), Just("hello")],
        changes in proptest::collection::vec(change(), 1..5),
    ) {
        judge(&changed(&example(name), &changes));
    }
}
