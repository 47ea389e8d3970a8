//! One page for all environments: without a script, light and dark, to be read by eye, keyboard and ear.
//!
//! Pure. Always holds: every text is escaped, nothing is loaded from anywhere and no script may run (the
//! page's own policy says so), marks that colour shows are words too, what is deleted, replaced or
//! widened is never folded. Read on in `changes` for what changes, in `style.css` for how it looks.

mod changes;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::{
    document::{Action, FindingSeverity},
    view::{
        Shown,
        outline::{self, Beside, Cell, Form, Heading, Part, Remark, Said, Weight},
        values,
    },
};

const STYLE: &str = include_str!("style.css");

/// Nothing is fetched, nothing runs, nothing is sent.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

pub fn html<'a>(plans: impl Into<Shown<'a>>) -> String {
    let plans = plans.into();
    let short = outline::outline(plans, Form::Short);
    let full = outline::outline(plans, Form::Full);
    let headings: Vec<&Heading> = short.iter().flat_map(|part| &part.headings).collect();
    let title = title(&headings);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#changes" { "Skip to the changes" }
                header {
                    h1 { (title) }
                    (table(&short))
                }
                main #changes {
                    @for (n, (short, full)) in short.iter().zip(&full).enumerate() {
                        (part(n, short, full))
                    }
                }
                footer {
                    p { "This page holds no script and loads nothing." }
                }
            }
        }
    };
    let mut text = on_lines(&page.into_string());
    text.push('\n');
    text
}

/// A line for each block, for who reads the page's source; a user's text holds no tag.
fn on_lines(page: &str) -> String {
    let blocks = [
        "<head>",
        "<body>",
        "<header>",
        "<table",
        "<tr>",
        "<main",
        "<section",
        "<h2",
        "<h3>",
        "<h4>",
        "<p",
        "<ul",
        "<li>",
        "<article>",
        "<details>",
        "<footer>",
    ];
    let mut out = String::with_capacity(page.len());
    for piece in page.split_inclusive('>') {
        let tag = piece.rfind('<').map_or("", |at| &piece[at..]);
        let is_block =
            blocks.iter().any(|block| tag.starts_with(block)) && !tag.starts_with("<pre");
        if is_block {
            let (text, tag) = piece.split_at(piece.len() - tag.len());
            out.push_str(text);
            out.push('\n');
            out.push_str(tag);
        } else {
            out.push_str(piece);
        }
    }
    out
}

fn title(headings: &[&Heading]) -> String {
    let mut projects: Vec<&str> = headings.iter().map(|h| h.project.as_str()).collect();
    projects.dedup();
    match headings {
        [only] if only.until.is_some() => format!("Difference of {}", only.name),
        [only] => format!("Plan for {}", only.name),
        several => format!(
            "Plans for {} of {}",
            values::count(several.len(), "environment"),
            projects.join(", ")
        ),
    }
}

fn table(parts: &[Part]) -> Markup {
    let rows = parts.iter().enumerate();
    let rows = rows.flat_map(|(n, part)| part.headings.iter().map(move |heading| (n, heading)));
    let headings = || parts.iter().flat_map(|part| &part.headings);
    let policies = headings().any(|heading| !heading.policy.is_free());
    let settings = headings().any(|heading| heading.numbers.settings > 0);
    markup! {
        table {
            caption { "Environments, and how many objects change" }
            thead {
                tr {
                    @for name in ["environment", "plan", "create", "update", "replace", "delete", "keep", "adopt"] {
                        th scope="col" { (name) }
                    }
                    @if settings { th scope="col" { "settings" } }
                    th scope="col" { "findings" }
                    @if policies { th scope="col" { "policy" } }
                    th scope="col" { "state" }
                }
            }
            tbody {
                @for (n, heading) in rows {
                    @let objects = heading.numbers.objects;
                    tr {
                        th scope="row" { a href={ "#part-" (n) } { (heading.name) } }
                        td { code { (heading.named()) } }
                        td { (objects.create) }
                        td { (objects.update) }
                        (strong(objects.replace))
                        (strong(objects.delete))
                        (strong(objects.retain))
                        td { (objects.adopt) }
                        @if settings { td { (heading.numbers.settings) } }
                        (cell(&heading.findings()))
                        @if policies { (cell(&[heading.policy()])) }
                        (cell(&[heading.state()]))
                    }
                }
            }
        }
    }
}

