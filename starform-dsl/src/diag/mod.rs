//! What Starform tells a person about a text: one diagnostic for one mistake, with its place and its repair.
//! Pure. Codes are those of `codes`; `settle` sorts by place and keeps at most [`KEPT`], errors before warnings.
//! Read on in `codes` for all codes and in `render` for how diagnostics are shown.

pub mod codes;

use std::cmp::Ordering;

use crate::source::Span;
pub use codes::Code;

/// How many diagnostics one run keeps.
pub const KEPT: usize = 1_000;

/// Characters of a title or label, where a name in it is longer than any name may be.
const LONGEST_TITLE: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Error,
    Warning,
}

/// A place with a few words about it; the words may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// Whether a machine may apply a fix unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// Does what the author meant.
    Safe,
    /// Probably what the author meant: a person decides.
    Maybe,
}

/// Replace the text under `span` by `text`; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// An order, such as "quote it".
    pub title: String,
    /// In the order of the text, not overlapping.
    pub edits: Vec<Edit>,
    pub applicability: Applicability,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// States the fact: lower case, at most 72 characters, no full stop.
    pub title: String,
    /// The culprit.
    pub primary: Label,
    /// Other places that matter, such as the first of two definitions.
    pub labels: Vec<Label>,
    /// Background, one sentence each.
    pub notes: Vec<String>,
    /// The next step.
    pub help: Option<String>,
    pub fixes: Vec<Fix>,
    /// Where in the project, such as `project.web.api.port`; empty where there is no node yet.
    pub node_path: String,
}

impl Diagnostic {
    /// Severity is the code's own.
    pub fn new(code: Code, span: Span, title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            title: title.into(),
            primary: Label {
                span,
                text: String::new(),
            },
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fixes: Vec::new(),
            node_path: String::new(),
        }
    }

    /// Words under the culprit.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    /// A second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Diagnostic {
        self.fixes.push(fix);
        self
    }

    #[must_use]
    pub fn node_path(mut self, path: impl Into<String>) -> Diagnostic {
        self.node_path = path.into();
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Fix {
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Fix {
        Fix {
            title: title.into(),
            edits,
            applicability: Applicability::Safe,
        }
    }

    pub fn maybe(title: impl Into<String>, edits: Vec<Edit>) -> Fix {
        Fix {
            title: title.into(),
            edits,
            applicability: Applicability::Maybe,
        }
    }

    /// A safe fix of one replacement.
    pub fn replace(title: impl Into<String>, span: Span, text: impl Into<String>) -> Fix {
        let text = text.into();
        Fix::safe(title, vec![Edit { span, text }])
    }

    /// One replacement that a person decides about.
    pub fn maybe_replace(title: impl Into<String>, span: Span, text: impl Into<String>) -> Fix {
        let text = text.into();
        Fix::maybe(title, vec![Edit { span, text }])
    }
}

/// A text with its edits, which are in its order and do not overlap.
pub(crate) fn edited<'e>(text: &str, edits: impl IntoIterator<Item = &'e Edit>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let range = edit.span.range.as_range();
        out.push_str(&text[done..range.start]);
        out.push_str(&edit.text);
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Applicability {
    pub fn word(self) -> &'static str {
        match self {
            Applicability::Safe => "safe",
            Applicability::Maybe => "maybe",
        }
    }
}

/// Sorts by place, drops repetitions, and keeps at most [`KEPT`], errors before warnings: then one says that there are more.
pub fn settle(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(order);
    diagnostics.dedup();
    if diagnostics.len() > KEPT {
        // Sorting is stable: errors come first, each severity in the order of the text.
        diagnostics.sort_by_key(|diagnostic| diagnostic.severity);
        let span = diagnostics[KEPT - 1].primary.span;
        diagnostics.truncate(KEPT - 1);
        diagnostics.push(
            Diagnostic::new(
                codes::TOO_MANY_DIAGNOSTICS,
                span,
                "there are more problems than are kept",
            )
            .help("repair those that are listed first, then check again"),
        );
        diagnostics.sort_by(order);
    }
    diagnostics.iter_mut().for_each(clip);
    diagnostics
}

fn order(a: &Diagnostic, b: &Diagnostic) -> Ordering {
    place(a).cmp(&place(b)).then_with(|| a.title.cmp(&b.title))
}

/// A name in a title is shown as far as people read it, and on one line.
fn clip(diagnostic: &mut Diagnostic) {
    let labels = diagnostic.labels.iter_mut().map(|label| &mut label.text);
    for text in labels.chain([&mut diagnostic.title, &mut diagnostic.primary.text]) {
        if text.contains(['\n', '\r']) {
            *text = text.replace('\n', "\\n").replace('\r', "\\r");
        }
        if let Some((end, _)) = text.char_indices().nth(LONGEST_TITLE) {
            text.truncate(end);
            text.push('…');
        }
    }
}

fn place(diagnostic: &Diagnostic) -> (Span, Code) {
    (diagnostic.primary.span, diagnostic.code)
}
