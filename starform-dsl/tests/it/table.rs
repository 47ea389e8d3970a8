//! The node table tells the truth: every row is whole, has a case, and its example is what this version accepts.
//! Reads `golden/ui`.
//! Read on in `starform_dsl::table` for the rows.

use std::collections::BTreeSet;

use starform_contract::ServiceKind;
use starform_dsl::table::{self, Availability, NodeSpec, Place, closest, foreign_node};
use starform_dsl::{
    Bindings, compile,
    diag::Diagnostic,
    emit,
    source::SourceTree,
    syntax::{self, Node},
};

use crate::examples::texts;
use crate::project::{compiled, project};
use crate::ui::cases;

const IMAGE: &str = "image \"a/b:1\"";

/// A project in which a node may stand where its row says.
pub(crate) fn around(spec: &NodeSpec, example: &str) -> String {
    let service = |inner: &str| match spec.kinds[0] {
        ServiceKind::Web => format!("web it {{ {IMAGE}; port 1; {inner}; }}"),
        ServiceKind::Private => format!("private it {{ {IMAGE}; port 1; {inner}; }}"),
        ServiceKind::Worker => format!("worker it {{ {IMAGE}; {inner}; }}"),
        ServiceKind::Cron => format!("cron it schedule=\"0 0 * * *\" {{ {IMAGE}; {inner}; }}"),
    };
    let inner = match spec.places[0] {
        Place::Root => return example.to_owned(),
        Place::Project => example.to_owned(),
        Place::Environment => format!("environment more branch=main {{ {example}; }}"),
        Place::Group => format!("var-group more {{ LOG_LEVEL debug; {example}; }}"),
        Place::Health => service(&format!("health {{ {example}; }}")),
        Place::Domain => service(&format!(
            "only production; domain \"shop.example\" {{ {example}; }}"
        )),
        Place::Build => format!("worker it {{ build {{ {example}; }}; }}"),
        Place::Service | Place::ServiceIn | Place::Partial => match spec.name() {
            "image" | "build" | "image-of" => format!("worker it {{ {example}; }}"),
            "domain" => service(&format!("only production; {example}")),
            "metrics" => format!("worker it {{ {IMAGE}; {example}; }}"),
            "port" => format!("web it {{ {IMAGE}; {example}; }}"),
            _ => service(example),
        },
    };
    let declared = |word: &str, text: &'static str| {
        if inner.contains(&format!("{word} ")) {
            ""
        } else {
            text
        }
    };
    format!(
        "project p {{ environment staging branch=main; {} {} {}
           {}
           private storefront {{ {IMAGE}; port 1; }}
           {inner}
         }}",
        declared(
            "environment production",
            "environment production branch=main;"
        ),
        declared("var-group shared", "var-group shared { A 1; };"),
        declared("var-group payments", "var-group payments { B 1; };"),
        declared(
            "private catalog",
            "private catalog { image \"a/b:1\"; port 1; }"
        ),
    )
}

#[test]
fn every_example_of_a_row_compiles() {
    for spec in table::nodes().filter(|spec| spec.availability.is_usable()) {
        let text = text_around(spec);
        let beside = "partial more { size cpu=1; }";
        let files = [
            ("starform.kdl", text.as_str()),
            ("services/more.kdl", beside),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.into()));
        let said: Vec<String> = compile(&SourceTree::new(files.into()))
            .diagnostics
            .iter()
            .filter(|d| d.is_error())
            .map(|d| format!("{} {}", d.code, d.title))
            .collect();
        assert!(said.is_empty(), "`{}`: {said:?}\n{text}", spec.name());
    }
}

pub(crate) fn text_around(spec: &NodeSpec) -> String {
    around(spec, spec.example).replace("1f0c…", &"1f".repeat(32))
}

fn codes_of(diagnostics: &[Diagnostic]) -> BTreeSet<String> {
    diagnostics.iter().map(|d| d.code.to_string()).collect()
}

/// What is understood but not deployed warns where it stands and never reaches a plan.
#[test]
fn what_is_only_checked_warns_and_is_refused() {
    let checked = |spec: &&NodeSpec| matches!(spec.availability, Availability::Checked { .. });
    for spec in table::nodes().filter(checked) {
        let project = project(&text_around(spec));
        let warned = codes_of(&compiled(&text_around(spec)).diagnostics);
        assert!(warned.contains("SF6003"), "{}: {warned:?}", spec.name());
        let environments = project.environments();
        let refused: Vec<Diagnostic> = environments
            .filter_map(|(environment, _)| {
                emit(&project, environment, &Bindings::first(&project)).err()
            })
            .flatten()
            .collect();
        let wanted = if spec.name() == "build" {
            "SF6005"
        } else {
            "SF6004"
        };
        assert_eq!(
            codes_of(&refused),
            BTreeSet::from([wanted.to_owned()]),
            "{}",
            spec.name()
        );
    }
}

/// Every node is met by a case that shows what is said about it.
#[test]
fn every_row_has_a_case() {
    let lines: Vec<String> = cases()
        .iter()
        .flat_map(|case| {
            case.sources
                .files()
                .map(|(_, file)| file.text().to_string())
                .collect::<Vec<_>>()
        })
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.contains("// ~ SF"))
        .filter_map(|line| line.split_once("// ~").map(|(code, _)| code.to_owned()))
        .collect();
    let words: BTreeSet<&str> = lines
        .iter()
        .flat_map(|line| line.split([' ', ';', '{', '}']))
        .collect();
    let without: Vec<&str> = table::nodes()
        .map(|spec| spec.name())
        .filter(|name| !words.contains(name))
        .collect();
    assert!(
        without.is_empty(),
        "no case of golden/ui has a mistake in {without:?}"
    );
}

