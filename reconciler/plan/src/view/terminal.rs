//! The terminal's view of plans: the outline, wrapped and painted.
//!
//! Pure. Always holds: what is deleted, replaced or widened is printed one by one; what is not printed
//! is counted, with the command that prints it; the last line of a plan is its summary,
//! or that it is blocked or needs an approval. Read on in
//! [`super::outline`] for what is told, in [`rows`] for one changed value.

mod page;
mod rows;

use self::page::{Page, Paint, Text};
use crate::{
    document::{Action, FindingSeverity},
    view::{
        TextOptions,
        outline::{
            self, Beside, Elsewhere, Heading, Loss, Object, Obstacle, Part, Policy, Remark,
            Section, Service, Weight,
        },
    },
};

/// Columns before a service's own lines.
const INDENT: usize = 6;
/// A longer name does not move the others' kinds.
const WIDEST_NAME: usize = 28;
/// Lines of the smallest screen that people use; the same for all, so that a plan is one text everywhere.
const SCREEN: usize = 24;
/// Lines at the end that say again what is lost or opened: with the summary they fit that screen.
const MOST_LOSSES: usize = 12;

/// Several plans under each other. Ends with a line break.
pub(crate) fn text(parts: &[Part], options: &TextOptions) -> String {
    let mut page = Page::new(options.width, options.color);
    for one in parts {
        if !page.is_empty() {
            page.blank();
        }
        part(&mut page, one, options);
    }
    page.finish()
}

fn part(page: &mut Page, part: &Part, options: &TextOptions) {
    if part.is_quiet {
        page.unbroken(Paint::Green, &part.summary);
        return;
    }
    let start = page.position();
    headings(page, &part.headings);
    if !part.settings.is_empty() {
        page.blank();
        rows::print(page, 4, &part.settings);
    }
    services(page, part, options);
    if !part.closed.is_empty() {
        page.blank();
    }
    for line in &part.closed {
        let text = symbol(Action::Delete).and(Paint::Plain, format!(" {line}"));
        page.line(2, INDENT, &text);
    }
    for section in &part.sections {
        of_section(page, section);
    }
    findings(page, &part.findings);
    part.beside.iter().for_each(|one| beside(page, one));
    said(page, &part.headings);
    if page.lines_since(start) > SCREEN {
        losses(page, &part.losses());
    }
    page.blank();
    let has_placeholders = page.holds_since(start, '‹');
    legend(page, part, has_placeholders);
    left_out(page, part);
    if let Some(shared) = &part.shared {
        page.line(0, 2, &Text::new(Paint::Dim, shared.as_str()));
    }
    page.unbroken(Paint::Bold, &part.summary);
    verification(page, &part.headings);
    if let Some(obstacle) = &part.obstacle {
        let paint = match obstacle {
            Obstacle::Blocked(_) => Paint::Red,
            Obstacle::Unapproved(_) => Paint::Magenta,
        };
        page.line(0, 2, &Text::new(paint, obstacle.to_string()));
    }
}

fn headings(page: &mut Page, headings: &[Heading]) {
    for heading in headings {
        let mut parts = Vec::new();
        if let Some(revision) = &heading.revision {
            parts.push(format!("at {revision}"));
        }
        parts.push(heading.made());
        if heading.until.is_none() {
            parts.push(format!("plan {}", heading.plan));
        }
        let text = Text::new(Paint::Bold, heading.name.as_str())
            .and(Paint::Dim, format!("  {}", parts.join(" · ")));
        let text = match heading.revision {
            Some(_) => text.of_user(),
            None => text,
        };
        page.line(0, 2, &text);
        if let Policy::Approved(by) = &heading.policy {
            let text = Text::new(Paint::Green, format!("approved by {by}"));
            page.line(2, 4, &text);
        }
    }
    if headings.len() > 1 {
        let same = format!("the same change in {} environments", headings.len());
        page.line(2, 4, &Text::new(Paint::Dim, same));
    }
}

fn services(page: &mut Page, part: &Part, options: &TextOptions) {
    let names = part.services.iter().flat_map(|service| &service.names);
    let widths = names.map(|name| Text::plain(name.as_str()).width());
    let column = widths.filter(|width| *width <= WIDEST_NAME).max();
    let mut was_airy = true;
    for service in &part.services {
        let is_airy = !service.is_brief || options.full;
        if was_airy || is_airy {
            page.blank();
        }
        was_airy = is_airy;
        of_service(page, service, column.unwrap_or(0));
    }
    for known in &part.elsewhere {
        elsewhere(page, known);
    }
    if !part.held.is_empty() {
        page.blank();
        let text = Text::new(Paint::Dim, "left as accepted, though different: ")
            .and(Paint::Plain, part.held.join(", "));
        page.line(2, INDENT, &text);
    }
}

