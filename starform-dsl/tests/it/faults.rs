//! Every mistake of syntax: its code, the very characters it points at, and the text after its safe fixes.
//! Pure. A row is one mistake and gives one diagnostic; each code of a mistake of syntax has a row.
//! Read on in `diag::codes` for what the codes mean.

use std::collections::BTreeSet;

use starform_dsl::diag::{Applicability, Diagnostic, Edit, codes};
use starform_dsl::source::FileId;
use starform_dsl::syntax::{Parse, parse, read};

/// The text with its culprit between `«` and `»`; the code; the text after the first safe fix, if there is one.
type Row = (&'static str, &'static str, Option<&'static str>);

const QUOTES: &[Row] = &[
    ("size cpu=«250m»", "SF1003", Some("size cpu=\"250m\"")),
    ("drain grace=«30s»", "SF1003", Some("drain grace=\"30s\"")),
    ("timeout «10s»;", "SF1003", Some("timeout \"10s\";")),
    (
        "environment x branch=«release/1.0» {}",
        "SF1003",
        Some("environment x branch=\"release/1.0\" {}"),
    ),
    (
        "web x root=«services/api»",
        "SF1003",
        Some("web x root=\"services/api\""),
    ),
    (
        "run «bin/server» --port",
        "SF1003",
        Some("run \"bin/server\" --port"),
    ),
    ("run «./server»", "SF1003", Some("run \"./server\"")),
    (
        "include «services/*.kdl»\na",
        "SF1003",
        Some("include \"services/*.kdl\"\na"),
    ),
    (
        "health ready=«/readyz»",
        "SF1003",
        Some("health ready=\"/readyz\""),
    ),
    ("route «/»", "SF1003", Some("route \"/\"")),
    (
        "image «ghcr.io/acme/api@sha256:9f»",
        "SF1003",
        Some("image \"ghcr.io/acme/api@sha256:9f\""),
    ),
    ("a «1.2.3»", "SF1003", Some("a \"1.2.3\"")),
    ("a «50%»", "SF1003", Some("a \"50%\"")),
    ("a «2026-11-21»", "SF1003", Some("a \"2026-11-21\"")),
    ("a «foo#bar»", "SF1003", Some("a \"foo#bar\"")),
    ("a «x[0]»", "SF1003", Some("a \"x[0]\"")),
    ("a «C:\\dir»", "SF1003", Some("a \"C:\\\\dir\"")),
    ("«/path» 1", "SF1003", Some("\"/path\" 1")),
];

const VALUES: &[Row] = &[
    ("a «\"text»", "SF1001", None),
    ("a «\"text» {\n b\n}", "SF1001", None),
    ("a {\n b «\"text»\n}", "SF1001", None),
    ("a «#\"text\"»\nb", "SF1001", None),
    ("a «\"\"\"»\n text\n", "SF1001", None),
    ("a «#\"\"\"»\n text\n\"\"\"\n", "SF1001", None),
    ("a {\n «/*» b\n}\n", "SF1002", None),
    ("a «/*» /* */ b", "SF1002", None),
    ("a «.5»", "SF1004", Some("a 0.5")),
    ("a «-.5»", "SF1004", Some("a -0.5")),
    ("a «1.»", "SF1004", Some("a 1")),
    ("a «0xZZ»", "SF1004", None),
    ("a «0b12»", "SF1004", None),
    ("a «#yes»", "SF1005", Some("a #true")),
    ("a «#True»", "SF1005", Some("a #true")),
    ("color «#ff0000»", "SF1005", Some("color \"#ff0000\"")),
    ("a «#»", "SF1005", Some("a //")),
    ("protect «true»", "SF1006", Some("protect #true")),
    ("a b=«null»", "SF1006", Some("a b=#null")),
    ("a \"C:«\\d»ir\\x\"", "SF1007", Some("a \"C:\\\\dir\\x\"")),
    (
        "a \"\"\"\n x«\\q»\n \"\"\"",
        "SF1007",
        Some("a \"\"\"\n x\\\\q\n \"\"\""),
    ),
    ("a \"«\\u{d800}»\"", "SF1008", None),
    ("a \"«\\u»12\"", "SF1008", None),
    ("a «\"\"\"text\"\"\"»", "SF1009", None),
    ("a «#\"\"\"text\"\"\"#»", "SF1009", None),
    ("a \"\"\"\n    x\n«  y»\n    \"\"\"", "SF1009", None),
    ("a \"\"\"\n    x\n«    y\"\"\"»", "SF1009", None),
    ("a #\"\"\"\n\tx\n«  y»\n\t\"\"\"#", "SF1009", None),
    ("a b«\u{202e}»c", "SF1010", None),
    ("a \"b«\u{7f}»c\"", "SF1010", None),
    ("// a «\u{202e}» b\nc", "SF1010", None),
    ("a «]»", "SF1011", None),
    ("a «)»", "SF1011", None),
    ("a b=«=»1", "SF1011", None),
    ("a «r\"C:\\d\"»", "SF1012", Some("a #\"C:\\d\"#")),
    ("a «r##\"x\"##»", "SF1012", Some("a ##\"x\"##")),
    (
        "a «9999999999999999999999999999999999999999»",
        "SF5004",
        None,
    ),
];

const STRUCTURE: &[Row] = &[
    ("a «\"b\nc\"»\nd", "SF1001", None),
    ("a «\"b\nc\n\"»", "SF1001", None),
    ("a «\"b»\nc \"d\"", "SF1001", None),
    ("a «\"b» {\nc }", "SF1001", None),
    ("[{«\"a\":» 1}]", "SF1033", None),
    ("«a =» 1\n[b]\nc = [\n  2\n]", "SF1033", None),
    (
        "«variable \"a\" {»\n  type = string\n  default = {\n    a = 1\n  }\n}",
        "SF1033",
        None,
    ),
    ("a \"b\"«\"c\"»", "SF1013", Some("a \"b\" \"c\"")),
    ("a«\"b\"»", "SF1013", Some("a \"b\"")),
    ("a «b=»", "SF1014", None),
    ("a «b=» c=1", "SF1014", None),
    ("a «b=»;c", "SF1014", None),
    ("replicas «=» 3", "SF1015", Some("replicas 3")),
    ("replicas«=»3", "SF1015", Some("replicas 3")),
    ("a b=1 «=» 3", "SF1015", None),
    ("«=» 3", "SF1015", None),
    ("a «1»=2", "SF1016", Some("a \"1\"=2")),
    ("a «(t)»b=2", "SF1016", Some("a b=(t)2")),
    ("«80» a", "SF1017", None),
    ("a;«;»b", "SF1017", Some("a;b")),
    ("a «(»u8 5", "SF1018", None),
    ("a «(»)5", "SF1018", None),
    ("a «(secret)»", "SF1018", None),
    ("a b=«(»c d)5", "SF1018", None),
    ("a «{»\n b\n", "SF1019", None),
    ("a {\n b «{»\n  c\n}\nd\n", "SF1019", None),
    ("a {\n b {\n  c\n }\n}\n«}»\n", "SF1020", None),
    ("a { b; } «c» 1", "SF1021", Some("a { b; } ; c 1")),
    ("a {} «{» }", "SF1022", None),
    ("a {} «1»", "SF1023", None),
    ("a {} «b»=1", "SF1023", None),
    ("a /-{} «b»", "SF1023", None),
    ("a\n«{»\n b\n}", "SF1024", Some("a {\n b\n}")),
    ("/- «{»\n b\n}", "SF1024", None),
    ("a {\n «/-»\n}", "SF1025", None),
    ("a «/-»;", "SF1025", None),
    ("a b «/-» = 1", "SF1025", None),
    ("a «(»\nb", "SF1018", None),
    ("«(»x y) 5", "SF1018", None),
    ("«(t)» {\n b\n}", "SF1018", None),
    ("«(t)»", "SF1018", None),
    ("a «\\» b", "SF1026", None),
    ("«/- kdl-version 1»\na true", "SF1027", None),
    ("ports «[80, 443]»", "SF1028", Some("ports 80 443")),
    ("«[service]»\na 1", "SF1028", None),
    ("a «80,» 90", "SF1029", Some("a 80 90")),
    ("a \"b\"«,» \"c\"", "SF1029", Some("a \"b\" \"c\"")),
    ("a \"b\"«,»\"c\"", "SF1029", Some("a \"b\" \"c\"")),
    ("\"image\"«:» \"x\"", "SF1030", Some("\"image\" \"x\"")),
];

/// What is KDL, but not what its author meant.
const BY_ACCIDENT: &[Row] = &[
    ("replicas«:» 3", "SF1030", Some("replicas 3")),
    (
        "web x {\n image«:» \"y\"\n}",
        "SF1030",
        Some("web x {\n image \"y\"\n}"),
    ),
    ("«-» item", "SF1028", None),
    (
        "use shared«,» payments",
        "SF1029",
        Some("use shared payments"),
    ),
    (
        "use shared «,» payments",
        "SF1029",
        Some("use shared  payments"),
    ),
    ("a b«,»", "SF1029", Some("a b")),
    ("run «'bin'» --x", "SF1031", Some("run \"bin\" --x")),
    (
        "run «'hello big world'» b",
        "SF1031",
        Some("run \"hello big world\" b"),
    ),
    ("a b=«'c d'»", "SF1031", Some("a b=\"c d\"")),
    ("a «'tis» b", "SF1031", None),
    (
        "URL «https://example.org/x»",
        "SF1032",
        Some("URL \"https://example.org/x\""),
    ),
    (
        "URL «https://example.org» // note",
        "SF1032",
        Some("URL \"https://example.org\" // note"),
    ),
    (
        "include «services/**/*.kdl»",
        "SF1032",
        Some("include \"services/**/*.kdl\""),
    ),
    ("«a:»\n  - b\n  - c: d", "SF1033", None),
];

#[test]
fn what_is_kdl_by_accident_is_told_apart() {
    let wrong: Vec<String> = BY_ACCIDENT
        .iter()
        .filter_map(|&row| judge(row, read).err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} rows are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    for (marked, _, _) in BY_ACCIDENT {
        assert!(
            parse(FileId(0), marked.replace(['«', '»'], ""))
                .diagnostics
                .is_empty(),
            "{marked:?} is KDL"
        );
    }
    for text in [
        "a b/* c */",
        "a /*b*/ c",
        "a // b",
        "it's",
        "a:b 1",
        "a \"x,\" \"'y'\"",
    ] {
        let found: Vec<String> = read(FileId(0), text).diagnostics.iter().map(told).collect();
        assert!(found.is_empty(), "{text:?}: {found:?}");
    }
}

#[test]
fn every_mistake_is_one_diagnostic_on_its_culprit() {
    let wrong: Vec<String> = rows().filter_map(|row| judge(row, read).err()).collect();
    assert!(
        wrong.is_empty(),
        "{} rows are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_code_of_syntax_has_a_row() {
    let seen: BTreeSet<&str> = rows()
        .chain(BY_ACCIDENT.iter().copied())
        .map(|(_, code, _)| code)
        .collect();
    let all = codes::all().map(|entry| entry.code.to_string());
    let without: Vec<String> = all
        .filter(|code| code.starts_with("SF1") && !seen.contains(&**code))
        .collect();
    assert!(without.is_empty(), "without a row: {without:?}");
}

#[test]
fn codes_are_unique_and_in_order() {
    let mut codes: Vec<String> = codes::all().map(|entry| entry.code.to_string()).collect();
    let listed = codes.len();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), listed);
    for entry in codes::all() {
        assert!(
            entry.title.chars().count() <= 72,
            "{} has a short title",
            entry.code
        );
        assert!(entry.doc.ends_with('.'), "{} has a sentence", entry.code);
    }
}

