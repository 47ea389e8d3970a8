//! What holds of every view of every plan.
//!
//! Pure. [`check`] names the first law that does not hold.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_plan::{
    document::{Action, FieldChange, ObjectChange, Opening, Plan, Plans, Risk, ServiceAction},
    standing::Word,
    view::{MarkdownOptions, TextOptions, TooFew, markdown, text, values},
};

use super::machine;

/// Budgets of a comment that every plan is held against.
const BUDGETS: [usize; 4] = [600, 1_000, 4_000, 60_000];
const LINK: &str = "https://ci.example/plans/1";
/// A comment, or why there is none.
type Comment = Result<String, TooFew>;
/// Columns, and whether everything is told.
const PAGES: [(usize, bool); 2] = [(40, false), (120, true)];

/// Every view of some plans, in every form that is looked at here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Views {
    plain: [String; PAGES.len()],
    painted: [String; PAGES.len()],
    comments: [Comment; BUDGETS.len()],
    /// With a link, in as little room as there can be.
    least: Comment,
    machine: machine::Views,
}

impl Views {
    pub(crate) fn of(plans: &Plans) -> Self {
        let pages =
            |color| PAGES.map(|(width, full)| text(plans, &TextOptions { width, color, full }));
        Self {
            plain: pages(false),
            painted: pages(true),
            comments: BUDGETS
                .map(|budget| markdown(plans, &MarkdownOptions { budget, link: None })),
            least: least(plans),
            machine: machine::views(plans),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let pages = self.plain.iter().chain(&self.painted);
        let comments = self.comments.iter().chain([&self.least]);
        let comments = comments.filter_map(|comment| comment.as_ref().ok());
        let all = pages.chain(comments).chain(&self.machine);
        all.map(String::as_str)
    }
}

/// In as many characters as there have to be, or why not even in those.
fn least(plans: &Plans) -> Comment {
    let told = |budget| {
        let link = Some(LINK.to_owned());
        markdown(plans, &MarkdownOptions { budget, link })
    };
    match told(0) {
        Err(TooFew { least, .. }) => told(least),
        told => told,
    }
}

/// No view may hold one of `canaries`.
pub(crate) fn check(plans: &Plans, views: &Views, canaries: &[String]) -> Result<(), String> {
    let pages = PAGES.iter().zip(&views.plain).zip(&views.painted);
    for ((&(width, full), plain), painted) in pages {
        terminal(plain, width)?;
        if without_colour(painted) != *plain {
            return Err("colour changes the text".to_owned());
        }
        if full && plain.lines().any(|line| line.starts_with("Not shown:")) {
            return Err("the full form counts something".to_owned());
        }
        told(plans, &dense(plain), full)?;
        beside(plans, plain, full)?;
    }
    for (budget, comment) in BUDGETS.into_iter().zip(&views.comments) {
        let comment = comment.as_ref().map_err(TooFew::to_string)?;
        within(comment, budget)?;
        balanced(comment)?;
        counted(plans, comment)?;
        guarded(plans, comment)?;
    }
    shortest(plans, &views.least)?;
    machine::check(plans, &views.machine)?;
    views.all().try_for_each(|shown| silent(shown, canaries))
}

/// Nothing moves the cursor, and no line leaves the page but the one for programs.
fn terminal(shown: &str, width: usize) -> Result<(), String> {
    if let Some(c) = shown.chars().find(|c| deceives(*c)) {
        return Err(format!("{c:?} reaches the terminal"));
    }
    let summaries = ["Plan: ", "No changes. ", "Nothing to apply. "];
    let is_summary = |line: &str| summaries.iter().any(|start| line.starts_with(start));
    let wide = |line: &&str| unicode_width::UnicodeWidthStr::width(*line) > width;
    match shown.lines().filter(|line| !is_summary(line)).find(wide) {
        Some(line) => Err(format!("wider than {width}: {line:?}")),
        None => Ok(()),
    }
}

fn deceives(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What is lost is named on every page; in full, everything is.
fn told(plans: &Plans, shown: &str, full: bool) -> Result<(), String> {
    for plan in &plans.plans {
        let mut found = BTreeSet::new();
        for change in &plan.objects {
            let is_lost = change.risk >= Risk::Replace || change.action == Action::Retain;
            if (is_lost || full) && !is_named(plan, change, shown) {
                return Err(format!("{} is not named in {shown}", change.key));
            }
            opened(change, shown)?;
            for field in change.fields.iter().filter(|_| full) {
                let path = dense(&shown_path(field));
                if found.contains(&path) {
                    continue;
                }
                if !names(plan, change, shown, &path) {
                    return Err(format!("{path} is not told"));
                }
                found.insert(path);
            }
        }
        for finding in &plan.findings {
            if !shown.contains(&dense(&values::visible(&finding.code))) {
                return Err(format!("{} is not told", finding.code));
            }
        }
    }
    Ok(())
}

/// What widens says what it opens, and every page says all of it.
fn opened(change: &ObjectChange, shown: &str) -> Result<(), String> {
    if change.risk == Risk::Widen && change.opens.is_empty() {
        return Err(format!("{} widens, and opens nothing", change.key));
    }
    for opening in &change.opens {
        let said = match opening {
            Opening::Host(text)
            | Opening::Path(text)
            | Opening::Right(text)
            | Opening::Subject(text) => dense(&values::visible(&out(text))),
            Opening::Traffic => "admitsmoretraffic".to_owned(),
        };
        if !shown.contains(&said) {
            return Err(format!("{} opens {said}, which is not told", change.key));
        }
    }
    Ok(())
}

/// Nothing matches what is not known to be there; in full, every object of it is named.
fn beside(plans: &Plans, shown: &str, full: bool) -> Result<(), String> {
    for standing in plans.standings.values() {
        let is_so = standing.word() == Word::AsAccepted;
        let mut ends = shown
            .lines()
            .filter(|line| line.starts_with("No changes. "));
        if plans.plans.len() == 1 && !is_so && ends.any(|line| line.ends_with(" matches.")) {
            return Err(format!("it does not match: {shown}"));
        }
        let differs = standing.differs.iter().map(|one| &one.key);
        let all = differs.chain(&standing.remains).chain(&standing.lost);
        for key in all.filter(|_| full) {
            let name = format!(
                "{} {}",
                values::visible(&key.kind),
                values::visible(&key.name)
            );
            if !dense(shown).contains(&dense(&name)) {
                return Err(format!("{key} is not told"));
            }
        }
    }
    Ok(())
}

/// What marks a placeholder is written out where a user has it.
pub(super) fn shown_path(field: &FieldChange) -> String {
    match &field.words {
        Some(words) => values::visible(&out(words)),
        None => values::words(&out(&field.path)),
    }
}

fn out(text: &str) -> String {
    text.replace('\u{fdd0}', "\\u{fdd0}")
        .replace('\u{fdd1}', "\\u{fdd1}")
}

/// As it is, or with placeholders where changes are told together.
pub(super) fn names(plan: &Plan, change: &ObjectChange, shown: &str, text: &str) -> bool {
    let environment = (plan.environment.as_str(), "‹environment›");
    let name = change.key.name.as_str();
    let service = name.split("--").next().unwrap_or_default();
    let own = [(name, "‹object›"), (service, "‹service›"), environment];
    shown.contains(text)
        || shown.contains(&renamed(text, &[environment]))
        || shown.contains(&renamed(text, &own))
        || shown.contains(&renamed(text, &own[..2]))
}

/// With the first name that stands as a word of its own replaced, from left to right.
fn renamed(text: &str, names: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut last = ' ';
    while let Some(c) = rest.chars().next() {
        let found = names.iter().find(|(name, _)| {
            let after = rest.strip_prefix(name);
            !name.is_empty()
                && !last.is_alphanumeric()
                && after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        });
        let length = match found {
            Some((name, word)) => {
                out.push_str(word);
                name.len()
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        last = rest[..length].chars().last().unwrap_or(' ');
        rest = &rest[length..];
    }
    out
}

/// Of a new service, how much of it there will be.
const IN_THE_TITLE: [&str; 4] = ["scale.min", "scale.max", "size.cpu", "size.memory"];

/// By kind and name; of several told together the name alone stands behind another's.
pub(super) fn is_named(plan: &Plan, change: &ObjectChange, shown: &str) -> bool {
    let (kind, name) = (&change.key.kind, dense(&values::visible(&change.key.name)));
    names(plan, change, shown, &format!("{kind}{name}"))
        || (names(plan, change, shown, &format!(",{name}")) && shown.contains(kind.as_str()))
}

/// All of a new service's volume stands in the line of its name: `volumes.data mount "/data", size "1Gi"`.
fn is_told_of_volume(lines: &[String], path: &str, own: &[(&str, &str)]) -> bool {
    let Some((volume, field)) = path.rsplit_once('.') else {
        return false;
    };
    let is_named = |line: &String| line.contains(volume) || line.contains(&renamed(volume, own));
    let field = format!("{field}\"");
    volume.starts_with("volumes.")
        && lines
            .iter()
            .any(|line| is_named(line) && line.contains(&field))
}

/// A comment says everything, or counts what it does not say.
fn counted(plans: &Plans, comment: &str) -> Result<(), String> {
    let lines = comment.lines();
    let left: Vec<[usize; 3]> = lines.filter_map(left_out).collect();
    let left = left.into_iter().fold([0; 3], |sum, one| {
        [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]]
    });
    let lines: Vec<String> = comment.lines().map(dense).collect();
    let comment = dense(comment);
    let mut untold = [0; 3];
    for plan in &plans.plans {
        for service in &plan.services {
            let own = [
                (service.name.as_str(), "‹service›"),
                (plan.environment.as_str(), "‹environment›"),
            ];
            let is_new = service.action == ServiceAction::Create;
            let is_told = |path: &str| {
                comment.contains(path)
                    || comment.contains(&renamed(path, &own))
                    || path == "kind"
                    || (is_new && IN_THE_TITLE.contains(&path))
                    || (is_new && is_told_of_volume(&lines, path, &own))
            };
            let paths = service.changes.iter();
            let paths = paths.map(|change| dense(&values::visible(&out(&change.path))));
            untold[0] += paths.filter(|path| !is_told(path)).count();
        }
        for change in &plan.objects {
            let paths = change.fields.iter().map(|field| dense(&shown_path(field)));
            let paths = paths.filter(|path| !names(plan, change, &comment, path));
            untold[1] += paths.count();
            untold[2] += usize::from(!is_named(plan, change, &comment));
        }
    }
    let kinds = ["values", "fields", "objects"].into_iter();
    for (kind, (untold, left)) in kinds.zip(untold.into_iter().zip(left)) {
        if untold > left {
            return Err(format!("{untold} {kind} are not told, {left} are counted"));
        }
    }
    Ok(())
}

/// The values, fields and objects of a line that says what is left out, in all its environments.
fn left_out(line: &str) -> Option<[usize; 3]> {
    let (counts, _) = line.strip_prefix("Not shown: ")?.split_once(": ")?;
    let (counts, each) = match counts.split_once(" in each of ") {
        Some((counts, each)) => (counts, each.split(' ').next()?.parse().ok()?),
        None => (counts, 1),
    };
    let mut left = [0; 3];
    let words: Vec<&str> = counts.split([' ', ',']).collect();
    for pair in words.windows(2) {
        let place = match pair[1].trim_end_matches('s') {
            "value" => 0,
            "field" => 1,
            "object" => 2,
            _ => continue,
        };
        left[place] = pair[0].parse::<usize>().ok()? * each;
    }
    Some(left)
}

/// It has its link, and all that every other comment has; with one character less there is none, and why not
/// says how many there have to be.
fn shortest(plans: &Plans, comment: &Comment) -> Result<(), String> {
    let comment = comment.as_ref().map_err(TooFew::to_string)?;
    let least = comment.chars().count();
    if !comment.ends_with(&format!("\nThe whole plan: <{LINK}>\n")) {
        return Err(format!("the shortest comment has no link: {comment}"));
    }
    let (link, budget) = (Some(LINK.to_owned()), least - 1);
    let few = TooFew { budget, least };
    if markdown(plans, &MarkdownOptions { budget, link }) != Err(few) {
        return Err(format!("{least} characters are not the least"));
    }
    balanced(&comment.replace(&format!("<{LINK}>"), LINK))?;
    counted(plans, comment)
}

/// What is no object is counted, too, and nothing takes `protect` away unseen.
fn guarded(plans: &Plans, comment: &str) -> Result<(), String> {
    let goes = |plan: &Plan| {
        let mut settings = plan.settings.iter();
        settings.any(|change| change.path == "protect" && change.before == Some(Value::Bool(true)))
    };
    if plans.plans.iter().any(goes) && !comment.contains("protect") {
        return Err(format!("protect goes unseen: {comment}"));
    }
    for plan in &plans.plans {
        let settings = plan.settings.iter().filter(|s| s.before.is_some());
        let counted = usize::try_from(plan.summary.settings).unwrap_or(usize::MAX);
        if settings.count() != counted || (counted > 0 && !comment.contains("setting")) {
            return Err(format!("settings are not counted: {comment}"));
        }
    }
    Ok(())
}

fn within(comment: &str, budget: usize) -> Result<(), String> {
    let length = comment.chars().count();
    if length > budget {
        return Err(format!("{length} characters of {budget}"));
    }
    Ok(())
}

/// Every fence and every `<details>` is closed, and HTML stands nowhere else.
fn balanced(comment: &str) -> Result<(), String> {
    let mut fence: Option<&str> = None;
    let mut depth = 0_i32;
    for line in comment.lines() {
        let run = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) => {
                let ends = run >= open.len() && line[run..].trim().is_empty();
                if ends {
                    fence = None;
                }
            }
            None if run >= 3 => fence = Some(&line[..run]),
            None => {
                let bare = without_code(line);
                depth += i32::from(bare.contains("<details>"));
                depth -= i32::from(bare.contains("</details>"));
                let ours = bare.starts_with("<!-- starform:plan v1 ") || bare.contains("details>");
                if bare.contains('<') && !ours {
                    return Err(format!("HTML in {line:?}"));
                }
            }
        }
        if depth < 0 {
            return Err("a <details> ends that did not begin".to_owned());
        }
    }
    if fence.is_some() || depth != 0 {
        return Err("a fence or a <details> is open at the end".to_owned());
    }
    Ok(())
}

/// Without its code spans: each ends at the next run of as many backticks (CommonMark 6.1).
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (text, code) = rest.split_at(at);
        out.push_str(text);
        let run = code.len() - code.trim_start_matches('`').len();
        let (_, inner) = code.split_at(run);
        let mut end = 0;
        rest = loop {
            let Some(next) = inner[end..].find('`') else {
                break inner;
            };
            let start = end + next;
            let length = inner[start..].len() - inner[start..].trim_start_matches('`').len();
            end = start + length;
            if length == run {
                break &inner[end..];
            }
        };
    }
    out.push_str(rest);
    out
}

fn silent(shown: &str, canaries: &[String]) -> Result<(), String> {
    match canaries.iter().find(|canary| shown.contains(*canary)) {
        Some(canary) => Err(format!("{canary} is shown")),
        None => Ok(()),
    }
}

/// Without what laying out adds: spaces, line breaks, the mark of what goes on.
pub(super) fn dense(text: &str) -> String {
    let text = text.replace("\n", " ");
    text.split_whitespace()
        .filter(|word| *word != "↳")
        .collect()
}

fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut pieces = text.split('\u{1b}');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    out
}
