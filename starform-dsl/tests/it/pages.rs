//! Every code has its page in `docs/errors`, in one form, and both examples of a page do what they say.
//! Reads `docs/errors`; with `UPDATE_GOLDEN=1` it writes headings, first paragraphs and the index anew from the registry.
//! Pages of the findings of plans, SF61nn, are checked where those are declared.
//! Read on in `docs/errors/README.md` for the form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use starform_dsl::diag::codes::{self, CHAPTERS, CodeEntry};
use starform_dsl::diag::{Diagnostic, Severity};
use starform_dsl::{Bindings, Project, compile, emit, render, source::SourceTree};

/// Codes that only a text too large for a page raises, or none at all, or none that is known.
const WITHOUT_EXAMPLE: [&str; 14] = [
    "SF2024", "SF2028", "SF5001", "SF5002", "SF5003", "SF5005", "SF5028", "SF5029", "SF5030",
    "SF5034", "SF5035", "SF6004", "SF9001", "SF9002",
];

/// So wide may a line of an example be: it is never wrapped, and a terminal indents it.
const WIDEST_EXAMPLE: usize = 76;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors")
}

fn updates() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// A page without its first lines, which the registry gives.
fn rest(page: &str) -> &str {
    page.find("\n## ").map_or("", |start| &page[start..])
}

/// Headings with what stands under them.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .map(|(heading, text)| (heading, text.trim()))
        .collect()
}

/// The blocks that a fence of this form opens, in their order.
fn blocks<'p>(section: &'p str, fence: &str) -> Vec<&'p str> {
    let opening = format!("```{fence}\n");
    let parts = section.split(&opening).skip(1);
    parts
        .filter_map(|part| part.split_once("```").map(|(block, _)| block))
        .collect()
}

/// The files of an example: a block is `starform.kdl`, or the file that the comment in its first line names.
fn files(blocks: &[&str]) -> SourceTree {
    let path = |block: &str| {
        let first = block
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("// "));
        let path = first.filter(|path| path.ends_with(".kdl") && !path.contains(' '));
        path.unwrap_or("starform.kdl").to_owned()
    };
    let file = |block: &&str| (path(block), Arc::from(*block));
    SourceTree::new(blocks.iter().map(file).collect::<BTreeMap<_, _>>())
}

fn said(diagnostics: &[Diagnostic]) -> Vec<String> {
    let one = |d: &Diagnostic| format!("{} {}", d.code, d.title);
    diagnostics.iter().map(one).collect()
}

/// The text of the wrong example raises this code and no other error.
fn judge_wrong(entry: &CodeEntry, blocks: &[&str]) -> Result<(), String> {
    let compiled = compile(&files(blocks));
    let mut diagnostics = compiled.diagnostics;
    if let Some(project) = &compiled.project {
        diagnostics.extend(refused(project));
    }
    let raised = diagnostics.iter().any(|d| d.code == entry.code);
    // A plan may refuse as well what only warns.
    let beyond = |d: &Diagnostic| matches!(&*d.code.to_string(), "SF6004" | "SF6005");
    let others = diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error && d.code != entry.code && !beyond(d));
    if raised && !others {
        Ok(())
    } else {
        Err(format!("the wrong example says {:?}", said(&diagnostics)))
    }
}

/// What a plan of any environment would say.
fn refused(project: &Project) -> Vec<Diagnostic> {
    let bindings = Bindings::first(project);
    let emitted = project
        .environments()
        .map(|(name, _)| emit(project, name, &bindings));
    emitted.filter_map(Result::err).flatten().collect()
}

/// The text of the right example is a project, and nothing in it raises this code.
fn judge_right(entry: &CodeEntry, blocks: &[&str]) -> Result<(), String> {
    let compiled = compile(&files(blocks));
    let raised = compiled.diagnostics.iter().any(|d| d.code == entry.code);
    if compiled.project.is_some() && !raised {
        Ok(())
    } else {
        let said = said(&compiled.diagnostics);
        Err(format!("the right example says {said:?}"))
    }
}

/// The texts of the examples of a code's page, the wrong one first; none where it has no example.
pub(crate) fn examples(entry: &CodeEntry) -> Vec<SourceTree> {
    let example = |(section, fence): (&(&str, &str), &str)| files(&blocks(section.1, fence));
    let sections = sections(entry.page);
    let fences = sections.iter().zip(["kdl wrong", "kdl"]);
    let trees = fences.map(example);
    trees.filter(|tree| tree.files().next().is_some()).collect()
}

