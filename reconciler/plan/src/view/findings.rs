//! The findings of plans as code hosts read them: SARIF 2.1.0, and the workflow commands of GitHub.
//!
//! Pure. Always holds: columns count characters; a finding is known again by code, environment and title,
//! not by its line; nothing of a user's text can end a command or begin another.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value, json};

use crate::{
    approval::Approvals,
    closing, codes,
    document::{Action, Finding, FindingSeverity, Plan, Risk},
    opening::openings,
    view::{
        Shown,
        outline::{self, Form, Verification},
        values,
    },
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// GitHub shows so many annotations of a kind for a step.
const SHOWN: usize = 10;

/// `FILE:LINE:COLUMN`
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

/// One log with one run. `folder` stands before each file's path: the project's folder as the
/// repository names it, or nothing.
pub fn sarif<'a>(plans: impl Into<Shown<'a>>, folder: &str) -> String {
    let shown = plans.into();
    let all = each(shown);
    let raised: BTreeSet<&str> = all.iter().map(|(_, f)| f.code.as_str()).collect();
    let rules: Vec<&str> = raised.into_iter().collect();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = all
        .iter()
        .map(|(plan, finding)| result(plan, finding, shown.approvals, folder, &rules, &mut seen))
        .collect();
    let mut log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "starform",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let notes = notes(shown);
    if !notes.is_empty() {
        log["runs"][0]["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": notes,
        }]);
    }
    let mut text = serde_json::to_string_pretty(&log).expect("strings and numbers are JSON");
    text.push('\n');
    text
}

/// A command a line: each environment's summary, what is lost or opened in it, its findings. Of each kind at most as
/// many as GitHub shows; the last of them says how many there are beside.
pub fn github<'a>(plans: impl Into<Shown<'a>>, folder: &str) -> String {
    let beside = plans.into();
    let (plans, approvals) = (beside.plans, beside.approvals);
    let all = each(beside);
    let findings = |severity: FindingSeverity, given: bool| {
        let all = all.iter().filter(move |(plan, finding)| {
            finding.severity == severity && approved(plan, finding, approvals).is_some() == given
        });
        all.map(|(plan, finding)| command(plan, finding, approvals, folder))
    };
    let lost = plans.iter().filter_map(|plan| {
        let lost = data(&lost(plan)?);
        Some(format!("::warning title={}::{lost}\n", titled(plan)))
    });
    let summaries = plans.iter().map(|plan| {
        let mut summary = outline::summary(plan, beside.word(plan));
        if let Some(obstacle) = outline::obstacle(plan, approvals) {
            summary.push_str(&format!(" · {obstacle}"));
        }
        let verified = beside.verifications.get(&plan.plan_id);
        let told = verified.map(Verification::of);
        for line in told.iter().flat_map(|told| &told.summary) {
            summary.push_str(&format!(" · {line}"));
        }
        format!("::notice title={}::{}\n", titled(plan), data(&summary))
    });
    let notices = summaries.chain(findings(FindingSeverity::Approval, true));
    let stands = plans.iter().flat_map(|plan| {
        let titles = asides(beside, plan).into_iter();
        titles.map(|title| format!("::warning title={}::{}\n", titled(plan), data(&title)))
    });
    let warnings = stands
        .chain(lost)
        .chain(findings(FindingSeverity::Approval, false))
        .chain(findings(FindingSeverity::Warning, false));
    let errors = findings(FindingSeverity::Blocking, false);
    let kinds = [
        ("notice", notices.collect()),
        ("warning", warnings.collect()),
        ("error", errors.collect()),
    ];
    kinds.map(|(kind, all)| shown(kind, all)).concat()
}

fn titled(plan: &Plan) -> String {
    property(&format!("{}/{}", plan.project, plan.environment))
}

/// All of a kind, or one less than GitHub shows and how many more there are.
fn shown(kind: &str, mut all: Vec<String>) -> String {
    if all.len() > SHOWN {
        let hidden = all.split_off(SHOWN - 1).len();
        let more = format!("{hidden} more of {kind} are not shown here");
        all.push(format!("::{kind} title=starform::{more}\n"));
    }
    all.concat()
}

/// How the cluster stands to what the plan was made against, a line each.
fn asides(shown: Shown<'_>, plan: &Plan) -> Vec<String> {
    let all = shown.standing(plan).map(|standing| {
        let all = outline::of_one(&plan.environment, standing, Form::Short);
        all.into_iter().map(|one| one.title).collect()
    });
    all.unwrap_or_default()
}

/// The same, of all plans, as SARIF tells what is no finding.
fn notes(shown: Shown<'_>) -> Vec<Value> {
    let plans = shown.plans.iter();
    let notes = plans.flat_map(|plan| {
        let titles = asides(shown, plan).into_iter();
        titles.map(move |title| {
            let text = format!("{}/{}: {title}", plan.project, plan.environment);
            json!({ "level": "warning", "message": { "text": text } })
        })
    });
    notes.collect()
}

