//! What code hosts are given: SARIF of the published shape, and annotations that nothing can break out of.
//! Reads `golden/ui`.
//! Read on in `renderings` for the other forms.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use starform_dsl::{
    compile,
    diag::{Diagnostic, codes},
    render,
    source::{FileId, SourceTree, Span},
    syntax::TextRange,
};

use crate::ui::{self, Case};

fn sarif(case: &Case) -> (Json, Vec<Diagnostic>) {
    let diagnostics = compile(&case.sources).diagnostics;
    let log = render::sarif(&case.sources, &diagnostics, "apps/a b/");
    (serde_json::from_str(&log).expect("it is JSON"), diagnostics)
}

fn list<'j>(value: &'j Json, key: &str) -> &'j [Json] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// What the SARIF schema asks of each part that is used here.
#[test]
fn sarif_has_the_published_shape() {
    let mut seen = BTreeSet::new();
    for case in ui::cases() {
        let (log, diagnostics) = sarif(&case);
        assert_eq!(log["version"], "2.1.0");
        let [run] = list(&log, "runs") else {
            panic!("one run")
        };
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "starform");
        let rules = list(driver, "rules");
        for rule in rules {
            let id = rule["id"].as_str().expect("a rule has an id");
            let entry = codes::Code::parse(id).expect("it is a code");
            assert_eq!(rule["shortDescription"]["text"], entry.title);
            let full = rule["fullDescription"]["text"].as_str().expect("a text");
            assert!(entry.page.contains(full), "the page of {id} begins with it");
            let help = rule["help"]["text"].as_str().expect("a text");
            let command = format!("`starform explain {id}`");
            assert!(help.contains(&command), "{id} says where its page is");
            assert!(rule["help"]["text"].is_string() && rule["help"]["markdown"].is_string());
        }
        let results = list(run, "results");
        assert_eq!(results.len(), diagnostics.len());
        for (result, diagnostic) in results.iter().zip(&diagnostics) {
            let index = result["ruleIndex"].as_u64().expect("an index");
            let rule = &rules[usize::try_from(index).expect("small")];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
            let message = result["message"]["text"].as_str().expect("a message");
            assert!(!message.is_empty());
            judge(result, diagnostic, &case.sources, &mut seen);
        }
    }
    let wanted = BTreeSet::from(["fix", "insertion", "location", "related"]);
    assert_eq!(seen, wanted, "every part has been tried");
}

/// The places of one result.
fn judge(
    result: &Json,
    diagnostic: &Diagnostic,
    sources: &SourceTree,
    seen: &mut BTreeSet<&'static str>,
) {
    for location in list(result, "locations") {
        seen.insert("location");
        place(
            &location["physicalLocation"],
            diagnostic.primary.span,
            sources,
        );
    }
    let related = list(result, "relatedLocations");
    assert_eq!(related.len(), diagnostic.labels.len());
    for (location, label) in related.iter().zip(&diagnostic.labels) {
        seen.insert("related");
        place(&location["physicalLocation"], label.span, sources);
        assert!(location["id"].is_u64() && location["message"]["text"].is_string());
    }
    for (fix, known) in list(result, "fixes").iter().zip(&diagnostic.fixes) {
        seen.insert("fix");
        let changes = list(fix, "artifactChanges");
        assert!(!changes.is_empty());
        for change in changes {
            let replacements = list(change, "replacements");
            assert_eq!(replacements.len(), known.edits.len());
            for (replacement, edit) in replacements.iter().zip(&known.edits) {
                if edit.span.range.is_empty() {
                    seen.insert("insertion");
                }
                assert_eq!(replacement["insertedContent"]["text"], edit.text);
                region(&replacement["deletedRegion"], edit.span, sources);
            }
        }
    }
}

fn place(physical: &Json, span: Span, sources: &SourceTree) {
    let uri = physical["artifactLocation"]["uri"].as_str().expect("a URI");
    let path = sources.file(span.file).path();
    assert_eq!(uri, format!("apps/a%20b/{path}"));
    region(&physical["region"], span, sources);
}

