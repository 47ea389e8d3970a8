//! How much a project may hold, and that what it may hold compiles fast.
//! Pure but for a clock, which only the ignored measurement reads.
//! Read on in `hostile` for the limits of a text.

use std::fmt::Write as _;

use starform_dsl::{compile, source::SourceTree};

use crate::project::{compiled, project};

fn codes(text: &str) -> Vec<String> {
    let compiled = compiled(text);
    let errors = compiled.diagnostics.iter().filter(|d| d.is_error());
    errors.map(|d| d.code.to_string()).collect()
}

/// So many services, each with what services mostly have.
pub(crate) fn services(count: usize, environments: usize) -> String {
    let mut text = String::from("project big {\n");
    for index in 0..environments {
        writeln!(text, "  environment e{index} branch=main").expect("a string takes text");
    }
    text.push_str(
        "  var-group shared { LOG_LEVEL debug; REGION lisbon; in e0 { LOG_LEVEL info; }; }\n",
    );
    for index in 0..count {
        let next = (index + 1) % count;
        write!(
            text,
            "  private s{index} {{
    image \"ghcr.io/acme/s{index}@sha256:1f0c4cb9d5b3f3f4b1f6a7c1f9a1f6b1f0c4cb9d5b3f3f4b1f6a7c1f9a1f6b10\"
    port 8080 protocol=grpc
    health {{ ready kind=grpc; live kind=grpc; }}
    size cpu=\"250m\" memory=\"256Mi\"
    use shared
    vars {{ NEXT (ref)\"s{next}.hostport\"; NAME (template)\"{{self.host}} of s{index}\"; WORKERS 4; }}
    in e0 {{ scale min=2 max=6 cpu=65; }}
  }}\n"
        )
        .expect("a string takes text");
    }
    text.push_str("}\n");
    text
}

#[test]
fn a_thousand_services_are_a_project_and_one_more_is_none() {
    assert_eq!(project(&services(1_000, 1)).services().count(), 1_000);
    assert_eq!(codes(&services(1_001, 1)), ["SF5028"]);
}

#[test]
fn services_times_environments_have_a_limit() {
    assert_eq!(codes(&services(500, 4)), [""; 0]);
    assert_eq!(codes(&services(501, 4)), ["SF5029"]);
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

/// `cargo test --release -p starform-dsl --test it -- --ignored --nocapture a_thousand_services_compile_fast`
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn a_thousand_services_compile_fast() {
    let text = services(1_000, 2);
    let sources = SourceTree::single("starform.kdl", &text);
    let mut times: Vec<(f64, f64)> = (0..15)
        .map(|_| {
            let start = std::time::Instant::now();
            let project = compile(&sources).project.expect("no errors");
            let compiled = start.elapsed().as_secs_f64() * 1e3;
            let bindings = crate::project::bindings(&project);
            let start = std::time::Instant::now();
            let environment = "e0".parse().expect("a name");
            let emitted = starform_dsl::emit(&project, &environment, &bindings).expect("a state");
            assert_eq!(emitted.state.services.len(), 1_000);
            (compiled, start.elapsed().as_secs_f64() * 1e3)
        })
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (compiled, emitted) = times[times.len() / 2];
    eprintln!(
        "{} bytes: compile {compiled:.1} ms, emit one environment {emitted:.1} ms",
        text.len()
    );
    assert!(compiled + emitted < 50.0, "slower than 50 ms");
}
