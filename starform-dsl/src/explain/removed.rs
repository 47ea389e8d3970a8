//! What is gone by the file's own word: `removed` lines, and names that a service or a removed thing had once.
//! Pure. A `removed` line speaks for every environment alike.
//! Read on in `crate::check::former` for what must hold of such names.

use starform_contract::ServiceName;

use super::path::NoSuchPath;
use super::written::Written;
use super::{Answer, At, Explained, Role, Said, grouped};
use crate::project::{Data, Gone, Model, Removed};
use crate::table::Word;

/// `removed.web.old`, `removed.volume.api.data`: as the line has it, with points for spaces.
pub(super) fn path(removed: &Removed) -> String {
    format!("removed.{}", in_path(removed))
}

fn in_path(removed: &Removed) -> String {
    format!("{}.{}", removed.what.kind().as_str(), removed.what.name())
}

/// The line that a path names after the word `removed`, and how many segments that takes.
pub(super) fn find<'p>(model: &'p Model, segments: &[&str]) -> Option<(&'p Removed, usize)> {
    model.removed.iter().find_map(|removed| {
        let own = in_path(removed);
        let taken = own.split('.').count();
        let given = segments.get(..taken)?;
        given
            .iter()
            .copied()
            .eq(own.split('.'))
            .then_some((removed, taken))
    })
}

/// No line of the project is meant.
pub(super) fn no_such_line(model: &Model, segments: &[&str]) -> NoSuchPath {
    let known: Vec<String> = model.removed.iter().map(in_path).collect();
    let known = known.iter().map(String::as_str);
    NoSuchPath::new("`removed` line for", &segments.join("."), known)
}

pub(super) fn explain(
    at: &[At<'_>],
    removed: &Removed,
    rest: &[String],
) -> Result<Vec<Explained>, NoSuchPath> {
    match rest {
        [] => {}
        [name] if name == "data" => {}
        [name, ..] => return Err(NoSuchPath::new("setting", name, ["data"].into_iter())),
    }
    let each = at.iter().map(|at| {
        let said = Said {
            role: Role::Holds,
            layer: "the project itself".to_owned(),
            place: Some(at.written.place(removed.node)),
            text: at.written.text(removed.node),
        };
        (at.environment, Answer::new(Some(data(removed)), vec![said]))
    });
    Ok(vec![Explained {
        path: format!("{}.data", path(removed)),
        answers: grouped(each),
    }])
}

fn data(removed: &Removed) -> String {
    match removed.data.value {
        Data::Keep => "keep".to_owned(),
        Data::Destroy => "destroy".to_owned(),
    }
}

/// What a name that nothing has any more was, and whom to ask instead.
pub(super) fn former(written: &Written<'_>, model: &Model, name: &str) -> Option<NoSuchPath> {
    let name = ServiceName::new(name).ok()?;
    let renamed = model.services.values().find_map(|service| {
        let was = service.was.as_ref().filter(|was| was.name.value == name)?;
        let (now, place) = (&service.name.value, written.place(was.name.span));
        Some(format!("it is called `{now}` now, by {place}"))
    });
    let removed = || {
        let of_service = |removed: &&Removed| match &removed.what {
            Gone::Service(gone, _) => *gone == name,
            Gone::Volume(_, _) => false,
        };
        let removed = model.removed.iter().find(of_service)?;
        let place = written.place(removed.node);
        Some(format!(
            "it is removed by {place}; ask for `{}`",
            path(removed)
        ))
    };
    let next = renamed.or_else(removed)?;
    Some(NoSuchPath::with("service", name.as_str(), next))
}