fn of_service(page: &mut Page, service: &Service, column: usize) {
    title(page, service, column);
    for fact in &service.facts {
        let text =
            Text::new(Paint::Dim, format!("{} ", fact.path)).and(Paint::Plain, fact.value.as_str());
        let text = text.of_user();
        page.line_beside(INDENT, INDENT + 2, &text, fact.at.as_deref());
    }
    rows::print(page, INDENT, &service.rows);
    for line in &service.own.widens {
        widens(page, INDENT, line);
    }
    for object in &service.own.objects {
        of_object(page, INDENT - 2, object);
    }
    let counted = service.own.counted();
    if !counted.is_empty() {
        let text = Text::new(Paint::Dim, counted.join("; "));
        page.line(INDENT, INDENT + 2, &text);
    }
}

/// `  ~ storefront  web      rolls out`
fn title(page: &mut Page, service: &Service, column: usize) {
    let mark = symbol(service.sign).and(Paint::Plain, " ");
    let text = match service.names.as_slice() {
        [name] => {
            let was = service.was.as_ref().map(|was| format!("was {was}  "));
            mark.then(Text::new(Paint::Bold, name.as_str()).padded(column + 2))
                .then(Text::plain(service.kind).padded("private  ".len()))
                .and(Paint::Plain, was.unwrap_or_default())
        }
        several => mark.and(Paint::Bold, several.join(", ")).and(
            Paint::Dim,
            format!("  the same in {} services: ", several.len()),
        ),
    };
    let text = text.and(Paint::Plain, service.effect.as_str());
    page.placed(2, INDENT, &text, service.at.as_deref());
}

/// `  ~ storefront  rolls out as in staging`
fn elsewhere(page: &mut Page, known: &Elsewhere) {
    let text = symbol(known.sign)
        .and(Paint::Plain, " ")
        .and(Paint::Bold, known.names.join(", "))
        .and(Paint::Plain, format!("  {}", known.effect))
        .and(
            Paint::Dim,
            format!("  the same as in {}, above", known.environment),
        );
    page.blank();
    page.line(2, INDENT, &text);
}

fn of_section(page: &mut Page, section: &Section) {
    page.blank();
    page.line(4, 6, &Text::new(Paint::Bold, section.title));
    if !section.rollouts.is_empty() {
        let text = Text::plain("rolls out ").and(Paint::Bold, section.rollouts.join(", "));
        page.line(4, 6, &text);
    }
    for object in &section.objects {
        of_object(page, 2, object);
    }
    if let Some(creates) = &section.creates {
        let text = symbol(Action::Create).and(Paint::Plain, format!(" {creates}"));
        page.line(2, 6, &text);
    }
}

fn of_object(page: &mut Page, indent: usize, object: &Object) {
    for line in &object.widens {
        widens(page, indent + 2, line);
    }
    let mut title = symbol(object.sign).and(Paint::Plain, " ");
    for (n, place) in object.places.iter().enumerate() {
        let between = if n == 0 { "" } else { "; " };
        title = title
            .and(Paint::Plain, format!("{between}{} ", place.kind))
            .and(Paint::Bold, place.names.join(", "));
    }
    if !object.is_one() {
        let same = format!("  the same in {} objects", object.count());
        title = title.and(Paint::Dim, same);
    }
    if let Some(remark) = object.remark {
        title = title.and(Paint::Dim, format!("  {remark}"));
    }
    page.line(indent, indent + 6, &title);
    rows::print(page, indent + 6, &object.rows);
}

fn widens(page: &mut Page, indent: usize, line: &str) {
    let text = Text::new(Paint::Magenta, "! ").and(Paint::Plain, line);
    page.line(indent, indent + 2, &text.of_user());
}

fn findings(page: &mut Page, findings: &[Remark]) {
    if !findings.is_empty() {
        page.blank();
    }
    for finding in findings {
        let (paint, word) = match finding.severity {
            FindingSeverity::Blocking => (Paint::Red, "error"),
            FindingSeverity::Approval => (Paint::Magenta, "approval"),
            FindingSeverity::Warning => (Paint::Yellow, "warning"),
        };
        let text = Text::new(paint, format!("{word}[{}]", finding.code))
            .and(Paint::Plain, format!(" {}", finding.title))
            .of_user();
        page.placed(2, 4, &text, finding.at.as_deref());
    }
}

