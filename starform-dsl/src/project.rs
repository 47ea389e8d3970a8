//! The checked project: what the text says, by environment-independent layers, with the place of every value.
//! Pure data. A project exists only if nothing in its text is an error, so `emit` meets no surprise.
//! Read on in `layer` and `environment` for its parts, in `crate::lower` for how it is made and in `crate::resolve`
//! for what it means in one environment.

mod environment;
mod former;
mod layer;

use std::collections::BTreeMap;

use starform_contract::{
    EnvironmentName, GroupName, PartialName, ProjectName, ServiceKind, ServiceName,
};

use crate::diag::Diagnostic;
use crate::source::{SourceTree, Span};
pub use environment::{Deploy, Environment, Preview, Secrets};
pub(crate) use environment::{In, NamedEnvironments, PREVIEW, Presence};
pub(crate) use former::{Data, Gone, GoneKind, Removed, Was};
pub(crate) use layer::{
    AliasDecl, Builder, CheckDecl, Child, DomainDecl, DrainDecl, HealthDecl, ImageDecl, ImageUser,
    KeepDecl, Layer, MetricsDecl, PortDecl, ProbeDecl, ProbeKind, RedirectDecl, ReleaseDecl,
    RouteDecl, RunAsDecl, ScaleDecl, Setting, SizeDecl, Slot, Vars, VolumeDecl,
};

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
    pub(crate) partials: BTreeMap<PartialName, Layer>,
    pub(crate) services: BTreeMap<ServiceName, Service>,
    /// In the order of the files.
    pub(crate) removed: Vec<Removed>,
    pub(crate) suspected: Vec<Suspected>,
}

/// What only the services tell to be wrong.
#[derive(Clone, Debug)]
pub(crate) enum Suspected {
    /// A service that is named where something else is wrong.
    Named(Spanned<String>, NodePath),
    /// What is to be said if there is such a service.
    If(String, Diagnostic),
}

/// The path of a node, such as `project.web.api.vars.URL`.
pub(crate) type NodePath = String;

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
        for service in self.services.values_mut() {
            match &mut service.presence {
                Presence::Everywhere => {}
                Presence::Only(names) | Presence::NotIn(names) => names.settle(from),
            }
            for block in &mut service.overrides {
                block.environments.settle(from);
            }
        }
        for group in self.groups.values_mut() {
            for block in &mut group.overrides {
                block.environments.settle(from);
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
        self.partials.get(&PartialName::new(name).ok()?)
    }
}

impl Service {
    /// `project.web.api`
    pub(crate) fn path(&self) -> String {
        format!("project.{}.{}", self.kind.kind().as_str(), self.name.value)
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
