//! What holds of everything that is said about texts: places inside them, the order of the places, nothing twice, and a
//! next step.
//! Pure.
//! Read on in `starform_dsl::diag::settle`, which sees to it.

use starform_dsl::diag::{Diagnostic, Fix, KEPT, codes};
use starform_dsl::render::{self, Human, SHOWN};
use starform_dsl::source::{SourceTree, Span};

pub(crate) fn check(sources: &SourceTree, diagnostics: &[Diagnostic]) {
    assert!(diagnostics.len() <= KEPT, "{} are kept", diagnostics.len());
    for pair in diagnostics.windows(2) {
        let [one, next] = pair else { continue };
        assert!(
            one.primary.span <= next.primary.span,
            "{} is said before {}",
            one.title,
            next.title
        );
        assert_ne!(one, next, "said twice");
        assert_ne!(one.code, codes::TOO_MANY_DIAGNOSTICS, "the last one");
    }
    for diagnostic in diagnostics {
        check_one(sources, diagnostic);
    }
}

fn check_one(sources: &SourceTree, diagnostic: &Diagnostic) {
    let labels = diagnostic.labels.iter().map(|label| label.span);
    for span in labels.chain([diagnostic.primary.span]) {
        assert!(lies_within(sources, span), "{diagnostic:?}");
    }
    assert!(
        diagnostic.help.is_some() || !diagnostic.fixes.is_empty(),
        "{diagnostic:?} names no next step"
    );
    for fix in &diagnostic.fixes {
        check_edits(sources, fix);
    }
}

fn check_edits(sources: &SourceTree, fix: &Fix) {
    assert!(!fix.edits.is_empty(), "{fix:?} does nothing");
    for edit in &fix.edits {
        assert!(lies_within(sources, edit.span), "{fix:?}");
    }
    for pair in fix.edits.windows(2) {
        let [one, next] = pair else { continue };
        let ordered =
            (one.span.file, one.span.range.end()) <= (next.span.file, next.span.range.start());
        assert!(ordered, "{fix:?} edits in the order of the text");
    }
}

fn lies_within(sources: &SourceTree, span: Span) -> bool {
    let file = sources.files().find(|(id, _)| *id == span.file);
    file.is_some_and(|(_, file)| file.text().get(span.range.as_range()).is_some())
}

/// Every form that people and machines read: it says as many, shows at most so many, and no secret.
pub(crate) fn check_renderings(sources: &SourceTree, diagnostics: &[Diagnostic], secrets: &[Span]) {
    let how = Human {
        width: 80,
        color: false,
        secrets,
    };
    let human = render::human(sources, diagnostics, how);
    assert_eq!(human.is_empty(), diagnostics.is_empty());
    let heads = human.lines().filter(|line| is_head(line)).count();
    assert!(heads <= SHOWN, "{heads} are shown");
    let short = render::short(sources, diagnostics);
    assert_eq!(short.lines().count(), diagnostics.len(), "{short}");
    let json = render::json(sources, diagnostics);
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let listed = read["diagnostics"].as_array().map(Vec::len);
    assert_eq!(listed, Some(diagnostics.len()));
    let sarif = render::sarif(sources, diagnostics, "");
    let _: serde_json::Value = serde_json::from_str(&sarif).expect("JSON");
    let github = render::github(sources, diagnostics, "");
    for secret in telling(sources, secrets) {
        for shown in [&human, &short, &json, &sarif, &github] {
            assert!(!shown.contains(secret), "{secret:?} is shown in {shown}");
        }
    }
}

fn is_head(line: &str) -> bool {
    line.starts_with("error[SF") || line.starts_with("warning[SF")
}

/// Secrets that stand nowhere else, so that to see one is to see the secret.
fn telling<'s>(sources: &'s SourceTree, secrets: &[Span]) -> Vec<&'s str> {
    let all: String = sources.files().map(|(_, file)| &**file.text()).collect();
    let plain = |word: &&str| word.len() >= 12 && word.bytes().all(|b| b.is_ascii_alphanumeric());
    let words = secrets
        .iter()
        .map(|span| sources.text(*span).trim_matches('"'));
    words
        .filter(plain)
        .filter(|word| all.matches(word).count() == 1)
        .collect()
}
