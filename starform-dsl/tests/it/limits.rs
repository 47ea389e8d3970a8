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

#[test]
fn a_thousand_problems_are_kept_and_one_more_is_said_to_follow() {
    let bad = |count: usize| {
        let text = format!(
            "project p {{ environment e branch=x\n{}}}",
            "nope\n".repeat(count)
        );
        codes(&text)
    };
    assert_eq!(bad(1_000), vec!["SF2004"; 1_000]);
    let more = bad(1_001);
    assert_eq!((more.len(), more[999].as_str()), (1_000, "SF5005"));
}

#[test]
fn blocks_and_nodes_have_a_limit_each() {
    let deep = |depth: usize| {
        let inner = depth - 1;
        let (open, close) = ("{ b ".repeat(inner), "}".repeat(inner));
        codes(&format!(
            "project p {{ environment e branch=x; x-a {open}{close}; }}"
        ))
    };
    assert_eq!((deep(64).len(), deep(65)), (0, vec!["SF5002".to_owned()]));
    let nodes = |count: usize| {
        let others = "x-a\n".repeat(count - 2);
        codes(&format!(
            "project p {{ environment e branch=x; }}\n{others}"
        ))
    };
    assert_eq!(nodes(100_000), [""; 0]);
    assert_eq!(nodes(100_001), ["SF5003"]);
}

#[test]
fn var_groups_and_partials_have_a_limit_each() {
    for word in ["var-group", "partial"] {
        let declared = |count: usize| {
            let all: String = (0..count)
                .map(|index| format!("{word} d{index}\n"))
                .collect();
            codes(&format!("project p {{ environment e branch=x\n{all}}}"))
        };
        assert_eq!(declared(1_000), [""; 0]);
        assert_eq!(declared(1_003), ["SF5035"]);
    }
}

#[test]
fn what_lies_beyond_a_limit_is_not_called_unknown() {
    let partials: String = (0..1_001)
        .map(|index| format!("partial d{index}\n"))
        .collect();
    let text = format!(
        "project p {{ environment e branch=x\n{partials}worker w like=d1000 {{ image a; }}; }}"
    );
    assert_eq!(codes(&text), ["SF5035"]);
}

#[test]
fn environments_and_what_one_block_holds_have_limits() {
    let environments = |count: usize| {
        let all: String = (0..count)
            .map(|index| format!("environment e{index} branch=x\n"))
            .collect();
        codes(&format!("project p {{\n{all}}}"))
    };
    assert_eq!(environments(100), [""; 0]);
    assert_eq!(environments(101), ["SF5034"]);
    let group = |count: usize| {
        let all: String = (0..count).map(|index| format!("V{index} 1\n")).collect();
        codes(&format!(
            "project p {{ environment e branch=x; var-group g {{\n{all}}}; }}"
        ))
    };
    assert_eq!(group(1_000), [""; 0]);
    assert_eq!(group(1_001), ["SF5035"]);
}
