//! Plans that end something: an environment, or a project.
//!
//! Pure. Always holds: such a plan is one like any other, whose wanted environment is empty; a volume stays
//! unless it is named; what belongs to the project itself, its Namespace last, goes with the last of its
//! environments, and only where the project is to be deleted. Read on in [`crate::propose`].

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use starform_contract::{
    EnvironmentBundle, EnvironmentName, Object, Origins, ProjectBundle, ServiceName,
    name::VolumeName,
    state::{Data, Removed},
};

use crate::{
    accepted::AcceptedProject,
    propose::{Proposal, ProposeInput, propose},
    view::values,
};

/// A volume whose data may go: `SERVICE.VOLUME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VolumePlace {
    pub service: ServiceName,
    pub volume: VolumeName,
}

/// Why there is nothing to plan; the text names what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRemovable {
    #[error("nothing is accepted for this project, so there is nothing to delete")]
    NoProject,
    #[error("nothing is accepted for environment `{asked}`; the project has {}", list(.accepted))]
    NoEnvironment {
        asked: EnvironmentName,
        accepted: Vec<EnvironmentName>,
    },
    #[error(
        "`{0}` is the last environment of the project; delete the project itself with `starform project delete`"
    )]
    LastEnvironment(EnvironmentName),
    #[error("there is no volume `{asked}` in what is to be deleted; there is {}", list(.known))]
    NoVolume {
        asked: VolumePlace,
        known: Vec<VolumePlace>,
    },
}

/// The plans that delete this environment, or, without one, the project.
pub fn plans(
    accepted: &AcceptedProject,
    only: Option<&EnvironmentName>,
    destroy: &BTreeSet<VolumePlace>,
) -> Result<Vec<Proposal>, NotRemovable> {
    match only {
        Some(name) => environment(accepted, name, destroy).map(|proposal| vec![proposal]),
        None => project(accepted, destroy),
    }
}

/// The plan that deletes one environment; `destroy`: with the data of these volumes.
pub fn environment(
    accepted: &AcceptedProject,
    environment: &EnvironmentName,
    destroy: &BTreeSet<VolumePlace>,
) -> Result<Proposal, NotRemovable> {
    let own = standing(accepted)?;
    let Some(current) = accepted.environment(environment) else {
        return Err(NotRemovable::NoEnvironment {
            asked: environment.clone(),
            accepted: accepted.environments().into_keys().cloned().collect(),
        });
    };
    let mut others = accepted.environments().into_iter();
    let stays = others.any(|(name, other)| name != environment && !other.is_empty());
    if !stays && !current.is_empty() {
        return Err(NotRemovable::LastEnvironment(environment.clone()));
    }
    let removed = removed(std::iter::once(current), destroy)?;
    Ok(emptied(accepted, current, own.clone(), &removed))
}

/// The plans that delete a project, in the order in which they are to be applied: one for each
/// environment, the last one with what belongs to the project itself.
pub fn project(
    accepted: &AcceptedProject,
    destroy: &BTreeSet<VolumePlace>,
) -> Result<Vec<Proposal>, NotRemovable> {
    let there = accepted.still_there();
    let own = standing(&there)?;
    let removed = removed(there.environments().into_values(), destroy)?;
    let mut environments: Vec<&EnvironmentBundle> = there.environments().into_values().collect();
    // What belongs to the project itself goes when nothing of it stands any more.
    environments.sort_by_key(|environment| !environment.is_empty());
    let last = environments.len() - 1;
    let plans = environments
        .into_iter()
        .enumerate()
        .map(|(place, current)| {
            let mut own = own.clone();
            own.objects.clear();
            match place == last {
                true => Ok(emptied(&there, current, own, &removed)),
                false => {
                    let own = standing(accepted)?.clone();
                    Ok(emptied(accepted, current, own, &removed))
                }
            }
        });
    plans.collect()
}

/// Something of the project is accepted, and with it an environment.
fn standing(accepted: &AcceptedProject) -> Result<&ProjectBundle, NotRemovable> {
    let own = accepted.project();
    own.filter(|_| !accepted.environments().is_empty())
        .ok_or(NotRemovable::NoProject)
}

fn emptied(
    accepted: &AcceptedProject,
    current: &EnvironmentBundle,
    project: ProjectBundle,
    removed: &[Removed],
) -> Proposal {
    let environment = EnvironmentBundle {
        objects: Vec::new(),
        services: Vec::new(),
        ..current.clone()
    };
    propose(ProposeInput {
        accepted,
        project,
        environment,
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt: &BTreeSet::new(),
        again: &BTreeSet::new(),
        removed,
    })
}

/// The volumes to destroy, as the language would name them; each of them is there.
fn removed<'a>(
    environments: impl Iterator<Item = &'a EnvironmentBundle>,
    destroy: &BTreeSet<VolumePlace>,
) -> Result<Vec<Removed>, NotRemovable> {
    let known: BTreeSet<VolumePlace> = environments.flat_map(volumes).collect();
    if let Some(asked) = destroy.iter().find(|place| !known.contains(place)) {
        return Err(NotRemovable::NoVolume {
            asked: asked.clone(),
            known: known.into_iter().collect(),
        });
    }
    let words = destroy.iter().map(|place| Removed {
        service: place.service.clone(),
        volume: Some(place.volume.clone()),
        data: Data::Destroy,
    });
    Ok(words.collect())
}

fn volumes(environment: &EnvironmentBundle) -> Vec<VolumePlace> {
    let claimed = environment.services.iter().flat_map(|entry| {
        let volumes = entry.objects.iter().filter_map(Object::volume);
        volumes.map(|volume| VolumePlace {
            service: entry.name.clone(),
            volume,
        })
    });
    let kept = environment.kept.iter().map(|kept| VolumePlace {
        service: kept.service.clone(),
        volume: kept.volume.clone(),
    });
    claimed.chain(kept).collect()
}

fn list(names: &[impl fmt::Display]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    values::list(names.iter().map(|name| format!("`{name}`")))
}

impl fmt::Display for VolumePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.volume)
    }
}

impl From<VolumePlace> for String {
    fn from(place: VolumePlace) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for VolumePlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for VolumePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, volume) = text
            .split_once('.')
            .ok_or("write SERVICE.VOLUME, such as db.data")?;
        Ok(Self {
            service: service.parse().map_err(|error| format!("{error}"))?,
            volume: volume.parse().map_err(|error| format!("{error}"))?,
        })
    }
}
