//! Text in Markdown that nothing in it can end: fenced blocks and code spans.
//!
//! Pure. Always holds: a fence is longer than every run of backticks within (CommonMark 4.5, 6.1), so
//! that what stands in it is text, never a heading, a link, a mention or HTML.

/// A block of code in a language.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

/// A span of code; of one line, since line breaks are written out before.
pub(super) fn span(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    // A space at both ends is taken away again (CommonMark 6.1), but for a text of spaces only.
    let is_near = |c: char| c == '`' || c == ' ';
    let needs_room = text.starts_with(is_near) || text.ends_with(is_near);
    let room = if needs_room && !text.chars().all(|c| c == ' ') {
        " "
    } else {
        ""
    };
    format!("{fence}{room}{text}{room}{fence}")
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}
