//! Diagnostics with the lines they are about, printed by miette.
//! Pure. At most [`super::SHOWN`] are shown, errors first; text under `secrets`, and what a diagnostic itself calls a credential, never is.
//! Read on in `excerpt` for what is shown of a long line, in `super` for the other forms.

use std::fmt::{self, Write as _};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};

use super::excerpt::{Excerpt, Mark, said};
use super::{Counts, counts, harmless, next_step};
use crate::diag::{Diagnostic, Label, Severity, codes};
use crate::source::{FileId, SourceFile, SourceTree, Span};

/// How to show.
#[derive(Clone, Copy, Debug)]
pub struct Human<'a> {
    /// In columns.
    pub width: usize,
    pub color: bool,
    /// Places whose text is secret, besides those that a diagnostic shown here calls a credential.
    pub secrets: &'a [Span],
}

/// Every diagnostic with its lines, then a line that counts them. Empty where there is none.
pub fn human(sources: &SourceTree, diagnostics: &[Diagnostic], how: Human<'_>) -> String {
    let mut out = String::new();
    let credentials = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == codes::CREDENTIAL);
    let credentials = credentials.map(|diagnostic| diagnostic.primary.span);
    let secrets: Vec<Span> = how.secrets.iter().copied().chain(credentials).collect();
    let mut shown: Option<Snippets> = None;
    let few = super::shown(diagnostics);
    for diagnostic in few.diagnostics {
        let id = diagnostic.primary.span.file;
        let snippets = match shown.take() {
            Some(snippets) if snippets.id == id => snippets,
            Some(_) | None => Snippets::new(id, sources.file(id), &secrets),
        };
        let snippets = shown.insert(snippets);
        one(&mut out, sources, snippets, diagnostic, how);
    }
    for (code, count) in &few.left_out {
        let _ = writeln!(out, "and {count} more {code}");
    }
    summary(&mut out, diagnostics, few.left_out.values().sum());
    out
}

/// Characters of a help that repeats what it is about; the fix has all of them.
const LONGEST_HELP: usize = 1_000;

/// A file as it may be shown.
struct Snippets<'a> {
    id: FileId,
    file: &'a SourceFile,
    /// As long as the file's own text.
    text: String,
}

/// A diagnostic as miette wants it.
struct Report<'a> {
    lines: Lines<'a>,
    /// The first one is primary.
    labels: Vec<LabeledSpan>,
    severity: Severity,
    title: String,
    help: Option<String>,
}

/// The lines that are shown of a file.
struct Lines<'a> {
    file: &'a SourceFile,
    excerpt: Excerpt,
}

