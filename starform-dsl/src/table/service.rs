//! Rows of the node table: what stands inside a service, a partial and `in ENV { … }`.
//! Pure data. Names and defaults are part of contract 1.
//! Read on in `image`, `traffic` and `schedule` for further children, in `project` for what stands around them, and in `crate::emit` for the defaults as values.

use starform_contract::ServiceKind::{self, Private, Web, Worker};

use super::name::{HealthNode, LayerNode};
use super::traffic::PORT;
use super::{
    Args, Availability, Block, NameOf, NodeSpec, Place, PropSpec, ROW, Repeat, Type, Word, arg,
    prop, required,
};
use crate::project::ProbeKind;

/// A child of a service that every layer may hold.
pub(super) const CHILD: NodeSpec = NodeSpec {
    places: &[Place::Service, Place::ServiceIn, Place::Partial],
    unset: true,
    ..ROW
};

/// A child that decides where the service runs, so only the service itself may hold it.
pub(super) const TOP: NodeSpec = NodeSpec {
    places: &[Place::Service],
    ..ROW
};

pub(super) const RUNNING: &[ServiceKind] = &[Web, Private, Worker];

/// A year: the longest duration.
pub(super) const YEAR: u32 = 365 * 86_400;
pub(super) const HOUR: u32 = 3_600;

pub(super) const NODES: &[NodeSpec] = &[
    NodeSpec {
        node: LayerNode::Health.node(),
        kinds: RUNNING,
        props: &[
            prop(
                "ready",
                Type::HttpPath,
                "Asked with GET on the first port; 2xx and 3xx receive traffic.",
            ),
            prop(
                "live",
                Type::HttpPath,
                "Asked with GET on the first port; failure restarts the container.",
            ),
            prop(
                "startup-within",
                duration(1, HOUR),
                "How long the start may take; 60s if left out.",
            ),
        ],
        block: Block::Of(Place::Health),
        form: "health ready=PATH live=PATH startup-within=DUR { ready|live|startup kind=http|tcp|grpc path= port= every= timeout= failures= }",
        doc: "How Kubernetes finds out that the service works.",
        default: "readiness: TCP on the first port; no liveness; startup within 60s",
        example: "health ready=\"/readyz\" startup-within=\"90s\"",
        ..CHILD
    },
    probe(HealthNode::Ready, "Whether the service takes traffic now."),
    probe(HealthNode::Live, "Whether the container must be restarted."),
    probe(HealthNode::Startup, "Whether the container has started."),
    NodeSpec {
        node: LayerNode::Size.node(),
        props: &[
            prop(
                "cpu",
                Type::Cpu,
                "Cores, such as `\"250m\"` or `2`; `100m` if left out.",
            ),
            prop(
                "memory",
                Type::Memory,
                "Bytes with a unit, such as `\"512Mi\"`; `256Mi` if left out.",
            ),
        ],
        form: "size cpu=QUANTITY memory=QUANTITY",
        doc: "What one instance gets. Memory is also the limit, CPU is not limited.",
        default: "cpu=\"100m\" memory=\"256Mi\"",
        example: "size cpu=\"500m\" memory=\"512Mi\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Scale.node(),
        kinds: RUNNING,
        args: Args::Optional(arg(
            "N",
            Type::Integer {
                min: 0,
                max: MOST_INSTANCES,
            },
        )),
        props: &[
            prop(
                "min",
                Type::Integer {
                    min: 1,
                    max: MOST_INSTANCES,
                },
                "Never fewer instances.",
            ),
            prop(
                "max",
                Type::Integer {
                    min: 1,
                    max: MOST_INSTANCES,
                },
                "Never more instances.",
            ),
            prop(
                "cpu",
                PERCENT,
                "Mean CPU use to aim at, in percent of `size`.",
            ),
            prop(
                "memory",
                PERCENT,
                "Mean memory use to aim at, in percent of `size`.",
            ),
            prop(
                "cooldown",
                duration(0, HOUR),
                "How long use must be low before instances go; 5m if left out.",
            ),
        ],
        form: "scale N | scale min=N max=N cpu=PERCENT memory=PERCENT cooldown=DUR",
        doc: "How many instances run: a number, or a range that follows the load.",
        default: "1",
        example: "scale min=3 max=12 cpu=65",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Drain.node(),
        kinds: RUNNING,
        props: &[
            prop(
                "before-term",
                duration(0, HOUR),
                "From leaving the load balancer to TERM; 10s with ports, else 0s.",
            ),
            prop(
                "grace",
                duration(0, HOUR),
                "From TERM to KILL; 30s if left out.",
            ),
        ],
        form: "drain before-term=DUR grace=DUR",
        doc: "How an instance is taken away.",
        default: "before-term=\"10s\" with ports, else \"0s\"; grace=\"30s\"",
        example: "drain grace=\"60s\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Use.node(),
        repeat: Repeat::Many,
        args: Args::Several(arg("GROUP", Type::Reference(NameOf::Group))),
        form: "use GROUP…",
        doc: "Takes the variables of var-groups; a later group wins over an earlier one.",
        default: "none",
        example: "use shared payments",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Vars.node(),
        block: Block::Variables,
        unset: false,
        form: "vars { KEY VALUE; }",
        doc: "The service's own variables; they win over those of groups and merge key by key between layers.",
        default: "none",
        example: "vars { CATALOG_URL (ref)\"catalog.private-url\"; }",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Volume.node(),
        kinds: RUNNING,
        repeat: Repeat::Many,
        args: Args::One(arg("NAME", Type::VolumeName)),
        props: &[
            required(
                "mount",
                Type::MountPath,
                "The folder of the container that the disk stands in.",
            ),
            required(
                "size",
                Type::Storage,
                "Bytes with a unit, such as `\"10Gi\"`; it may grow later, never shrink.",
            ),
            prop(
                "class",
                Type::StorageClass,
                "The cluster's StorageClass; the default one if left out.",
            ),
        ],
        form: "volume NAME mount=PATH size=QUANTITY class=NAME",
        doc: "A disk that outlives the instance. It needs `scale 1`, and a rollout stops the old instance before the new one starts.",
        default: "none",
        example: "volume data mount=\"/data\" size=\"10Gi\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Observability.node(),
        args: Args::One(arg("BOOL", Type::Bool)),
        form: "observability #true|#false",
        doc: "Whether the telemetry agents look at this service.",
        default: "#true",
        example: "observability #false",
        ..CHILD
    },
    later(
        LayerNode::AllowIp,
        "reserved",
        "Client addresses that may connect.",
        "filter addresses in front of the cluster",
    ),
    later(
        LayerNode::Header,
        "reserved",
        "A header of every answer.",
        "set the header in the service itself",
    ),
];