/// The findings of each plan, and those that its cluster makes.
fn each(shown: Shown<'_>) -> Vec<(&Plan, Cow<'_, Finding>)> {
    let mut all = Vec::new();
    for plan in shown.plans {
        all.extend(plan.findings.iter().map(|own| (plan, Cow::Borrowed(own))));
        let verified = shown.verifications.get(&plan.plan_id);
        let said = verified.map(|verified| verified.findings(plan));
        let said = said.into_iter().flatten();
        all.extend(said.map(|finding| (plan, Cow::Owned(finding))));
    }
    all
}

fn rule(code: &str) -> Value {
    let shown = values::visible(code);
    let more = format!("`starform explain {shown}` says more.");
    match codes::ALL.iter().find(|known| known.code == code) {
        Some(known) => json!({
            "id": shown,
            "shortDescription": { "text": known.title },
            "fullDescription": { "text": known.doc },
            "help": { "text": format!("{} {more}", known.doc) },
        }),
        None => json!({ "id": shown, "help": { "text": more } }),
    }
}

fn result(
    plan: &Plan,
    finding: &Finding,
    approvals: &Approvals,
    folder: &str,
    rules: &[&str],
    seen: &mut BTreeMap<String, usize>,
) -> Value {
    let environment = format!("{}/{}", plan.project, plan.environment);
    let title = values::visible(&finding.title);
    let fact = format!("{} {environment} {title}", values::visible(&finding.code));
    let count = seen.entry(fact.clone()).or_default();
    *count += 1;
    let logical = json!([{ "fullyQualifiedName": environment }]);
    let location = match Place::of(finding) {
        Some(place) => json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&format!("{folder}{}", place.file)) },
                "region": { "startLine": place.line, "startColumn": place.column },
            },
            "logicalLocations": logical,
        }),
        None => json!({ "logicalLocations": logical }),
    };
    let mut result = json!({
        "ruleId": values::visible(&finding.code),
        "ruleIndex": rules.iter().position(|rule| *rule == finding.code),
        "level": level(finding.severity),
        "message": { "text": format!("{environment}: {title}") },
        "locations": [location],
        "partialFingerprints": { "starform/v1": format!("{fact} #{count}") },
    });
    // There is nothing left to look at: section 3.35 of SARIF.
    if let Some(by) = approved(plan, finding, approvals) {
        let given = json!({ "kind": "external", "status": "accepted", "justification": by });
        result["suppressions"] = json!([given]);
    }
    result
}

/// `approved by ada`, where the finding asks for an approval that is given.
fn approved(plan: &Plan, finding: &Finding, approvals: &Approvals) -> Option<String> {
    let asks = finding.severity == FindingSeverity::Approval;
    let given = approvals.get(&plan.effect_id).filter(|_| asks)?;
    Some(format!("approved by {}", values::visible(&given.by)))
}

const fn level(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Blocking => "error",
        // Nothing is wrong with it; somebody has to look.
        FindingSeverity::Approval | FindingSeverity::Warning => "warning",
    }
}

fn command(plan: &Plan, finding: &Finding, approvals: &Approvals, folder: &str) -> String {
    let title = property(&format!(
        "{} in {}/{}",
        finding.code, plan.project, plan.environment
    ));
    let place = Place::of(finding).map(|place| {
        let file = property(&format!("{folder}{}", place.file));
        format!("file={file},line={},col={},", place.line, place.column)
    });
    let (level, said) = match approved(plan, finding, approvals) {
        Some(approved) => ("notice", format!("{}; {approved}", finding.title)),
        None => (level(finding.severity), finding.title.clone()),
    };
    let place = place.unwrap_or_default();
    format!("::{level} {place}title={title}::{}\n", data(&said))
}

/// `1 object deleted, 2 objects replaced, opens 3 hosts`
fn lost(plan: &Plan) -> Option<String> {
    let objects = &plan.objects;
    let count = |is: fn(Action, Risk) -> bool| {
        objects
            .iter()
            .filter(|change| is(change.action, change.risk))
            .count()
    };
    let counts = [
        (
            count(|_, risk| risk == Risk::Destroy),
            "destroyed with its data",
        ),
        (
            count(|action, risk| action == Action::Delete && risk < Risk::Destroy),
            "deleted",
        ),
        (count(|action, _| action == Action::Replace), "replaced"),
        (
            count(|action, _| action == Action::Retain),
            "left behind with its data",
        ),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", values::count(count, "object")))
        .collect();
    let closed = closing::hosts(plan).into_iter();
    let closed = closed.map(|(_, host)| format!("https://{host} closed"));
    let stopped = closing::stopped(plan).map(|service| format!("{} stops", service.name));
    let guards = closing::guards(plan).map(|guard| guard.end().to_owned());
    let opened = openings(objects.iter()).words();
    let ends = closed.chain(stopped).chain(guards);
    let parts: Vec<String> = parts.into_iter().chain(opened).chain(ends).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

impl<'a> Place<'a> {
    fn of(finding: &'a Finding) -> Option<Self> {
        let mut parts = finding.at.as_deref()?.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        let file = parts.next()?;
        Some(Self { file, line, column })
    }
}

/// A relative reference of RFC 3986.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |uri, byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if is_plain {
            format!("{uri}{}", char::from(byte))
        } else {
            format!("{uri}%{byte:02X}")
        }
    })
}

fn data(text: &str) -> String {
    values::visible(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