impl<'a> Snippets<'a> {
    fn new(id: FileId, file: &'a SourceFile, secrets: &[Span]) -> Snippets<'a> {
        let mut text = harmless(file.text()).into_owned();
        for span in secrets.iter().filter(|span| span.file == id) {
            let range = span.range.as_range();
            let hidden: String = text[range.clone()].bytes().map(stars).collect();
            text.replace_range(range, &hidden);
        }
        Snippets { id, file, text }
    }

    /// The part of a label's span on its first line, so that a block does not fill the screen.
    fn mark(&self, label: &Label) -> Mark {
        let Span { range, .. } = label.span;
        let line = self
            .file
            .line_content(self.file.line(range.start()))
            .as_range();
        let start = (range.start() as usize).clamp(line.start, line.end);
        let end = (range.end() as usize).clamp(start, line.end);
        let part = self.text[start..end].trim_end();
        Mark {
            range: start..start + part.len(),
            said: said(&harmless(&label.text)),
        }
    }

    fn report(&self, sources: &SourceTree, diagnostic: &'a Diagnostic, width: usize) -> Report<'a> {
        let others = diagnostic.labels.iter();
        let labels: Vec<&Label> = std::iter::once(&diagnostic.primary)
            .chain(others.filter(|label| label.span.file == self.id))
            .collect();
        let marks: Vec<Mark> = labels.iter().map(|label| self.mark(label)).collect();
        let excerpt = Excerpt::new(self.file, &self.text, &marks, width);
        let labels = labels.iter().zip(&marks).enumerate();
        let labels = labels.map(|(index, (label, mark))| {
            let place = excerpt.place(self.file, mark);
            let text = (!label.text.is_empty()).then(|| harmless(&label.text).into_owned());
            let place = SourceSpan::new(place.start.into(), place.len());
            match index {
                0 => LabeledSpan::new_primary_with_span(text, place),
                _ => LabeledSpan::new_with_span(text, place),
            }
        });
        let labels = labels.collect();
        Report {
            lines: Lines {
                file: self.file,
                excerpt,
            },
            labels,
            severity: diagnostic.severity,
            title: harmless(&diagnostic.title).into_owned(),
            help: help(sources, self.id, diagnostic),
        }
    }
}

/// Newlines stay, so that lines keep their numbers.
fn stars(byte: u8) -> char {
    match byte {
        b'\n' | b'\r' => char::from(byte),
        _ => '*',
    }
}

fn one(
    out: &mut String,
    sources: &SourceTree,
    snippets: &Snippets<'_>,
    diagnostic: &Diagnostic,
    how: Human<'_>,
) {
    let report = snippets.report(sources, diagnostic, how.width);
    let mut theme = if how.color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let head = format!("{}[{}]:", diagnostic.severity.word(), diagnostic.code);
    (theme.characters.error, theme.characters.warning) = (head.clone(), head);
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(how.width)
        .with_links(false)
        .with_context_lines(1)
        .with_wrap_lines(true);
    let mut text = String::new();
    handler
        .render_report(&mut text, &report)
        .expect("writing to a string succeeds");
    out.push_str(text.trim_start_matches(' '));
    out.push('\n');
}

/// Help, notes and places in other files, which miette cannot show.
fn help(sources: &SourceTree, shown: FileId, diagnostic: &Diagnostic) -> Option<String> {
    let mut lines: Vec<String> = next_step(diagnostic)
        .map(str::to_owned)
        .into_iter()
        .collect();
    lines.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    for label in diagnostic
        .labels
        .iter()
        .filter(|label| label.span.file != shown)
    {
        let file = sources.file(label.span.file);
        let at = file.position(label.span.range.start());
        lines.push(format!(
            "{}:{}:{}: {}",
            file.path(),
            at.line,
            at.column,
            label.text
        ));
    }
    for line in &mut lines {
        if let Some((end, _)) = line.char_indices().nth(LONGEST_HELP) {
            line.truncate(end);
            line.push('…');
        }
    }
    (!lines.is_empty()).then(|| harmless(&lines.join("\n")).into_owned())
}

fn summary(out: &mut String, diagnostics: &[Diagnostic], hidden: usize) {
    let Counts { errors, warnings } = counts(diagnostics);
    let parts = [plural(errors, "error"), plural(warnings, "warning")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return;
    }
    let _ = match hidden {
        0 => writeln!(out, "{}", parts.join(", ")),
        _ => writeln!(out, "{}; {hidden} of them not shown", parts.join(", ")),
    };
}

fn plural(count: usize, word: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    }
}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.lines)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl std::error::Error for Report<'_> {}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

/// Places are those of the excerpt; lines and columns are those of the file.
impl SourceCode for Lines<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let context = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        let (start, end) = (span.offset(), span.offset() + span.len());
        let first = self.excerpt.number(start);
        let first = first.saturating_sub(context(lines_before)).max(1);
        let last = self.excerpt.number(end);
        let last = last.saturating_add(context(lines_after));
        let lines = self.excerpt.span(first..last.saturating_add(1));
        // Asked for no line around the span, miette wants to know the span's own column.
        let begin = if lines_before == 0 {
            start
        } else {
            lines.start
        };
        let data = self.excerpt.text().as_bytes().get(begin..lines.end);
        let data = data.ok_or(MietteError::OutOfBounds)?;
        let origin = u32::try_from(self.excerpt.origin(begin)).unwrap_or(u32::MAX);
        let column = self.file.position(origin).column - 1;
        Ok(Box::new(MietteSpanContents::new_named(
            harmless(self.file.path()).into_owned(),
            data,
            SourceSpan::new(begin.into(), data.len()),
            (self.excerpt.number(begin) - 1) as usize,
            column as usize,
            (last - first + 1) as usize,
        )))
    }
}
