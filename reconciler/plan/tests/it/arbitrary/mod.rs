//! Strategies for whole environments, as the language could have resolved them.
//!
//! Pure. Always holds: what comes out is valid (names unique, ports distinct, ids derived), small, and
//! drawn from few names, so that two environments of one project overlap.

mod fields;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use proptest::{collection, option, prelude::*, sample};
use starform_contract::{
    EnvironmentName, EnvironmentState, NameEntry, ObjectName, ProjectId, ProjectName, ServiceId,
    ServiceModel, ServiceName, ServiceState, VolumeName, WorkspaceId,
    model::{
        Alias, Cron, Domain, Keep, Metrics, Private, Redirect, Release, Route, RunAs, Running,
        Volume, Web, Worker, Workload,
    },
    name,
    quantity::{Duration, Memory},
    state::DriftPolicy,
};

pub(crate) use self::fields::text;
use self::fields::{
    allow_from, drain, duration, group_name, health, image, overlap, ports, scale, size, ungrouped,
    variables,
};

/// Everything about a project that is not about one environment.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) project_id: ProjectId,
    pub(crate) project: ProjectName,
    pub(crate) tier: String,
}

/// Any environment of any project.
pub(crate) fn state() -> BoxedStrategy<EnvironmentState> {
    (identity(), environment_name())
        .prop_flat_map(|(identity, environment)| state_of(identity, environment))
        .boxed()
}

pub(crate) fn identity() -> BoxedStrategy<Identity> {
    let names = prop_oneof![
        Just("shop".to_owned()),
        "[a-z][a-z0-9]{0,30}(-[a-z0-9]{4})?"
    ];
    let tiers = prop_oneof![Just("standard".to_owned()), "[A-Za-z0-9 ._-]{0,70}"];
    (names, tiers)
        .prop_map(|(project, tier)| {
            let project = ProjectName::new(project).unwrap();
            Identity {
                workspace_id: WorkspaceId::local(),
                project_id: ProjectId::local(&project),
                project,
                tier,
            }
        })
        .boxed()
}

pub(crate) fn environment_name() -> BoxedStrategy<EnvironmentName> {
    prop_oneof![
        Just("production".to_owned()),
        "[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?"
    ]
    .prop_map(|text| EnvironmentName::new(text).unwrap())
    .boxed()
}

/// Any state of this environment of this project.
pub(crate) fn state_of(
    identity: Identity,
    environment: EnvironmentName,
) -> BoxedStrategy<EnvironmentState> {
    let models = mostly_few(service_name(), (0u32..3, model()), 5);
    let groups = collection::btree_map(group_name(), variables(), 0..3);
    let drift = sample::select(vec![DriftPolicy::Correct, DriftPolicy::Report]);
    (models, groups, any::<bool>(), any::<bool>(), drift)
        .prop_map(move |(models, groups, ephemeral, protect, drift)| {
            let incarnations = models.iter().map(|(name, (n, _))| (name, *n));
            let names = names(identity.project_id, incarnations);
            let bound = |(name, (_, model))| service(&identity, &environment, &names, name, model);
            let services = models.into_iter().map(bound).collect();
            EnvironmentState {
                workspace_id: identity.workspace_id,
                workspace: WorkspaceId::LOCAL_NAME.to_owned(),
                project_id: identity.project_id,
                project: identity.project.clone(),
                tier: identity.tier.clone(),
                environment: environment.clone(),
                ephemeral,
                drift,
                protect,
                groups: groups
                    .into_iter()
                    .map(|(group, keys)| (group, ungrouped(keys)))
                    .collect(),
                services,
                names,
                removed: Vec::new(),
            }
        })
        .boxed()
}

/// Short names that meet often, and names of the greatest length.
pub(crate) fn service_name() -> BoxedStrategy<ServiceName> {
    prop_oneof![8 => "[a-c](-2)?", 2 => "[a-z]{3,10}", 1 => "[a-z]{28}"]
        .prop_map(|text| ServiceName::new(text).unwrap())
        .boxed()
}

/// A service of any kind; its platform host is filled in by [`state_of`].
pub(crate) fn model() -> BoxedStrategy<ServiceModel> {
    let run = (collection::vec(text(), 0..3), run_as());
    let refs = collection::btree_set(service_name(), 0..2);
    let flags = (any::<bool>(), refs);
    (image(), run, size(), variables(), flags, workload())
        .prop_map(
            |(image, (run, run_as), size, vars, (observability, refs), workload)| ServiceModel {
                image,
                run,
                hold: false,
                run_as,
                size,
                vars,
                observability,
                refs,
                workload,
            },
        )
        .boxed()
}

/// Every incarnation up to the given one, the last of each name being alive.
fn names<'a>(
    project: ProjectId,
    services: impl Iterator<Item = (&'a ServiceName, u32)>,
) -> Vec<NameEntry> {
    let mut used = BTreeSet::new();
    let mut entries = Vec::new();
    for (name, last) in services {
        for incarnation in 0..=last {
            let object_name = (1..)
                .map(|n| ObjectName::candidate(name, n))
                .find(|candidate| used.insert(candidate.clone()))
                .unwrap();
            entries.push(NameEntry {
                name: name.clone(),
                incarnation,
                service_id: ServiceId::derive(project, name, incarnation),
                object_name,
                retired: incarnation < last,
            });
        }
    }
    entries
}

fn service(
    identity: &Identity,
    environment: &EnvironmentName,
    names: &[NameEntry],
    name: ServiceName,
    mut model: ServiceModel,
) -> ServiceState {
    let entry = names
        .iter()
        .find(|entry| entry.name == name && !entry.retired)
        .unwrap();
    let (object_name, service_id) = (entry.object_name.clone(), entry.service_id);
    if let Workload::Web(web) = &mut model.workload {
        let project = identity.project_id;
        let host = name::platform_host(&object_name, environment, project, service_id, "sf.test");
        web.platform_host = host;
    }
    ServiceState {
        service_id,
        name,
        object_name,
        model,
    }
}

