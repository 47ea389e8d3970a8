//! Half-written and broken projects: nothing aborts, a project exists exactly if nothing is wrong, and what exists has a state.
//! Reads `examples`.
//! Read on in `hostile` for texts made to hurt.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use starform_dsl::source::SourceTree;

use crate::properties::compiled;

pub(crate) fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name);
    fs::read_to_string(path.join("starform.kdl")).expect("the example is there")
}

/// The laws that hold of every text.
fn judge(text: &str) {
    compiled::check(&SourceTree::single("starform.kdl", text));
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