/// Node and property of everything that a block holds, and so on down.
fn written<'a>(nodes: impl Iterator<Item = Node<'a>>, met: &mut BTreeSet<(String, String)>) {
    for node in nodes {
        for name in node.props().filter_map(|prop| prop.name()) {
            met.insert((node.name().into_owned(), name.text.into_owned()));
        }
        written(node.children().into_iter().flatten(), met);
    }
}

/// Every property stands in a case of `golden/ui` or in an example, whose outcome is kept.
#[test]
fn every_property_has_a_case() {
    let mut met = BTreeSet::new();
    let trees = cases().into_iter().map(|case| case.sources);
    let examples = texts();
    let examples = examples.values();
    let examples = examples.map(|text| SourceTree::single("starform.kdl", text));
    for tree in trees.chain(examples) {
        for (id, file) in tree.files() {
            let parse = syntax::read(id, file.text().clone());
            written(parse.cst.nodes(), &mut met);
        }
    }
    let without: Vec<String> = table::nodes()
        .flat_map(|spec| spec.props.iter().map(move |prop| (spec.name(), prop.name)))
        .filter(|(node, prop)| !met.contains(&((*node).to_owned(), (*prop).to_owned())))
        .map(|(node, prop)| format!("{node} {prop}="))
        .collect();
    assert!(without.is_empty(), "no case has {without:?}");
}

/// A row that forgets to say what it is about would be about another one's node.
#[test]
fn every_row_is_about_a_node_of_its_own() {
    let mut met = BTreeSet::new();
    for spec in table::nodes() {
        assert!(met.insert(spec.node), "two rows for {:?}", spec.node);
        assert_eq!(table::row(spec.node).form, spec.form, "{}", spec.name());
        assert!(
            met.contains(&spec.node.slot()),
            "{:?} has the slot of no row above it",
            spec.node
        );
    }
}

#[test]
fn every_row_is_whole() {
    for spec in table::nodes() {
        assert!(
            !spec.form.is_empty() && !spec.doc.is_empty() && !spec.kinds.is_empty(),
            "{}",
            spec.name()
        );
        assert!(!spec.default.is_empty(), "{} has no default", spec.name());
        assert!(spec.doc.ends_with('.'), "{}: {}", spec.name(), spec.doc);
        for prop in spec.props {
            let whole = prop.doc.len() > 10 && prop.doc.ends_with('.');
            assert!(whole, "{} {}=: {:?}", spec.name(), prop.name, prop.doc);
            let shown = spec.form.contains(&format!("{}=", prop.name));
            assert!(shown, "the form of {} lacks {}=", spec.name(), prop.name);
        }
        if spec.availability.is_usable() {
            assert!(!spec.example.is_empty(), "{} has no example", spec.name());
        }
        let names: BTreeSet<&str> = spec.props.iter().map(|prop| prop.name).collect();
        assert_eq!(
            names.len(),
            spec.props.len(),
            "{} has a property twice",
            spec.name()
        );
        for place in spec.places {
            assert_eq!(
                table::find(*place, spec.name()).map(|row| row.form),
                Some(spec.form),
                "two rows for {}",
                spec.name()
            );
        }
    }
}

#[test]
fn what_is_not_built_says_so_wherever_it_may_stand() {
    for spec in table::nodes().filter(|spec| !spec.availability.is_usable()) {
        let node = spec.name();
        let written = format!("{node} some thing=1 {{ inner; }}");
        let text = match spec.places {
            [Place::Project] => format!("project p {{ environment e branch=x; {written}; }}"),
            [Place::Environment] => {
                format!("project p {{ environment e branch=x {{ {written}; }}; }}")
            }
            _ => in_service(spec.kinds[0], &written),
        };
        let codes: Vec<String> = compiled(&text)
            .diagnostics
            .iter()
            .map(|d| d.code.to_string())
            .collect();
        assert_eq!(codes, ["SF6001"], "{node}");
    }
}

fn in_service(kind: ServiceKind, written: &str) -> String {
    let schedule = if kind == ServiceKind::Cron {
        "schedule=\"0 0 * * *\""
    } else {
        ""
    };
    let kind = kind.as_str();
    format!("project p {{ environment e branch=x; {kind} it {schedule} {{ {written}; }}; }}")
}

#[test]
fn the_nearest_word_is_found_by_spelling_then_by_other_platforms() {
    let words = ["environment", "var-group", "scale", "vars", "health"];
    assert_eq!(closest("enviroment", words), Some("environment"));
    assert_eq!(closest("VAR_GROUP", words), Some("var-group"));
    assert_eq!(
        closest("vras", words),
        Some("vars"),
        "a transposition counts once"
    );
    assert_eq!(closest("heath", words), Some("health"));
    assert_eq!(
        closest("sail", words),
        None,
        "two of four letters are too many"
    );
    assert_eq!(foreign_node("replicas", words), Some("scale"));
    assert_eq!(foreign_node("env", ["environment"]), Some("environment"));
    assert_eq!(foreign_node("env", ["vars"]), Some("vars"));
    assert_eq!(foreign_node("healthCheckPath", words), Some("health"));
}