fn strong(count: u32) -> Markup {
    markup! {
        td {
            @if count > 0 { strong.lost { (count) } } @else { (count) }
        }
    }
}

fn cell(cells: &[Cell]) -> Markup {
    markup! {
        td {
            @for (n, cell) in cells.iter().enumerate() {
                @if n > 0 { ", " }
                @if cell.is_grave { strong.lost { (cell.text) } } @else { (cell.text) }
                @if let Some(who) = &cell.who { " " bdi { (who) } }
            }
        }
    }
}

fn part(n: usize, short: &Part, full: &Part) -> Markup {
    let names: Vec<&str> = short.headings.iter().map(|h| h.name.as_str()).collect();
    let id = format!("part-{n}");
    let body = markup! {
        @if !short.findings.is_empty() {
            ul.findings {
                @for finding in &short.findings { (remark(finding)) }
            }
        }
        @if short.headings.iter().any(Heading::has_said) {
            ul.findings {
                @for heading in &short.headings {
                    @for said in heading.said() { (said_of(&heading.among(&short.headings), said)) }
                }
            }
        }
        @for one in &short.beside { (beside(one)) }
        (changes::told(short))
        @if !short.closed.is_empty() {
            ul {
                @for line in &short.closed {
                    li { code { (outline::mark(Action::Delete)) } " " bdi { (line) } }
                }
            }
        }
        (changes::exact(short, full))
    };
    let has_placeholders = body.0.contains('‹');
    markup! {
        section aria-labelledby=(id) {
            h2 id=(id) { (names.join(", ")) }
            @for heading in &short.headings {
                p.about { (about(heading)) }
            }
            @if short.headings.len() > 1 {
                p { "The same change in " (short.headings.len()) " environments." }
            }
            (body)
            @if has_placeholders {
                p { code { "‹›" } " is each one's own name." }
            }
            @if let Some(shared) = &short.shared { p { (shared) "." } }
            p.summary { (short.summary) }
            @if let Some(obstacle) = &short.obstacle {
                p.summary { strong.lost { (obstacle) } }
            }
            @for heading in &short.headings {
                @for line in heading.verification.iter().flat_map(|told| &told.summary) {
                    p { (heading.among(&short.headings)) bdi { (line) } }
                }
            }
        }
    }
}

fn beside(beside: &Beside) -> Markup {
    markup! {
        p { strong.updated { bdi { (beside.title) } } }
        @if !beside.objects.is_empty() {
            ul {
                @for object in &beside.objects {
                    li { code { (outline::mark(object.sign)) } " " bdi { (object.text) } }
                }
                @if let Some(more) = &beside.more { li { (more) } }
            }
        }
    }
}

fn about(heading: &Heading) -> Markup {
    if heading.until.is_some() {
        return markup! { (values::sentence(&heading.made())) "." };
    }
    markup! {
        "Plan " code { (heading.plan) } ", "
        @if let Some(revision) = &heading.revision { "at " code { (revision) } ", " }
        (heading.made()) "."
    }
}

/// What the cluster says of one object.
fn said_of(of: &str, said: &Said) -> Markup {
    let class = match said.weight {
        Weight::Error => "lost",
        Weight::Warning => "updated",
    };
    markup! {
        li {
            (of) strong class=(class) { (said.word) } " " bdi { (said.object) } ": " bdi { (said.text) }
        }
    }
}

fn remark(finding: &Remark) -> Markup {
    let (class, word) = match finding.severity {
        FindingSeverity::Blocking => ("lost", "error"),
        FindingSeverity::Approval => ("updated", "approval"),
        FindingSeverity::Warning => ("updated", "warning"),
    };
    markup! {
        li {
            strong class=(class) { (word) "[" (finding.code) "]" }
            " " bdi { (finding.title) }
            @if let Some(at) = &finding.at { " " code.at { (values::visible(at)) } }
        }
    }
}
