//! What moved since a plan was made, told as a plan of the plan: "approved 2 → 5, now 3 → 5".
//!
//! Pure. Always holds: a part is stale exactly when its accepted digest is neither the plan's *before*
//! nor its *after*. Only words and paths of secrets appear.

use std::fmt;

use serde_json::Value;
use starform_contract::{
    EnvironmentBundle, Object, ObjectKey, Origins, ProjectBundle, ServiceEntry, ServiceName,
};

use crate::{
    accepted::AcceptedProject,
    diff::{
        fields, model,
        settings::{self, Setting},
    },
    document::{Action, FieldChange, ModelChange, ObjectChange, SecretChange, ServiceAction},
    propose::Proposal,
    view::values,
};

/// One part of a plan that the accepted state has moved away from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    pub part: Part,
    pub moved: Vec<Moved>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Service(ServiceName),
    /// Of the environment or the project.
    Object(ObjectKey),
    /// `protect`, `tier`, …
    Setting(String),
}

/// One path whose change is no longer the one that was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub path: String,
    /// What the plan does; `None`: nothing.
    pub approved: Option<Sides>,
    /// What it would do now; `None`: nothing any more.
    pub now: Option<Sides>,
}

/// What a change does at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sides {
    Values {
        before: Option<Value>,
        after: Option<Value>,
    },
    Secret(SecretChange),
}

/// How a plan stands to what is accepted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As it was when the plan was made.
    Before,
    /// As the plan wants it.
    After,
    Moved,
}

/// Every stale part; and whether every part is already as the plan wants it.
pub(crate) fn compare(accepted: &AcceptedProject, proposal: &Proposal) -> (Vec<Stale>, bool) {
    let mut stale = Vec::new();
    let mut done = true;
    let mut note = |standing: Standing, part: &dyn Fn() -> Stale| {
        done &= standing == Standing::After;
        if standing == Standing::Moved {
            stale.push(part());
        }
    };
    let plan = &proposal.plan;
    let now = accepted.environment(&plan.environment);
    for change in plan
        .services
        .iter()
        .filter(|s| s.action != ServiceAction::None)
    {
        let named = |name: &ServiceName| now.and_then(|now| now.service(name));
        let entry = named(&change.name).or_else(|| change.was.as_ref().and_then(named));
        let digest = entry.map(ServiceEntry::digest);
        let standing = standing(&digest, &change.before, &change.after);
        note(standing, &|| {
            service(&change.name, &change.changes, entry, proposal)
        });
    }
    let scopes = Scopes::of(accepted, proposal);
    for change in &plan.objects {
        if let Some((current, wanted)) = scopes.find(change) {
            let digest = current.map(|object| object.digest.clone());
            let standing = standing(&digest, &change.before, &change.after);
            note(standing, &|| Stale {
                part: Part::Object(change.key.clone()),
                moved: moved(
                    change.fields.iter().map(of_field).collect(),
                    fields::between(current, wanted)
                        .iter()
                        .map(of_field)
                        .collect(),
                ),
            });
        }
    }
    for change in &plan.settings {
        let environment = current(&settings::ENVIRONMENT, &change.path, now);
        let own = current(&settings::PROJECT, &change.path, accepted.project());
        let value = environment.or(own);
        let standing = standing(&value, &change.before, &change.after);
        note(standing, &|| Stale {
            part: Part::Setting(change.path.clone()),
            moved: moved(
                vec![of_model(change)],
                vec![of_model(&ModelChange {
                    before: value.clone(),
                    ..change.clone()
                })],
            ),
        });
    }
    (stale, done)
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.part {
            Part::Service(name) => format!("service {name}"),
            Part::Object(key) => values::visible(&key.to_string()),
            Part::Setting(path) => format!("setting {}", values::visible(path)),
        };
        write!(f, "{name} has changed since the plan was made")?;
        if self.moved.is_empty() {
            f.write_str(match self.part {
                Part::Service(_) => ": its objects were rendered anew",
                Part::Object(_) | Part::Setting(_) => ": another plan changed the same of it",
            })?;
        }
        for moved in &self.moved {
            write!(f, "\n  {moved}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = values::visible(&self.path);
        match (&self.approved, &self.now) {
            (Some(approved), Some(now)) => write!(f, "{path}: approved {approved}, now {now}"),
            (Some(approved), None) => {
                write!(f, "{path}: approved {approved}, now already so")
            }
            (None, Some(now)) => write!(f, "{path}: approved no change, now {now}"),
            (None, None) => write!(f, "{path}"),
        }
    }
}

impl fmt::Display for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |side: &Option<Value>| {
            side.as_ref()
                .map_or_else(|| "nothing".to_owned(), values::inline)
        };
        match self {
            Self::Values { before, after } => write!(f, "{} → {}", text(before), text(after)),
            Self::Secret(word) => f.write_str(values::secret(*word)),
        }
    }
}

