//! A page of `docs/errors` for a terminal: headings, wrapped paragraphs and lists, examples as they are.
//! Pure. Knows just the Markdown that those pages are written in; no line is wider than asked, but for an example's.
//! Read on in `docs/errors/README.md` for the form of a page.

use super::harmless;

/// So far an example stands from the edge.
const EXAMPLE_INDENT: &str = "    ";

/// Headings are bold where colour is wanted; `width` is in columns.
pub fn page(markdown: &str, width: usize, color: bool) -> String {
    let text = harmless(markdown);
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut in_example = false;
    for line in text.lines() {
        let fence = line.starts_with("```");
        if in_example && !fence {
            let indent = if line.is_empty() { "" } else { EXAMPLE_INDENT };
            out.push_str(&format!("{indent}{line}\n"));
            continue;
        }
        let heading = line.starts_with('#');
        if line.is_empty() || line.starts_with("- ") || fence || heading {
            flush(&mut out, &mut paragraph, width);
        }
        match line {
            _ if fence => in_example = !in_example,
            "" => out.push('\n'),
            _ if heading => {
                flush_heading(&mut out, line.trim_start_matches(['#', ' ']), width, color)
            }
            _ if paragraph.is_empty() => paragraph.push_str(line),
            _ => {
                paragraph.push(' ');
                paragraph.push_str(line.trim_start());
            }
        }
    }
    flush(&mut out, &mut paragraph, width);
    out
}

/// The text in lines of at most `width` columns, the second and later ones indented by `hang` columns.
/// What stands between backquotes is not broken.
pub fn wrap(text: &str, width: usize, hang: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for piece in pieces(text) {
        let length = piece.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(piece);
        column += length;
    }
    out
}

fn flush(out: &mut String, paragraph: &mut String, width: usize) {
    if paragraph.is_empty() {
        return;
    }
    let hang = if paragraph.starts_with("- ") { 2 } else { 0 };
    out.push_str(&wrap(paragraph, width, hang));
    out.push('\n');
    paragraph.clear();
}

fn flush_heading(out: &mut String, heading: &str, width: usize, color: bool) {
    let heading = wrap(heading, width, 0);
    let (on, off) = if color {
        ("\u{1b}[1m", "\u{1b}[0m")
    } else {
        ("", "")
    };
    out.push_str(&format!("{on}{heading}{off}\n"));
}

/// Words; several words between backquotes are one.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut in_code) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            '`' => in_code = !in_code,
            ' ' if !in_code => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
