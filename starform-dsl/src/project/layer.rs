//! What one layer says about a service: its children, each as it is written, with the place of every value.
//! Pure data. What a layer leaves out is `None` here, never a default: the layer below speaks, or nobody does.
//! Read on in `crate::lower` for how a layer is read and in `crate::resolve` for how layers lie upon each other.

use std::collections::BTreeMap;

use starform_contract::{
    PortName, VolumeName,
    model::{Overlap, Protocol},
    quantity::{Cpu, Duration, Memory},
};

use super::Spanned;
use crate::source::Span;
use crate::table::NodeName;
use crate::vars::VarValue;

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
    /// Every child it holds: node and place, for rules about layers as a whole.
    pub(crate) children: Vec<Child>,
    /// It holds nodes that could not be understood, so nothing may be called missing.
    pub(crate) incomplete: bool,
}

/// A child of a layer, whatever it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) node: NodeName,
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

/// What makes the image of a service that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    Auto,
    Railpack,
    Dockerfile,
}

#[derive(Clone, Debug)]
pub(crate) struct ReleaseDecl {
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Option<Spanned<Duration>>,
}

/// A user that needs no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageUser {
    Root,
    /// Whom the image names.
    Image,
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
    pub(crate) name: Spanned<VolumeName>,
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

/// How a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeKind {
    Http,
    Tcp,
    Grpc,
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