fn judge(entry: &CodeEntry, page: &str) -> Result<(), String> {
    let head = head(entry);
    if !page.starts_with(&head) || rest(page).is_empty() {
        return Err(format!("does not begin with {head:?} and a section"));
    }
    let sections = sections(page);
    let headings: Vec<&str> = sections.iter().map(|(heading, _)| *heading).collect();
    if let Some((heading, _)) = sections.iter().find(|(_, text)| text.is_empty()) {
        return Err(format!("says nothing under {heading:?}"));
    }
    if WITHOUT_EXAMPLE.contains(&&*entry.code.to_string()) {
        let wanted = ["Without an example", "Why", "What to do"];
        return same(&headings, &wanted);
    }
    same(&headings, &["Wrong", "Right", "Why", "What to do"])?;
    let (wrong, right) = (
        blocks(sections[0].1, "kdl wrong"),
        blocks(sections[1].1, "kdl"),
    );
    if wrong.is_empty() || right.is_empty() {
        return Err("lacks a block ```kdl wrong or ```kdl".to_owned());
    }
    let lines = wrong.iter().chain(&right).flat_map(|block| block.lines());
    if let Some(line) = lines
        .into_iter()
        .find(|line| line.chars().count() > WIDEST_EXAMPLE)
    {
        return Err(format!("is too wide for a terminal: {line}"));
    }
    judge_wrong(entry, &wrong)?;
    judge_right(entry, &right)
}

fn same(headings: &[&str], wanted: &[&str]) -> Result<(), String> {
    if headings == wanted {
        Ok(())
    } else {
        Err(format!("has the sections {headings:?}, not {wanted:?}"))
    }
}

/// What the registry says of a page: heading and first paragraph.
fn head(entry: &CodeEntry) -> String {
    format!("# {}: {}\n\n{}\n", entry.code, entry.title, entry.doc)
}

#[test]
fn every_code_has_a_page_whose_examples_hold() {
    let mut wrong = Vec::new();
    for entry in codes::all() {
        let path = folder().join(format!("{}.md", entry.code));
        let mut page = fs::read_to_string(&path).expect("the page was compiled in");
        if updates() {
            page = format!("{}{}", head(entry), rest(&page));
            fs::write(&path, &page).expect("docs/errors can be written");
        }
        if let Err(reason) = judge(entry, &page) {
            wrong.push(format!("{}.md {reason}", entry.code));
        }
        assert!(
            updates() || page == entry.page,
            "{} is compiled in",
            entry.code
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_belongs_to_a_code() {
    for entry in fs::read_dir(folder()).expect("docs/errors is there") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        let code = name.strip_suffix(".md").and_then(codes::Code::parse);
        let elsewhere = name == "README.md" || name.starts_with("SF61");
        assert!(
            code.is_some() || elsewhere,
            "docs/errors/{name} is the page of no code"
        );
    }
}

const FROM: &str = "<!-- language: written by a test from the registry -->\n";
const TO: &str = "<!-- end of language -->\n";

#[test]
fn the_index_names_every_code() {
    let mut tables = String::new();
    for (thousand, about) in CHAPTERS {
        write!(
            tables,
            "\n## SF{thousand}nnn: {about}\n\n| code | | |\n|---|---|---|\n"
        )
        .expect("a string takes text");
        for entry in codes::all().filter(|entry| entry.code.number() / 1_000 == *thousand) {
            let (code, severity, title) = (entry.code, entry.severity.word(), entry.title);
            writeln!(tables, "| [{code}]({code}.md) | {severity} | {title} |")
                .expect("a string takes text");
        }
    }
    tables.push('\n');
    let listed = tables.matches("\n| [SF").count();
    assert_eq!(listed, codes::all().count(), "every code has a chapter");
    let path = folder().join("README.md");
    let index = fs::read_to_string(&path).expect("the index is there");
    let (before, old) = index.split_once(FROM).expect("the index has its marker");
    let (old, after) = old.split_once(TO).expect("the index has its end marker");
    if updates() {
        fs::write(&path, format!("{before}{FROM}{tables}{TO}{after}")).expect("can be written");
    } else {
        assert!(
            old == tables,
            "docs/errors/README.md lacks what the registry has: UPDATE_GOLDEN=1 writes it"
        );
    }
}

#[test]
fn codes_are_found_however_they_are_written() {
    for text in ["SF2004", "sf2004", "Sf2004", "2004"] {
        assert_eq!(codes::number(text), Some(2004), "{text}");
    }
    for text in ["", "SF", "SF204", "20045", "web", "SF+204", "ßf2004"] {
        assert_eq!(codes::number(text), None, "{text}");
    }
}

#[test]
fn a_page_fits_the_terminal() {
    for width in [80, 120] {
        for entry in codes::all() {
            let shown = render::page(entry.page, width, false);
            let wide = shown.lines().find(|line| line.chars().count() > width);
            assert_eq!(wide, None, "{} at {width} columns", entry.code);
            assert!(!shown.contains("```"), "{} shows a fence", entry.code);
        }
    }
    let colored = render::page("# A\n\nb\n", 80, true);
    assert_eq!(colored, "\u{1b}[1mA\u{1b}[0m\n\nb\n");
}

#[test]
fn lines_break_between_words_and_not_inside_code() {
    assert_eq!(render::wrap("one two three", 7, 2), "one two\n  three");
    assert_eq!(render::wrap("use `a b` c", 7, 0), "use\n`a b` c");
    let list = "# H\n\n- one two\n  three\n- four\n\n```kdl\na  b\n```\n";
    let shown = "H\n\n- one\n  two\n  three\n- four\n\n    a  b\n";
    assert_eq!(render::page(list, 7, false), shown);
}
