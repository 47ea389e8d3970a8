//! Rows of the node table: what stands inside a service, a partial and `in ENV { … }`.
//! Pure data. Names and defaults are part of contract 1.
//! Read on in `project` for what stands around them, and in `crate::emit` for the defaults as values.

use starform_contract::ServiceKind::{self, Private, Web, Worker};

use super::{Args, Availability, Block, NodeSpec, Place, PropSpec, ROW, Repeat, Type, arg, prop};

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

const SERVING: &[ServiceKind] = &[Web, Private];
const RUNNING: &[ServiceKind] = &[Web, Private, Worker];

/// A year: the longest duration.
pub(super) const YEAR: u32 = 365 * 86_400;
const HOUR: u32 = 3_600;

pub(super) const NODES: &[NodeSpec] = &[
    NodeSpec {
        name: "image",
        args: Args::One(arg("REF", Type::Image)),
        form: "image REF",
        doc: "The container image that runs. A digest (`@sha256:…`) keeps it from changing unseen.",
        default: "needed",
        example: "image \"ghcr.io/acme/api@sha256:1f0c…\"",
        ..CHILD
    },
    later(
        "build",
        "build builder=auto|railpack|dockerfile dockerfile= context= target= command= { arg KEY VALUE; }",
        "Builds the image from the repository.",
        "build the image elsewhere and name it: `image \"REGISTRY/NAME@sha256:…\"`",
    ),
    NodeSpec {
        places: &[Place::Build],
        ..later(
            "arg",
            "arg KEY VALUE",
            "A build argument.",
            "build the image elsewhere and name it with `image`",
        )
    },
    later(
        "image-of",
        "image-of SERVICE",
        "Runs the image of another service.",
        "repeat the other service's `image` here",
    ),
    later(
        "watch",
        "watch GLOB…",
        "Files whose change builds the service again.",
        "leave it out: nothing is built from the repository yet",
    ),
    NodeSpec {
        name: "run",
        args: Args::Several(arg("COMMAND", Type::Word)),
        form: "run COMMAND | run PROGRAM ARG…",
        doc: "The command: one text is split into words as a POSIX shell would, several are taken as they are.",
        default: "the image's own command",
        example: "run \"bin/server\" \"--verbose\"",
        ..CHILD
    },
    NodeSpec {
        kinds: RUNNING,
        ..later(
            "release",
            "release COMMAND timeout=DUR",
            "A command that ends before new instances start, such as a migration.",
            "run it before the rollout from your own pipeline",
        )
    },
    NodeSpec {
        name: "port",
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
                Type::OneOf(&["http", "h2c", "grpc", "tcp"]),
                "What is spoken on it; `http` if left out.",
            ),
        ],
        form: "port N name= protocol=http|h2c|grpc|tcp",
        doc: "A port that the service listens on. A web service's first port is the one the outside reaches.",
        default: "needed by web and private",
        example: "port 8080",
        ..CHILD
    },
    NodeSpec {
        kinds: RUNNING,
        ..later(
            "metrics",
            "metrics port=N path=PATH",
            "Where the service shows its metrics.",
            "leave it out: nothing is scraped yet",
        )
    },
    NodeSpec {
        places: TOP.places,
        ..later(
            "hold",
            "hold",
            "Plans leave this service as it is unless they name it.",
            "plan the other services by name with `--service`",
        )
    },
    NodeSpec {
        name: "health",
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
    probe("ready", "Whether the service takes traffic now."),
    probe("live", "Whether the container must be restarted."),
    probe("startup", "Whether the container has started."),
    NodeSpec {
        name: "size",
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
        name: "scale",
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
        name: "drain",
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
        name: "use",
        repeat: Repeat::Many,
        args: Args::Several(arg("GROUP", Type::Reference)),
        form: "use GROUP…",
        doc: "Takes the variables of var-groups; a later group wins over an earlier one.",
        default: "none",
        example: "use shared payments",
        ..CHILD
    },
    NodeSpec {
        name: "vars",
        block: Block::Variables,
        unset: false,
        form: "vars { KEY VALUE; }",
        doc: "The service's own variables; they win over those of groups and merge key by key between layers.",
        default: "none",
        example: "vars { CATALOG_URL (ref)\"catalog.private-url\"; }",
        ..CHILD
    },
    NodeSpec {
        name: "domain",
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
        name: "alias",
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
        kinds: &[Web],
        ..later(
            "route",
            "route PATH strip-prefix=BOOL",
            "The paths of the hosts that this service answers.",
            "give each service a host of its own with `domain`",
        )
    },
    NodeSpec {
        kinds: &[Web],
        ..later(
            "redirect",
            "redirect FROM to= status=",
            "Sends callers of a path elsewhere.",
            "answer with a redirect in the service itself",
        )
    },
    NodeSpec {
        name: "allow-from",
        kinds: SERVING,
        repeat: Repeat::Many,
        args: Args::Several(arg("SERVICE", Type::Reference)),
        form: "allow-from SERVICE…",
        doc: "The only services that may connect. One that does not run in an environment is left out there.",
        default: "every service of the same environment",
        example: "allow-from storefront",
        ..CHILD
    },
    NodeSpec {
        kinds: RUNNING,
        ..later(
            "volume",
            "volume NAME mount=PATH size=QUANTITY class=",
            "A disk that outlives the instance.",
            "keep data in a database or object store that runs elsewhere",
        )
    },
    later(
        "run-as",
        "run-as root|image | run-as user=N group=N",
        "The user that the container runs as.",
        "leave it out: containers run as user 10001; let the image's files be readable by it",
    ),
    NodeSpec {
        name: "observability",
        args: Args::One(arg("BOOL", Type::Bool)),
        form: "observability #true|#false",
        doc: "Whether the telemetry agents look at this service.",
        default: "#true",
        example: "observability #false",
        ..CHILD
    },
    later(
        "allow-ip",
        "reserved",
        "Client addresses that may connect.",
        "filter addresses in front of the cluster",
    ),
    later(
        "header",
        "reserved",
        "A header of every answer.",
        "set the header in the service itself",
    ),
];

const MOST_INSTANCES: i64 = 1_000;
const PORT: Type = Type::Integer {
    min: 1,
    max: 65_535,
};
const PERCENT: Type = Type::Integer { min: 1, max: 100 };

const PROBE_PROPS: &[PropSpec] = &[
    prop(
        "kind",
        Type::OneOf(&["http", "tcp", "grpc"]),
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

const fn probe(name: &'static str, doc: &'static str) -> NodeSpec {
    NodeSpec {
        name,
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
    name: &'static str,
    form: &'static str,
    doc: &'static str,
    instead: &'static str,
) -> NodeSpec {
    NodeSpec {
        name,
        repeat: Repeat::Many,
        availability: Availability::Later { instead },
        form,
        doc,
        default: "none",
        ..CHILD
    }
}
