//! The plans of a case: its project compiled, rendered and proposed on a cluster in memory.
//!
//! Pure. Always holds: what stands before is accepted as a plan of its own, environment by environment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starform_contract::{
    Deletion, EnvironmentName, Object, ObjectKey, ProjectId, SecretVersions, ServiceName,
    WorkspaceId, bundle::Wave, profile::DEFAULT_TIER, secret::Versions,
};
use starform_dsl::{Bindings, VerifiedHosts, compile, emit, project::Project, source::SourceTree};
use starform_plan::{
    Proposal, ProposeInput,
    approval::Approved,
    bind_names,
    document::{Plan, Plans},
    former::{self, Former},
    propose::propose,
    removal,
    render::{self, Rendered},
    standing::Standing,
};

use super::{HOLE, file::Case};
use crate::plan::world::World;

/// What the section `asked` says, a word and its value a line.
#[derive(Debug, Default)]
struct Asked {
    /// Only these services.
    only: Option<BTreeSet<ServiceName>>,
    adopt: BTreeSet<ObjectKey>,
    revision: Option<String>,
    /// Deleted: an environment, or the project.
    delete: Option<Option<EnvironmentName>>,
    destroy: BTreeSet<removal::VolumePlace>,
    /// Versions of secrets before and after, by name.
    secrets: BTreeMap<String, (u64, u64)>,
    /// Hosts that nobody has shown to be theirs.
    unverified: bool,
    /// The cluster's profile afterwards is another.
    profile: Option<String>,
    /// Only these environments are planned.
    environments: Vec<EnvironmentName>,
    /// Who has approved what is done, by the environment.
    approved: BTreeMap<EnvironmentName, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

pub(super) fn plans(base: &str, case: &Case) -> Result<Plans, String> {
    let asked = Asked::read(case.input("asked").unwrap_or_default())?;
    let mut world = World::new();
    for before in case.inputs("before") {
        let project = compiled(base, before)?;
        for (name, _) in project.environments() {
            let proposal = proposal(&world, &project, name, &asked, Side::Before, case)?;
            world
                .accept(&proposal)
                .map_err(|refusal| format!("{refusal:?}"))?;
        }
    }
    if let Some(profile) = &asked.profile {
        world.profile =
            starform_contract::ClusterProfile::read(profile).map_err(|error| format!("{error}"))?;
    }
    if let Some(environment) = &asked.delete {
        let id = world.index.projects.keys().next().copied();
        let accepted = world.accepted(id.ok_or("nothing stands before")?);
        let proposals = removal::plans(&accepted, environment.as_ref(), &asked.destroy);
        let proposals = proposals.map_err(|error| error.to_string())?;
        let plans = proposals.into_iter().map(|proposal| proposal.plan);
        return Ok(asked.joined(plans.collect()));
    }
    let after = case.input("after").ok_or("there is no `after`")?;
    let project = compiled(base, after)?;
    let mut plans = Vec::new();
    for (name, _) in project.environments() {
        if asked.environments.is_empty() || asked.environments.contains(name) {
            plans.push(proposal(&world, &project, name, &asked, Side::After, case)?.plan);
        }
    }
    let mut plans = asked.joined(plans);
    if let Some(text) = case.input("standing") {
        let stands: BTreeMap<EnvironmentName, Standing> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        for plan in &plans.plans {
            if let Some(standing) = stands.get(&plan.environment) {
                plans
                    .standings
                    .insert(plan.plan_id.clone(), standing.clone());
            }
        }
    }
    Ok(plans)
}

fn compiled(base: &str, fragment: &str) -> Result<Project, String> {
    let text = base.replace(HOLE, fragment.trim_end());
    let compiled = compile(&SourceTree::single("starform.kdl", &text));
    let said = compiled.diagnostics.iter().map(|said| said.title.clone());
    let said: Vec<String> = said.collect();
    compiled
        .project
        .ok_or_else(|| format!("does not compile: {}", said.join("; ")))
}

fn proposal(
    world: &World,
    project: &Project,
    environment: &EnvironmentName,
    asked: &Asked,
    side: Side,
    case: &Case,
) -> Result<Proposal, String> {
    let project_id = ProjectId::local(project.name());
    let accepted = world.accepted(project_id);
    let names = project.service_names_in(environment);
    let bindings = Bindings {
        workspace_id: WorkspaceId::local(),
        workspace: WorkspaceId::LOCAL_NAME.to_owned(),
        project_id,
        tier: DEFAULT_TIER.to_owned(),
        names: bind_names(project_id, &accepted, &names, &project.former_names()),
        base_domain: "starform.localhost".to_owned(),
        images: BTreeMap::new(),
        hosts: if asked.unverified {
            VerifiedHosts::Only(BTreeSet::new())
        } else {
            VerifiedHosts::All
        },
        secrets: asked.versions(project, side),
    };
    let emitted = emit(project, environment, &bindings).map_err(|said| {
        said.iter()
            .map(|said| said.title.clone())
            .collect::<String>()
    })?;
    let mut rendered = render::render(&emitted.state, &world.profile);
    let section = match side {
        Side::Before => "objects before",
        Side::After => "objects after",
    };
    if let Some(objects) = case.input(section) {
        replace_objects(&mut rendered, objects)?;
    }
    let is_after = side == Side::After;
    let accepted = accepted.with_secrets(bindings.secrets);
    let mut proposal = propose(ProposeInput {
        accepted: &accepted,
        project: rendered.project,
        environment: rendered.environment,
        origins: &emitted.origins,
        revision: asked.revision.clone(),
        only: asked.only.as_ref().filter(|_| is_after),
        adopt: if is_after { &asked.adopt } else { &EMPTY },
        again: &BTreeSet::new(),
        removed: &emitted.state.removed,
    });
    let former = Former {
        was: &project.former_names(),
        removed: &emitted.state.removed,
        origins: &emitted.origins,
    };
    let never_here = former::findings(former, &accepted, &proposal);
    proposal.plan.findings.extend(never_here);
    Ok(proposal)
}

static EMPTY: BTreeSet<ObjectKey> = BTreeSet::new();

/// The objects of service `api`, as the renderer of another day might make them.
fn replace_objects(rendered: &mut Rendered, objects: &str) -> Result<(), String> {
    let manifests: Vec<Value> = serde_json::from_str(objects).map_err(|error| error.to_string())?;
    let namespace = rendered.project.namespace.clone();
    let mut services = rendered.environment.services.iter_mut();
    let api = services.find(|service| service.name.as_str() == "api");
    api.ok_or("there is no service `api`")?.objects = manifests
        .into_iter()
        .map(|mut manifest| {
            let fields = manifest.as_object_mut().expect("an object is a map");
            let deletion = match fields.remove("@deletion") {
                Some(_) => Deletion::Retain,
                None => Deletion::Delete,
            };
            let wave = fields.remove("@wave").and_then(|wave| wave.as_u64());
            let wave = Wave(u8::try_from(wave.unwrap_or(0)).expect("waves are few"));
            manifest["metadata"]["namespace"] = Value::from(namespace.to_string());
            Object::new(manifest, wave, deletion)
        })
        .collect();
    Ok(())
}

impl Asked {
    fn read(text: &str) -> Result<Self, String> {
        let mut asked = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            let wrong = || format!("`{line}`");
            match word {
                "service" => {
                    let service = value.parse().map_err(|_| wrong())?;
                    asked.only.get_or_insert_default().insert(service);
                }
                "environment" => asked.environments.push(value.parse().map_err(|_| wrong())?),
                "approved" => {
                    let (environment, by) = value.split_once(' ').ok_or_else(wrong)?;
                    let environment = environment.parse().map_err(|_| wrong())?;
                    asked.approved.insert(environment, by.to_owned());
                }
                "adopt" => drop(asked.adopt.insert(value.parse().map_err(|_| wrong())?)),
                "revision" => asked.revision = Some(value.to_owned()),
                "delete" if value.is_empty() => asked.delete = Some(None),
                "delete" => asked.delete = Some(Some(value.parse().map_err(|_| wrong())?)),
                "destroy" => drop(asked.destroy.insert(value.parse().map_err(|_| wrong())?)),
                "secret" => {
                    let words: Vec<&str> = value.split(' ').collect();
                    let [name, before, after] = words.as_slice() else {
                        return Err(wrong());
                    };
                    let before = before.parse().map_err(|_| wrong())?;
                    let after = after.parse().map_err(|_| wrong())?;
                    asked.secrets.insert((*name).to_owned(), (before, after));
                }
                "unverified" => asked.unverified = true,
                "profile" => asked.profile = Some(value.to_owned()),
                _ => return Err(wrong()),
            }
        }
        Ok(asked)
    }

