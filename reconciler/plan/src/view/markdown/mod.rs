//! One comment for all environments of a project: a table, what changes, the exact fields folded away.
//!
//! Pure. Always holds: the text stays within its budget of characters, by saying less from rung to rung
//! and never by a cut; what is deleted, replaced or widened is the last to go; what is not told is counted,
//! with the command that tells it; user text stands in code only, so that it cannot become Markdown, a
//! mention or HTML. Read on in `body` for the lines.

mod body;
mod fence;
mod least;
mod table;

use std::cmp::Reverse;

use self::body::Detail;
use crate::{
    document::FindingSeverity,
    view::{
        Shown,
        outline::{self, Form, Heading, Hidden, Numbers, Part, Remark, Said, Weight},
        values,
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// In characters.
    pub budget: usize,
    /// Where the whole plan is to be seen.
    pub link: Option<String>,
}

/// A budget that not even the counts and the command fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{budget} characters are too few: the shortest comment for these plans has {least}")]
pub struct TooFew {
    pub budget: usize,
    /// The least that these plans can be told in, with their link.
    pub least: usize,
}

/// Less than a comment of any forge may have, by its documentation.
const BUDGET: usize = 60_000;
/// Of a field, told in full.
const LEAST_FIELD: usize = 6;

/// From everything to counts only; a comment takes the first that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    Full,
    /// The exact fields of what is new are counted.
    WithoutCreates,
    /// No exact fields but of what is lost or opened.
    Short,
    /// Of updates only the paths.
    Paths,
    /// What is lost or opened, in a line each; of the rest the counts.
    Protected,
    /// So many lines of what is lost or opened, in each environment.
    Some(usize),
    /// Counts and so many lines of what is lost or opened, for all environments together.
    Counts(usize),
}

impl Default for MarkdownOptions {
    fn default() -> Self {
        Self {
            budget: BUDGET,
            link: None,
        }
    }
}

/// The most that the budget has room for.
pub fn markdown<'a>(
    plans: impl Into<Shown<'a>>,
    options: &MarkdownOptions,
) -> Result<String, TooFew> {
    let plans = plans.into();
    let budget = options.budget;
    let short = outline::outline(plans, Form::Short);
    let total = Numbers::total(plans.plans);
    let on = |rung| Comment {
        options,
        rung,
        total,
    };
    let all = short
        .iter()
        .fold(Hidden::default(), |sum, part| sum.and(part.all));
    // A field takes at least so many characters, so most plans need not be told in full to see that they do not fit.
    let full = all.fields.saturating_mul(LEAST_FIELD) <= budget;
    let full = full.then(|| outline::outline(plans, Form::Full));
    let in_full = full.iter().flat_map(|full| {
        let rungs = [Rung::Full, Rung::WithoutCreates].into_iter();
        rungs.map(|rung| on(rung).of(&short, Some(full)))
    });
    let shorter = [Rung::Short, Rung::Paths, Rung::Protected];
    let some = [200, 50, 20, 10, 5, 2].map(Rung::Some);
    let counts = [100, 50, 20, 15, 10, 7, 5, 3, 1, 0].map(Rung::Counts);
    let rungs = shorter.into_iter().chain(some).chain(counts);
    let texts = rungs.map(|rung| on(rung).of(&short, None));
    let mut least = usize::MAX;
    for text in in_full.chain(texts) {
        let length = text.chars().count();
        if length <= budget {
            return Ok(text);
        }
        least = least.min(length);
    }
    Err(TooFew { budget, least })
}

/// One comment on its rung.
#[derive(Clone, Copy)]
struct Comment<'a> {
    options: &'a MarkdownOptions,
    rung: Rung,
    /// Of all plans together.
    total: Numbers,
}

impl Comment<'_> {
    fn of(self, short: &[Part], full: Option<&[Part]>) -> String {
        let headings: Vec<&Heading> = short.iter().flat_map(|part| &part.headings).collect();
        let mut out = marker(&headings);
        let link = self.options.link.as_deref();
        match self.rung {
            Rung::Counts(most) => {
                out.push_str(&least::counts(short, self.total, most));
                out.push_str(&whole(link));
                return out;
            }
            Rung::Full
            | Rung::WithoutCreates
            | Rung::Short
            | Rung::Paths
            | Rung::Protected
            | Rung::Some(_) => {}
        }
        out.push_str(&table::of(&headings));
        let several = short.len() > 1;
        let mut parts: Vec<(usize, &Part)> = short.iter().enumerate().collect();
        if self.is_cut() {
            parts.sort_by_key(|(_, part)| Reverse(part.risk));
        }
        for (n, part) in parts {
            if part.is_quiet {
                continue;
            }
            out.push('\n');
            if several {
                out.push_str(&format!("### {}\n\n", names(part)));
            }
            self.part(&mut out, part, full.and_then(|full| full.get(n)));
        }
        out.push_str(&whole(link));
        out
    }

    /// Whether it says less of each environment than what is lost in it.
    const fn is_cut(self) -> bool {
        match self.rung {
            Rung::Full | Rung::WithoutCreates | Rung::Short | Rung::Paths => false,
            Rung::Protected | Rung::Some(_) | Rung::Counts(_) => true,
        }
    }

    fn part(self, out: &mut String, part: &Part, full: Option<&Part>) {
        let whole = out;
        let out = &mut String::new();
        about(out, part);
        for finding in &part.findings {
            out.push_str(&remark(finding));
        }
        let said = part.headings.iter().any(Heading::has_said);
        for heading in &part.headings {
            for said in heading.said() {
                out.push_str(&said_of(&part.headings, heading, said));
            }
        }
        if !part.findings.is_empty() || said {
            out.push('\n');
        }
        beside(out, part, !self.is_cut());
        let hidden = match self.rung {
            Rung::Full | Rung::WithoutCreates | Rung::Short => {
                let diff = body::of_part(part, Detail::Values);
                fenced(out, &diff.text);
                let creates = self.rung == Rung::Full;
                match full.map(|full| body::exact(part, full, creates)) {
                    Some(exact) => {
                        folded(out, part.hidden.less(exact.left), &exact.text);
                        exact.left
                    }
                    None => part.hidden,
                }
            }
            Rung::Paths => {
                let diff = body::of_part(part, Detail::Paths);
                fenced(out, &diff.text);
                diff.left.and(part.hidden)
            }
            Rung::Protected => least::protected(out, part, usize::MAX),
            Rung::Some(most) => least::protected(out, part, most),
            Rung::Counts(_) => part.all,
        };
        if out.contains('‹') {
            out.push_str("`‹›` is each one's own name.\n\n");
        }
        left_out(out, part, hidden);
        if let Some(shared) = &part.shared {
            out.push_str(&format!("{shared}.\n\n"));
        }
        out.push_str(&format!("**{}**\n", part.summary));
        for heading in &part.headings {
            for line in heading.verification.iter().flat_map(|told| &told.summary) {
                let line = fence::span(line);
                let of = heading.among(&part.headings);
                out.push_str(&format!("\n{of}{line}\n"));
            }
        }
        if let Some(obstacle) = &part.obstacle {
            out.push_str(&format!("\n**{obstacle}**\n"));
        }
        whole.push_str(out);
    }
}

