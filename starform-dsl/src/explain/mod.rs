//! Where a value of a project comes from: what holds in each environment, who says so, and what that replaced.
//! Pure. Asks `crate::resolve` who says what and `crate::emit` what comes out, so it cannot differ from what is deployed.
//! What looks like a credential is never repeated.
//! Read on in `path` for what may be asked, and in `text` for how the answer is printed.

mod everywhere;
mod field;
mod origins;
mod outer;
mod path;
mod removed;
mod service;
mod text;
mod value;
mod written;

use std::fmt;

use serde::Serialize;
use starform_contract::{EnvironmentName, EnvironmentState};

use crate::emit::{Bindings, emit};
use crate::project::Project;
use crate::resolve::LayerName;
use crate::source::Span;
use everywhere::Everywhere;
use path::Subject;
use written::Written;

pub use field::{Field, field};
pub use origins::{Origin, origins};
pub use path::NoSuchPath;
pub use text::text;

/// What holds for one path, environment by environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// With the service's, group's or environment's name first.
    pub path: String,
    pub answers: Vec<Answer>,
}

/// What holds in some environments alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// At least one, in the order of the file.
    pub environments: Vec<EnvironmentName>,
    /// What comes out, defaults filled in; `None` where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Who speaks of it, the one that holds first.
    pub said: Vec<Said>,
}

/// What one layer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    pub role: Role,
    /// `in production`, `the service itself`, `partial small`, `var-group shared`, `default`.
    pub layer: String,
    /// `None`: a default stands nowhere.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// As it is written, on one line.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Holds,
    /// It speaks of the node as a whole and leaves this part of it to the default.
    LeavesOut,
    /// `#null`: it takes back what is below.
    TakesBack,
    /// A higher layer says something else.
    Replaced,
    /// It keeps the service out of the environment.
    Absent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One environment of a project, resolved.
struct At<'p> {
    project: &'p Project,
    environment: &'p EnvironmentName,
    /// `None` where this version cannot deploy it.
    state: Option<EnvironmentState>,
    written: &'p Written<'p>,
}

/// Answers for `path`, in one environment, which may be that of a pull request, or in all declared ones.
///
/// `secrets`: the places that [`crate::Compiled`] found to look like credentials.
pub fn explain<'p>(
    project: &'p Project,
    path: &str,
    environment: Option<&'p EnvironmentName>,
    bindings: &Bindings,
    secrets: &[Span],
) -> Result<Vec<Explained>, NoSuchPath> {
    let written = Written::new(project, secrets);
    let environments = chosen(project, environment)?;
    let at: Vec<At<'_>> = environments
        .into_iter()
        .map(|environment| At {
            project,
            environment,
            state: emit(project, environment, bindings)
                .ok()
                .map(|emitted| emitted.state),
            written: &written,
        })
        .collect();
    match path::subject(project, &written, path)? {
        Subject::Service(service, rest) => service::explain(&Everywhere::new(&at, service), &rest),
        Subject::Group(name, rest) => outer::group(&at, name, &rest),
        Subject::Environment(environment, rest) => outer::environment(&written, environment, &rest),
        Subject::Removed(line, rest) => removed::explain(&at, line, &rest),
    }
}

fn chosen<'p>(
    project: &'p Project,
    environment: Option<&'p EnvironmentName>,
) -> Result<Vec<&'p EnvironmentName>, NoSuchPath> {
    let all = || project.environments().map(|(name, _)| name);
    match environment {
        None => Ok(all().collect()),
        Some(asked) => match all().find(|name| *name == asked) {
            Some(found) => Ok(vec![found]),
            None if project.preview(asked).is_some() => Ok(vec![asked]),
            None => Err(NoSuchPath::new(
                "environment",
                asked.as_str(),
                all().map(EnvironmentName::as_str),
            )),
        },
    }
}

/// Environments with equal answers become one answer, in the order of the file.
fn grouped<'p>(answers: impl Iterator<Item = (&'p EnvironmentName, Answer)>) -> Vec<Answer> {
    let mut groups: Vec<Answer> = Vec::new();
    for (environment, answer) in answers {
        let same = |known: &&mut Answer| known.value == answer.value && known.said == answer.said;
        match groups.iter_mut().find(same) {
            Some(known) => known.environments.push(environment.clone()),
            None => groups.push(Answer {
                environments: vec![environment.clone()],
                ..answer
            }),
        }
    }
    groups
}

fn layer(name: LayerName<'_>) -> String {
    let inside = |names: &crate::project::NamedEnvironments| {
        let names: Vec<&str> = names.list.iter().map(|name| name.value.as_str()).collect();
        format!("in {}", names.join(" "))
    };
    match name {
        LayerName::Group(group) => format!("var-group {group}"),
        LayerName::GroupIn(group, names) => format!("var-group {group}, {}", inside(names)),
        LayerName::Partial(partial) => format!("partial {partial}"),
        LayerName::Own => "the service itself".to_owned(),
        LayerName::In(names) => inside(names),
    }
}

fn said(at: &At<'_>, role: Role, by: LayerName<'_>, span: Span, text: String) -> Said {
    Said {
        role,
        layer: layer(by),
        place: Some(at.written.place(span)),
        text,
    }
}

impl Answer {
    /// Of one environment, which [`grouped`] names.
    fn new(value: Option<String>, said: Vec<Said>) -> Answer {
        Answer {
            environments: Vec::new(),
            value,
            said,
        }
    }
}

impl Said {
    fn default(text: &str) -> Said {
        Said {
            role: Role::Holds,
            layer: "default".to_owned(),
            place: None,
            text: text.to_owned(),
        }
    }
}
