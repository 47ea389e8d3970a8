//! What the project says of things that once had another name, or once existed: `was=` and `removed`.
//! Pure data. The names here are those of the past, so nothing else of the file refers to them.
//! Read on in `crate::check::former` for what must hold of them.

use starform_contract::{ServiceKind, ServiceName, VolumeName};

use super::Spanned;
use crate::source::Span;

/// `was=NAME` of a service.
#[derive(Clone, Debug)]
pub(crate) struct Was {
    pub(crate) name: Spanned<ServiceName>,
    /// The whole property and the space before it: what is deleted to take it out.
    pub(crate) entry: Span,
}

/// `removed KIND NAME data=keep|destroy`.
#[derive(Clone, Debug)]
pub(crate) struct Removed {
    pub(crate) what: Gone,
    pub(crate) data: Spanned<Data>,
    /// Of the name.
    pub(crate) name: Span,
    /// Of the word that says what it was.
    pub(crate) kind: Span,
    pub(crate) node: Span,
}

/// What is not managed any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gone {
    Service(ServiceName, ServiceKind),
    Volume(ServiceName, VolumeName),
}

/// What it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoneKind {
    Service(ServiceKind),
    Volume,
}

/// What becomes of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// It stays in the cluster, and nobody manages it.
    Keep,
    Destroy,
}

impl Gone {
    pub(crate) fn kind(&self) -> GoneKind {
        match self {
            Gone::Service(_, kind) => GoneKind::Service(*kind),
            Gone::Volume(_, _) => GoneKind::Volume,
        }
    }

    /// The service that it is, or was part of.
    pub(crate) fn service(&self) -> &ServiceName {
        match self {
            Gone::Service(name, _) | Gone::Volume(name, _) => name,
        }
    }

    /// As the node names it: `api`, `api.data`.
    pub(crate) fn name(&self) -> String {
        match self {
            Gone::Service(name, _) => name.to_string(),
            Gone::Volume(service, volume) => format!("{service}.{volume}"),
        }
    }
}
