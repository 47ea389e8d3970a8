//! What the cluster says in a case, and that every view tells it.
//!
//! Pure. The section `verified` begins with `cluster NAME` and the state, as JSON, where there is no answer;
//! the other lines are `Kind name {verdict}`, the verdict as JSON. What no line speaks of is accepted.

use serde_json::Value;
use starform_contract::verify::{ObjectVerdict, Verdict};
use starform_plan::{
    document::{Action, Plan, Plans},
    verified::{Answer, Verified},
    view::{self, MarkdownOptions, TextOptions},
};

use super::file::Case;

/// Joins what the case says to all its plans.
pub(super) fn join(plans: &mut Plans, case: &Case) -> Result<(), String> {
    let Some(section) = case.input("verified") else {
        return Ok(());
    };
    let mut lines = section.lines();
    let head = lines.next().and_then(|line| line.strip_prefix("cluster "));
    let head = head.ok_or("`verified` begins with `cluster NAME`")?;
    let (cluster, state) = head.split_once(' ').unwrap_or((head, ""));
    let lines: Vec<&str> = lines.collect();
    for plan in &plans.plans {
        let answer = if state.is_empty() {
            Answer::Answered {
                at: "2026-01-31T12:00:00.000Z".to_owned(),
                verdicts: verdicts(plan, &lines)?,
            }
        } else {
            serde_json::from_str(state).map_err(|error| error.to_string())?
        };
        let verified = Verified {
            cluster: cluster.to_owned(),
            answer,
        };
        plans.verifications.insert(plan.plan_id.clone(), verified);
    }
    told(plans)
}

fn verdicts(plan: &Plan, lines: &[&str]) -> Result<Vec<ObjectVerdict>, String> {
    let written = plan.objects.iter().filter(|change| match change.action {
        Action::Create | Action::Update | Action::Replace | Action::Adopt => true,
        Action::Delete | Action::Retain | Action::Forget | Action::None => false,
    });
    let verdict = |name: &str| {
        let line = lines.iter().find_map(|line| line.strip_prefix(name));
        line.map_or(Ok(Verdict::Accepted), |json| {
            let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
            serde_json::from_value(value).map_err(|error| error.to_string())
        })
    };
    written
        .map(|change| {
            let name = format!("{} {} ", change.key.kind, change.key.name);
            Ok(ObjectVerdict {
                key: change.key.clone(),
                digest: change.after.clone().ok_or("what is written has a digest")?,
                verdict: verdict(&name)?,
            })
        })
        .collect()
}

/// No view leaves out what would not be stored, however little it may say.
fn told(plans: &Plans) -> Result<(), String> {
    let options = TextOptions {
        width: 100,
        color: false,
        full: false,
    };
    let markdown = |budget| {
        let link = None;
        view::markdown(plans, &MarkdownOptions { budget, link })
    };
    let least = markdown(0).err().map_or(0, |few| few.least);
    let (text, page) = (view::text(plans, &options), view::html(plans));
    let (comment, least) = (markdown(60_000), markdown(least));
    let (comment, least) = comment
        .and_then(|comment| Ok((comment, least?)))
        .map_err(|few| few.to_string())?;
    let (sarif, github) = (view::sarif(plans, ""), view::github(plans, ""));
    for (id, verified) in &plans.verifications {
        let plan = plans.plans.iter().find(|plan| plan.plan_id == *id);
        let plan = plan.ok_or("a verification without its plan")?;
        for finding in verified.findings(plan) {
            for (view, code) in [("sarif", &sarif), ("github", &github)] {
                if !code.contains(&finding.code) {
                    return Err(format!("{view} does not tell {}", finding.code));
                }
            }
        }
        for said in verified.verdicts() {
            let grave = match said.verdict {
                Verdict::Rejected { .. } | Verdict::Owned { .. } | Verdict::Changed { .. } => true,
                Verdict::Accepted | Verdict::Approximate { .. } | Verdict::Unchecked { .. } => {
                    false
                }
            };
            let name = format!("{} {}", said.key.kind, said.key.name);
            for (view, shown) in [("terminal", &text), ("html", &page), ("markdown", &comment)] {
                if grave && !shown.contains(&name) {
                    return Err(format!("{view} does not tell {name}"));
                }
            }
            if grave && !least.contains(&name) && !least.contains("by the cluster**") {
                return Err(format!("the shortest comment does not count {name}"));
            }
        }
    }
    Ok(())
}
