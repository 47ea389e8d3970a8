//! Rows of the node table: what only cron jobs hold, and where a service exists.
//! Pure data. Names and defaults are part of contract 1.
//! Read on in `service` for what services hold otherwise.

use starform_contract::ServiceKind::Cron;
use starform_contract::model::Overlap;

use super::name::{LayerNode, PresenceNode, ServiceNode};
use super::service::{CHILD, TOP, YEAR, duration};
use super::{Args, Block, NameOf, NodeSpec, Place, Repeat, Type, Word, arg, prop};

pub(super) const NODES: &[NodeSpec] = &[
    NodeSpec {
        node: LayerNode::Overlap.node(),
        kinds: &[Cron],
        args: Args::One(arg("WHAT", Type::OneOf(Overlap::WORDS))),
        form: "overlap forbid|replace|allow",
        doc: "What happens when a run is due while the last one still goes on.",
        default: "forbid",
        example: "overlap replace",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Retries.node(),
        kinds: &[Cron],
        args: Args::One(arg("N", Type::Integer { min: 0, max: 100 })),
        form: "retries N",
        doc: "How often a failed run is tried again.",
        default: "0",
        example: "retries 1",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Timeout.node(),
        kinds: &[Cron],
        args: Args::One(arg("DUR", duration(1, YEAR))),
        form: "timeout DUR",
        doc: "A run that takes longer is ended.",
        default: "1h",
        example: "timeout \"30m\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Keep.node(),
        kinds: &[Cron],
        props: &[
            prop(
                "succeeded",
                Type::Integer { min: 0, max: 100 },
                "Good runs that stay listed; 3 if left out.",
            ),
            prop(
                "failed",
                Type::Integer { min: 0, max: 100 },
                "Failed runs that stay listed; 3 if left out.",
            ),
        ],
        form: "keep succeeded=N failed=N",
        doc: "How many finished runs stay listed.",
        default: "succeeded=3 failed=3",
        example: "keep succeeded=1 failed=5",
        ..CHILD
    },
    NodeSpec {
        node: PresenceNode::Only.node(),
        args: Args::Several(arg("ENV", Type::Reference(NameOf::Environment))),
        form: "only ENV…",
        doc: "The service exists in these environments only.",
        default: "every environment",
        example: "only production",
        ..TOP
    },
    NodeSpec {
        node: PresenceNode::NotIn.node(),
        args: Args::Several(arg("ENV", Type::Reference(NameOf::Environment))),
        form: "not-in ENV…",
        doc: "The service does not exist in these environments.",
        default: "every environment",
        example: "not-in staging",
        ..TOP
    },
    NodeSpec {
        node: ServiceNode::In.node(),
        repeat: Repeat::Many,
        args: Args::Several(arg("ENV", Type::Reference(NameOf::Environment))),
        block: Block::Of(Place::ServiceIn),
        form: "in ENV… { service children }",
        doc: "What differs in some environments: each child replaces the children of its name below it.",
        default: "no difference",
        example: "in production { scale 3; }",
        ..TOP
    },
];
