//! The node table of the language as data: one row per node, from which everything else follows.
//! Pure. Closed world: a node without a row is an error; a row that is not built yet says what to do instead.
//! Read on in `project`, `service`, `image`, `traffic` and `schedule` for the rows, in `name` for what a row is about,
//! in `types` and `words` for what values are, in `scope` for what may stand where, and in `alias` and `instead` for the
//! words people try first.

mod alias;
mod image;
mod instead;
mod name;
mod project;
mod schedule;
mod scope;
mod service;
mod suggest;
mod traffic;
mod types;
mod words;

use starform_contract::ServiceKind;

pub use alias::Alias;
pub use instead::Instead;
pub(crate) use name::Nodes;
pub use name::{
    BuildNode, DomainNode, EnvironmentNode, GroupNode, HealthNode, ImageNode, LayerNode, NodeName,
    PresenceNode, ProjectNode, ReservedNode, RootNode, ServiceNode,
};
pub use scope::Scope;
pub(crate) use suggest::is_same_word;
pub use suggest::{
    closest, foreign_node, foreign_nodes, foreign_property, foreign_value, instead_anywhere,
    instead_of, node_aliases, property_aliases, value_aliases, without_counterpart,
};
pub use types::{NameOf, Naming, Type};
pub(crate) use words::Word;

/// Where a node may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The top level of `starform.kdl`.
    Root,
    Project,
    Environment,
    /// Beside the variables of a `var-group`.
    Group,
    Partial,
    Service,
    /// `in ENV { … }` inside a service.
    ServiceIn,
    Health,
    Domain,
    Build,
}

/// One node of the language.
#[derive(Clone, Copy, Debug)]
pub struct NodeSpec {
    pub node: NodeName,
    pub places: &'static [Place],
    /// The kinds of service that may hold it; meaningless outside services.
    pub kinds: &'static [ServiceKind],
    pub repeat: Repeat,
    pub args: Args,
    pub props: &'static [PropSpec],
    pub block: Block,
    pub availability: Availability,
    /// Whether `NODE #null` takes back what a lower layer says.
    pub unset: bool,
    /// How it is written, as the reference shows it.
    pub form: &'static str,
    /// What it is, in a sentence or two.
    pub doc: &'static str,
    /// What holds where it is left out.
    pub default: &'static str,
    pub example: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    Once,
    Many,
}

/// The arguments of a node.
#[derive(Clone, Copy, Debug)]
pub enum Args {
    None,
    One(ArgSpec),
    /// None or one.
    Optional(ArgSpec),
    /// One or more.
    Several(ArgSpec),
    /// Exactly two, of different meaning.
    Two(ArgSpec, ArgSpec),
}

#[derive(Clone, Copy, Debug)]
pub struct ArgSpec {
    /// As messages call it, such as `HOST`.
    pub name: &'static str,
    pub ty: Type,
}

#[derive(Clone, Copy, Debug)]
pub struct PropSpec {
    pub name: &'static str,
    pub ty: Type,
    pub required: bool,
    pub availability: Availability,
    pub doc: &'static str,
}

/// What stands between a node's braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    None,
    Of(Place),
    /// `KEY VALUE` nodes; in a var-group beside the nodes of [`Place::Group`].
    Variables,
}

/// Whether this version does what the node says. What is not built is never accepted silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Understood and checked in full, with a warning; what is deployed would lack it, so `emit` refuses it.
    Checked {
        instead: &'static str,
    },
    /// A reserved word, refused with this next step.
    Later {
        instead: &'static str,
    },
}

pub(crate) const ALL_KINDS: &[ServiceKind] = &[
    ServiceKind::Web,
    ServiceKind::Private,
    ServiceKind::Worker,
    ServiceKind::Cron,
];

/// What most rows share.
const ROW: NodeSpec = NodeSpec {
    // Every row names its own.
    node: NodeName::InRoot(RootNode::Project),
    places: &[],
    kinds: ALL_KINDS,
    repeat: Repeat::Once,
    args: Args::None,
    props: &[],
    block: Block::None,
    availability: Availability::Ready,
    unset: false,
    form: "",
    doc: "",
    default: "",
    example: "",
};

const fn arg(name: &'static str, ty: Type) -> ArgSpec {
    ArgSpec { name, ty }
}

const fn prop(name: &'static str, ty: Type, doc: &'static str) -> PropSpec {
    PropSpec {
        name,
        ty,
        required: false,
        availability: Availability::Ready,
        doc,
    }
}

