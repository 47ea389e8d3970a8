//! The checked project: what the text says, by environment-independent layers, with the place of every value.
//! Pure data. A project exists only if nothing in its text is an error, so `emit` meets no surprise.
//! Read on in `lower` for how it is made and in `resolve` for what it means in one environment.

mod former;

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    EnvironmentName, GroupName, PortName, ProjectName, ServiceKind, ServiceName,
    model::{Overlap, Protocol},
    quantity::{Cpu, Duration, Memory},
    state::DriftPolicy,
};

use crate::source::{SourceTree, Span};
use crate::vars::VarValue;
pub(crate) use former::{Data, Gone, Removed, VOLUME, Was};

/// What the language calls all previews together.
pub(crate) const PREVIEW: &str = "preview";

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// One project.
#[derive(Clone, Debug)]
pub struct Project {
    pub(crate) name: Spanned<ProjectName>,
    pub(crate) model: Model,
    /// For places in people's words.
    pub(crate) sources: SourceTree,
}

/// Everything a project declares. References between declarations are text here; in a [`Project`]
/// each of them is known to hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// In the order of the file.
    pub(crate) environments: Vec<Environment>,
    pub(crate) preview: Option<Preview>,
    pub(crate) groups: BTreeMap<GroupName, Group>,
    pub(crate) partials: BTreeMap<GroupName, Layer>,
    pub(crate) services: BTreeMap<ServiceName, Service>,
    /// In the order of the files.
    pub(crate) removed: Vec<Removed>,
}

/// One running copy of the project's services.
#[derive(Clone, Debug)]
pub struct Environment {
    pub name: EnvironmentName,
    pub branch: String,
    pub deploy: Deploy,
    /// Where it says so.
    pub(crate) protect: Option<Span>,
    pub drift: DriftPolicy,
    pub(crate) span: Span,
}

/// Short-lived environments `pr-NUMBER`, one for each pull request.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The environment that a preview is as, but for what `in preview` says.
    pub(crate) from: Spanned<String>,
    /// How long it stays without a new commit.
    pub expire: Duration,
    pub secrets: Spanned<Secrets>,
    pub(crate) span: Span,
}

/// What stands for the secrets of a preview's variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// A stub value per name.
    Stub,
    /// Those of the environment it is from.
    Inherit,
}

/// What a new commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deploy {
    #[default]
    Commit,
    Checks,
    Manual,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) base: Vars,
    pub(crate) overrides: Vec<In<Vars>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: Spanned<ServiceName>,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    pub(crate) like: Option<Spanned<String>>,
    pub(crate) was: Option<Was>,
    /// The folder that it is built from.
    pub(crate) root: Option<Spanned<String>>,
    pub(crate) own: Layer,
    pub(crate) overrides: Vec<In<Layer>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Web,
    Private,
    Worker,
    Cron(Schedule),
}

#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// Five fields.
    pub(crate) schedule: Spanned<String>,
    pub(crate) timezone: Option<Spanned<String>>,
}

/// In which environments a service exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Everywhere,
    Only(NamedEnvironments),
    NotIn(NamedEnvironments),
}

/// Environments as a node names them; whether they exist is checked later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamedEnvironments {
    pub(crate) list: Vec<Spanned<String>>,
    set: BTreeSet<String>,
    /// They hold for previews: `preview` is among them, or the environment that previews are from.
    previews: bool,
}

/// `in ENV… { … }`.
#[derive(Clone, Debug)]
pub(crate) struct In<T> {
    pub(crate) environments: NamedEnvironments,
    pub(crate) content: T,
}

/// Variables by key.
pub(crate) type Vars = BTreeMap<String, Spanned<Setting<VarValue>>>;

/// What one layer says about one child; `None`: nothing, so the layer below speaks.
pub(crate) type Slot<T> = Option<Spanned<Setting<T>>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting<T> {
    Set(T),
    /// `#null`: as if no layer had said anything.
    Unset,
    /// Reported already; nothing may be concluded from it.
    Broken,
}

/// The children of a service that one layer holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// `image`, `build` and `image-of`.
    pub(crate) image: Slot<ImageDecl>,
    pub(crate) watch: Slot<Vec<Spanned<String>>>,
    pub(crate) run: Slot<Vec<String>>,
    pub(crate) release: Slot<ReleaseDecl>,
    pub(crate) hold: Slot<bool>,
    pub(crate) run_as: Slot<RunAsDecl>,
    pub(crate) ports: Slot<Vec<PortDecl>>,
    pub(crate) metrics: Slot<MetricsDecl>,
    pub(crate) routes: Slot<Vec<RouteDecl>>,
    pub(crate) redirects: Slot<Vec<RedirectDecl>>,
    pub(crate) volumes: Slot<Vec<VolumeDecl>>,
    pub(crate) health: Slot<HealthDecl>,
    pub(crate) size: Slot<SizeDecl>,
    pub(crate) scale: Slot<ScaleDecl>,
    pub(crate) drain: Slot<DrainDecl>,
    pub(crate) uses: Slot<Vec<Spanned<String>>>,
    pub(crate) vars: Vars,
    pub(crate) domains: Slot<Vec<DomainDecl>>,
    pub(crate) allow_from: Slot<Vec<Spanned<String>>>,
    pub(crate) observability: Slot<bool>,
    pub(crate) overlap: Slot<Overlap>,
    pub(crate) retries: Slot<u32>,
    pub(crate) timeout: Slot<Duration>,
    pub(crate) keep: Slot<KeepDecl>,
    /// Every child it holds: node name and place, for rules about layers as a whole.
    pub(crate) children: Vec<Child>,
    /// It holds nodes that could not be understood, so nothing may be called missing.
    pub(crate) incomplete: bool,
}

