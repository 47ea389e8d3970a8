//! Pages of codes, of the language and of plans, and the list of all of them.
//!
//! Pure: the pages are compiled in, so this works without a network.

use starform_dsl::{
    diag::codes::{self, CHAPTERS},
    render,
};
use starform_plan::codes as findings;

use crate::{
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// What the list holds before a title: its indent and a code.
const CODE_COLUMNS: &str = "          ";

/// A code with its title and page, whoever raises it.
struct Entry {
    code: String,
    title: &'static str,
    page: &'static str,
}

/// Whether a subject is written like a code, if only roughly: `SF2004`, `sf2004`, `2004`, `SF20`.
pub(super) fn is_meant(subject: &str) -> bool {
    let prefix = subject
        .get(..2)
        .filter(|two| two.eq_ignore_ascii_case("sf"));
    let digits = &subject[prefix.map_or(0, str::len)..];
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn page(subject: &str, terminal: Terminal) -> anyhow::Result<String> {
    let wanted = codes::number(subject);
    let entry = wanted.and_then(|wanted| entries().find(|entry| number(entry) == wanted));
    match entry {
        Some(entry) => Ok(render::page(entry.page, terminal.width, terminal.color)),
        None => Err(Failure::because(Exit::Error, unknown(subject, wanted))),
    }
}

/// Every code with its title, by what it is about.
pub(super) fn list(terminal: Terminal) -> String {
    let mut text = String::new();
    let line = |entry: &Entry| {
        let title = render::wrap(entry.title, terminal.width - CODE_COLUMNS.len(), 0);
        let title = title.replace('\n', &format!("\n{CODE_COLUMNS}"));
        format!("  {}  {title}\n", entry.code)
    };
    for (thousand, about) in CHAPTERS {
        let chapter = language().filter(|entry| number(entry) / 1_000 == *thousand);
        let lines: String = chapter.map(|entry| line(&entry)).collect();
        text.push_str(&format!("{about}\n{lines}\n"));
    }
    let lines: String = plans().map(|entry| line(&entry)).collect();
    let next = "`starform explain CODE` shows a page; `starform schema node` lists the nodes";
    let next = render::wrap(next, terminal.width, 0);
    text.push_str(&format!("findings of plans\n{lines}\n{next}\n"));
    text
}

fn language() -> impl Iterator<Item = Entry> {
    codes::all().map(|entry| Entry {
        code: entry.code.to_string(),
        title: entry.title,
        page: entry.page,
    })
}

fn plans() -> impl Iterator<Item = Entry> {
    findings::ALL.iter().map(|finding| Entry {
        code: finding.code.to_owned(),
        title: finding.title,
        page: finding.page,
    })
}

fn entries() -> impl Iterator<Item = Entry> {
    language().chain(plans())
}

fn number(entry: &Entry) -> u16 {
    codes::number(&entry.code).expect("every code is SF and four digits")
}

/// The next step: the codes of the same thousand that are nearest by number, or the list.
fn unknown(subject: &str, wanted: Option<u16>) -> String {
    const LIST: &str = "`starform explain` lists all codes";
    let Some(wanted) = wanted else {
        return format!("there is no code {subject}: a code is SF and four digits; {LIST}");
    };
    let mut near: Vec<Entry> = entries()
        .filter(|entry| number(entry) / 1_000 == wanted / 1_000)
        .collect();
    near.sort_by_key(|entry| (number(entry).abs_diff(wanted), number(entry)));
    let near: Vec<String> = near
        .iter()
        .take(2)
        .map(|entry| format!("{} ({})", entry.code, entry.title))
        .collect();
    let near = match near.is_empty() {
        true => String::new(),
        false => format!("; nearest: {}", near.join(" and ")),
    };
    format!("there is no code SF{wanted:04}{near}; {LIST}")
}