const fn required(name: &'static str, ty: Type, doc: &'static str) -> PropSpec {
    PropSpec {
        required: true,
        ..prop(name, ty, doc)
    }
}

/// Every row: project level first, then services.
pub fn nodes() -> impl Iterator<Item = &'static NodeSpec> {
    project::NODES
        .iter()
        .chain(image::NODES)
        .chain(traffic::NODES)
        .chain(service::NODES)
        .chain(schedule::NODES)
}

/// The row of `name` in `place`.
pub fn find(place: Place, name: &str) -> Option<&'static NodeSpec> {
    nodes().find(|node| node.places.contains(&place) && node.name() == name)
}

/// The row of a node; there is one for each.
pub fn row(node: NodeName) -> &'static NodeSpec {
    nodes()
        .find(|spec| spec.node == node)
        .expect("every node has a row")
}

/// The first row of `name`, wherever it may stand.
pub fn first_named(name: &str) -> Option<&'static NodeSpec> {
    nodes().find(|node| node.name() == name)
}

/// Names that may be used in `place`, by some kind of service where it is inside one.
pub fn valid_in(place: Place) -> Vec<&'static str> {
    Scope::of(place).usable().map(NodeSpec::name).collect()
}

impl Place {
    pub(crate) const ALL: [Place; 10] = [
        Place::Root,
        Place::Project,
        Place::Environment,
        Place::Group,
        Place::Partial,
        Place::Service,
        Place::ServiceIn,
        Place::Health,
        Place::Domain,
        Place::Build,
    ];

    /// As tools read it: the node in whose block it is.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Place::Root => "root",
            Place::Project => "project",
            Place::Environment => "environment",
            Place::Group => "var-group",
            Place::Partial => "partial",
            Place::Service => "service",
            Place::ServiceIn => "in",
            Place::Health => "health",
            Place::Domain => "domain",
            Place::Build => "build",
        }
    }

    /// Whether it is inside a service or a partial.
    fn is_inside_services(self) -> bool {
        match self {
            Place::Service
            | Place::ServiceIn
            | Place::Partial
            | Place::Health
            | Place::Domain
            | Place::Build => true,
            Place::Root | Place::Project | Place::Environment | Place::Group => false,
        }
    }

    /// As messages call it: "belongs in …".
    pub fn title(self) -> &'static str {
        match self {
            Place::Root => "the top level of the file",
            Place::Project => "a project",
            Place::Environment => "an environment",
            Place::Group => "a var-group",
            Place::Partial => "a partial",
            Place::Service => "a service",
            Place::ServiceIn => "`in ENV { … }` of a service",
            Place::Health => "`health { … }`",
            Place::Domain => "`domain HOST { … }`",
            Place::Build => "`build { … }`",
        }
    }
}

impl Args {
    /// The argument at an index; `None` where that is one too many.
    pub fn at(self, index: usize) -> Option<ArgSpec> {
        match (self, index) {
            (Args::One(arg) | Args::Optional(arg) | Args::Two(arg, _), 0)
            | (Args::Several(arg), _)
            | (Args::Two(_, arg), 1) => Some(arg),
            (Args::None | Args::One(_) | Args::Optional(_) | Args::Two(_, _), _) => None,
        }
    }

    /// How many a node has at least.
    pub fn least(self) -> usize {
        match self {
            Args::None | Args::Optional(_) => 0,
            Args::One(_) | Args::Several(_) => 1,
            Args::Two(_, _) => 2,
        }
    }
}

impl Availability {
    /// Whether it may be written, if perhaps without being deployed yet.
    pub fn is_usable(self) -> bool {
        match self {
            Availability::Ready | Availability::Checked { .. } => true,
            Availability::Later { .. } => false,
        }
    }
}

impl NodeSpec {
    /// Whether it stands inside services or partials, so that its kinds mean something.
    pub(crate) fn is_inside_services(&self) -> bool {
        self.places.iter().any(|place| place.is_inside_services())
    }

    /// As the file writes it.
    pub fn name(&self) -> &'static str {
        self.node.as_str()
    }

    /// What its argument gives a name to; `None` where it declares nothing.
    pub fn declares(&self) -> Option<NameOf> {
        match self.args.at(0)?.ty.naming()? {
            Naming::Declares(of) => Some(of),
            Naming::Uses(_) | Naming::Formerly(_) => None,
        }
    }

    pub fn prop(&self, name: &str) -> Option<&'static PropSpec> {
        self.props.iter().find(|prop| prop.name == name)
    }
}
