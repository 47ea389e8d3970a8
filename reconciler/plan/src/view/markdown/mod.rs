//! One comment for all environments of a project: a table, what changes, the exact fields folded away.
//!
//! Pure. Always holds: the text stays within its budget of characters, by saying less from rung to rung
//! and never by a cut; what is deleted, replaced or widened is the last to go; what is not told is counted,
//! with the command that tells it; user text stands in code only, so that it cannot become Markdown, a
//! mention or HTML. Read on in `body` for the lines.

mod body;
mod fence;

use self::body::Detail;
use crate::{
    document::{FindingSeverity, ObjectCounts},
    standing::Word,
    view::{
        Shown,
        outline::{self, Form, Heading, Hidden, Loss, Part, Policy, Remark, Said, Weight},
        values,
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// In characters; at least 600 are taken.
    pub budget: usize,
    /// Where the whole plan is to be seen.
    pub link: Option<String>,
}

/// Less than a comment of any forge may have, by its documentation.
const BUDGET: usize = 60_000;
/// Below it, not even the counts and the command would fit.
const LEAST: usize = 600;
/// A field takes at least so many characters.
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
    /// Counts alone: for a link that is longer than the budget.
    Unlinked,
}

impl Default for MarkdownOptions {
    fn default() -> Self {
        Self {
            budget: BUDGET,
            link: None,
        }
    }
}

pub fn markdown<'a>(plans: impl Into<Shown<'a>>, options: &MarkdownOptions) -> String {
    let plans = plans.into();
    let budget = options.budget.max(LEAST);
    let short = outline::outline(plans, Form::Short);
    let all = short
        .iter()
        .fold(Hidden::default(), |sum, part| sum.and(part.all));
    let fits = |text: &String| text.chars().count() <= budget;
    if all.fields.saturating_mul(LEAST_FIELD) <= budget {
        let full = outline::outline(plans, Form::Full);
        for rung in [Rung::Full, Rung::WithoutCreates] {
            let text = Comment { options, rung }.of(&short, Some(&full));
            if fits(&text) {
                return text;
            }
        }
    }
    let shorter = [Rung::Short, Rung::Paths, Rung::Protected];
    let some = [200, 50, 20, 10, 5, 2].map(Rung::Some);
    let counts = [100, 50, 20, 15, 10, 7, 5, 3, 1, 0].map(Rung::Counts);
    let rungs = shorter.into_iter().chain(some).chain(counts);
    let mut texts = rungs.map(|rung| Comment { options, rung }.of(&short, None));
    texts.find(fits).unwrap_or_else(|| {
        let rung = Rung::Unlinked;
        Comment { options, rung }.of(&short, None)
    })
}

/// One comment on its rung.
#[derive(Clone, Copy)]
struct Comment<'a> {
    options: &'a MarkdownOptions,
    rung: Rung,
}

