//! `starform apply`: makes a plan's result the desired state and watches it converge.
//!
//! Effects: reads files, asks, accepts plans, prints. Always holds: what is accepted is what was shown, or, to a
//! program that follows by events, what its plan says; nothing without a person's word or `--auto-approve`. Read on in `approve` for what
//! protected environments ask for.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, Write as _, stdin},
    path::Path,
    time::Duration,
};

use starform_contract::{
    EnvironmentName, ProjectName, ServiceName, quantity, report::Health, spelling::instead,
};
use starform_dsl::Project;
use starform_plan::{
    approval::Approval,
    document::{Plan, Plans},
    standing::Standing,
    view::values,
};

use super::{approve, asked, checked, plan, plan::refuse_project_without_server, show};
use crate::{
    args::{ApplyArgs, ApplyFormat, Global, PlanOptions},
    backend::{Backend, Followed},
    exit::{Exit, Failure},
    interrupt::Interrupts,
    progress::{Progress, Voice},
    sources,
    terminal::Terminal,
};

pub(crate) async fn run(
    args: &ApplyArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let voice = match args.format {
        ApplyFormat::Human => Voice::person(terminal),
        ApplyFormat::Ndjson if args.auto_approve => Voice::program(),
        ApplyFormat::Ndjson => {
            let message = "events are for programs, which nobody asks: add --auto-approve";
            return Err(Failure::because(Exit::Error, message));
        }
    };
    let (backend, plans) = wanted(args, global, terminal).await?;
    let carrying = Carrying {
        options: &args.options,
        auto_approve: args.auto_approve,
        wait: args.wait,
        voice,
    };
    carry_out(&backend, &plans, carrying, terminal).await
}

/// How plans are applied.
pub(super) struct Carrying<'a> {
    pub(super) options: &'a PlanOptions,
    pub(super) auto_approve: bool,
    pub(super) wait: quantity::Duration,
    /// Who follows it.
    pub(super) voice: Voice,
}

/// Shows the plans, asks, and applies one after the other.
pub(super) async fn carry_out(
    backend: &Backend,
    plans: &Plans,
    carrying: Carrying<'_>,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let Carrying {
        options,
        auto_approve,
        wait,
        voice,
    } = carrying;
    if let Voice::Person { .. } = voice {
        plan::show_human(plans, false, terminal);
    }
    refuse_blocked(plans)?;
    let changing: Vec<&Plan> = plans.plans.iter().filter(|plan| !plan.is_empty()).collect();
    let confirmed = approve::gate(backend, plans, &changing, auto_approve, terminal).await?;
    let is_open = |plan: &&&Plan| confirmed.of(&plan.environment) == Approval::Missing;
    let mut open: Vec<&Plan> = changing.iter().filter(is_open).copied().collect();
    // What is accepted is written too where the cluster does not have it so.
    let is_restored = |plan: &&Plan| {
        let standing = plans.standings.get(&plan.plan_id);
        plan.is_empty() && backend.writes() && standing.is_some_and(Standing::is_to_do)
    };
    open.extend(plans.plans.iter().filter(is_restored));
    if !open.is_empty() && !auto_approve && !approved(&question(&open), terminal)? {
        return Err(Failure::because(Exit::Cancelled, "nothing was applied"));
    }
    // Whoever stops it from here on is told what is done and what is not.
    let mut interrupts = Interrupts::listen();
    for (done, plan) in plans.plans.iter().enumerate() {
        let followed = Followed {
            wait: Duration::from_secs(wait.as_secs().into()),
            progress: Progress::new(&voice, plan),
            interrupts: &mut interrupts,
        };
        let exit = match plan.is_empty() {
            true => {
                let name = options.project.as_ref().unwrap_or(&plan.project);
                backend.resume(name, plan, followed).await?
            }
            false => {
                say!("applying {}/{}", plan.project, plan.environment);
                let approval = confirmed.of(&plan.environment);
                backend
                    .apply(plan, plans, options, approval, followed)
                    .await?
            }
        };
        // It came too late to stop this one.
        let is_last = done + 1 == plans.plans.len();
        let exit = if exit == Exit::Success && !is_last && interrupts.is_heard() {
            Exit::Cancelled
        } else {
            exit
        };
        // Later environments often depend on earlier ones: what failed is looked at first.
        if exit != Exit::Success {
            let rest: Vec<&str> = plans.plans[done + 1..]
                .iter()
                .filter(|plan| !plan.is_empty())
                .map(|plan| plan.environment.as_str())
                .collect();
            if !rest.is_empty() {
                say!("environments not started: {}", rest.join(", "));
            }
            return Ok(exit);
        }
    }
    Ok(Exit::Success)
}

