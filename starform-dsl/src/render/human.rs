//! Diagnostics with the lines they are about, printed by miette.
//! Pure. At most [`super::SHOWN`] are shown, errors first; text under `secrets`, and what a diagnostic itself calls a credential, never is.
//! Read on in `super` for the other forms.

use std::fmt::{self, Write as _};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};

use super::{Counts, counts, harmless, next_step};
use crate::diag::{Diagnostic, Label, Severity, codes};
use crate::source::{FileId, SourceFile, SourceTree, Span};
use crate::syntax::TextRange;

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

/// Bytes of the longest line that is shown.
const WIDEST_LINE: u32 = 2_000;

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
    snippets: &'a Snippets<'a>,
    diagnostic: &'a Diagnostic,
    title: String,
    help: Option<String>,
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

    /// The part of a span on its first line, so that a block does not fill the screen.
    fn first_line(&self, span: Span) -> SourceSpan {
        let line = self.file.position(span.range.start()).line;
        let end = self.file.line_range(line).end();
        let part =
            self.text[span.range.start() as usize..end.min(span.range.end()) as usize].trim_end();
        SourceSpan::new((span.range.start() as usize).into(), part.len())
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
    if too_wide(snippets, diagnostic) {
        return placed(out, sources, snippets, diagnostic);
    }
    let report = Report {
        snippets,
        diagnostic,
        title: harmless(&diagnostic.title).into_owned(),
        help: help(sources, snippets.id, diagnostic),
    };
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

/// Whether a line that would be shown is one that nobody reads; miette also counts columns in 16 bits.
fn too_wide(snippets: &Snippets<'_>, diagnostic: &Diagnostic) -> bool {
    let labels = diagnostic.labels.iter().map(|label| label.span);
    std::iter::once(diagnostic.primary.span)
        .chain(labels)
        .filter(|span| span.file == snippets.id)
        .flat_map(|span| {
            let line = snippets.file.position(span.range.start()).line;
            line.saturating_sub(1)..=line + 1
        })
        .any(|line| snippets.file.line_range(line).len() > WIDEST_LINE)
}

/// A diagnostic by its place alone.
fn placed(
    out: &mut String,
    sources: &SourceTree,
    snippets: &Snippets<'_>,
    diagnostic: &Diagnostic,
) {
    out.push_str(&super::short(sources, std::slice::from_ref(diagnostic)));
    if let Some(help) = help(sources, snippets.id, diagnostic) {
        out.push_str("  help: ");
        out.push_str(&help);
        out.push('\n');
    }
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
        Some(match self.diagnostic.severity {
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
        Some(self.snippets)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let text =
            |label: &Label| (!label.text.is_empty()).then(|| harmless(&label.text).into_owned());
        let primary = &self.diagnostic.primary;
        let first = LabeledSpan::new_primary_with_span(
            text(primary),
            self.snippets.first_line(primary.span),
        );
        let others = self
            .diagnostic
            .labels
            .iter()
            .filter(|label| label.span.file == self.snippets.id);
        let others = others.map(move |label| {
            LabeledSpan::new_with_span(text(label), self.snippets.first_line(label.span))
        });
        Some(Box::new(std::iter::once(first).chain(others)))
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

/// By the line index of the file, where miette's own reading begins at byte 0 each time.
impl SourceCode for Snippets<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let offset = |at: usize| u32::try_from(at).map_err(|_| MietteError::OutOfBounds);
        let (start, end) = (offset(span.offset())?, offset(span.offset() + span.len())?);
        let context = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        let first = self
            .file
            .position(start)
            .line
            .saturating_sub(context(lines_before))
            .max(1);
        let last = self
            .file
            .position(end)
            .line
            .saturating_add(context(lines_after));
        // Asked for no line around the span, miette wants to know the span's own column.
        let begin = if lines_before == 0 {
            start
        } else {
            self.file.line_range(first).start()
        };
        let from = self.file.position(begin);
        let range = TextRange::new(begin, self.file.line_range(last).end());
        let data = &self.text.as_bytes()[range.as_range()];
        let at = SourceSpan::new((begin as usize).into(), data.len());
        let name = harmless(self.file.path()).into_owned();
        let (line, column) = ((from.line - 1) as usize, (from.column - 1) as usize);
        let lines = (last - first + 1) as usize;
        Ok(Box::new(MietteSpanContents::new_named(
            name, data, at, line, column, lines,
        )))
    }
}
