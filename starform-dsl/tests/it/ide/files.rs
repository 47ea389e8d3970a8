//! A project of several files: names lead from one to another, and what the table has is offered.
//! Pure.
//! Read on in `starform_dsl::ide`.

use std::collections::{BTreeMap, BTreeSet};

use starform_dsl::ide::{self, Analysis, CompletionKind};
use starform_dsl::source::SourceTree;
use starform_dsl::table::{self, Naming, Place};

use super::{FILE, offset, tree};

const ROOT: &str = "project shop {
  environment production branch=main
  include \"services/api.kdl\"
  include \"jobs/*.kdl\"
}
";
const API: &str = "web api {
  image \"ghcr.io/acme/api:1.0.0\"
  port 8080
}
";
const JOBS: &str = "worker jobs {
  image \"ghcr.io/acme/api:1.0.0\"
  vars { API (ref)\"api.host\"; }
}
";

fn project() -> Analysis {
    let files = [
        ("jobs/jobs.kdl", JOBS),
        ("jobs/more.kdl", ""),
        ("services/api.kdl", API),
        ("starform.kdl", ROOT),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.into()));
    Analysis::of(SourceTree::new(BTreeMap::from(files)))
}

#[test]
fn names_lead_from_file_to_file() {
    let analysis = project();
    let file = |path| analysis.sources().find(path).expect("a file of the tree");
    let at = offset(JOBS.find("api.host").expect("a reference"));
    let declared = ide::definition(&analysis, file("jobs/jobs.kdl"), at);
    let [declared] = declared[..] else {
        panic!("declared once, not {declared:?}");
    };
    assert_eq!(declared.file, file("services/api.kdl"));
    assert_eq!(analysis.sources().text(declared), "api");
    let edits = ide::rename(&analysis, declared.file, declared.range.start(), "front");
    let touched: BTreeSet<_> = edits
        .expect("a new name")
        .iter()
        .map(|edit| edit.span.file)
        .collect();
    assert_eq!(
        touched,
        BTreeSet::from([file("jobs/jobs.kdl"), declared.file])
    );
}

#[test]
fn an_included_file_holds_children_of_the_project() {
    let analysis = project();
    let file = analysis
        .sources()
        .find("jobs/more.kdl")
        .expect("a file of the tree");
    let labels: Vec<String> = ide::completions(&analysis, file, 0)
        .into_iter()
        .map(|found| found.label)
        .collect();
    assert!(labels.contains(&"worker".to_owned()), "{labels:?}");
    assert!(!labels.contains(&"project".to_owned()), "{labels:?}");
}

#[test]
fn an_include_of_one_file_is_a_link() {
    let analysis = project();
    let root = analysis.sources().find("starform.kdl").expect("the root");
    let links = ide::links(&analysis, root);
    let [link] = links[..] else {
        panic!("one link, not {links:?}");
    };
    assert_eq!(analysis.sources().text(link.span), "services/api.kdl");
    assert_eq!(
        analysis.sources().file(link.target).path(),
        "services/api.kdl"
    );
}

#[test]
fn all_that_may_stand_in_a_project_is_offered() {
    let text = "project shop {\n  \n}\n";
    let at = offset(text.find("\n}").expect("a line"));
    let offered: BTreeSet<String> = ide::completions(&Analysis::of(tree(text)), FILE, at)
        .into_iter()
        .filter(|found| found.kind == CompletionKind::Node)
        .map(|found| found.label)
        .collect();
    let known = table::valid_in(Place::Project);
    assert_eq!(offered, known.into_iter().map(str::to_owned).collect());
}

/// What is referred to is declared by some row.
#[test]
fn every_reference_of_the_table_is_to_something_that_a_row_declares() {
    for spec in table::nodes() {
        let args = (0..2).filter_map(|index| spec.args.at(index));
        let args = args.map(|arg| (arg.name, arg.ty));
        let props = spec.props.iter().map(|prop| (prop.name, prop.ty));
        for (called, ty) in args.chain(props) {
            let (Some(Naming::Uses(of)), node) = (ty.naming(), spec.name()) else {
                continue;
            };
            let declared = table::nodes().any(|spec| spec.declares() == Some(of));
            assert!(declared, "`{called}` of `{node}` is the name of what?");
        }
    }
}