fn standing<T: PartialEq>(now: &Option<T>, before: &Option<T>, after: &Option<T>) -> Standing {
    if now == after {
        Standing::After
    } else if now == before {
        Standing::Before
    } else {
        Standing::Moved
    }
}

fn service(
    name: &ServiceName,
    approved: &[ModelChange],
    entry: Option<&ServiceEntry>,
    proposal: &Proposal,
) -> Stale {
    let wanted = proposal.environment.service(name);
    let now = model::between(name, entry, wanted, &Origins::default());
    Stale {
        part: Part::Service(name.clone()),
        moved: moved(
            approved.iter().map(of_model).collect(),
            now.iter().map(of_model).collect(),
        ),
    }
}

/// The objects outside services, as they are accepted and as they are proposed.
struct Scopes<'a> {
    accepted: Vec<(ObjectKey, &'a Object)>,
    proposed: Vec<(ObjectKey, &'a Object)>,
    /// Which have the services.
    environments: [Option<&'a EnvironmentBundle>; 2],
}

impl<'a> Scopes<'a> {
    fn of(accepted: &'a AcceptedProject, proposal: &'a Proposal) -> Self {
        let environment = accepted.environment(&proposal.plan.environment);
        Self {
            accepted: keyed(accepted.project(), environment),
            proposed: keyed(Some(&proposal.project), Some(&proposal.environment)),
            environments: [environment, Some(&proposal.environment)],
        }
    }

    /// `None` when neither side has it: then it is a service's, or gone as it should be. What a service takes from
    /// what was left behind is looked for in the services too: it may have been destroyed meanwhile.
    fn find(&self, change: &ObjectChange) -> Option<(Option<&'a Object>, Option<&'a Object>)> {
        let key = &change.key;
        let within = |side: &[(ObjectKey, &'a Object)]| {
            let at = side.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
            Some(side[at].1)
        };
        let sides = (within(&self.accepted), within(&self.proposed));
        if change.action == Action::Adopt && change.before.is_some() {
            let [now, wanted] = self.environments.map(|one| of_services(one, key));
            return Some((sides.0.or(now), sides.1.or(wanted)));
        }
        (sides != (None, None)).then_some(sides)
    }
}

fn of_services<'a>(
    environment: Option<&'a EnvironmentBundle>,
    key: &ObjectKey,
) -> Option<&'a Object> {
    let services = environment?.services.iter();
    let mut objects = services.flat_map(|entry| &entry.objects);
    objects.find(|object| object.key_ref() == Some(key.as_ref()))
}

fn keyed<'a>(
    project: Option<&'a ProjectBundle>,
    environment: Option<&'a EnvironmentBundle>,
) -> Vec<(ObjectKey, &'a Object)> {
    let own = project.into_iter().flat_map(|bundle| &bundle.objects);
    let kept = environment.into_iter().flat_map(|bundle| &bundle.kept);
    let objects = own
        .chain(environment.into_iter().flat_map(|bundle| &bundle.objects))
        .chain(kept.map(|kept| &kept.object));
    let mut keyed: Vec<_> = objects
        .filter_map(|object| Some((object.key()?, object)))
        .collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed
}

fn current<B>(table: &[Setting<B>], path: &str, bundle: Option<&B>) -> Option<Value> {
    let setting = table.iter().find(|setting| setting.path == path)?;
    bundle.map(setting.read)
}

/// Paths where what was approved and what would happen now differ, in order.
fn moved(approved: Vec<(String, Sides)>, now: Vec<(String, Sides)>) -> Vec<Moved> {
    let find = |list: &[(String, Sides)], path: &str| {
        let row = list.iter().find(|(other, _)| other == path);
        row.map(|(_, sides)| sides.clone())
    };
    let mut paths: Vec<&String> = approved.iter().chain(&now).map(|(path, _)| path).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .map(|path| Moved {
            path: path.clone(),
            approved: find(&approved, path),
            now: find(&now, path),
        })
        .filter(|moved| moved.approved != moved.now)
        .collect()
}

fn of_model(change: &ModelChange) -> (String, Sides) {
    let sides = Sides::Values {
        before: change.before.clone(),
        after: change.after.clone(),
    };
    (change.path.clone(), sides)
}

fn of_field(change: &FieldChange) -> (String, Sides) {
    let sides = match change.secret {
        Some(word) => Sides::Secret(word),
        None => Sides::Values {
            before: change.before.clone(),
            after: change.after.clone(),
        },
    };
    let path = change.words.as_ref().unwrap_or(&change.path);
    (path.clone(), sides)
}