    /// With the approvals that stand beside them.
    fn joined(&self, plans: Vec<Plan>) -> Plans {
        let approved = plans.iter().filter_map(|plan| {
            let by = self.approved.get(&plan.environment)?.clone();
            let at = "2026-01-02T03:04:05Z".to_owned();
            Some((plan.effect_id.clone(), Approved { by, at }))
        });
        let approvals = approved.collect();
        Plans {
            approvals,
            ..Plans::new(plans, BTreeMap::new())
        }
    }

    /// Version 0: it has no value yet.
    fn versions(&self, project: &Project, side: Side) -> SecretVersions {
        if self.secrets.is_empty() {
            return SecretVersions::Unasked;
        }
        let of_side = |(before, after): &(u64, u64)| match side {
            Side::Before => *before,
            Side::After => *after,
        };
        let known = self.secrets.iter().filter(|(_, sides)| of_side(sides) > 0);
        let versions: BTreeMap<String, Versions> = known
            .map(|(name, sides)| {
                let newest = of_side(sides);
                let since = Some(1);
                (name.clone(), Versions { newest, since })
            })
            .collect();
        let environments = project.environments();
        let environments = environments.map(|(name, _)| (name.clone(), versions.clone()));
        SecretVersions::Kept(starform_contract::secret::Kept {
            environments: environments.collect(),
            cluster: BTreeMap::new(),
            floor: 0,
        })
    }
}
