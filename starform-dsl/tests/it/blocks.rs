//! Every block of KDL in the README and in `docs` compiles, and the reference page is what the table says.
//! Reads those files; with `UPDATE_GOLDEN=1` it writes the reference page anew.
//! A block is a project; `kdl service` holds children of a service, `kdl node` is the example of a row, and
//! `kdl wrong` must not compile.
//! Read on in `pages` for the pages of codes, which are compiled there.

use std::fs;
use std::path::{Path, PathBuf};

use starform_dsl::{reference, table};

use crate::project::compiled;

struct Block {
    /// What follows the three backticks.
    info: String,
    text: String,
    line: usize,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in (1..).zip(markdown.lines()) {
        let fence = text.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => {
                open = Some(Block {
                    info: info.trim().to_owned(),
                    text: String::new(),
                    line,
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(text);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// Why a block is not what its info word says; `None` where it is, or where it is no KDL.
fn wrong(block: &Block) -> Option<String> {
    let project = match block.info.as_str() {
        "kdl" | "kdl wrong" => block.text.clone(),
        "kdl service" => format!(
            "project p {{\n environment staging branch=main\n environment production branch=main\n private catalog {{ image \"a/b:1\"; port 1; }}\n web it {{\n image \"a/b:1\"; port 1\n {} }}\n}}",
            block.text
        ),
        "kdl node" => {
            let known = table::nodes().any(|row| row.example == block.text.trim_end());
            return (!known).then(|| "is the example of no row".to_owned());
        }
        info if info.starts_with("kdl") => return Some(format!("`{info}` is no kind of block")),
        _ => return None,
    };
    let mut errors = Vec::new();
    for diagnostic in compiled(&project).diagnostics {
        if diagnostic.is_error() {
            errors.push(format!("{} {}", diagnostic.code, diagnostic.title));
        }
    }
    match (block.info == "kdl wrong", errors.is_empty()) {
        (true, true) => Some("compiles".to_owned()),
        (false, false) => Some(errors.join(", ")),
        (true, false) | (false, true) => None,
    }
}

fn markdown_files() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("docs are there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    // Codes have pages of their own form; `pages` compiles them.
    files.retain(|path| !path.starts_with(root().join("docs/errors")));
    files.sort();
    files
}

#[test]
fn every_block_of_the_documents_compiles() {
    let mut found = Vec::new();
    let mut seen = 0;
    for path in markdown_files() {
        let text = fs::read_to_string(&path).expect("UTF-8");
        for block in blocks(&text) {
            seen += usize::from(block.info.starts_with("kdl"));
            if let Some(why) = wrong(&block) {
                found.push(format!("{}:{}: {why}", path.display(), block.line));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(seen > 20, "only {seen} blocks of KDL");
}

#[test]
fn a_block_that_does_not_hold_is_found() {
    let block = |info: &str, text: &str| Block {
        info: info.to_owned(),
        text: text.to_owned(),
        line: 1,
    };
    let good = "project p { environment e branch=main; }";
    assert_eq!(wrong(&block("kdl", good)), None);
    assert_eq!(wrong(&block("sh", "not KDL {")), None);
    assert!(wrong(&block("kdl wrong", good)).is_some());
    assert!(wrong(&block("kdl", "project p { }")).is_some());
    assert!(wrong(&block("kdl service", "replicas 3")).is_some());
    assert!(wrong(&block("kdl node", "scale three")).is_some());
    assert!(wrong(&block("kdl fragment", good)).is_some());
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    let path = root().join("docs/reference/language.md");
    let page = reference::markdown();
    assert!(!page.contains("<!-- nodes") && !page.contains("<!-- contents"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("docs can be written");
        fs::write(&path, &page).expect("docs can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/reference/language.md is not what the table says; UPDATE_GOLDEN=1 rewrites it"
    );
}

/// Every link inside the page leads to a heading.
#[test]
fn the_contents_lead_somewhere() {
    let page = reference::markdown();
    let anchor = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | ' ' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    let headings: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(anchor)
        .collect();
    let mut links = 0;
    for link in page.split("](#").skip(1) {
        let target = link.split(')').next().expect("a link ends");
        assert_eq!(
            headings.iter().filter(|known| *known == target).count(),
            1,
            "{target}"
        );
        links += 1;
    }
    assert!(links > table::nodes().count());
}
