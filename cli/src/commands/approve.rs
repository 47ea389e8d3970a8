//! `starform approve`, and what `apply` does about plans of protected environments.
//!
//! Effects: asks a control plane or a person, prints. Always holds: with a control plane only an approval
//! that it keeps opens such a plan; without one only the environment's name, typed on a terminal.

use std::collections::BTreeSet;

use starform_contract::EnvironmentName;
use starform_plan::{
    approval::Approval,
    document::{Finding, Plan, Plans},
    view::values,
};
use starform_reconciler::api::body;

use super::{apply, plan};
use crate::{
    args::{ApproveArgs, Global},
    backend::Backend,
    exit::{Exit, Failure},
    remote::{Remote, RemoteError, failure},
    terminal::Terminal,
};

/// Environments whose plan a person has confirmed by typing the name; each of them is approved so.
#[derive(Debug, Default)]
pub(super) struct Confirmed(BTreeSet<EnvironmentName>);

impl Confirmed {
    /// With a control plane nobody is asked here: it knows its approvals, and looks again.
    pub(super) fn of(&self, environment: &EnvironmentName) -> Approval {
        match self.0.contains(environment) {
            true => Approval::Given,
            false => Approval::Missing,
        }
    }
}

pub(crate) async fn run(
    args: &ApproveArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let Some(server) = &global.server else {
        let message = "approvals are kept by a control plane: give --server URL or set STARFORM_SERVER. Without one, `starform apply` asks on a terminal for the name of a protected environment";
        return Err(Failure::because(Exit::Error, message));
    };
    let remote = Remote::new(server, global)?;
    let shown = stored(&remote, &args.plan).await.map_err(failure)?;
    let name = format!("{}/{}", shown.plan.project, shown.plan.environment);
    let path = format!("/v1/plans/{}/approve", shown.plan.plan_id);
    plan::show_human(&shown.into(), false, terminal);
    if !args.yes {
        if !terminal.interactive {
            let message = "nobody is there to ask; look at the plan, then repeat with --yes";
            return Err(Failure::because(Exit::Error, message));
        }
        let question = format!("Approve this for {name}? Only `yes` goes on: ");
        if apply::answer(&question)? != "yes" {
            return Err(Failure::because(Exit::Error, "nothing was approved"));
        }
    }
    let approval: body::PlanApproval = remote
        .post(&path, &serde_json::json!({}))
        .await
        .map_err(|error| Failure::because(Exit::Error, error.to_string()))?;
    say!(
        "approved by {}; whoever planned it goes on with `starform apply {}`",
        approval.approved.by,
        approval.plan_id.short()
    );
    Ok(Exit::Success)
}

/// Nothing goes on while a plan that needs an approval has none.
pub(super) async fn gate(
    backend: &Backend,
    plans: &Plans,
    changing: &[&Plan],
    auto_approve: bool,
    terminal: Terminal,
) -> anyhow::Result<Confirmed> {
    let guarded: Vec<(&Plan, &Finding)> = changing
        .iter()
        .filter_map(|plan| Some((*plan, plan.approval_needed()?)))
        .collect();
    match backend {
        Backend::Remote(remote) => {
            let mut waiting = Vec::new();
            for (plan, finding) in guarded {
                if !is_approved(remote, plans, plan).await? {
                    waiting.push((plan, finding));
                }
            }
            refuse_waiting(&waiting)?;
            Ok(Confirmed::default())
        }
        Backend::Embedded(_) => confirm(&guarded, auto_approve, terminal),
    }
}

/// As [`body::ShownPlan`], by an id or its beginning.
async fn stored(remote: &Remote, id: &str) -> Result<body::ShownPlan, RemoteError> {
    remote.get(&format!("/v1/plans/{id}")).await
}

/// The server joined it to a plan that it made just now; of a plan from a file it is asked.
async fn is_approved(remote: &Remote, plans: &Plans, plan: &Plan) -> anyhow::Result<bool> {
    if plans.approvals.contains_key(&plan.effect_id) {
        return Ok(true);
    }
    let shown = stored(remote, &plan.plan_id.to_string()).await;
    Ok(shown.map_err(failure)?.approval.is_some())
}

fn refuse_waiting(waiting: &[(&Plan, &Finding)]) -> anyhow::Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = waiting
        .iter()
        .map(|(plan, finding)| {
            let (title, id) = (values::visible(&finding.title), plan.plan_id.short());
            format!(
                "{title}\n  an Admin of the project who neither made the plan nor applies it: starform approve {id}\n  then: starform apply {id}"
            )
        })
        .collect();
    Err(Failure::because(
        Exit::Refused,
        format!("nothing was applied: {}", lines.join("\n")),
    ))
}

/// Each name has to be typed; nothing else answers for a person.
fn confirm(
    guarded: &[(&Plan, &Finding)],
    auto_approve: bool,
    terminal: Terminal,
) -> anyhow::Result<Confirmed> {
    let mut confirmed = BTreeSet::new();
    for (plan, finding) in guarded {
        let (title, name) = (values::visible(&finding.title), &plan.environment);
        if auto_approve || !terminal.interactive {
            let message = format!(
                "nothing was applied: {title}\n  without a control plane a person gives it: run this on a terminal without --auto-approve, and type the name of the environment when it asks"
            );
            return Err(Failure::because(Exit::Refused, message));
        }
        say!("{title}");
        let typed = apply::answer(&format!(
            "Type the name of the environment ({name}) to go on: "
        ))?;
        if typed != name.as_str() {
            return Err(Failure::because(Exit::Cancelled, "nothing was applied"));
        }
        confirmed.insert(name.clone());
    }
    Ok(Confirmed(confirmed))
}
