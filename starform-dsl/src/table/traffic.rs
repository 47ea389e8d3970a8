//! Rows of the node table: what reaches a service, by which ports, hosts and paths.
//! Pure data. Names and defaults are part of contract 1.
//! Read on in `service` for the other children, and in `crate::check::hosts` for what must hold of hosts and paths.

use starform_contract::ServiceKind::{self, Private, Web};
use starform_contract::model::Protocol;

use super::name::{DomainNode, LayerNode};
use super::service::{CHILD, RUNNING};
use super::{Args, Block, NameOf, NodeSpec, Place, ROW, Repeat, Type, Word, arg, prop, required};

const SERVING: &[ServiceKind] = &[Web, Private];

pub(super) const PORT: Type = Type::Integer {
    min: 1,
    max: 65_535,
};

pub(super) const NODES: &[NodeSpec] = &[
    NodeSpec {
        node: LayerNode::Port.node(),
        kinds: SERVING,
        repeat: Repeat::Many,
        args: Args::One(arg("N", PORT)),
        props: &[
            prop(
                "name",
                Type::PortName,
                "Needed where a service has several.",
            ),
            prop(
                "protocol",
                Type::OneOf(Protocol::WORDS),
                "What is spoken on it; `http` if left out.",
            ),
        ],
        form: "port N name=NAME protocol=http|h2c|grpc|tcp",
        doc: "A port that the service listens on. A web service's first port is the one the outside reaches.",
        default: "needed by web and private",
        example: "port 8080",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Metrics.node(),
        kinds: RUNNING,
        props: &[
            prop(
                "port",
                PORT,
                "Where it is scraped; the first port of the service if left out.",
            ),
            prop(
                "path",
                Type::HttpPath,
                "What is asked for; `/metrics` if left out.",
            ),
        ],
        form: "metrics port=N path=PATH",
        doc: "Where the service shows its metrics. A worker names the port.",
        default: "none; path=\"/metrics\"",
        example: "metrics port=9090 path=\"/metrics\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Domain.node(),
        kinds: &[Web],
        repeat: Repeat::Many,
        args: Args::One(arg("HOST", Type::Host)),
        block: Block::Of(Place::Domain),
        form: "domain HOST { alias HOST redirect=BOOL; }",
        doc: "A host name of your own, beside the one that the platform gives.",
        default: "the platform's host only",
        example: "domain \"shop.example\" { alias \"www.shop.example\" redirect=#true; }",
        ..CHILD
    },
    NodeSpec {
        node: DomainNode::Alias.node(),
        places: &[Place::Domain],
        repeat: Repeat::Many,
        args: Args::One(arg("HOST", Type::Host)),
        props: &[prop(
            "redirect",
            Type::Bool,
            "Send callers to the domain instead of serving them here; `#false` if left out.",
        )],
        form: "alias HOST redirect=BOOL",
        doc: "A further host of the domain.",
        default: "none",
        example: "alias \"www.shop.example\" redirect=#true",
        ..ROW
    },
    NodeSpec {
        node: LayerNode::Route.node(),
        kinds: &[Web],
        repeat: Repeat::Many,
        args: Args::One(arg("PATH", Type::RoutePath)),
        props: &[prop(
            "strip-prefix",
            Type::Bool,
            "Take the path off before the service sees the request; `#false` if left out.",
        )],
        form: "route PATH strip-prefix=BOOL",
        doc: "A path, with everything below it, that this service answers on all of its hosts. Another service may hold another path of the same host.",
        default: "/",
        example: "route \"/api\" strip-prefix=#true",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Redirect.node(),
        kinds: &[Web],
        repeat: Repeat::Many,
        args: Args::One(arg("FROM", Type::RoutePath)),
        props: &[
            required(
                "to",
                Type::Location,
                "Where callers are sent: a path of the same host, or a whole URL.",
            ),
            prop(
                "status",
                Type::OneOfNumbers(&[301, 302, 303, 307, 308]),
                "302 if left out; 301 and 308 are remembered by browsers.",
            ),
        ],
        form: "redirect FROM to=LOCATION status=301|302|303|307|308",
        doc: "Sends callers of one path elsewhere, on all hosts of the service.",
        default: "none; status=302",
        example: "redirect \"/old\" to=\"/new\" status=301",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::AllowFrom.node(),
        kinds: SERVING,
        repeat: Repeat::Many,
        args: Args::Several(arg("SERVICE", Type::Reference(NameOf::Service))),
        form: "allow-from SERVICE…",
        doc: "The only services that may connect. One that does not run in an environment is left out there.",
        default: "every service of the same environment",
        example: "allow-from storefront",
        ..CHILD
    },
];