const MOST_INSTANCES: i64 = 1_000;
const PERCENT: Type = Type::Integer { min: 1, max: 100 };

const PROBE_PROPS: &[PropSpec] = &[
    prop(
        "kind",
        Type::OneOf(ProbeKind::WORDS),
        "How it asks; `http` with a path, else `tcp`.",
    ),
    prop(
        "path",
        Type::HttpPath,
        "What GET asks for; needed by `kind=http`, refused by the others.",
    ),
    prop("port", PORT, "The first port of the service if left out."),
    prop(
        "every",
        duration(1, HOUR),
        "Time between two questions; 10s if left out.",
    ),
    prop(
        "timeout",
        duration(1, HOUR),
        "How long an answer may take; 5s if left out.",
    ),
    prop(
        "failures",
        Type::Integer { min: 1, max: 1_000 },
        "Failures in a row that count; 3 if left out.",
    ),
];

pub(super) const fn duration(min: u32, max: u32) -> Type {
    Type::Duration { min, max }
}

const fn probe(node: HealthNode, doc: &'static str) -> NodeSpec {
    NodeSpec {
        node: node.node(),
        places: &[Place::Health],
        props: PROBE_PROPS,
        form: "ready|live|startup kind=http|tcp|grpc path=PATH port=N every=DUR timeout=DUR failures=N",
        doc,
        default: "see `health`",
        example: "ready kind=grpc port=9090",
        ..ROW
    }
}

const fn later(
    node: LayerNode,
    form: &'static str,
    doc: &'static str,
    instead: &'static str,
) -> NodeSpec {
    NodeSpec {
        node: node.node(),
        repeat: Repeat::Many,
        availability: Availability::Later { instead },
        form,
        doc,
        default: "none",
        ..CHILD
    }
}
