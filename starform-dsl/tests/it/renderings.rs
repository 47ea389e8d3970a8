//! What the renderings give: the short form, JSON of the published shape, and nothing that could harm a terminal.
//! Reads `schemas/diagnostic.v1.json` and the texts of `golden/ui`.
//! Read on in `ui` for the long form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use starform_dsl::diag::{self, Diagnostic, codes};
use starform_dsl::render::{self, Human};
use starform_dsl::source::{FileId, SourceTree, Span};
use starform_dsl::syntax::{TextRange, read};
use unicode_width::UnicodeWidthStr;

const PLAIN: Human<'static> = Human {
    width: 80,
    color: false,
    secrets: &[],
};

fn said(text: &str) -> (SourceTree, Vec<Diagnostic>) {
    (
        SourceTree::single("starform.kdl", text),
        read(FileId(0), text).diagnostics,
    )
}

#[test]
fn the_long_form_fits_eighty_columns() {
    let (sources, said) = said("web api {\n  drain grace=30s\n}\n");
    let shown = render::human(&sources, &said, PLAIN);
    let wanted = "\
error[SF1003]: `30s` needs quotes
   ╭─[starform.kdl:2:15]
 1 │ web api {
 2 │   drain grace=30s
   ·               ─┬─
   ·                ╰── begins like a number but is none
 3 │ }
   ╰────
  help: quote it: \"30s\"

1 error
";
    assert_eq!(shown, wanted);
    assert!(shown.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn a_long_line_is_cut_around_what_is_said_about_it() {
    let before = "a 1; ".repeat(30);
    let after = "; z \"\u{4e16}\u{754c}\" 2".repeat(30);
    let text = format!(
        "// {0}\n{before}drain grace=30s{after}\n// {0}\n",
        "-".repeat(90)
    );
    let (sources, said) = said(&text);
    let shown = render::human(&sources, &said, PLAIN);
    let wanted = "\
error[SF1003]: `30s` needs quotes
   ╭─[starform.kdl:2:163]
 1 │ // -----------------------------------------------------------------------…
 2 │ …; a 1; a 1; drain grace=30s; z \"世界\" 2; z \"世界\" 2; z \"世界\" 2; z \"世界\"…
   ·                          ─┬─
   ·                           ╰── begins like a number but is none
 3 │ // -----------------------------------------------------------------------…
   ╰────
  help: quote it: \"30s\"

1 error
";
    assert_eq!(shown, wanted);
}

#[test]
fn every_label_of_a_cut_line_stands_under_its_own_text() {
    let word = |n: usize| format!("\u{4e16}\u{754c}\tn{n} ");
    let text: String = (0..60).map(word).collect();
    let sources = SourceTree::single("starform.kdl", &text);
    let span = |part: &str| {
        let start = u32::try_from(text.find(part).expect("is there")).expect("is short");
        Span::new(FileId(0), TextRange::new(start, start + 3))
    };
    for (first, second) in [
        ("n10", "n50"),
        ("n10", "n12"),
        ("n59", "n58"),
        ("n58", "n11"),
    ] {
        for width in [40, 80, 120] {
            let said = Diagnostic::new(codes::NEEDS_QUOTES, span(first), "far apart")
                .label("one")
                .also(span(second), "two");
            let shown = render::human(&sources, &[said], Human { width, ..PLAIN });
            let column = text.find(first).map(|at| text[..at].chars().count() + 1);
            let place = format!("starform.kdl:1:{}]", column.expect("is there"));
            assert!(shown.contains(&place), "{shown}");
            assert!(shown.lines().all(|line| line.width() <= width), "{shown}");
            let mut lines = shown.lines().skip(2);
            let (line, under) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
            let underlined: Vec<String> = starts(under).map(|at| after(line, at, 3)).collect();
            let mut wanted = [first, second];
            wanted.sort_by_key(|part| text.find(part));
            assert_eq!(underlined, wanted, "{shown}");
        }
    }
}

/// The columns at which underlines begin.
fn starts(line: &str) -> impl Iterator<Item = usize> {
    let line: Vec<char> = line.chars().collect();
    (1..line.len()).filter(move |&at| line[at] == '─' && line[at - 1] == ' ')
}

/// So many characters from a column on.
fn after(line: &str, column: usize, count: usize) -> String {
    let starts = |(at, _): &(usize, char)| line[..*at].width() == column;
    let from = line
        .char_indices()
        .find(starts)
        .map_or(line.len(), |(at, _)| at);
    line[from..].chars().take(count).collect()
}

#[test]
fn a_label_wider_than_the_terminal_ends_at_the_cut() {
    let text = format!("a {}\n", "b".repeat(200));
    let sources = SourceTree::single("starform.kdl", &text);
    let span = Span::new(FileId(0), TextRange::new(2, 202));
    let said = Diagnostic::new(codes::NEEDS_QUOTES, span, "wide").label("all of it");
    let shown = render::human(&sources, &[said], PLAIN);
    assert!(
        shown.contains(&format!(" 1 │ a {}…\n", "b".repeat(71))),
        "{shown}"
    );
    assert!(shown.lines().all(|line| line.width() <= 80), "{shown}");
}

#[test]
fn a_cut_line_shows_nothing_that_is_covered() {
    let text = format!("{0}\u{1b}[31m \"hunter2\" 30s {0}", "a 1; ".repeat(40));
    let (sources, said) = said(&text);
    let start = u32::try_from(text.find("hunter2").expect("is there")).expect("is short");
    let secrets = [Span::new(FileId(0), TextRange::new(start, start + 7))];
    let how = Human {
        secrets: &secrets,
        ..PLAIN
    };
    let shown = render::human(&sources, &said, how);
    assert!(shown.contains("?[31m \"*******\" 30s a 1;"), "{shown}");
    assert!(
        !shown.contains("hunter") && !shown.contains('\u{1b}'),
        "{shown}"
    );
}

#[test]
fn a_line_that_nobody_reads_is_named_and_cut() {
    let text = format!("project hello {{ {}", "a { ".repeat(100_000));
    let (sources, diagnostics) = said(&text);
    let shown = render::human(&sources, &diagnostics, PLAIN);
    assert!(shown.contains("starform.kdl:1:"), "{shown}");
    assert!(shown.len() < 50_000, "{} bytes", shown.len());
}

#[test]
fn every_newline_of_kdl_ends_a_line_in_places_and_in_snippets() {
    let wanted = "\
error[SF1003]: `30s` needs quotes
   ╭─[starform.kdl:3:3]
 2 │ b
 3 │ c 30s
   ·   ─┬─
   ·    ╰── begins like a number but is none
 4 │ d
   ╰────
  help: quote it: \"30s\"

1 error
";
    for newline in [
        "\n", "\r\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}",
    ] {
        let text = ["a", "b", "c 30s", "d", ""].join(newline);
        let (sources, said) = said(&text);
        let shown = render::human(&sources, &said, PLAIN);
        assert_eq!(shown, wanted, "{newline:?}");
    }
}

#[test]
fn a_byte_order_mark_is_no_column_and_is_not_shown() {
    for text in ["a 30s\nb 1\n", "30s 1\n", "a 1\nb 30s\n"] {
        let (plain, marked) = (said(text), said(&format!("\u{feff}{text}")));
        let [plain, marked] = [plain, marked].map(|(sources, said)| {
            let human = render::human(&sources, &said, PLAIN);
            human + &render::short(&sources, &said)
        });
        assert_eq!(plain, marked);
    }
    // A second one is a mistake of the text, and counts.
    let (sources, said) = said("\u{feff}\u{feff}a 1\n");
    assert_eq!(said.len(), 1, "{said:?}");
    let short = render::short(&sources, &said);
    assert!(short.starts_with("starform.kdl:1:1: "), "{short}");
}

#[test]
fn colour_is_the_callers_choice() {
    let (sources, said) = said("a 30s");
    let colored = Human {
        color: true,
        ..PLAIN
    };
    assert!(!render::human(&sources, &said, PLAIN).contains('\u{1b}'));
    assert!(render::human(&sources, &said, colored).contains("\u{1b}["));
}

#[test]
fn the_short_form_is_one_line_each() {
    let (sources, said) = said("ä 30s\nb true");
    let wanted = "starform.kdl:1:3: error[SF1003]: `30s` needs quotes\n\
                  starform.kdl:2:3: error[SF1006]: `true` lacks its `#`\n";
    assert_eq!(render::short(&sources, &said), wanted);
}

#[test]
fn no_rendering_lets_a_file_steer_the_terminal() {
    let acting = "\u{1b}]0;owned\u{7}\u{7f}\u{9b}31m\u{61c}\u{200f}\u{202e}\u{2066}\u{feff}";
    let text = format!("a \"{acting}\\\u{9b}\" b\u{202e}c\n\u{feff}\nd {acting}/x\n");
    let sources = SourceTree::single("\u{9b}\u{202e}.kdl", &text);
    let mut said = read(FileId(0), &*text).diagnostics;
    assert!(!said.is_empty());
    // A diagnostic that repeats it everywhere.
    let span = Span::new(FileId(0), TextRange::new(0, 1));
    let everywhere = Diagnostic::new(codes::NEEDS_QUOTES, span, acting)
        .label(acting)
        .also(span, acting)
        .note(acting)
        .help(acting)
        .node_path(acting)
        .fix(diag::Fix::replace(acting, span, acting));
    said.push(everywhere);
    for (what, shown) in [
        ("human", render::human(&sources, &said, PLAIN)),
        ("short", render::short(&sources, &said)),
        ("json", render::json(&sources, &said)),
        ("sarif", render::sarif(&sources, &said, "\u{9b}")),
        ("github", render::github(&sources, &said, "\u{9b}")),
    ] {
        let acts = |c: char| c != '\n' && (c.is_control() || (!c.is_ascii() && acting.contains(c)));
        assert!(!shown.contains(acts), "{what}: {shown:?}");
    }
    let json: Json = serde_json::from_str(&render::json(&sources, &said)).expect("it is JSON");
    let last = json["diagnostics"].as_array().and_then(|all| all.last());
    let last = last.expect("the last one is there");
    assert_eq!(last["title"], acting);
    assert_eq!(last["fixes"][0]["edits"][0]["text"], acting);
    let sarif: Json =
        serde_json::from_str(&render::sarif(&sources, &said, "")).expect("it is JSON");
    let results = sarif["runs"][0]["results"].as_array();
    let last = results.and_then(|all| all.last()).expect("the last one");
    let change = &last["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["insertedContent"]["text"], acting);
}

#[test]
fn secrets_are_not_shown() {
    let text = "vars {\n  A 30s; B \"hunter2\"; C \"\"\"\n  hunter3\n  \"\"\"\n}\n";
    let (sources, mut said) = said(text);
    let span = |part: &str| {
        let start = u32::try_from(text.find(part).expect("is there")).expect("is short");
        Span::new(FileId(0), TextRange::new(start, start + 7))
    };
    let secrets = [span("hunter3")];
    said.push(Diagnostic::new(
        codes::CREDENTIAL,
        span("hunter2"),
        "looks like a credential",
    ));
    let shown = render::human(
        &sources,
        &diag::settle(said),
        Human {
            secrets: &secrets,
            ..PLAIN
        },
    );
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(shown.contains("*******"), "{shown}");
}

#[test]
fn at_most_fifty_are_shown_and_the_rest_is_counted() {
    let (sources, said) = said(&"a 30s\n".repeat(60));
    let shown = render::human(&sources, &said, PLAIN);
    assert_eq!(shown.matches("error[SF1003]").count(), 50);
    assert!(shown.ends_with("and 10 more SF1003\n60 errors; 10 of them not shown\n"));
}

#[test]
fn no_warning_hides_an_error() {
    let many = |count: usize| {
        let web = |n: usize| format!("web s{n} {{ image \"a/b:1\"; port 80; }}\n");
        let webs: String = (0..count).map(web).collect();
        let text = format!("project p {{\nenvironment e branch=x\n{webs}wbe x {{}}\n}}\n");
        let sources = SourceTree::single("starform.kdl", &text);
        let said = starform_dsl::compile(&sources).diagnostics;
        let shown = render::human(&sources, &said, PLAIN);
        (said.len(), shown)
    };
    let (said, shown) = many(60);
    assert_eq!(said, 61);
    assert_eq!(shown.matches("warning[SF5023]").count(), 10);
    assert_eq!(shown.matches("error[SF2004]").count(), 1);
    let end = "and 50 more SF5023\n1 error, 60 warnings; 50 of them not shown\n";
    assert!(shown.ends_with(end), "{shown}");
    let (said, shown) = many(1_000);
    assert_eq!(said, diag::KEPT);
    assert_eq!(shown.matches("error[SF2004]").count(), 1, "{shown}");
    assert_eq!(shown.matches("error[SF5005]").count(), 1, "{shown}");
}

#[test]
fn json_has_the_published_shape() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let schema =
        fs::read_to_string(root.join("schemas/diagnostic.v1.json")).expect("the schema is there");
    let schema: Json = serde_json::from_str(&schema).expect("the schema is JSON");
    let mut seen = BTreeMap::new();
    for case in crate::ui::cases() {
        let said = starform_dsl::compile(&case.sources).diagnostics;
        let json: Json =
            serde_json::from_str(&render::json(&case.sources, &said)).expect("it is JSON");
        fits(&json, &schema, &schema, "", &mut seen);
    }
    // Every list has been seen with something in it, so every part of the schema has been tried.
    for list in [
        "/diagnostics",
        "/diagnostics/labels",
        "/diagnostics/fixes/edits",
        "/diagnostics/notes",
    ] {
        assert!(seen.contains_key(list), "{list} was always empty: {seen:?}");
    }
}

/// Fails where a value is not as the schema says; understands the keywords that the schema uses.
fn fits(value: &Json, schema: &Json, root: &Json, at: &str, seen: &mut BTreeMap<String, usize>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").expect("a definition");
        return fits(value, &root["$defs"][name], root, at, seen);
    }
    let types: Vec<&str> = match schema["type"].as_array() {
        Some(names) => names.iter().filter_map(Json::as_str).collect(),
        None => schema["type"].as_str().into_iter().collect(),
    };
    assert!(
        types.contains(&type_of(value)),
        "{at}: {value} is none of {types:?}"
    );
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    if let Some(least) = schema["minimum"].as_u64() {
        assert!(
            value.as_u64().is_some_and(|number| number >= least),
            "{at}: {value} is under {least}"
        );
    }
    if schema["pattern"] == "^SF[0-9]{4}$" {
        let code = value.as_str().and_then(codes::Code::parse);
        assert!(code.is_some(), "{at}: {value} is no code");
    }
    if let Some(items) = value.as_array() {
        for item in items {
            *seen.entry(at.to_owned()).or_default() += 1;
            fits(item, &schema["items"], root, at, seen);
        }
    }
    if let Some(fields) = value.as_object() {
        let properties = schema["properties"]
            .as_object()
            .expect("an object has properties");
        let required = schema["required"]
            .as_array()
            .expect("an object has required fields");
        let names: Vec<&String> = fields.keys().collect();
        assert!(
            required
                .iter()
                .all(|name| names.iter().any(|field| *name == **field)),
            "{at}: lacks one of {required:?}"
        );
        assert_eq!(
            required.len(),
            properties.len(),
            "{at}: every field is always there"
        );
        for (name, field) in fields {
            let schema = properties
                .get(name)
                .unwrap_or_else(|| panic!("{at}: the schema lacks `{name}`"));
            fits(field, schema, root, &format!("{at}/{name}"), seen);
        }
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