/// A child of a layer, whatever it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) name: &'static str,
    pub(crate) span: Span,
    /// `NODE #null`
    pub(crate) unset: bool,
}

/// Where the image comes from.
#[derive(Clone, Debug)]
pub(crate) enum ImageDecl {
    Ref(String),
    /// How is for whoever builds; here it matters only that the file names no image.
    Build,
    /// That of another service.
    Of(Spanned<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct ReleaseDecl {
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Option<Spanned<Duration>>,
}

#[derive(Clone, Debug)]
pub(crate) enum RunAsDecl {
    Root,
    Image,
    User {
        user: Spanned<u32>,
        group: Option<Spanned<u32>>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct MetricsDecl {
    /// The first port of the service if left out.
    pub(crate) port: Option<Spanned<u16>>,
    pub(crate) path: Option<Spanned<String>>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct RouteDecl {
    pub(crate) path: Spanned<String>,
    pub(crate) strip_prefix: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct RedirectDecl {
    pub(crate) from: Spanned<String>,
    pub(crate) to: Spanned<String>,
    pub(crate) status: Option<Spanned<u16>>,
}

#[derive(Clone, Debug)]
pub(crate) struct VolumeDecl {
    pub(crate) name: Spanned<GroupName>,
    pub(crate) mount: Spanned<String>,
    pub(crate) size: Spanned<Memory>,
    pub(crate) class: Option<Spanned<String>>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct PortDecl {
    pub(crate) port: Spanned<u16>,
    pub(crate) name: Option<Spanned<PortName>>,
    pub(crate) protocol: Protocol,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct HealthDecl {
    pub(crate) ready: Option<ProbeDecl>,
    pub(crate) live: Option<ProbeDecl>,
    pub(crate) startup: Option<ProbeDecl>,
    pub(crate) startup_within: Option<Spanned<Duration>>,
}

#[derive(Clone, Debug)]
pub(crate) struct ProbeDecl {
    pub(crate) check: CheckDecl,
    /// The first port of the service if left out.
    pub(crate) port: Option<Spanned<u16>>,
    pub(crate) every: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) failures: Option<u32>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum CheckDecl {
    Http { path: String },
    Tcp,
    Grpc,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SizeDecl {
    pub(crate) cpu: Option<Spanned<Cpu>>,
    pub(crate) memory: Option<Spanned<Memory>>,
}

#[derive(Clone, Debug)]
pub(crate) enum ScaleDecl {
    Fixed(u32),
    Range {
        min: Spanned<u32>,
        max: Spanned<u32>,
        cpu: Option<Spanned<u32>>,
        memory: Option<Spanned<u32>>,
        cooldown: Option<Spanned<Duration>>,
    },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DrainDecl {
    pub(crate) before_term: Option<Spanned<Duration>>,
    pub(crate) grace: Option<Spanned<Duration>>,
}

#[derive(Clone, Debug)]
pub(crate) struct DomainDecl {
    pub(crate) host: Spanned<String>,
    pub(crate) aliases: Vec<AliasDecl>,
}

#[derive(Clone, Debug)]
pub(crate) struct AliasDecl {
    pub(crate) host: Spanned<String>,
    pub(crate) redirect: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct KeepDecl {
    pub(crate) succeeded: Option<Spanned<u32>>,
    pub(crate) failed: Option<Spanned<u32>>,
}

impl Project {
    pub fn name(&self) -> &ProjectName {
        &self.name.value
    }

    /// In the order of the file.
    pub fn environments(&self) -> impl Iterator<Item = (&EnvironmentName, &Environment)> {
        self.model.environments.iter().map(|env| (&env.name, env))
    }

    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.model.environments.iter().find(|env| env.name == *name)
    }

    /// Ordered by name.
    pub fn services(&self) -> impl Iterator<Item = &ServiceName> {
        self.model.services.keys()
    }

    /// What services say that they were called before, by their name now.
    pub fn former_names(&self) -> BTreeMap<ServiceName, ServiceName> {
        let services = self.model.services.values();
        services
            .filter_map(|service| {
                let was = service.was.as_ref()?;
                Some((service.name.value.clone(), was.name.value.clone()))
            })
            .collect()
    }

    /// The environment of a pull request, if the name is one and the project has previews.
    pub fn preview(&self, name: &EnvironmentName) -> Option<Environment> {
        let number = name.as_str().strip_prefix("pr-")?;
        let counted = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let preview = self.model.preview.as_ref().filter(|_| counted)?;
        let mut declared = self.model.environments.iter();
        let from = declared.find(|env| env.name.as_str() == preview.from.value)?;
        Some(Environment {
            name: name.clone(),
            branch: String::new(),
            deploy: Deploy::Commit,
            protect: None,
            drift: from.drift,
            span: preview.span,
        })
    }

    /// The services that exist in an environment, ordered by name.
    pub fn service_names_in(&self, environment: &EnvironmentName) -> Vec<ServiceName> {
        self.model
            .services_in(environment)
            .map(|service| service.name.value.clone())
            .collect()
    }
}

impl Environment {
    /// Whether plans that delete, replace or widen anything here need an approval.
    pub fn is_protected(&self) -> bool {
        self.protect.is_some()
    }
}

impl Model {
    /// Ordered by name.
    pub(crate) fn services_in<'m>(
        &'m self,
        environment: &'m EnvironmentName,
    ) -> impl Iterator<Item = &'m Service> {
        self.services
            .values()
            .filter(move |service| service.presence.includes(environment))
    }

    pub(crate) fn has_environment(&self, name: &str) -> bool {
        (name == PREVIEW && self.preview.is_some())
            || self
                .environments
                .iter()
                .any(|env| env.name.as_str() == name)
    }

    /// Those that are declared, in the order of the file, and `preview`, which stands for all previews alike.
    pub(crate) fn scopes(&self) -> Vec<EnvironmentName> {
        let preview = self.preview.as_ref();
        let preview = preview.and_then(|_| EnvironmentName::new(PREVIEW).ok());
        let declared = self.environments.iter().map(|env| env.name.clone());
        declared.chain(preview).collect()
    }

    /// Lets all that is said of the environment that previews are from hold for them too.
    pub(crate) fn settle_previews(&mut self) {
        let Some(preview) = &self.preview else { return };
        let from = &preview.from.value;
        let settle = |names: &mut NamedEnvironments| names.previews |= names.set.contains(from);
        for service in self.services.values_mut() {
            match &mut service.presence {
                Presence::Everywhere => {}
                Presence::Only(names) | Presence::NotIn(names) => settle(names),
            }
            for block in &mut service.overrides {
                settle(&mut block.environments);
            }
        }
        for group in self.groups.values_mut() {
            for block in &mut group.overrides {
                settle(&mut block.environments);
            }
        }
    }

    /// Whether there are environments, and none of them has the service.
    pub(crate) fn exists_nowhere(&self, service: &Service) -> bool {
        let in_one = |name: &EnvironmentName| service.presence.includes(name);
        !self.environments.is_empty() && !self.scopes().iter().any(in_one)
    }

    pub(crate) fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(&ServiceName::new(name).ok()?)
    }

    pub(crate) fn group(&self, name: &str) -> Option<(&GroupName, &Group)> {
        self.groups.get_key_value(&GroupName::new(name).ok()?)
    }

    pub(crate) fn partial(&self, name: &str) -> Option<&Layer> {
        self.partials.get(&GroupName::new(name).ok()?)
    }
}

impl Service {
    /// `project.web.api`
    pub(crate) fn path(&self) -> String {
        format!("project.{}.{}", self.kind.kind().as_str(), self.name.value)
    }
}

impl Child {
    /// The slot that it fills: children of one slot replace each other between layers.
    pub(crate) fn slot(&self) -> &'static str {
        match self.name {
            "build" | "image-of" => "image",
            name => name,
        }
    }
}

impl NamedEnvironments {
    pub(crate) fn new(list: Vec<Spanned<String>>) -> Self {
        let set: BTreeSet<String> = list.iter().map(|name| name.value.clone()).collect();
        let previews = set.contains(PREVIEW);
        Self {
            list,
            set,
            previews,
        }
    }

    /// One that both name.
    pub(crate) fn shared<'n>(&'n self, other: &'n Self) -> Option<&'n str> {
        self.set.intersection(&other.set).next().map(String::as_str)
    }

    pub(crate) fn contains(&self, environment: &EnvironmentName) -> bool {
        if environment.is_reserved() {
            return self.previews;
        }
        self.set.contains(environment.as_str())
    }

    /// Whether `preview` itself is among them.
    pub(crate) fn names_preview(&self) -> bool {
        self.set.contains(PREVIEW)
    }
}

impl Presence {
    pub(crate) fn includes(&self, environment: &EnvironmentName) -> bool {
        match self {
            Presence::Everywhere => true,
            Presence::Only(names) => names.contains(environment),
            Presence::NotIn(names) => !names.contains(environment),
        }
    }
}

impl Kind {
    pub(crate) fn kind(&self) -> ServiceKind {
        match self {
            Kind::Web => ServiceKind::Web,
            Kind::Private => ServiceKind::Private,
            Kind::Worker => ServiceKind::Worker,
            Kind::Cron(_) => ServiceKind::Cron,
        }
    }
}

impl Deploy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Deploy::Commit => "commit",
            Deploy::Checks => "checks",
            Deploy::Manual => "manual",
        }
    }
}