/// What the cluster would not store as it is written.
fn said(page: &mut Page, headings: &[Heading]) {
    for heading in headings {
        for (n, said) in heading.said().iter().enumerate() {
            if n == 0 {
                page.blank();
            }
            let paint = match said.weight {
                Weight::Error => Paint::Red,
                Weight::Warning => Paint::Yellow,
            };
            let text = Text::new(paint, format!("{}[{}]", said.word, said.code))
                .and(Paint::Plain, " ")
                .and(Paint::Bold, heading.among(headings))
                .and(Paint::Bold, said.object.as_str())
                .and(Paint::Plain, format!(": {}", said.text))
                .of_user();
            page.line(2, 4, &text);
        }
    }
}

/// What it said of all, below the summary.
fn verification(page: &mut Page, headings: &[Heading]) {
    for heading in headings {
        for line in heading.verification.iter().flat_map(|told| &told.summary) {
            let text = Text::new(Paint::Bold, heading.among(headings))
                .and(Paint::Plain, line.as_str())
                .of_user();
            page.line(0, 2, &text);
        }
    }
}

/// How the cluster stands, which no plan changes.
fn beside(page: &mut Page, beside: &Beside) {
    page.blank();
    let title = Text::new(Paint::Yellow, beside.title.as_str()).of_user();
    page.line(2, 4, &title);
    for object in &beside.objects {
        let text = symbol(object.sign)
            .and(Paint::Plain, format!(" {}", object.text))
            .of_user();
        page.line(4, 10, &text);
    }
    if let Some(more) = &beside.more {
        page.line(8, 10, &Text::new(Paint::Dim, more.as_str()));
    }
}

/// What has left the screen when the summary is read, once more.
fn losses(page: &mut Page, losses: &[Loss]) {
    if losses.is_empty() {
        return;
    }
    page.blank();
    page.line(
        2,
        4,
        &Text::new(Paint::Dim, "above, lost or opened to more:"),
    );
    let (seen, unseen) = losses.split_at(losses.len().min(MOST_LOSSES));
    for loss in seen {
        match loss.sign {
            Some(sign) => {
                let text = symbol(sign).and(Paint::Plain, format!(" {}", loss.text));
                page.line(2, INDENT, &text);
            }
            None => widens(page, 4, &loss.text),
        }
    }
    if let Some(more) = outline::more(unseen) {
        page.line(4, INDENT, &Text::new(Paint::Dim, more));
    }
}

fn legend(page: &mut Page, part: &Part, has_placeholders: bool) {
    let mut text = Text::default();
    for (action, meaning) in part.seen.legend() {
        let mark = action.map_or_else(|| Text::new(Paint::Magenta, "!"), mark);
        text = text.then(mark).and(Paint::Dim, format!(" {meaning}   "));
    }
    if has_placeholders {
        text = text
            .and(Paint::Plain, "‹›")
            .and(Paint::Dim, " each one's own name");
    }
    if text.width() > 0 {
        page.line(0, 2, &text);
    }
}

fn left_out(page: &mut Page, part: &Part) {
    let Some(heading) = part.headings.first().filter(|_| !part.hidden.is_empty()) else {
        return;
    };
    let each = match part.headings.len() {
        1 => String::new(),
        several => format!(" in each of {several} environments"),
    };
    let what = format!("Not shown: {}{each}", part.hidden.count());
    let command = heading.whole.as_str();
    let both = Text::new(Paint::Dim, format!("{what}: {command}"));
    if both.width() <= page.width() {
        page.line(0, 2, &both);
    } else {
        page.line(0, 2, &Text::new(Paint::Dim, format!("{what}:")));
        page.line(2, 4, &Text::new(Paint::Dim, command));
    }
}

/// The mark, three columns wide, so that `-/+` stands in line with the others.
fn symbol(action: Action) -> Text {
    let mark = mark(action);
    Text::plain(" ".repeat(3 - mark.width())).then(mark)
}

fn mark(action: Action) -> Text {
    let paint = match action {
        Action::Create => Paint::Green,
        Action::Update => Paint::Yellow,
        Action::Replace | Action::Delete => Paint::Red,
        Action::Retain | Action::Forget | Action::Adopt => Paint::Cyan,
        Action::None => Paint::Dim,
    };
    Text::new(paint, outline::mark(action))
}
