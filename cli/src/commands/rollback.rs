//! `starform rollback`: a plan that makes an environment what an older generation was, shown and applied.
//!
//! Effects: reads a file for the project's name, asks, accepts a plan, prints. Always holds: it is a plan like
//! any other, and nothing is accepted without a person's word or `--auto-approve`.

use std::time::Duration;

use starform_plan::document::Plans;
use starform_reconciler::api::body;

use super::{
    apply::{self, Carrying},
    history,
};
use crate::{
    args::{Global, PlanOptions, RollbackArgs},
    backend::Backend,
    exit::Exit,
    progress::Voice,
    remote::{failure, standing, verified},
    terminal::Terminal,
};

/// For what the cluster itself says of the plan, as `plan` waits where nobody says otherwise.
const VERIFY_WAIT: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    args: &RollbackArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let next = "Check out the revision of starform.kdl to go back to and `starform apply` it";
    let remote = history::remote(global, "rollback", next)?;
    let place = history::find(&remote, &args.place, &args.path, terminal).await?;
    let route = place.route("rollback?bundles=true");
    let body = body::Rollback { to: args.to };
    let mut plans: Plans = remote.post(&route, &body).await.map_err(failure)?;
    verified::join(&remote, &mut plans, VERIFY_WAIT).await;
    standing::join(&remote, place.id, &mut plans).await?;
    let options = PlanOptions {
        project: Some(place.name.clone()),
        ..PlanOptions::default()
    };
    let carrying = Carrying {
        options: &options,
        auto_approve: args.auto_approve,
        wait: args.wait,
        voice: Voice::person(terminal),
    };
    let exit = apply::carry_out(&Backend::Remote(remote), &plans, carrying, terminal).await?;
    if exit == Exit::Success {
        say!("starform.kdl is as it was, so its next plan goes forward again; change it too");
    }
    Ok(exit)
}
