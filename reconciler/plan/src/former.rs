//! Names of the past that the files give, `was=` and `removed`, held against what was ever accepted.
//!
//! Pure. Always holds: what was carried out may stay in the files, so only a name that the project never
//! had is told of, and only where the plan takes away something that may have been meant. Read on in
//! [`crate::names`] for how a project remembers names, in `kept` for what `removed` does.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Origins, ServiceName, name::VolumeName, spelling::closest, state::Removed,
};

use crate::{
    accepted::AcceptedProject,
    codes,
    document::{Finding, FindingSeverity, Plan, ServiceAction},
    kept,
    propose::Proposal,
    view::values,
};

/// What the files say of names that are not used any more.
#[derive(Clone, Copy)]
pub struct Former<'a> {
    /// What services were called, by their names now.
    pub was: &'a BTreeMap<ServiceName, ServiceName>,
    pub removed: &'a [Removed],
    pub origins: &'a Origins,
}

/// The names of the past that nothing ever had, where `proposal` takes away what may have been meant.
pub fn findings(
    former: Former<'_>,
    accepted: &AcceptedProject,
    proposal: &Proposal,
) -> Vec<Finding> {
    let ever: BTreeSet<&ServiceName> = accepted.names().iter().map(|entry| &entry.name).collect();
    let said: BTreeSet<&ServiceName> = former.removed.iter().map(|word| &word.service).collect();
    let deleted: BTreeSet<&str> = of_action(&proposal.plan, ServiceAction::Delete)
        .filter(|name| !said.contains(name))
        .map(ServiceName::as_str)
        .collect();
    let created: BTreeSet<&ServiceName> =
        of_action(&proposal.plan, ServiceAction::Create).collect();
    let was = former.was.iter().filter_map(|(name, was)| {
        let unmet = created.contains(name) && !ever.contains(was) && !deleted.is_empty();
        unmet.then(|| {
            let title = format!(
                "{name} says `was={was}`, and no service was ever called {was}; so {name} begins anew, and {}",
                goes(was.as_str(), &deleted, "was=")
            );
            never_here(title, former.origins.at(name, "was"))
        })
    });
    let volumes = Volumes::of(accepted, proposal);
    let removed = former.removed.iter().filter_map(|word| {
        let service = &word.service;
        let known = ever.contains(service);
        let (title, path) = match &word.volume {
            None if known || deleted.is_empty() => return None,
            None => {
                let goes = goes(service.as_str(), &deleted, "");
                let title =
                    format!("`removed` names {service}, and no service was ever called so; {goes}");
                (title, "removed".to_owned())
            }
            Some(volume) => {
                let title = volumes.unmet(service, volume, known)?;
                (title, format!("removed.{volume}"))
            }
        };
        Some(never_here(title, former.origins.at(service, &path)))
    });
    was.chain(removed).collect()
}

/// What disks there are, each as `removed` names it.
struct Volumes {
    before: BTreeSet<String>,
    /// Of these nobody has said what becomes of them.
    left: BTreeSet<String>,
}

impl Volumes {
    fn of(accepted: &AcceptedProject, proposal: &Proposal) -> Self {
        let environment = &proposal.environment;
        Self {
            before: kept::volumes(accepted.environment(&environment.environment), environment),
            left: kept::unsaid(environment),
        }
    }

    /// `known`: there was a service of this name. Which volumes it had once is not remembered, so that
    /// one of them may have been destroyed long ago, and only one that is spelled alike may be meant.
    fn unmet(&self, service: &ServiceName, volume: &VolumeName, known: bool) -> Option<String> {
        let asked = format!("{service}.{volume}");
        let left: BTreeSet<&str> = self.left.iter().map(String::as_str).collect();
        if self.before.contains(&asked) || left.is_empty() {
            return None;
        }
        let near = closest(&asked, left.iter().copied());
        let meant = match (known, near) {
            (true, None) => return None,
            (true | false, Some(near)) => format!("did you mean {near}?"),
            (false, None) => format!("what is left behind is {}", values::list(&left)),
        };
        Some(format!(
            "`removed` names the volume {asked}, and there is none; {meant}"
        ))
    }
}

fn of_action(plan: &Plan, action: ServiceAction) -> impl Iterator<Item = &ServiceName> {
    let changes = plan.services.iter();
    let changes = changes.filter(move |change| change.action == action);
    changes.map(|change| &change.name)
}

/// What goes meanwhile, and which of it may be meant.
fn goes(asked: &str, deleted: &BTreeSet<&str>, word: &str) -> String {
    let verb = if deleted.len() == 1 { "is" } else { "are" };
    let near = closest(asked, deleted.iter().copied());
    let only = deleted.first().copied().filter(|_| deleted.len() == 1);
    let meant = match near.or(only) {
        Some(name) => format!("did you mean `{word}{name}`?"),
        None => "did you mean one of them?".to_owned(),
    };
    format!("{} {verb} deleted; {meant}", values::list(deleted))
}

fn never_here(title: String, at: Option<&str>) -> Finding {
    Finding {
        code: codes::NEVER_HERE.code.to_owned(),
        severity: FindingSeverity::Warning,
        title,
        at: at.map(str::to_owned),
    }
}
