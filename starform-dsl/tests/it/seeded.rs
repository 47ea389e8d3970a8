//! Twenty-six mistakes in one file: each is reported once, at the very characters, and none causes another.
//! Pure. The order of the services makes no difference; what swallows the rest of a text stands last.
//! Read on in `faults` for every mistake alone.

use proptest::prelude::*;
use starform_dsl::compile;
use starform_dsl::source::SourceTree;

/// A line of a service with its culprit between `«` and `»`, and its code.
const MISTAKES: [(&str, &str); 24] = [
    ("run «\"bin/server»", "SF1001"),
    ("drain «grace=»", "SF1014"),
    ("observability «true»", "SF1006"),
    ("observability «#yes»", "SF1005"),
    ("scale «80a»", "SF1003"),
    ("scale «1.»", "SF1004"),
    ("run \"bin«\\q»\"", "SF1007"),
    ("vars { K «(»u8 5; }", "SF1018"),
    ("«{» scale 2; }", "SF1024"),
    ("run \"a\"«\"b\"»", "SF1013"),
    ("run «r\"raw\"»", "SF1012"),
    ("scale «=» 3", "SF1015"),
    ("use shared«,» payments", "SF1029"),
    ("run «[80]»", "SF1028"),
    ("run «/path»", "SF1003"),
    ("vars { COLOR «#ff0000»; }", "SF1005"),
    ("scale min=«=»2", "SF1011"),
    ("run \"\"\"\n      a\n«  b»\n      \"\"\"", "SF1009"),
    ("run «'bin server'»", "SF1031"),
    ("scale«:» 3", "SF1030"),
    ("size cpu=«250m»", "SF1003"),
    ("run \"«\\u{110000}»\"", "SF1008"),
    (
        "scale «99999999999999999999999999999999999999999»",
        "SF5004",
    ),
    ("«/-»", "SF1025"),
];

/// What ends the file: each changes what the rest of a text belongs to. A comment that is never closed may hold the
/// brace that a block lacks, so one of the two stands last.
const UNOPENED: (&str, &str) = ("«}»", "SF1020");
const COMMENT: (&str, &str) = ("«/*» never closed", "SF1002");
const BLOCK: (&str, &str) = ("x-open «{»", "SF1019");

/// The text with marks; every mistake between services without one.
fn marked(mistakes: &[(&str, &str)], last: (&str, &str)) -> String {
    let image = format!("image \"ghcr.io/acme/a@sha256:{}\"", "1f0c4cb9".repeat(8));
    let mut text = String::from("project p {\n  environment production branch=main\n");
    for (index, (line, _)) in mistakes.iter().enumerate() {
        text += &format!("  worker w{index} {{\n    {image}\n    {line}\n  }}\n");
        text += &format!("  worker clean{index} {{\n    {image}\n    scale 2\n  }}\n");
    }
    text += "}\n";
    for (line, _) in [UNOPENED, last] {
        text += line;
        text.push('\n');
    }
    text
}

/// Line, code and characters of every mark.
fn wanted(text: &str, codes: &[(&str, &str)], last: (&str, &str)) -> Vec<(usize, String, String)> {
    let culprits = text.match_indices('«').map(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let line = text[..at].matches('\n').count() + 1;
        (
            line,
            rest[..rest.find('»').expect("it is closed")].to_owned(),
        )
    });
    let ends = [UNOPENED, last];
    let codes = codes.iter().chain(&ends);
    culprits
        .zip(codes)
        .map(|((line, culprit), (_, code))| (line, (*code).to_owned(), culprit))
        .collect()
}

fn said(text: &str) -> Vec<(usize, String, String)> {
    let sources = SourceTree::single("starform.kdl", text);
    let diagnostics = compile(&sources).diagnostics;
    let each = diagnostics.iter().map(|diagnostic| {
        let span = diagnostic.primary.span;
        let line = sources.file(span.file).position(span.range.start()).line;
        let culprit = sources.text(span).to_owned();
        (line as usize, diagnostic.code.to_string(), culprit)
    });
    each.collect()
}

#[test]
fn every_mistake_is_reported_where_it_is_and_none_causes_another() {
    for last in [COMMENT, BLOCK] {
        let marked = marked(&MISTAKES, last);
        let wanted = wanted(&marked, &MISTAKES, last);
        assert_eq!(wanted.len(), 26);
        assert_eq!(said(&marked.replace(['«', '»'], "")), wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_services_makes_no_difference(
        mistakes in Just(MISTAKES.to_vec()).prop_shuffle(),
        last in prop_oneof![Just(COMMENT), Just(BLOCK)],
    ) {
        let marked = marked(&mistakes, last);
        prop_assert_eq!(said(&marked.replace(['«', '»'], "")), wanted(&marked, &mistakes, last));
    }
}