fn rows() -> impl Iterator<Item = Row> {
    [QUOTES, VALUES, STRUCTURE].into_iter().flatten().copied()
}

fn judge((marked, code, fixed): Row, parse: fn(FileId, String) -> Parse) -> Result<(), String> {
    let text = marked.replace(['«', '»'], "");
    let start = marked.find('«').expect("a row marks its culprit");
    let end = marked.find('»').expect("a row marks its culprit") - '«'.len_utf8();
    let parse = parse(FileId(0), text.clone());
    let found: Vec<String> = parse.diagnostics.iter().map(told).collect();
    let [diagnostic] = &parse.diagnostics[..] else {
        return Err(format!("{marked:?}: {found:?}"));
    };
    if diagnostic.code.to_string() != code
        || diagnostic.primary.span.range.as_range() != (start..end)
    {
        return Err(format!(
            "{marked:?}: wanted {code} at {start}..{end}, got {found:?}"
        ));
    }
    let got = safe_fix(diagnostic, &text);
    if got.as_deref() != fixed {
        return Err(format!("{marked:?}: fixed to {got:?}"));
    }
    Ok(())
}

fn told(diagnostic: &Diagnostic) -> String {
    format!(
        "{} at {:?}: {}",
        diagnostic.code,
        diagnostic.primary.span.range.as_range(),
        diagnostic.title
    )
}

/// The text after the first safe fix.
fn safe_fix(diagnostic: &Diagnostic, text: &str) -> Option<String> {
    let fix = diagnostic
        .fixes
        .iter()
        .find(|fix| fix.applicability == Applicability::Safe)?;
    Some(apply(&fix.edits, text))
}

fn apply(edits: &[Edit], text: &str) -> String {
    let mut text = text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.range.as_range(), &edit.text);
    }
    text
}
