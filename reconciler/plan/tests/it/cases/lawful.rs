//! What holds of every view of every plan.
//!
//! Pure. [`check`] names the first law that does not hold.

use starform_plan::{
    document::{Action, FieldChange, Plans, Risk},
    view::{MarkdownOptions, TextOptions, markdown, text, values},
};

/// Budgets of a comment that every plan is held against.
const BUDGETS: [usize; 3] = [1_000, 4_000, 60_000];

/// No view may hold one of `canaries`.
pub(crate) fn check(plans: &Plans, canaries: &[String]) -> Result<(), String> {
    for (width, full) in [(40, false), (120, true)] {
        let shown = |color| {
            let options = TextOptions { width, color, full };
            text(&plans.plans, &options)
        };
        let plain = shown(false);
        terminal(&plain, width)?;
        if without_colour(&shown(true)) != plain {
            return Err("colour changes the text".to_owned());
        }
        if full && plain.lines().any(|line| line.starts_with("Not shown:")) {
            return Err("the full form counts something".to_owned());
        }
        told(plans, &dense(&plain), full)?;
        silent(&plain, canaries)?;
    }
    for budget in BUDGETS {
        let options = MarkdownOptions { budget, link: None };
        let comment = markdown(&plans.plans, &options);
        within(&comment, budget)?;
        balanced(&comment)?;
        silent(&comment, canaries)?;
        counted(plans, &comment)?;
    }
    super::machine::check(plans, canaries)
}

/// Nothing moves the cursor, and no line leaves the page but the one for programs.
fn terminal(shown: &str, width: usize) -> Result<(), String> {
    if let Some(c) = shown.chars().find(|c| deceives(*c)) {
        return Err(format!("{c:?} reaches the terminal"));
    }
    let is_summary = |line: &str| line.starts_with("Plan: ") || line.starts_with("No changes. ");
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
        for change in &plan.objects {
            let is_lost = change.risk >= Risk::Replace || change.action == Action::Retain;
            if (is_lost || full) && !names(plan, shown, &change.key.name) {
                return Err(format!("{} is not named in {shown}", change.key));
            }
            for field in change.fields.iter().filter(|_| full) {
                let path = dense(&shown_path(field));
                if !names(plan, shown, &path) {
                    return Err(format!("{path} is not told"));
                }
            }
        }
        for finding in &plan.findings {
            if !shown.contains(&finding.code) {
                return Err(format!("{} is not told", finding.code));
            }
        }
    }
    Ok(())
}

pub(super) fn shown_path(field: &FieldChange) -> String {
    match &field.words {
        Some(words) => values::visible(words),
        None => values::words(&field.path),
    }
}

/// By its name, or by the name without the environment's where environments are told together.
pub(super) fn names(plan: &starform_plan::document::Plan, shown: &str, name: &str) -> bool {
    let environment = plan.environment.as_str();
    shown.contains(name) || shown.contains(&name.replace(environment, "‹environment›"))
}

/// A comment says everything, or counts what it does not say.
fn counted(plans: &Plans, comment: &str) -> Result<(), String> {
    if comment.lines().any(|line| line.starts_with("Not shown: ")) {
        return Ok(());
    }
    let comment = dense(comment);
    for plan in &plans.plans {
        for change in &plan.objects {
            if !names(plan, &comment, &change.key.name) {
                return Err(format!("{} is neither told nor counted", change.key));
            }
            for field in &change.fields {
                let path = dense(&shown_path(field));
                if !names(plan, &comment, &path) {
                    return Err(format!("{path} is neither told nor counted"));
                }
            }
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
                depth += i32::from(line.contains("<details>"));
                depth -= i32::from(line.contains("</details>"));
                let ours = line.starts_with("<!--") || line.contains("details>");
                if line.contains('<') && !ours && !line.contains('`') {
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

fn silent(shown: &str, canaries: &[String]) -> Result<(), String> {
    match canaries.iter().find(|canary| shown.contains(*canary)) {
        Some(canary) => Err(format!("{canary} is shown")),
        None => Ok(()),
    }
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
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
