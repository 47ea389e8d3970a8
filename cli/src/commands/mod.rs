//! One file per command: parse, call, print, exit.
//!
//! Effects: those of the commands.

mod admin;
mod apply;
mod approve;
mod check;
mod cluster;
mod compile;
mod diff;
mod drift;
mod explain;
mod fmt;
mod history;
mod manual;
mod plan;
mod removal;
mod rollback;
mod schema;
mod secret;
mod serve;
mod show;
mod status;

use std::path::Path;

pub(crate) use compile::profile as compile_profile;
use starform_contract::EnvironmentName;
use starform_dsl::{
    Compiled, Project,
    diag::{self, Diagnostic},
    render,
    source::{SourceTree, Span},
};

use crate::{
    args::{Cli, Command},
    exit::{Exit, Failure},
    output::print,
    sources,
    terminal::Terminal,
};

pub(crate) async fn run(cli: Cli) -> anyhow::Result<Exit> {
    let Cli { command, global } = cli;
    let terminal = Terminal::detect(global.color);
    match command {
        Command::Check(args) => check::run(&args, terminal),
        Command::Fmt(args) => fmt::run(&args, terminal),
        Command::Compile(args) => compile::bundle(&args, terminal),
        Command::Render(args) => compile::objects(&args, terminal),
        Command::Lsp => crate::lsp::run(),
        Command::Explain(args) => explain::run(&args, terminal),
        Command::Schema(command) => schema::run(&command, terminal),
        Command::Plan(args) => plan::run(&args, &global, terminal).await,
        Command::Show(args) => show::run(&args, &global, terminal).await,
        Command::Apply(args) => apply::run(&args, &global, terminal).await,
        Command::Approve(args) => approve::run(&args, &global, terminal).await,
        Command::Status(args) => status::run(&args, &global, terminal).await,
        Command::Drift(args) => drift::run(&args, &global, terminal).await,
        Command::History(args) => history::run(&args, &global, terminal).await,
        Command::Diff(args) => diff::run(&args, &global, terminal).await,
        Command::Rollback(args) => rollback::run(&args, &global, terminal).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Workspace(command) => admin::workspace(command, &global).await,
        Command::Cluster(command) => cluster::run(command, &global).await,
        Command::Environment(command) => removal::environment(command, &global, terminal).await,
        Command::Project(command) => admin::project(command, &global, terminal).await,
        Command::Token(command) => admin::token(command, &global).await,
        Command::Secret(command) => secret::run(command, &global, terminal).await,
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { out } => manual::pages(&out),
    }
}

/// The sources at `path` and the checked project. Diagnostics go to standard error; errors end the
/// command.
fn checked(path: &Path, terminal: Terminal) -> anyhow::Result<(SourceTree, Project)> {
    let sources = sources::read(path)?;
    let compiled = starform_dsl::compile(&sources);
    say(&sources, &compiled, terminal);
    match compiled.project {
        Some(project) => Ok((sources, project)),
        None => Err(Failure::shown(Exit::Error)),
    }
}

/// The project at `path`, for a command that is not about what the file says: it tells errors alone.
fn known(path: &Path, terminal: Terminal) -> anyhow::Result<(SourceTree, Project)> {
    let sources = sources::read(path)?;
    let mut compiled = starform_dsl::compile(&sources);
    match compiled.project.take() {
        Some(project) => Ok((sources, project)),
        None => {
            compiled.diagnostics.retain(Diagnostic::is_error);
            say(&sources, &compiled, terminal);
            Err(Failure::shown(Exit::Error))
        }
    }
}

/// Tells what is refused only in a plan, as the checks tell what they find; the command ends with it.
pub(crate) fn refused(
    sources: &SourceTree,
    diagnostics: Vec<Diagnostic>,
    terminal: Terminal,
) -> anyhow::Error {
    // One mistake is found in every environment that it holds in.
    let diagnostics = diag::settle(diagnostics);
    // A project without errors was checked before: only where its secrets stand has to be found again.
    let secrets = starform_dsl::compile(sources).secrets;
    let human = human(terminal, &secrets);
    say_part!("{}", render::human(sources, &diagnostics, human));
    say_more(&diagnostics);
    Failure::shown(Exit::Error)
}

/// Diagnostics to standard error.
fn say(sources: &SourceTree, compiled: &Compiled, terminal: Terminal) {
    let human = human(terminal, &compiled.secrets);
    say_part!("{}", render::human(sources, &compiled.diagnostics, human));
    say_more(&compiled.diagnostics);
}

/// Where the first error is told at length.
fn say_more(diagnostics: &[Diagnostic]) {
    if let Some(error) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        say!("for more: starform explain {}", error.code);
    }
}

/// How diagnostics are shown here; what the compiler calls a credential is starred out.
fn human(terminal: Terminal, secrets: &[Span]) -> render::Human<'_> {
    render::Human {
        width: terminal.width,
        color: terminal.color,
        secrets,
    }
}

/// The environments that were asked for; all when none was.
fn asked(project: &Project, environments: &[EnvironmentName]) -> Vec<EnvironmentName> {
    if environments.is_empty() {
        let declared = project.environments();
        declared.map(|(name, _)| name.clone()).collect()
    } else {
        environments.to_vec()
    }
}

fn print_json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value).expect("documents have string keys");
    print(&format!("{text}\n"));
}
