//! Words on the command line that other tools have and this one has not, and what they are called here.
//!
//! Pure. Always holds: what clap refuses stays refused with its exit code; only the tip is another one. A test runs
//! every command that a tip names.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error};

/// Commands of other tools, and the next step here.
const COMMANDS: &[(&[&str], &str)] = &[
    (
        &["validate", "lint", "verify", "test"],
        "`starform check` reports every error of a project",
    ),
    (
        &[
            "up", "deploy", "sync", "rollout", "push", "install", "upgrade",
        ],
        "`starform apply` shows the plan, asks, and makes it so",
    ),
    (
        &["preview", "dry-run", "whatif", "what-if"],
        "`starform plan` shows what would change",
    ),
    (
        &[
            "build",
            "synth",
            "template",
            "manifest",
            "manifests",
            "convert",
        ],
        "`starform render --env ENV` prints the Kubernetes objects, `starform compile --env ENV` the bundle",
    ),
    (&["format"], "`starform fmt` writes files in the one style"),
    (
        &[
            "get", "list", "ls", "ps", "describe", "state", "info", "health",
        ],
        "`starform status` shows what is accepted and how it does",
    ),
    (
        &["init", "new", "create", "scaffold"],
        "write a `starform.kdl`; `starform explain project` shows how it begins",
    ),
    (
        &["destroy", "down", "delete", "remove", "rm", "uninstall"],
        "take it out of `starform.kdl`, then `starform apply`: the plan lists what goes; `starform explain removed` tells of data",
    ),
    (
        &["undo", "revert"],
        "`starform rollback` makes an environment what an older generation was",
    ),
    (
        &["log", "logs", "generations", "revisions"],
        "`starform history` lists what was accepted for an environment, `starform status` how it does",
    ),
    (
        &["login", "auth"],
        "set STARFORM_TOKEN or give `--token-file FILE` with `--server URL`",
    ),
    (
        &["server", "start", "daemon"],
        "`starform serve` runs the control plane",
    ),
    (
        &["docs", "doc", "why"],
        "`starform explain` tells of codes, nodes and values",
    ),
    (&["version"], "`starform --version` prints it"),
];

/// Options that people look for on a command which has not got them: command, option, and where it is.
const OPTIONS: &[(&str, &str, &str)] = &[
    (
        "check",
        "--env",
        "`check` looks at every environment at once; one alone have `starform plan --env ENV`, `compile`, `render` and `explain`",
    ),
    (
        "fmt",
        "--fix",
        "`starform check --fix` mends mistakes; `fmt` leaves broken lines alone",
    ),
    (
        "fmt",
        "--write",
        "`fmt` writes without being asked; `--check` and `--diff` keep it from that",
    ),
    (
        "plan",
        "--auto-approve",
        "`plan` changes nothing; `starform apply` takes it",
    ),
    ("apply", "--yes", "`--auto-approve` does not ask"),
    (
        "apply",
        "--dry-run",
        "`starform plan` shows what would change and changes nothing",
    ),
];

/// The error with what the word that it is about is called here; `words`: the command line after the program.
pub(crate) fn advise(mut error: Error, words: impl Iterator<Item = OsString>) -> Error {
    let mut words = words.filter_map(|word| word.into_string().ok());
    let command = words.find(|word| !word.starts_with('-'));
    let command = command.as_deref().unwrap_or_default();
    let tip = match (
        said(&error, ContextKind::InvalidSubcommand),
        said(&error, ContextKind::InvalidArg),
    ) {
        // A word after a command that has commands of its own is another matter.
        (Some(word), _) => instead_of_command(word).filter(|_| command == word),
        (None, Some(option)) => instead_of_option(command, option),
        (None, None) => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

fn said(error: &Error, kind: ContextKind) -> Option<&str> {
    if let Some(ContextValue::String(word)) = error.get(kind) {
        Some(word)
    } else {
        None
    }
}

fn instead_of_command(word: &str) -> Option<&'static str> {
    let row = COMMANDS.iter().find(|(words, _)| words.contains(&word));
    row.map(|(_, tip)| *tip)
}

fn instead_of_option(command: &str, option: &str) -> Option<&'static str> {
    let row = OPTIONS
        .iter()
        .find(|(of, name, _)| *of == command && *name == option);
    row.map(|(_, _, tip)| *tip)
}
