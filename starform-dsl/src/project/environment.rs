//! Environments as a project declares them, the preview, and how services and variables name them.
//! Pure data.
//! Always holds: what names the environment that previews are from holds for previews too, once [`NamedEnvironments::settle`] ran.
//! Read on in `crate::resolve` for what follows in one environment.

use std::collections::BTreeSet;

use starform_contract::{EnvironmentName, quantity::Duration, state::DriftPolicy};

use super::Spanned;
use crate::source::Span;
use crate::table::Word;

/// What the language calls all previews together.
pub(crate) const PREVIEW: &str = "preview";

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

impl Environment {
    /// Whether plans that delete, replace or widen anything here need an approval.
    pub fn is_protected(&self) -> bool {
        self.protect.is_some()
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

    /// Lets what is said of `from`, which previews are from, hold for previews too.
    pub(super) fn settle(&mut self, from: &str) {
        self.previews |= self.set.contains(from);
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

impl Deploy {
    pub fn as_str(self) -> &'static str {
        Word::as_str(self)
    }
}