/// Lines and columns from 1, the end behind the last character.
fn region(region: &Json, span: Span, sources: &SourceTree) {
    let file = sources.file(span.file);
    let (start, end) = (
        file.position(span.range.start()),
        file.position(span.range.end()),
    );
    let counts =
        ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64());
    let wanted = [start.line, start.column, end.line, end.column];
    assert_eq!(counts, wanted.map(|count| Some(u64::from(count))));
    assert!(wanted.iter().all(|count| *count >= 1));
}

#[test]
fn fingerprints_stay_when_lines_move_and_tell_results_apart() {
    let text =
        "project shop {\n  environment production branch=main\n  web a { prot 80; prot 81; }\n}\n";
    let fingerprints = |text: &str| -> Vec<String> {
        let sources = SourceTree::single("starform.kdl", text);
        let log = render::sarif(&sources, &compile(&sources).diagnostics, "");
        let log: Json = serde_json::from_str(&log).expect("it is JSON");
        let results = log["runs"][0]["results"].as_array().expect("a list");
        let of = |result: &Json| result["partialFingerprints"]["starform/v1"].clone();
        let texts = results.iter().map(of);
        texts
            .map(|of| of.as_str().expect("a text").to_owned())
            .collect()
    };
    let first = fingerprints(text);
    assert_eq!(first, fingerprints(&format!("// moved\n\n{text}")));
    let distinct: BTreeSet<&String> = first.iter().collect();
    assert_eq!(distinct.len(), first.len(), "{first:?}");
    assert_eq!(first.len(), 2);
}

#[test]
fn annotations_are_commands_that_no_text_ends() {
    let sources = SourceTree::single("a:b,c%/starform.kdl", "é: 1\nnext\n");
    let span = |start, end| Span::new(FileId(0), TextRange::new(start, end));
    let one = Diagnostic::new(
        codes::UNKNOWN_NODE,
        span(3, 5),
        "odd: `a,b` is 100%\n::error::x",
    )
    .help("write\r\n`b`: 50%, or take it out \u{202e}\u{7}");
    let many = Diagnostic::new(codes::IMAGE_NOT_PINNED, span(0, 8), "two lines");
    let wanted = "\
::error file=x/a%3Ab%2Cc%25/starform.kdl,line=1,endLine=1,col=3,endColumn=5,title=SF2004%3A odd%3A `a%2Cb` is 100%25%0A%3A%3Aerror%3A%3Ax::write%0D%0A`b`: 50%25, or take it out \u{fffd}?
::warning file=x/a%3Ab%2Cc%25/starform.kdl,line=1,endLine=2,title=SF5023%3A two lines::two lines
";
    assert_eq!(render::github(&sources, &[one, many], "x/"), wanted);
}

#[test]
fn of_many_annotations_fifty_are_shown() {
    let sources = SourceTree::single("starform.kdl", &"a 30s\n".repeat(60));
    let said = compile(&sources).diagnostics;
    let shown = render::github(&sources, &said, "");
    let errors = said.iter().filter(|one| one.is_error()).count();
    assert!(errors > 50);
    assert_eq!(shown.lines().count(), 51);
    let last = format!(
        "::notice title=starform::{} more are not shown\n",
        said.len() - 50
    );
    assert!(shown.ends_with(&last), "{shown}");
}

#[test]
fn no_output_shows_what_looks_like_a_credential() {
    for case in ui::cases() {
        let compiled = compile(&case.sources);
        let secrets = compiled.secrets.iter().map(|span| case.sources.text(*span));
        let secrets: Vec<&str> = secrets.map(|secret| secret.trim_matches('"')).collect();
        let said = &compiled.diagnostics;
        for shown in [
            render::sarif(&case.sources, said, ""),
            render::github(&case.sources, said, ""),
            render::short(&case.sources, said),
        ] {
            let leaked = secrets.iter().find(|secret| shown.contains(**secret));
            assert_eq!(leaked, None, "{}: {shown}", case.name);
        }
    }
}