/// How the cluster stands; its objects while there is room.
fn beside(out: &mut String, part: &Part, has_room: bool) {
    for one in &part.beside {
        out.push_str(&format!("**{}**\n\n", fence::span(&one.title)));
        if has_room {
            fenced(out, &body::asides(one));
        }
    }
}

fn whole(link: Option<&str>) -> String {
    link.map(|link| format!("\nThe whole plan: {}\n", linked(link)))
        .unwrap_or_default()
}

/// By which the comment of a project is found again.
fn marker(headings: &[&Heading]) -> String {
    let mut projects: Vec<&str> = headings.iter().map(|h| h.project.as_str()).collect();
    projects.dedup();
    let what = match headings.iter().any(|h| h.until.is_some()) {
        true => "diff",
        false => "plan",
    };
    format!("<!-- starform:{what} v1 {} -->\n", projects.join(","))
}

fn names(part: &Part) -> String {
    let names: Vec<&str> = part.headings.iter().map(|h| h.name.as_str()).collect();
    names.join(", ")
}

/// What the plan was made of and against.
fn about(out: &mut String, part: &Part) {
    if part.headings.len() > 1 {
        let count = part.headings.len();
        out.push_str(&format!("The same change in {count} environments.\n\n"));
        return;
    }
    let Some(heading) = part.headings.first() else {
        return;
    };
    let revision = heading.revision.as_ref();
    let at = revision.map(|revision| format!(", at {}", fence::span(revision)));
    let made = values::sentence(&heading.made());
    out.push_str(&format!("{made}{}.\n\n", at.unwrap_or_default()));
}

fn remark(finding: &Remark) -> String {
    let word = match finding.severity {
        FindingSeverity::Blocking => "**error**",
        FindingSeverity::Approval => "**approval**",
        FindingSeverity::Warning => "warning",
    };
    let at = finding.at.as_deref().map(values::visible);
    let at = at.map(|at| format!(" ({})", fence::span(&at)));
    format!(
        "- {word} {}: {}{}\n",
        fence::span(&finding.code),
        fence::span(&finding.title),
        at.unwrap_or_default()
    )
}

/// What the cluster says of one object.
fn said_of(headings: &[Heading], heading: &Heading, said: &Said) -> String {
    let word = match said.weight {
        Weight::Error => format!("**{}**", said.word),
        Weight::Warning => said.word.to_owned(),
    };
    format!(
        "- {}{word} {}: {}\n",
        heading.among(headings),
        fence::span(&said.object),
        fence::span(&said.text)
    )
}

fn fenced(out: &mut String, text: &str) {
    if !text.is_empty() {
        out.push_str(&fence::block("diff", text));
        out.push('\n');
    }
}

fn folded(out: &mut String, told: Hidden, text: &str) {
    if told.is_empty() {
        return;
    }
    out.push_str(&format!(
        "<details><summary>Exact fields: {}</summary>\n\n{}\n</details>\n\n",
        told.count(),
        fence::block("diff", text)
    ));
}

fn left_out(out: &mut String, part: &Part, hidden: Hidden) {
    let Some(heading) = part.headings.first().filter(|_| !hidden.is_empty()) else {
        return;
    };
    let each = match part.headings.len() {
        1 => String::new(),
        several => format!(" in each of {several} environments"),
    };
    out.push_str(&format!(
        "Not shown: {}{each}: `{}`\n\n",
        hidden.count(),
        heading.whole
    ));
}

/// A link only where nothing in it could end it.
fn linked(link: &str) -> String {
    let is_address = link.starts_with("https://") || link.starts_with("http://");
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>\"'`\\()[]|".contains(c);
    if is_address && link.chars().all(is_plain) {
        format!("<{link}>")
    } else {
        fence::span(&values::visible(link))
    }
}
