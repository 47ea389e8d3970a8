//! A checked project and one environment to the contract's state of it, every default filled in.
//! Pure. Equal meaning gives equal state: nothing of order, comments or spelling is left in it.
//! Read on in `model` for the defaults, `images` and `refuse` for what this version cannot do, `outputs` for what references become, `origins` for places.

mod images;
mod model;
mod origins;
mod outputs;
mod refuse;
mod running;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    ClusterProfile, EnvironmentName, EnvironmentState, GroupName, NameEntry, ObjectName, Origins,
    ProjectId, SecretVersions, ServiceId, ServiceName, ServiceState, WorkspaceId, model::Variable,
    profile::DEFAULT_TIER, secret::Generated, state,
};

use crate::diag::{self, Diagnostic, codes};
use crate::project::{self, Environment, Gone, Project, Setting};
use crate::resolve::{self, Resolved};
use crate::table::closest;
use crate::values::image;
use crate::vars::{Generator, VarValue};
pub(crate) use model::{COOLDOWN, CPU, CPU_TARGET, GRACE, MEMORY};
use outputs::Outputs;
use secrets::Secrets;

/// What the language does not know: identities, names in the cluster, and what the caller overrides.
#[derive(Clone, Debug)]
pub struct Bindings {
    pub workspace_id: WorkspaceId,
    pub workspace: String,
    pub project_id: ProjectId,
    /// Name of the workspace's tier.
    pub tier: String,
    /// Every incarnation of every service; each service of the environment has one that is not retired.
    pub names: Vec<NameEntry>,
    /// The domain under which platform hosts live.
    pub base_domain: String,
    /// Images that stand in for those of the file.
    pub images: BTreeMap<ServiceName, String>,
    pub hosts: VerifiedHosts,
    pub secrets: SecretVersions,
}

impl Bindings {
    /// Ids and names that a project has where nothing of it was ever deployed: without a control plane, on a
    /// cluster without a profile.
    pub fn first(project: &Project) -> Self {
        let project_id = ProjectId::local(project.name());
        let entry = |name: &ServiceName| NameEntry {
            name: name.clone(),
            incarnation: 0,
            service_id: ServiceId::derive(project_id, name, 0),
            object_name: ObjectName::candidate(name, 1),
            retired: false,
        };
        Self {
            workspace_id: WorkspaceId::local(),
            workspace: WorkspaceId::LOCAL_NAME.to_owned(),
            project_id,
            tier: DEFAULT_TIER.to_owned(),
            names: project.services().map(entry).collect(),
            base_domain: ClusterProfile::default().base_domain,
            images: BTreeMap::new(),
            hosts: VerifiedHosts::All,
            secrets: SecretVersions::Unasked,
        }
    }
}

/// Hosts whose ownership the project has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifiedHosts {
    /// Whoever plans is trusted with every host.
    All,
    Only(BTreeSet<String>),
}

/// The state of one environment, and where its values come from.
#[derive(Clone, Debug)]
pub struct Emitted {
    pub state: EnvironmentState,
    pub origins: Origins,
}

impl VerifiedHosts {
    fn holds(&self, host: &str) -> bool {
        match self {
            VerifiedHosts::All => true,
            VerifiedHosts::Only(hosts) => hosts.contains(host),
        }
    }
}

/// The state of `environment`. Errors: an environment or a service that the project does not have,
/// an image that is none, a service without an image or without a name in the bindings,
/// and what this version does not carry into the cluster.
pub fn emit(
    project: &Project,
    environment: &EnvironmentName,
    bindings: &Bindings,
) -> Result<Emitted, Vec<Diagnostic>> {
    let (declared, resolved) = resolve_all(project, environment, bindings)?;
    let (images, missing) = images::of(&resolved, bindings);
    let refused: Vec<Diagnostic> = refuse::checked_only(project, &resolved)
        .into_iter()
        .chain(missing)
        .collect();
    if !refused.is_empty() {
        return Err(diag::settle(refused));
    }
    state(project, &declared, bindings, &resolved, &images)
}

/// As [`emit`], but for people to read: also with what this version does not carry into the cluster.
/// A service that is built without an image in the bindings has an empty one.
pub fn describe(
    project: &Project,
    environment: &EnvironmentName,
    bindings: &Bindings,
) -> Result<Emitted, Vec<Diagnostic>> {
    let (declared, resolved) = resolve_all(project, environment, bindings)?;
    let (mut images, _) = images::of(&resolved, bindings);
    for service in &resolved {
        let name = &service.service.name.value;
        images.entry(name.clone()).or_default();
    }
    state(project, &declared, bindings, &resolved, &images)
}

/// The environment and its services.
fn resolve_all<'p>(
    project: &'p Project,
    environment: &'p EnvironmentName,
    bindings: &Bindings,
) -> Result<(Environment, Vec<Resolved<'p>>), Vec<Diagnostic>> {
    let declared = project
        .environment(environment)
        .cloned()
        .or_else(|| project.preview(environment))
        .ok_or_else(|| vec![unknown_environment(project, environment)])?;
    let wrong = wrong_images(project, bindings);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let resolved = project
        .model
        .services_in(environment)
        .map(|service| resolve::service(&project.model, service, environment))
        .collect();
    Ok((declared, resolved))
}

