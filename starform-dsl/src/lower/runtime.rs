//! How a service runs: its commands, its user, its disks, where it shows its metrics.
//! Pure. A command of one text is split into words here; several texts are taken as they are.
//! Read on in `crate::values::words` for the splitting and in `crate::check` for what depends on ports and scale.

use super::read::Read;
use super::{Cx, secret};
use crate::diag::{Diagnostic, Fix, codes};
use crate::project::{ImageUser, MetricsDecl, ReleaseDecl, RunAsDecl, Slot, Spanned, VolumeDecl};
use crate::syntax::quoted;
use crate::table::Word;
use crate::values::words::{self, InvalidCommand};

pub(super) fn run(cx: &mut Cx, read: &Read<'_>) -> Slot<Vec<String>> {
    let empty = "name a program, or leave `run` out for the image's own";
    let command = command(cx, read, empty);
    read.slot(command)
}

pub(super) fn release(cx: &mut Cx, read: &Read<'_>) -> Slot<ReleaseDecl> {
    let empty = "name a program, or leave `release` out";
    let command = command(cx, read, empty);
    read.slot(command.map(|command| ReleaseDecl {
        command,
        timeout: read.prop("timeout"),
    }))
}

/// `None` where it is broken and reported; `empty`: what to do about a command of no words.
fn command(cx: &mut Cx, read: &Read<'_>, empty: &str) -> Option<Vec<String>> {
    let args: Vec<Spanned<String>> = read.args();
    if !read.sound || read.unset {
        return None;
    }
    if let Some(arg) = args.iter().find(|arg| arg.value.contains('\0')) {
        let help = "take it out: no argument of a process can hold one";
        let title = "the command holds a NUL character";
        cx.error(codes::BAD_COMMAND, arg.span, title, help);
        return None;
    }
    let texts = args.iter().map(|arg| Some(arg.value.as_str()));
    let said: Vec<Diagnostic> = std::iter::once(None)
        .chain(texts)
        .zip(&args)
        .filter_map(|(before, arg)| {
            secret::argument(read.spec.name(), before, &arg.value, arg.span)
        })
        .collect();
    if !said.is_empty() {
        said.into_iter().for_each(|said| cx.report(said));
        return None;
    }
    let [text] = args.as_slice() else {
        return program(cx, read, args);
    };
    match words::split(&text.value) {
        Ok(words) => Some(words),
        Err(error) => {
            cx.report(not_a_command(read, text, &error, empty));
            None
        }
    }
}

/// Several texts: the first is the program.
fn program(cx: &mut Cx, read: &Read<'_>, args: Vec<Spanned<String>>) -> Option<Vec<String>> {
    if let Some(first) = args.first().filter(|first| first.value.trim().is_empty()) {
        let help = format!("write it as `{} \"PROGRAM\" \"ARG\"`", read.spec.name());
        cx.error(codes::BAD_COMMAND, first.span, "the program is empty", help);
        return None;
    }
    Some(args.into_iter().map(|arg| arg.value).collect())
}

fn not_a_command(
    read: &Read<'_>,
    text: &Spanned<String>,
    error: &InvalidCommand,
    empty: &str,
) -> Diagnostic {
    let diagnostic = Diagnostic::new(codes::BAD_COMMAND, text.span, error.to_string());
    let node = read.spec.name();
    match error {
        InvalidCommand::Shell { .. } => {
            let through_shell = format!("\"sh\" \"-c\" {}", quoted(&text.value));
            diagnostic
                .help(format!("ask for a shell: `{node} {through_shell}`"))
                .fix(Fix::maybe_replace(
                    "run it in a shell",
                    text.span,
                    through_shell,
                ))
        }
        InvalidCommand::Unclosed(_) => {
            diagnostic.help("close it, or give each word as text of its own")
        }
        InvalidCommand::Backslash => {
            diagnostic.help("take it out, or write `\\\\\\\\` for a backslash")
        }
        InvalidCommand::Empty => diagnostic.help(empty),
    }
}

pub(super) fn run_as(cx: &mut Cx, read: &Read<'_>) -> Slot<RunAsDecl> {
    if read.unset || !read.sound {
        return read.slot(None);
    }
    let who: Option<Spanned<ImageUser>> = read.arg_word(0);
    let user: Option<Spanned<u32>> = read.prop("user");
    let group: Option<Spanned<u32>> = read.prop("group");
    let decl = match (who, user, group) {
        (Some(who), None, None) => Some(match who.value {
            ImageUser::Root => RunAsDecl::Root,
            ImageUser::Image => RunAsDecl::Image,
        }),
        (None, Some(user), group) => Some(RunAsDecl::User { user, group }),
        (Some(who), _, _) => {
            let word = who.value.as_str();
            let title = format!("`run-as {word}` and numbers exclude each other");
            let help = "keep the word or the numbers: `run-as user=1000 group=1000`";
            cx.error(codes::CONFLICTING_NODES, read.span(), title, help);
            None
        }
        (None, None, Some(_)) => {
            let help = "add `user=`, as in `run-as user=1000 group=1000`";
            let title = "`run-as` has a group and no user";
            cx.error(codes::MISSING_PROPERTY, read.span(), title, help);
            None
        }
        (None, None, None) => {
            let help = format!("it is written `{}`", read.spec.form);
            cx.error(
                codes::EMPTY_NODE,
                read.span(),
                "`run-as` says nothing",
                help,
            );
            None
        }
    };
    read.slot(decl)
}

pub(super) fn volume(read: &Read<'_>) -> Option<VolumeDecl> {
    Some(VolumeDecl {
        name: read.arg(0)?,
        mount: read.prop("mount")?,
        size: read.prop("size")?,
        class: read.prop("class"),
        span: read.span(),
    })
}

/// `metrics` alone means the first port and the usual path.
pub(super) fn metrics(read: &Read<'_>) -> Slot<MetricsDecl> {
    read.slot(Some(MetricsDecl {
        port: read.prop("port"),
        path: read.prop("path"),
        span: read.span(),
    }))
}
