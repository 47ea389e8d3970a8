//! The examples are projects: they compile without errors, and every environment has a state.
//! Reads `examples`.
//! Read on in `emission` for what a state holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use starform_dsl::{Bindings, emit};

use crate::project::compiled;

pub(crate) fn texts() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    fs::read_dir(folder)
        .expect("examples are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text =
                fs::read_to_string(path.join("starform.kdl")).expect("every example has its file");
            (name, text)
        })
        .collect()
}

#[test]
fn every_example_is_a_project() {
    let mut services = BTreeMap::new();
    for (name, text) in texts() {
        let compiled = compiled(&text);
        let said: Vec<String> = compiled
            .diagnostics
            .iter()
            .filter(|d| d.code.to_string() != "SF5023")
            .map(|d| format!("{} {}", d.code, d.title))
            .collect();
        assert!(said.is_empty(), "{name}: {said:?}");
        let project = compiled.project.expect("no errors");
        for (environment, _) in project.environments() {
            let emitted = emit(&project, environment, &Bindings::first(&project)).expect("a state");
            services.insert(
                format!("{name}/{environment}"),
                emitted.state.services.len(),
            );
        }
    }
    let expected = [
        ("guestbook/production", 2),
        ("hello/production", 1),
        ("online-boutique/production", 12),
        ("shop/production", 5),
        ("shop/staging", 4),
        ("subscriptions/production", 3),
        ("subscriptions/staging", 3),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(services, BTreeMap::from(expected));
}