fn state(
    project: &Project,
    environment: &Environment,
    bindings: &Bindings,
    resolved: &[Resolved<'_>],
    images: &BTreeMap<ServiceName, String>,
) -> Result<Emitted, Vec<Diagnostic>> {
    let outputs = &Outputs::of(project, &environment.name, bindings, resolved)?;
    let secrets = &Secrets::of(project, environment, bindings);
    let mut services = Vec::with_capacity(resolved.len());
    let mut places = BTreeMap::new();
    for service in resolved {
        let name = &service.service.name.value;
        let entry = outputs
            .entry(name)
            .ok_or_else(|| vec![internal(project, service, "no name")])?;
        let image = images
            .get(name)
            .ok_or_else(|| vec![internal(project, service, "no image")])?;
        let model = model::service(service, image, bindings, outputs, secrets)
            .map_err(|what| vec![internal(project, service, what)])?;
        services.push(ServiceState {
            service_id: entry.service_id,
            name: name.clone(),
            object_name: entry.object_name.clone(),
            model,
        });
        places.insert(name.clone(), origins::of(project, service, bindings));
    }
    origins::of_removed(project, &mut places);
    let mut names = bindings.names.clone();
    names.sort();
    Ok(Emitted {
        state: EnvironmentState {
            workspace_id: bindings.workspace_id,
            workspace: bindings.workspace.clone(),
            project_id: bindings.project_id,
            project: project.name().clone(),
            tier: bindings.tier.clone(),
            environment: environment.name.clone(),
            ephemeral: project.environment(&environment.name).is_none(),
            drift: environment.drift,
            protect: environment.is_protected(),
            groups: groups(project, environment, resolved, outputs, secrets),
            names,
            services,
            removed: project.model.removed.iter().map(removed).collect(),
        },
        origins: Origins(places),
    })
}

fn removed(removed: &project::Removed) -> state::Removed {
    let (service, volume) = match &removed.what {
        Gone::Service(service, _) => (service, None),
        Gone::Volume(service, volume) => (service, Some(volume.clone())),
    };
    state::Removed {
        service: service.clone(),
        volume,
        data: match removed.data.value {
            project::Data::Keep => state::Data::Keep,
            project::Data::Destroy => state::Data::Destroy,
        },
    }
}

/// The groups that at least one service uses.
fn groups(
    project: &Project,
    environment: &Environment,
    resolved: &[Resolved<'_>],
    outputs: &Outputs<'_>,
    secrets: &Secrets<'_>,
) -> BTreeMap<GroupName, BTreeMap<String, Variable>> {
    let mut groups = BTreeMap::new();
    for (name, group) in resolved
        .iter()
        .flat_map(|service| service.groups(&project.model))
    {
        groups.entry(name.clone()).or_insert_with(|| {
            resolve::group(group, &environment.name)
                .into_iter()
                .filter_map(|(key, value)| match &value.value {
                    Setting::Set(value) => {
                        let variable = match value {
                            VarValue::Secret(secret) => secrets.named(secret, Some(name)),
                            VarValue::Generate(Generator::Bytes32) => {
                                secrets.generated(Generated::Group(name, key))
                            }
                            VarValue::Literal(_) | VarValue::Ref(_) | VarValue::Template(_) => {
                                Variable::Literal(outputs.text(value, None)?)
                            }
                        };
                        Some((key.to_owned(), variable))
                    }
                    Setting::Unset | Setting::Broken => None,
                })
                .collect()
        });
    }
    groups
}

fn unknown_environment(project: &Project, environment: &EnvironmentName) -> Diagnostic {
    let title = format!("the project has no environment `{environment}`");
    let names = || project.environments().map(|(name, _)| name.as_str());
    let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    let help = match closest(environment.as_str(), names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    Diagnostic::new(codes::UNKNOWN_ENVIRONMENT, project.name.span, title).help(help)
}

/// Images of the bindings that belong to no service or are none.
fn wrong_images(project: &Project, bindings: &Bindings) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    for (name, reference) in &bindings.images {
        match project.model.services.get(name) {
            None => {
                let title =
                    format!("an image is given for `{name}`, which the project does not have");
                let names = project.services().map(|known| known.as_str());
                let help = match closest(name.as_str(), names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name a service of the project".to_owned(),
                };
                wrong.push(
                    Diagnostic::new(codes::UNKNOWN_SERVICE, project.name.span, title).help(help),
                );
            }
            Some(service) => {
                if let Err(error) = image::parse(reference) {
                    let title = format!("the image given for `{name}` is none: `{reference}`");
                    let help = error.to_string();
                    wrong.push(
                        Diagnostic::new(codes::BAD_IMAGE, service.name.span, title).help(help),
                    );
                }
            }
        }
    }
    wrong
}

fn internal(project: &Project, resolved: &Resolved<'_>, what: &str) -> Diagnostic {
    let name = &resolved.service.name;
    let title = format!(
        "`{}` of `{}` has {what} after all checks",
        name.value,
        project.name()
    );
    Diagnostic::new(codes::INTERNAL, name.span, title)
        .help("please report this with the file that shows it")
}
