//! `starform apply`: makes a plan's result the desired state and watches it converge.
//!
//! Effects: reads files, asks, accepts plans, prints. Always holds: nothing is accepted that was not
//! shown before, and nothing without a person's word or `--auto-approve`.

use std::{
    io::{BufRead as _, Write as _, stdin},
    path::Path,
    time::Duration,
};

use starform_plan::document::{Plan, Plans};

use super::{checked, plan, show};
use crate::{
    args::{ApplyArgs, Global, PlanFormat},
    backend::Backend,
    exit::{Exit, Failure},
    sources,
    terminal::Terminal,
};

pub(crate) async fn run(
    args: &ApplyArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let (backend, plans) = wanted(args, global, terminal).await?;
    plan::show(&plans, PlanFormat::Human, false, terminal);
    refuse_blocked(&plans)?;
    let changing: Vec<&Plan> = plans.plans.iter().filter(|plan| !plan.is_empty()).collect();
    if !changing.is_empty() && !args.auto_approve && !approved(&changing, terminal)? {
        return Err(Failure::because(Exit::Cancelled, "nothing was applied"));
    }
    let wait = Duration::from_secs(args.wait.as_secs().into());
    let mut ended = Exit::Success;
    for plan in &plans.plans {
        let exit = match plan.is_empty() {
            true => backend.resume(plan, wait).await?,
            false => {
                eprintln!("applying {}/{}", plan.project, plan.environment);
                backend.apply(plan, &plans, &args.options, wait).await?
            }
        };
        if exit != Exit::Success {
            ended = exit;
        }
        // Later environments often depend on earlier ones: a failure is looked at first.
        if matches!(exit, Exit::WaitEnded | Exit::Cancelled) {
            break;
        }
    }
    Ok(ended)
}

/// The plans to apply: stored ones, those of a file, or new ones of a project.
async fn wanted(
    args: &ApplyArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<(Backend, Plans)> {
    let path = Path::new(&args.target);
    if show::is_id(&args.target) {
        let backend = Backend::new(global, Path::new("."))?;
        let plans = backend.show(&args.target).await?;
        return Ok((backend, plans));
    }
    let is_project =
        path.is_dir() || path.extension().is_some_and(|end| end == "kdl") || !path.exists();
    if !is_project {
        let folder = sources::folder(path);
        return Ok((
            Backend::new(global, &folder)?,
            chosen(show::read(path)?, args),
        ));
    }
    let (sources, project) = checked(path, terminal)?;
    plan::check_options(&project, &args.options)?;
    let backend = Backend::new(global, &sources::folder(path))?;
    let name = plan::name(&project, &args.options);
    let plans = backend.plan(&name, &sources, &args.options).await?;
    Ok((backend, plans))
}

/// Of a plan file, the environments that were asked for.
fn chosen(mut plans: Plans, args: &ApplyArgs) -> Plans {
    if !args.options.env.is_empty() {
        plans
            .plans
            .retain(|plan| args.options.env.contains(&plan.environment));
    }
    plans
}

fn refuse_blocked(plans: &Plans) -> anyhow::Result<()> {
    let blocking: Vec<String> = plans
        .plans
        .iter()
        .flat_map(|plan| {
            plan.blocking_findings()
                .map(|finding| format!("{}: {}", finding.code, finding.title))
        })
        .collect();
    if blocking.is_empty() {
        return Ok(());
    }
    Err(Failure::because(
        Exit::Refused,
        format!("the plan is blocked:\n  {}", blocking.join("\n  ")),
    ))
}

fn approved(plans: &[&Plan], terminal: Terminal) -> anyhow::Result<bool> {
    if !terminal.interactive {
        let message = "nobody is there to ask; look at the plan, then repeat with --auto-approve";
        return Err(Failure::because(Exit::Error, message));
    }
    let names: Vec<String> = plans
        .iter()
        .map(|plan| format!("{}/{}", plan.project, plan.environment))
        .collect();
    eprint!("Apply to {}? Only `yes` goes on: ", names.join(", "));
    std::io::stderr().flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