impl Comment<'_> {
    fn of(self, short: &[Part], full: Option<&[Part]>) -> String {
        let headings: Vec<&Heading> = short.iter().flat_map(|part| &part.headings).collect();
        let mut out = marker(&headings);
        let link = self.options.link.as_deref();
        match self.rung {
            Rung::Counts(most) => return out + &counts(short, &headings, most, link),
            Rung::Unlinked => return out + &counts(short, &headings, 0, None),
            Rung::Full
            | Rung::WithoutCreates
            | Rung::Short
            | Rung::Paths
            | Rung::Protected
            | Rung::Some(_) => {}
        }
        out.push_str(&table(&headings));
        let several = short.len() > 1;
        for (n, part) in short.iter().enumerate() {
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
        beside(out, part, self.rung);
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
            Rung::Protected => protected(out, part, usize::MAX),
            Rung::Some(most) => protected(out, part, most),
            Rung::Counts(_) | Rung::Unlinked => part.all,
        };
        if out.contains('‹') {
            out.push_str("`‹›` is each one's own name.\n\n");
        }
        left_out(out, part, hidden);
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
fn beside(out: &mut String, part: &Part, rung: Rung) {
    let has_room = match rung {
        Rung::Full | Rung::WithoutCreates | Rung::Short | Rung::Paths => true,
        Rung::Protected | Rung::Some(_) | Rung::Counts(_) | Rung::Unlinked => false,
    };
    for one in &part.beside {
        out.push_str(&format!("**{}**\n\n", fence::span(&one.title)));
        if has_room {
            fenced(out, &body::asides(one));
        }
    }
}

/// What is lost or opened.
fn protected(out: &mut String, part: &Part, most: usize) -> Hidden {
    fenced(out, &first(&part.losses(), most));
    part.all
}

/// So many lines; of the others, how many there are.
fn first(losses: &[Loss], most: usize) -> String {
    let (seen, unseen) = losses.split_at(losses.len().min(most));
    let mut text = String::new();
    for loss in seen {
        text.push_str(&body::of_loss(loss));
        text.push('\n');
    }
    if let Some(more) = outline::more(unseen) {
        text.push_str(&format!("- {more}\n"));
    }
    text
}

/// Without a table: one line for all environments, and what is lost or opened in them.
fn counts(parts: &[Part], headings: &[&Heading], most: usize, link: Option<&str>) -> String {
    let mut out = format!("**{}**\n\n", numbers(headings));
    let errors = headings.iter().map(|h| h.errors).sum();
    let warnings = headings.iter().map(|h| h.warnings).sum();
    out.push_str(&format!(
        "{}; {}, {}",
        values::count(headings.len(), "environment"),
        values::count(errors, "error"),
        values::count(warnings, "warning"),
    ));
    let waiting = headings.iter().map(|h| &h.policy);
    let waiting = waiting.filter(|policy| **policy == Policy::ApprovalNeeded);
    match waiting.count() {
        0 => out.push_str("\n\n"),
        several => out.push_str(&format!(
            "; **{} needed**\n\n",
            values::count(several, "approval")
        )),
    }
    let stands: usize = parts.iter().map(|part| part.beside.len()).sum();
    if stands > 0 {
        out.push_str("**The cluster is not as accepted, or that is not known.**\n\n");
    }
    let said = headings.iter().flat_map(|heading| heading.said());
    let (errors, others): (Vec<&Said>, Vec<&Said>) =
        said.partition(|said| said.weight == Weight::Error);
    for (said, word) in [(errors, "not be stored"), (others, "be stored otherwise")] {
        if !said.is_empty() {
            let objects = values::count(said.len(), "object");
            out.push_str(&format!("**{objects} would {word} by the cluster**\n\n"));
        }
    }
    let obstacles = parts.iter().filter_map(|part| part.obstacle.as_ref());
    for obstacle in outline::together(obstacles) {
        out.push_str(&format!("**{obstacle}**\n\n"));
    }
    let mut lost: Vec<Loss> = parts.iter().flat_map(Part::losses).collect();
    outline::gravest_first(&mut lost);
    fenced(&mut out, &first(&lost, most));
    let all = parts.iter().map(|part| part.all.times(part.headings.len()));
    let all = all.fold(Hidden::default(), Hidden::and);
    if let Some(heading) = headings.first() {
        let command = &heading.whole;
        let more = match headings.len() {
            1 => String::new(),
            several => format!(" and {} more", several - 1),
        };
        out.push_str(&format!("Not shown: {}: `{command}`{more}\n", all.count()));
    }
    out.push_str(&whole(link));
    out
}

/// The numbers of all environments, as the summary of one.
fn numbers(headings: &[&Heading]) -> String {
    let sum = |count: fn(&Heading) -> u32| {
        let counts = headings.iter().map(|heading| count(heading));
        counts.fold(0_u32, u32::saturating_add)
    };
    let objects = ObjectCounts {
        create: sum(|h| h.objects.create),
        update: sum(|h| h.objects.update),
        replace: sum(|h| h.objects.replace),
        delete: sum(|h| h.objects.delete),
        retain: sum(|h| h.objects.retain),
        adopt: sum(|h| h.objects.adopt),
    };
    let mut text = outline::counts("Plan", &objects, sum(|h| h.rollouts));
    let destroyed: usize = headings.iter().map(|heading| heading.destroyed).sum();
    if destroyed > 0 {
        let objects = values::count(destroyed, "object");
        text.push_str(&format!(" · {objects} destroyed, with all data"));
    }
    text
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

fn table(headings: &[&Heading]) -> String {
    let retains = headings.iter().any(|h| h.objects.retain > 0);
    let adopts = headings.iter().any(|h| h.objects.adopt > 0);
    let mut columns = vec!["create", "update", "replace", "delete"];
    columns.extend(retains.then_some("keep"));
    columns.extend(adopts.then_some("adopt"));
    let policies = headings.iter().any(|h| !h.policy.is_free());
    let (policy, line) = if policies {
        (" | policy", "---|")
    } else {
        ("", "")
    };
    let mut out = format!(
        "| environment | plan | {} | findings{policy} | state |\n|---|---|{}---|{line}---|\n",
        columns.join(" | "),
        "--:|".repeat(columns.len()),
    );
    for heading in headings {
        let objects = &heading.objects;
        let mut counts = vec![
            objects.create.to_string(),
            objects.update.to_string(),
            strong(objects.replace),
            strong(objects.delete),
        ];
        counts.extend(retains.then(|| strong(objects.retain)));
        counts.extend(adopts.then(|| objects.adopt.to_string()));
        let policy = if policies {
            format!(" | {}", policy_of(heading))
        } else {
            String::new()
        };
        out.push_str(&format!(
            "| {} | `{}` | {} | {}{policy} | {} |\n",
            heading.name,
            heading.named(),
            counts.join(" | "),
            findings(heading),
            state(heading),
        ));
    }
    out
}

fn strong(count: u32) -> String {
    if count == 0 {
        count.to_string()
    } else {
        format!("**{count}**")
    }
}

fn findings(heading: &Heading) -> String {
    let mut parts = Vec::new();
    if heading.errors > 0 {
        parts.push(format!("**{}**", values::count(heading.errors, "error")));
    }
    if heading.warnings > 0 {
        parts.push(values::count(heading.warnings, "warning"));
    }
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

fn policy_of(heading: &Heading) -> String {
    match &heading.policy {
        Policy::Free => "none".to_owned(),
        Policy::ApprovalNeeded => "**approval needed**".to_owned(),
        Policy::Approved(by) => format!("approved by {}", fence::span(by)),
    }
}

fn state(heading: &Heading) -> &'static str {
    match (
        heading.errors,
        &heading.policy,
        heading.changes,
        heading.until,
    ) {
        (1.., _, _, _) => "**blocked**",
        (0, _, true, Some(_)) => "differs",
        (0, Policy::ApprovalNeeded, _, None) => "**not approved**",
        (0, Policy::Free | Policy::Approved(_), true, None) => "ready",
        (0, _, false, _) => match heading.word {
            None | Some(Word::AsAccepted) if heading.held > 0 => "held",
            None | Some(Word::AsAccepted) => "no changes",
            Some(Word::Unknown) => "no changes, cluster unknown",
            Some(Word::NotAsAccepted) => "**not in the cluster**",
        },
    }
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
    let against = match (heading.generation, heading.until) {
        (Some(from), Some(until)) => format!("From generation {from} to {until}"),
        (Some(generation), None) => format!("Against generation {generation}"),
        (None, _) => "Nothing is accepted yet".to_owned(),
    };
    let revision = heading.revision.as_ref();
    let at = revision.map(|revision| format!(", at {}", fence::span(revision)));
    out.push_str(&format!("{against}{}.\n\n", at.unwrap_or_default()));
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