fn run_as() -> BoxedStrategy<RunAs> {
    let numbered = (1u32..=2_147_483_647, 1u32..=2_147_483_647)
        .prop_map(|(user, group)| RunAs::User { user, group });
    prop_oneof![
        4 => Just(RunAs::Default),
        1 => Just(RunAs::Root),
        1 => Just(RunAs::Image),
        1 => numbered,
    ]
    .boxed()
}

fn workload() -> BoxedStrategy<Workload> {
    let cron = (overlap(), 0u32..4, duration(), 0u32..5, 0u32..5).prop_map(
        |(overlap, retries, timeout, succeeded, failed)| {
            Workload::Cron(Cron {
                schedule: "30 3 * * *".to_owned(),
                timezone: "Europe/Lisbon".to_owned(),
                overlap,
                retries,
                timeout,
                keep: Keep { succeeded, failed },
            })
        },
    );
    let worker =
        (health(), scale(), drain(), running()).prop_map(|(health, scale, drain, running)| {
            Workload::Worker(Worker {
                health,
                scale,
                drain,
                running,
            })
        });
    let private = (ports(), health(), scale(), drain(), allow_from(), running()).prop_map(
        |(ports, health, scale, drain, allow_from, running)| {
            Workload::Private(Private {
                ports,
                health,
                scale,
                drain,
                allow_from,
                running,
            })
        },
    );
    prop_oneof![web(), private, worker, cron].boxed()
}

fn web() -> BoxedStrategy<Workload> {
    let domains = mostly_few(host(), (any::<bool>(), aliases()), 20);
    let paths = (routes(), redirects());
    (
        ports(),
        health(),
        scale(),
        drain(),
        allow_from(),
        domains,
        paths,
        running(),
    )
        .prop_map(
            |(ports, health, scale, drain, allow_from, domains, (routes, redirects), running)| {
                Workload::Web(Web {
                    ports,
                    health,
                    scale,
                    drain,
                    allow_from,
                    platform_host: String::new(),
                    domains: domains
                        .into_iter()
                        .map(|(host, (verified, aliases))| Domain {
                            host,
                            verified,
                            aliases,
                        })
                        .collect(),
                    routes,
                    redirects,
                    running,
                })
            },
        )
        .boxed()
}

/// A release, metrics, and disks.
fn running() -> BoxedStrategy<Running> {
    let release =
        ("[a-z/ $()]{1,12}", 1..3600u32, 1..12u32).prop_map(|(word, timeout, attempt)| Release {
            run: vec![word],
            timeout: Duration::from_secs(timeout),
            attempt,
        });
    let class = option::of(sample::select(vec!["fast", "slow"]));
    let volume = ("/[a-z]{1,8}", 1..64u64, class).prop_map(|(mount, size, class)| Volume {
        mount,
        size: Memory::from_bytes(size << 30),
        class: class.map(str::to_owned),
    });
    let name = "[a-z]([a-z0-9]{0,20}-?[a-z0-9]{1,9})?"
        .prop_map(|name| VolumeName::new(name).expect("a name by its pattern"));
    let volumes = collection::btree_map(name, volume, 0..3).prop_map(apart);
    let metrics = (1u16.., "/[a-z]{0,8}").prop_map(|(port, path)| Metrics { port, path });
    (option::of(release), option::of(metrics), volumes)
        .prop_map(|(release, metrics, volumes)| Running {
            release,
            metrics,
            volumes,
        })
        .boxed()
}

/// Each volume in a folder of its own, as the language asks for.
fn apart(mut volumes: BTreeMap<VolumeName, Volume>) -> BTreeMap<VolumeName, Volume> {
    let mut folders = BTreeSet::new();
    volumes.retain(|_, volume| folders.insert(volume.mount.clone()));
    volumes
}

fn routes() -> BoxedStrategy<BTreeMap<String, Route>> {
    let route = any::<bool>().prop_map(|strip_prefix| Route { strip_prefix });
    mostly_few("/[a-z]{1,2}", route, 20)
}

fn redirects() -> BoxedStrategy<BTreeMap<String, Redirect>> {
    let status = sample::select(vec![301, 302, 303, 307, 308]);
    let to = "(https?://[a-z]{2,8}\\.example(:80[0-9]{2})?)?/[a-z]{0,3}";
    let redirect = (to, status).prop_map(|(to, status)| Redirect { to, status });
    mostly_few("/[a-z]{1,2}", redirect, 20)
}

/// Fewer than `most`. Many are mostly one case repeated, but some rules begin only with them.
fn mostly_few<K: Ord + Debug + 'static, V: Debug + 'static>(
    key: impl Strategy<Value = K> + Clone + 'static,
    value: impl Strategy<Value = V> + Clone + 'static,
    most: usize,
) -> BoxedStrategy<BTreeMap<K, V>> {
    let few = collection::btree_map(key.clone(), value.clone(), 0..3);
    prop_oneof![4 => few, 1 => collection::btree_map(key, value, 0..most)].boxed()
}

fn aliases() -> BoxedStrategy<Vec<Alias>> {
    let alias =
        (host(), any::<bool>(), any::<bool>()).prop_map(|(host, verified, redirect)| Alias {
            host,
            verified,
            redirect,
        });
    collection::vec(alias, 0..3).boxed()
}

fn host() -> BoxedStrategy<String> {
    "[a-z]{2,8}\\.example".boxed()
}
