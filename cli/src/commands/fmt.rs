//! `starform fmt`: files in the one style.
//!
//! Effects: reads files, writes those that change, prints. Exits 1 where a file is broken or cannot be migrated (what is
//! sound in it is formatted all the same), and with `--check` and `--diff` also where a file would change, as `diff` does.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use similar::{ChangeTag, TextDiff};
use starform_dsl::{
    fmt::{self, Formatted, Migration},
    render,
    source::{FileId, SourceTree},
};

use super::{human, print};
use crate::{
    args::FmtArgs,
    exit::{self, Exit},
    rewrite::rewrite,
    sources::{self, Large, SourceError},
    terminal::Terminal,
};

/// One text, and where it came from.
struct Source {
    /// As messages name it.
    name: String,
    /// `None` for standard input.
    file: Option<PathBuf>,
    text: Arc<str>,
}

/// A file that cannot be read or written leaves the others: it is named, and they are formatted.
pub(crate) fn run(args: &FmtArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for path in &args.path {
        let (sources, unread) = match read(path) {
            Ok(read) => read,
            Err(error) => (Vec::new(), vec![error]),
        };
        for error in unread {
            exit = exit::tell(&error.into());
        }
        for source in sources {
            match format(args, &source, terminal) {
                Ok(true) => {}
                Ok(false) => exit = Exit::Error,
                Err(error) => exit = exit::tell(&error),
            }
        }
    }
    Ok(exit)
}

/// `-` is standard input; a folder stands for the files of its project, a file for itself alone.
fn read(path: &Path) -> Result<(Vec<Source>, Vec<SourceError>), SourceError> {
    let stdin = path == Path::new("-");
    let (tree, unread) = if stdin {
        (sources::read_stdin(Large::Refused)?, BTreeMap::new())
    } else if path.is_dir() {
        sources::read_what_can_be(path)?
    } else {
        (sources::read_one(path)?, BTreeMap::new())
    };
    let files = tree.files().map(|(_, file)| {
        let place = sources::on_disk(path, file.path());
        let place = place.strip_prefix(".").unwrap_or(&place).to_owned();
        Source {
            name: if stdin {
                sources::STDIN.to_owned()
            } else {
                place.display().to_string()
            },
            file: (!stdin).then_some(place),
            text: file.text().clone(),
        }
    });
    Ok((files.collect(), unread.into_values().collect()))
}

/// Does what was asked for with one text; tells whether all is well.
fn format(args: &FmtArgs, source: &Source, terminal: Terminal) -> anyhow::Result<bool> {
    let migration = args.migrate.then(|| fmt::migrate(&source.text));
    let migrated = migration.as_ref().and_then(Migration::converted);
    let kdl = migrated.unwrap_or(&source.text);
    let formatted = formatted(&source.name, kdl, terminal);
    if let Some(Migration::Impossible { at }) = migration {
        tell_not_migrated(source, at);
    }
    let Some(Formatted { text, mistakes, .. }) = formatted else {
        return Ok(false);
    };
    let changed = *text != *source.text;
    if args.diff {
        print(&difference(source, &text, terminal.color));
    } else if args.check {
        if changed {
            print(&format!("{}\n", source.name));
        }
    } else if let Some(file) = &source.file {
        if changed {
            rewrite(file, &source.text, &text)?;
            print(&format!("{}\n", source.name));
        }
    } else {
        print(&text);
    }
    let only_asked = args.check || args.diff;
    Ok(mistakes.is_empty() && !(only_asked && changed))
}

/// Why a text that is no v2 is not converted; its mistakes as v2 have been told.
fn tell_not_migrated(source: &Source, at: Option<u32>) {
    let name = &source.name;
    let why = match at {
        Some(at) => {
            let tree = SourceTree::single(name, &source.text);
            let place = tree.file(FileId(0)).position(at);
            let (line, column) = (place.line, place.column);
            format!("it is no KDL v1 at {name}:{line}:{column}")
        }
        None => "as KDL v1 it cannot be read either, or would become too large".to_owned(),
    };
    say!("{name} was not migrated, since {why}");
    say!("  mend what is said above; `starform check --fix` can do a part of it");
}

/// The formatted text. What is wrong with the text, or with the formatter, is told on standard error.
fn formatted(name: &str, text: &str, terminal: Terminal) -> Option<Formatted> {
    let sources = SourceTree::single(name, text);
    let outcome = fmt::format(text);
    let (diagnostics, secrets) = match &outcome {
        Ok(formatted) if formatted.mistakes.is_empty() => (Vec::new(), Vec::new()),
        Ok(_) => fmt::mistakes(&sources, FileId(0)),
        Err(error) => (vec![error.diagnostic(FileId(0))], Vec::new()),
    };
    let human = human(terminal, &secrets);
    say_part!("{}", render::human(&sources, &diagnostics, human));
    outcome.ok()
}

/// A unified difference; empty where there is none. It may end up in the log of a pipeline, so what looks like a
/// credential is covered.
fn difference(source: &Source, text: &str, color: bool) -> String {
    let (before, after) = (fmt::covered(&source.text), fmt::covered(text));
    let diff = TextDiff::from_lines(&before, &after);
    let unified = diff.unified_diff();
    let mut out = String::new();
    for (index, hunk) in unified.iter_hunks().enumerate() {
        if index == 0 {
            let _ = write!(out, "--- {0}\n+++ {0} (formatted)\n", source.name);
        }
        let _ = writeln!(out, "{}", painted(&hunk.header().to_string(), "36", color));
        for change in hunk.iter_changes() {
            let line = change.value();
            let ends = line.ends_with('\n');
            let line = line.trim_end_matches('\n');
            let shown = match change.tag() {
                ChangeTag::Equal => format!(" {line}"),
                ChangeTag::Delete => painted(&format!("-{line}"), "31", color),
                ChangeTag::Insert => painted(&format!("+{line}"), "32", color),
            };
            let _ = writeln!(out, "{shown}");
            if !ends {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// With an SGR code, where the output is coloured.
fn painted(text: &str, code: &str, color: bool) -> String {
    if color {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
