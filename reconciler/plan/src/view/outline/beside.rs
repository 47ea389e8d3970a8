//! How the cluster stands to what a plan was made against, in lines: what is not known, what is not as it was
//! accepted, which volumes are not there.
//!
//! Pure. Always holds: every object of it is told or counted, and no line holds a value. Read on in
//! [`crate::standing`].

use starform_contract::{EnvironmentName, ObjectKey, report::DriftKind};

use super::Form;
use crate::{
    document::{Action, Plan},
    standing::{Differing, Known, Reported, Standing},
    view::{Shown, values},
};

/// One thing that stands beside a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beside {
    /// Said even where nothing else is.
    pub(crate) title: String,
    pub(crate) objects: Vec<Aside>,
    /// How many more there are, and the command that tells them.
    pub(crate) more: Option<String>,
}

/// An object, with the mark of what makes it as accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    pub(crate) sign: Action,
    pub(crate) text: String,
}

/// Objects of one sort that the short form tells.
const MOST: usize = 12;
/// Fields of one object that its line in the short form names.
const MOST_FIELDS: usize = 3;

/// Of every plan that is told as one.
pub(crate) fn all(plans: &[&Plan], shown: Shown<'_>, form: Form) -> Vec<Beside> {
    let mut all: Vec<Beside> = Vec::new();
    for plan in plans {
        let Some(standing) = shown.standing(plan) else {
            continue;
        };
        for mut one in of_one(&plan.environment, standing, form) {
            if plans.len() > 1 {
                one.title = format!("{}/{}: {}", plan.project, plan.environment, one.title);
            }
            all.push(one);
        }
    }
    all
}

/// Of one plan.
pub(crate) fn of_one(
    environment: &EnvironmentName,
    standing: &Standing,
    form: Form,
) -> Vec<Beside> {
    let known = known(standing).into_iter().map(|title| Beside {
        title,
        objects: Vec::new(),
        more: None,
    });
    let has_any = !standing.differs.is_empty() || !standing.remains.is_empty();
    let not_so = has_any.then(|| not_so(environment, standing, form));
    let lost = (!standing.lost.is_empty()).then(|| lost(environment, &standing.lost, form));
    known.chain(not_so).chain(lost).collect()
}

/// Where the cluster was not asked itself: what that means.
fn known(standing: &Standing) -> Vec<String> {
    match &standing.known {
        Known::Cluster => Vec::new(),
        Known::Unread { why } => vec![format!(
            "whether the cluster has it so is not known, since {}",
            values::visible(why)
        )],
        Known::Memory {
            server,
            generation,
            why,
        } => vec![format!(
            "the cluster was not asked: made against generation {generation} of {} as seen last, since {}",
            values::visible(server),
            values::visible(why)
        )],
        Known::Nothing { why } => vec![format!(
            "made against nothing, as if nothing ran, since {}",
            values::visible(why)
        )],
        Known::Agent {
            accepted,
            reported,
            silent_seconds,
        } => {
            let behind = match reported {
                None => Some(format!(
                    "generation {accepted} is accepted, and the agent has reported nothing yet"
                )),
                Some(Reported {
                    generation,
                    age_seconds,
                    ..
                }) if generation < accepted => Some(format!(
                    "generation {accepted} is accepted and not reported on yet; the agent's last report, of generation {generation}, is {} old",
                    age(*age_seconds)
                )),
                Some(Reported {
                    finished: false, ..
                }) => Some(format!(
                    "generation {accepted} is accepted, and the agent is still at work on it"
                )),
                Some(Reported { partial: true, .. }) => Some(format!(
                    "the agent could not do all of generation {accepted}; `starform status` tells what"
                )),
                Some(Reported { .. }) => None,
            };
            let silent = silent_seconds.map(|seconds| {
                format!(
                    "the agent was last heard of {} ago; nothing is applied until it is back",
                    age(seconds)
                )
            });
            behind.into_iter().chain(silent).collect()
        }
    }
}

/// What is accepted and not there so.
fn not_so(environment: &EnvironmentName, standing: &Standing, form: Form) -> Beside {
    let (left, written): (Vec<&Differing>, Vec<&Differing>) =
        standing.differs.iter().partition(|one| one.left);
    let who = match &standing.known {
        Known::Cluster | Known::Unread { .. } | Known::Memory { .. } | Known::Nothing { .. } => {
            "`apply`"
        }
        Known::Agent { .. } => "the agent",
    };
    let counts = [
        (written.len(), "writes"),
        (standing.remains.len(), "deletes"),
        (left.len(), "leaves"),
    ];
    let does: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, verb)| format!("{verb} {count}"))
        .collect();
    let count = standing.differs.len() + standing.remains.len();
    let title = format!(
        "not in the cluster as accepted: {}; {who} {}",
        values::count(count, "object"),
        values::list(&does)
    );
    let differs = standing.differs.iter().map(|one| differing(one, form));
    let remains = standing.remains.iter().map(|key| Aside {
        sign: Action::Delete,
        text: format!("{}  is still there", object(key)),
    });
    told(environment, title, remains.chain(differs), form)
}

fn lost(environment: &EnvironmentName, lost: &[ObjectKey], form: Form) -> Beside {
    let title = format!(
        "not in the cluster any more, and their data neither: {}",
        values::count(lost.len(), "volume")
    );
    let lost = lost.iter().map(|key| Aside {
        sign: Action::Retain,
        text: format!("{}  is not there, so its data is gone", object(key)),
    });
    told(environment, title, lost, form)
}

fn told(
    environment: &EnvironmentName,
    title: String,
    all: impl Iterator<Item = Aside>,
    form: Form,
) -> Beside {
    let mut objects: Vec<Aside> = all.collect();
    let most = match form {
        Form::Full => usize::MAX,
        Form::Short => MOST,
    };
    let more = objects.len().saturating_sub(most);
    objects.truncate(most);
    Beside {
        title,
        objects,
        more: (more > 0).then(|| format!("and {more} more: starform drift --env {environment}")),
    }
}

fn differing(one: &Differing, form: Form) -> Aside {
    let most = match form {
        Form::Full => usize::MAX,
        Form::Short => MOST_FIELDS,
    };
    let by = one.manager.as_deref().map(values::visible);
    let by = by.map(|by| format!(", by {by}")).unwrap_or_default();
    let stays = if one.left { "; it is left so" } else { "" };
    let fields: Vec<String> = one
        .paths
        .iter()
        .take(most)
        .map(|path| values::visible(path))
        .collect();
    let more = one.paths.len() - fields.len();
    let what = match (fields.as_slice(), more) {
        ([], _) => "is not as accepted".to_owned(),
        (fields, 0) => fields.join(", "),
        (fields, more) => format!("{} and {more} more", fields.join(", ")),
    };
    let (sign, text) = match one.kind {
        DriftKind::Changed => (Action::Update, format!("{what}{by}{stays}")),
        DriftKind::Added => (Action::Update, format!("{what} added{by}{stays}")),
        DriftKind::Deleted => (Action::Create, format!("is not there{by}{stays}")),
    };
    let text = format!("{}  {text}", object(&one.key));
    Aside { sign, text }
}

fn object(key: &ObjectKey) -> String {
    format!(
        "{} {}",
        values::visible(&key.kind),
        values::visible(&key.name)
    )
}

/// `12 minutes`
fn age(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    values::count(usize::try_from(number).unwrap_or(usize::MAX), unit)
}
