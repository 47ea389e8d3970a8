//! How much a project may hold.
//! Pure.
//! Read on in `hostile` for the limits of a text.

use starform_dsl::{compile, source::SourceTree};

use crate::documents;
use crate::project::{compiled, project};

fn codes(text: &str) -> Vec<String> {
    let compiled = compiled(text);
    let errors = compiled.diagnostics.iter().filter(|d| d.is_error());
    errors.map(|d| d.code.to_string()).collect()
}

#[test]
fn a_thousand_services_are_a_project_and_one_more_is_none() {
    assert_eq!(
        project(&documents::project(1_000, 1)).services().count(),
        1_000
    );
    assert_eq!(codes(&documents::project(1_001, 1)), ["SF5028"]);
}

#[test]
fn services_times_environments_have_a_limit() {
    assert_eq!(codes(&documents::project(500, 4)), [""; 0]);
    assert_eq!(codes(&documents::project(501, 4)), ["SF5029"]);
}

#[test]
fn eight_mebibytes_are_a_project() {
    let files = |count: usize| {
        let comment: std::sync::Arc<str> = format!("//{}", "x".repeat((1 << 20) - 2)).into();
        let mut files: std::collections::BTreeMap<String, std::sync::Arc<str>> = (0..count)
            .map(|index| (format!("notes-{index}.kdl"), comment.clone()))
            .collect();
        files.insert(
            "starform.kdl".to_owned(),
            "project p { environment e branch=x; }".into(),
        );
        compile(&SourceTree::new(files))
    };
    assert!(files(7).project.is_some());
    let too_much = files(8);
    assert!(too_much.project.is_none());
    assert_eq!(too_much.diagnostics[0].code.to_string(), "SF5030");
}

#[test]
fn a_file_of_two_mebibytes_is_one_message() {
    let text = format!(
        "project p {{ environment e branch=x; }}\n//{}",
        "x".repeat(2 << 20)
    );
    assert_eq!(codes(&text), ["SF5001"]);
}

#[test]
fn a_tree_without_the_root_file_is_one_message() {
    let none = compile(&SourceTree::default());
    assert_eq!(none.diagnostics.len(), 1);
    assert_eq!(none.diagnostics[0].code.to_string(), "SF2001");
    let others = [
        ("a.kdl".to_owned(), "".into()),
        ("b.kdl".to_owned(), "".into()),
    ];
    let other = compile(&SourceTree::new(others.into_iter().collect()));
    assert_eq!(other.diagnostics[0].title, "there is no `starform.kdl`");
}