/// The plans to apply: stored ones, those of a file, or new ones of a project.
async fn wanted(
    args: &ApplyArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<(Backend, Plans)> {
    let path = Path::new(&args.target);
    refuse_project_without_server(&args.options, global)?;
    show::refuse_short(&args.target)?;
    if show::is_id(&args.target) {
        refuse_planning_options(args, false)?;
        let backend = Backend::new(global, Path::new("."))?;
        let mut plans = backend.show(&args.target).await?;
        backend
            .stand(args.options.project.as_ref(), &mut plans)
            .await?;
        return Ok((backend, plans));
    }
    let is_project =
        path.is_dir() || path.extension().is_some_and(|end| end == "kdl") || !path.exists();
    if !is_project {
        refuse_planning_options(args, true)?;
        let backend = Backend::new(global, &sources::folder(path))?;
        let mut plans = backend.kept(chosen(show::read(path)?, args)?).await?;
        backend
            .stand(args.options.project.as_ref(), &mut plans)
            .await?;
        return Ok((backend, plans));
    }
    let (sources, project) = checked(path, terminal)?;
    plan::check_options(&project, &args.options)?;
    let backend = Backend::new(global, &sources::folder(path))?;
    let name = plan::name(&project, &args.options);
    let mut options = args.options.clone();
    if args.resume {
        options.again = failed(&backend, &name, &project, &options).await?;
    }
    let plans = backend
        .plan(&name, &sources, &project, &options, true)
        .await?;
    Ok((backend, plans))
}

/// The services that failed, whose releases may be why. One that went well is not run again, whatever
/// its attempt is called.
async fn failed(
    backend: &Backend,
    name: &ProjectName,
    project: &Project,
    options: &PlanOptions,
) -> anyhow::Result<BTreeMap<EnvironmentName, BTreeSet<ServiceName>>> {
    let environments = asked(project, &options.env);
    let all = backend.status(name, &environments).await?;
    let failed = all.into_iter().map(|status| {
        let services = status.services.into_iter();
        let failed = services.filter(|service| service.health == Health::Failed);
        (
            status.environment,
            failed.map(|service| service.name).collect(),
        )
    });
    Ok(failed.collect())
}

/// Of a plan file, the environments that were asked for.
fn chosen(mut plans: Plans, args: &ApplyArgs) -> anyhow::Result<Plans> {
    let held: Vec<&str> = plans
        .plans
        .iter()
        .map(|plan| plan.environment.as_str())
        .collect();
    if let Some(missing) = args
        .options
        .env
        .iter()
        .find(|env| !held.contains(&env.as_str()))
    {
        let message = format!(
            "the plan file has no environment `{missing}`; {}",
            instead(missing.as_str(), &held)
        );
        return Err(Failure::because(Exit::Error, message));
    }
    if !args.options.env.is_empty() {
        plans
            .plans
            .retain(|plan| args.options.env.contains(&plan.environment));
    }
    Ok(plans)
}

/// A plan that is made already is applied as it is: options that shape a plan would be ignored.
fn refuse_planning_options(args: &ApplyArgs, takes_env: bool) -> anyhow::Result<()> {
    let PlanOptions {
        env,
        image,
        service,
        adopt,
        revision,
        profile: _,
        project: _,
        verify_wait: _,
        again: _,
    } = &args.options;
    let given = [
        (!takes_env && !env.is_empty(), "--env"),
        (!image.is_empty(), "--image"),
        (!service.is_empty(), "--service"),
        (!adopt.is_empty(), "--adopt"),
        (revision.is_some(), "--revision"),
        (args.resume, "--resume"),
    ];
    match given.iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, option)) => {
            let message = format!(
                "{option} shapes a plan; give it to `starform plan`, not to a plan that is made"
            );
            Err(Failure::because(Exit::Error, message))
        }
    }
}

fn refuse_blocked(plans: &Plans) -> anyhow::Result<()> {
    let blocking: Vec<String> = plans
        .plans
        .iter()
        .flat_map(|plan| plan.blocking_findings().map(values::finding))
        .collect();
    if blocking.is_empty() {
        return Ok(());
    }
    Err(Failure::because(
        Exit::Refused,
        format!("the plan is blocked:\n  {}", blocking.join("\n  ")),
    ))
}

fn question(plans: &[&Plan]) -> String {
    let names: Vec<String> = plans
        .iter()
        .map(|plan| format!("{}/{}", plan.project, plan.environment))
        .collect();
    format!("Apply to {}?", names.join(", "))
}

pub(super) fn approved(question: &str, terminal: Terminal) -> anyhow::Result<bool> {
    if !terminal.interactive {
        let message = "nobody is there to ask; look at the plan, then repeat with --auto-approve";
        return Err(Failure::because(Exit::Error, message));
    }
    Ok(answer(&format!("{question} Only `yes` goes on: "))? == "yes")
}

/// What a person types in a line.
pub(super) fn answer(prompt: &str) -> anyhow::Result<String> {
    say_part!("{prompt}");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
