//! Diagnostics as SARIF 2.1.0, which code hosts and editors read.
//! Pure. Columns count characters, as `columnKind` says; no line of a source is repeated, so nothing secret is shown.
//! Fingerprints name code, file, node and fact, not the line, so that a problem is known again when lines move.
//! Read on in the specification of OASIS, §3, for what each property means.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{escaped, harmless};
use crate::diag::codes::{self, CodeEntry};
use crate::diag::{Code, Diagnostic, Edit, Fix, Label, Severity};
use crate::source::{FileId, SourceTree, Span};

/// The version that GitHub and most viewers name.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One log with one run, on several lines, with a newline at the end.
///
/// `folder` stands before each file's path: the project's folder as the repository names it, or nothing.
pub fn sarif(sources: &SourceTree, diagnostics: &[Diagnostic], folder: &str) -> String {
    let log = Log { sources, folder };
    let rules = rules(diagnostics);
    let mut seen = BTreeMap::new();
    let results: Vec<Json> = diagnostics
        .iter()
        .map(|diagnostic| log.result(diagnostic, &rules, &mut seen))
        .collect();
    let run = json!({
        "tool": { "driver": {
            "name": "starform",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.iter().map(|rule| rule_object(rule)).collect::<Vec<_>>(),
        } },
        "columnKind": "unicodeCodePoints",
        "newlineSequences": [
            "\r\n", "\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}",
        ],
        "results": results,
    });
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    let text = serde_json::to_string_pretty(&log).expect("strings and numbers are always JSON");
    let mut text = escaped(&text);
    text.push('\n');
    text
}

/// What every place of a log needs.
struct Log<'a> {
    sources: &'a SourceTree,
    folder: &'a str,
}

/// The rows of the codes that were raised, in their order.
fn rules(diagnostics: &[Diagnostic]) -> Vec<&'static CodeEntry> {
    let raised: std::collections::BTreeSet<Code> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    codes::all()
        .filter(|entry| raised.contains(&entry.code))
        .collect()
}

fn rule_object(rule: &CodeEntry) -> Json {
    let code = rule.code.to_string();
    let more = format!("`starform explain {code}` shows it wrong and right.");
    json!({
        "id": code,
        "shortDescription": { "text": plain(rule.title) },
        "fullDescription": { "text": plain(rule.doc) },
        "help": {
            "text": plain(&format!("{} {more}", rule.doc)),
            "markdown": format!("{}\n\n{more}", rule.doc),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

impl Log<'_> {
    fn result(
        &self,
        diagnostic: &Diagnostic,
        rules: &[&CodeEntry],
        seen: &mut BTreeMap<String, usize>,
    ) -> Json {
        let mut location = self.location(diagnostic.primary.span);
        if !diagnostic.node_path.is_empty() {
            location.insert(
                "logicalLocations".to_owned(),
                json!([{ "fullyQualifiedName": diagnostic.node_path }]),
            );
        }
        let fingerprint = self.fingerprint(diagnostic, seen);
        let mut result = json!({
            "ruleId": diagnostic.code.to_string(),
            "ruleIndex": rules.iter().position(|rule| rule.code == diagnostic.code),
            "level": level(diagnostic.severity),
            "message": { "text": plain(&message(diagnostic)) },
            "locations": [location],
            "partialFingerprints": { "starform/v1": fingerprint },
        });
        if !diagnostic.labels.is_empty() {
            let labels = (1..).zip(&diagnostic.labels);
            result["relatedLocations"] =
                labels.map(|(id, label)| self.related(id, label)).collect();
        }
        if !diagnostic.fixes.is_empty() {
            let fixes = diagnostic.fixes.iter();
            result["fixes"] = fixes.map(|fix| self.fix(fix)).collect();
        }
        result
    }

    fn location(&self, span: Span) -> Map<String, Json> {
        let physical = json!({
            "artifactLocation": { "uri": self.uri(span.file) },
            "region": self.region(span),
        });
        Map::from_iter([("physicalLocation".to_owned(), physical)])
    }

    fn related(&self, id: usize, label: &Label) -> Json {
        let mut location = self.location(label.span);
        location.insert("id".to_owned(), id.into());
        let text = plain(&label.text);
        location.insert("message".to_owned(), json!({ "text": text }));
        location.into()
    }

    fn region(&self, span: Span) -> Json {
        let file = self.sources.file(span.file);
        let start = file.position(span.range.start());
        let end = file.position(span.range.end());
        json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        })
    }

    fn fix(&self, fix: &Fix) -> Json {
        let mut changes: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
        for edit in &fix.edits {
            changes.entry(edit.span.file).or_default().push(edit);
        }
        let replacement = |edit: &&Edit| {
            json!({
                "deletedRegion": self.region(edit.span),
                "insertedContent": { "text": edit.text },
            })
        };
        let changes: Vec<Json> = changes
            .iter()
            .map(|(file, edits)| {
                json!({
                    "artifactLocation": { "uri": self.uri(*file) },
                    "replacements": edits.iter().map(replacement).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "description": { "text": plain(&fix.title) },
            "artifactChanges": changes,
            "properties": { "applicability": fix.applicability.word() },
        })
    }

    fn uri(&self, file: FileId) -> String {
        let path = format!("{}{}", self.folder, self.sources.file(file).path());
        let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        path.bytes()
            .map(|byte| match kept(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    }

    /// The same fact about the same node is counted, so that no two results are one.
    fn fingerprint(&self, diagnostic: &Diagnostic, seen: &mut BTreeMap<String, usize>) -> String {
        let fact = format!(
            "{} {} {} {}",
            diagnostic.code,
            self.uri(diagnostic.primary.span.file),
            diagnostic.node_path,
            diagnostic.title
        );
        let fact = plain(&fact);
        let count = seen.entry(fact.clone()).or_default();
        *count += 1;
        format!("{fact} #{count}")
    }
}

fn message(diagnostic: &Diagnostic) -> String {
    match super::next_step(diagnostic) {
        Some(help) => format!("{}: {help}", diagnostic.title),
        None => diagnostic.title.clone(),
    }
}

/// Words that act on no terminal and hold no link, which viewers would make of `[words](target)`.
fn plain(text: &str) -> String {
    harmless(text).replace("](", "] (")
}
