//! `starform check`: every error of a project, with its place and the next step; `--fix` takes it.
//!
//! Effects: reads files, writes them with `--fix`, prints.

use std::path::{Component, Path, PathBuf};

use starform_dsl::{
    Compiled, ROOT_FILE,
    diag::{Applicability, Diagnostic},
    fix::{self, Level, Repaired, Step},
    render,
    source::SourceTree,
};

use super::{human, print, say_more};
use crate::{
    args::{CheckArgs, CheckFormat, FixLevel},
    exit::{self, Exit, Failure},
    rewrite::rewrite,
    sources::{self, Large, STDIN, Unread},
    terminal::Terminal,
};

pub(crate) fn run(args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let stdin = args.path == Path::new("-");
    if stdin && args.fix.is_some() && args.format != CheckFormat::Human {
        let message = "with `-`, `--fix` prints the fixed text: leave out `--format`";
        return Err(Failure::because(Exit::Error, message));
    }
    let read = if stdin {
        // What `--fix` prints takes the place of what was read.
        let large = match args.fix {
            None => Large::Begun,
            Some(_) => Large::Refused,
        };
        sources::read_stdin(large).map_err(|error| Unread::of(STDIN, error))
    } else {
        sources::read_or_tell(&args.path)
    };
    let read = match read {
        Ok(read) => read,
        Err(unread) => return Ok(tell_unread(args, unread)),
    };
    let (sources, compiled) = match args.fix {
        None => {
            let compiled = starform_dsl::compile(&read);
            (read, compiled)
        }
        Some(level) => {
            let repaired = fix::repair(&read, applied(level));
            if stdin {
                for (_, file) in repaired.sources.files() {
                    print(file.text());
                }
            } else {
                write(&args.path, &read, &repaired.sources)?;
            }
            tell(&as_given(&args.path), &repaired);
            (repaired.sources, repaired.compiled)
        }
    };
    show(args, &sources, &compiled, terminal);
    let render::Counts { errors, warnings } = render::counts(&compiled.diagnostics);
    let bad = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if bad { Exit::Error } else { Exit::Success })
}

fn applied(level: FixLevel) -> Level {
    match level {
        FixLevel::Safe => Level::Safe,
        FixLevel::All => Level::All,
    }
}

/// Writes the files whose text has changed.
fn write(given: &Path, before: &SourceTree, after: &SourceTree) -> anyhow::Result<()> {
    for ((_, before), (_, after)) in before.files().zip(after.files()) {
        if before.text() != after.text() {
            let path = sources::on_disk(given, before.path());
            rewrite(&path, before.text(), after.text())?;
        }
    }
    Ok(())
}

/// What was fixed, what was not and why.
fn tell(folder: &str, repaired: &Repaired) {
    for step in &repaired.applied {
        say!("fixed {}", line(folder, step));
    }
    for step in &repaired.refused {
        say!("not fixed {}", line(folder, step));
        say!("  because more errors would be left than before; do it by hand");
    }
    if !repaired.settled {
        say!("more fixes follow from these: run the command again");
    }
}

fn line(folder: &str, step: &Step) -> String {
    let Step {
        code,
        diagnostic,
        title,
        path,
        at,
    } = step;
    let words = format!("{title} ({code}: {diagnostic})");
    let place = format!("{folder}{path}:{}:{}", at.line, at.column);
    render::harmless(&format!("{place}: {words}")).into_owned()
}

/// Why there is nothing to check.
fn tell_unread(args: &CheckArgs, unread: Unread) -> Exit {
    let (sources, diagnostics) = unread.diagnostics();
    match for_machines(args, &sources, &diagnostics) {
        Some(text) => print(&text),
        None => {
            for error in unread.errors() {
                exit::tell(&error.into());
            }
        }
    }
    Exit::Error
}

fn show(args: &CheckArgs, sources: &SourceTree, compiled: &Compiled, terminal: Terminal) {
    let Compiled {
        diagnostics,
        secrets,
        ..
    } = compiled;
    if let Some(text) = for_machines(args, sources, diagnostics) {
        print(&text);
        return;
    }
    let how = human(terminal, secrets);
    let here = sources.below(&as_given(&args.path));
    say_part!("{}", render::human(&here, diagnostics, how));
    if diagnostics.is_empty() {
        say!("{} is fine.", args.path.display());
    }
    hint(args, compiled);
    say_more(diagnostics);
}

/// In the form that was asked for; `None`: a person reads it.
fn for_machines(
    args: &CheckArgs,
    sources: &SourceTree,
    diagnostics: &[Diagnostic],
) -> Option<String> {
    let here = || sources.below(&as_given(&args.path));
    match args.format {
        CheckFormat::Human => None,
        CheckFormat::Short => Some(render::short(&here(), diagnostics)),
        CheckFormat::Json => Some(render::json(&here(), diagnostics)),
        CheckFormat::Sarif => Some(render::sarif(sources, diagnostics, &folder(&args.path))),
        CheckFormat::Github => Some(render::github(sources, diagnostics, &folder(&args.path))),
    }
}

/// How many of what is left a machine could fix, and how it is asked to.
fn hint(args: &CheckArgs, compiled: &Compiled) {
    let fixable = |wanted: &[Applicability]| {
        let has = |fixes: &[starform_dsl::diag::Fix]| {
            fixes.iter().any(|fix| wanted.contains(&fix.applicability))
        };
        let said = compiled.diagnostics.iter();
        said.filter(|one| has(&one.fixes)).count()
    };
    let safe = fixable(&[Applicability::Safe]);
    let all = fixable(&[Applicability::Safe, Applicability::Maybe]);
    let more = all - safe;
    match args.fix {
        None if safe > 0 && more > 0 => {
            say!("{safe} can be fixed with `--fix`, {more} more with `--fix=all`");
        }
        None if safe > 0 => say!("{safe} can be fixed with `--fix`"),
        None | Some(FixLevel::Safe) if more > 0 => {
            say!("{more} can be fixed with `--fix=all`");
        }
        None | Some(FixLevel::Safe | FixLevel::All) => {}
    }
}

/// The project's folder as it was given, so that what is printed can be opened from here.
fn as_given(path: &Path) -> String {
    if names_itself(path) {
        return String::new();
    }
    // A folder of that name is no project: what is said about it is said about the name.
    let folder = match path.parent() {
        Some(parent) if path.ends_with(ROOT_FILE) => parent.to_owned(),
        Some(_) | None => sources::folder(path),
    };
    let here = folder.strip_prefix(".").unwrap_or(&folder);
    let plain: PathBuf = here.components().collect();
    if plain.as_os_str().is_empty() {
        return String::new();
    }
    plain.join("").to_string_lossy().into_owned()
}

/// Whether the file is already named by its whole path.
fn names_itself(path: &Path) -> bool {
    !path.is_dir() && !path.ends_with(ROOT_FILE)
}

/// The project's folder as a repository names it, where the command runs at the repository's top:
/// with a `/` at its end, or nothing.
pub(crate) fn folder(path: &Path) -> String {
    let given = as_given(path);
    let mut parts = Path::new(&given).components();
    let below = parts.all(|part| matches!(part, Component::Normal(_)));
    if below { given } else { String::new() }
}
