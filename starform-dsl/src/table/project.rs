//! Rows of the node table: a project, its environments, var-groups, partials, and what a service is opened with.
//! Pure data. Names and defaults are part of contract 1.
//! Read on in `service` for what stands inside services.

use starform_contract::{ServiceKind, state::DriftPolicy};

use super::name::{EnvironmentNode, GroupNode, ProjectNode, ReservedNode, RootNode};
use super::{
    Args, Availability, Block, NameOf, NodeSpec, Place, PropSpec, ROW, Repeat, Type, Word, arg,
    prop, required,
};
use crate::project::{Data, Deploy, GoneKind, Secrets};

pub(super) const NODES: &[NodeSpec] = &[
    NodeSpec {
        node: RootNode::Project.node(),
        places: &[Place::Root],
        // A second one is refused with more than "given twice".
        repeat: Repeat::Many,
        args: Args::One(arg("NAME", Type::ProjectName)),
        props: &[prop(
            "contract",
            Type::Integer {
                min: 1,
                max: i64::MAX,
            },
            "The version of the language's meaning that the file is written for.",
        )],
        block: Block::Of(Place::Project),
        form: "project NAME contract=1 { … }",
        doc: "The project: everything that is deployed together, in one namespace of one cluster.",
        default: "`contract` is the newest, 1",
        example: "project shop { environment production branch=main; }",
        ..ROW
    },
    NodeSpec {
        node: ProjectNode::Environment.node(),
        places: &[Place::Project],
        repeat: Repeat::Many,
        args: Args::One(arg("NAME", Type::EnvironmentName)),
        props: &[required(
            "branch",
            Type::Text,
            "The Git branch whose commits this environment follows.",
        )],
        block: Block::Of(Place::Environment),
        form: "environment NAME branch=STR { deploy after=commit|checks|manual; protect; drift correct|report; }",
        doc: "One running copy of the project's services.",
        default: "at least one is needed",
        example: "environment production branch=release { drift report; }",
        ..ROW
    },
    NodeSpec {
        node: EnvironmentNode::Deploy.node(),
        places: &[Place::Environment],
        props: &[required(
            "after",
            Type::OneOf(Deploy::WORDS),
            "What a new commit waits for before it is deployed.",
        )],
        form: "deploy after=commit|checks|manual",
        doc: "When a new commit of the branch is deployed.",
        default: "after=commit",
        example: "deploy after=checks",
        ..ROW
    },
    NodeSpec {
        node: EnvironmentNode::Protect.node(),
        places: &[Place::Environment],
        form: "protect",
        doc: "Plans that delete, replace or open anything here to more need an approval, by an Admin of the project who neither made the plan nor applies it. Without a control plane, `apply` asks on a terminal for the environment's name. It counts as it is accepted and as the plan proposes it, so taking it away needs an approval too.",
        default: "off",
        example: "protect",
        ..ROW
    },
    NodeSpec {
        node: EnvironmentNode::Drift.node(),
        places: &[Place::Environment],
        args: Args::One(arg("WHAT", Type::OneOf(DriftPolicy::WORDS))),
        form: "drift correct|report",
        doc: "What is done about a live object that somebody changed by hand. One that was deleted is made again either way.",
        default: "correct",
        example: "drift report",
        ..ROW
    },
    NodeSpec {
        node: ProjectNode::Preview.node(),
        places: &[Place::Project],
        props: PREVIEW_PROPS,
        form: "preview from=ENV on=pull-request expire=DURATION secrets=stub|inherit",
        doc: "A short-lived environment `pr-NUMBER` for every pull request. It is as the environment that `from` names, and what `in preview` says stands above that; a service exists in it if `only` or `not-in` let it exist in `from`, unless they name `preview`. This version checks previews and compiles them under their names; it does not make one for each pull request by itself.",
        default: "none",
        example: "preview from=staging on=pull-request expire=\"3d\"",
        ..ROW
    },
    NodeSpec {
        node: ProjectNode::VarGroup.node(),
        places: &[Place::Project],
        repeat: Repeat::Many,
        args: Args::One(arg("NAME", Type::GroupName)),
        block: Block::Variables,
        form: "var-group NAME { KEY VALUE; in ENV… { KEY VALUE; } }",
        doc: "Variables that several services take with `use`.",
        default: "none",
        example: "var-group shared { LOG_LEVEL debug; in production { LOG_LEVEL info; } }",
        ..ROW
    },
    NodeSpec {
        node: GroupNode::In.node(),
        places: &[Place::Group],
        repeat: Repeat::Many,
        args: Args::Several(arg("ENV", Type::Reference(NameOf::Environment))),
        block: Block::Variables,
        form: "in ENV… { KEY VALUE; }",
        doc: "Values that differ in some environments.",
        default: "the group's own values",
        example: "in production { LOG_LEVEL info; }",
        ..ROW
    },
    NodeSpec {
        node: ProjectNode::Partial.node(),
        places: &[Place::Project],
        repeat: Repeat::Many,
        args: Args::One(arg("NAME", Type::PartialName)),
        block: Block::Of(Place::Partial),
        form: "partial NAME { service children }",
        doc: "Service children under a name; a service takes them with `like=NAME`.",
        default: "none",
        example: "partial small { size cpu=\"250m\" memory=\"256Mi\"; }",
        ..ROW
    },
    NodeSpec {
        node: ProjectNode::Service(ServiceKind::Web).node(),
        kinds: &[ServiceKind::Web],
        form: "web NAME root=PATH like=PARTIAL was=NAME { service children }",
        doc: "A service that the outside reaches over HTTPS.",
        example: "web api { image \"ghcr.io/acme/api:1.4.2\"; port 8080; }",
        ..SERVICE
    },
    NodeSpec {
        node: ProjectNode::Service(ServiceKind::Private).node(),
        kinds: &[ServiceKind::Private],
        form: "private NAME root=PATH like=PARTIAL was=NAME { service children }",
        doc: "A service that only its own environment reaches.",
        example: "private catalog { image \"ghcr.io/acme/catalog:1.4.2\"; port 9090 protocol=grpc; }",
        ..SERVICE
    },
    NodeSpec {
        node: ProjectNode::Service(ServiceKind::Worker).node(),
        kinds: &[ServiceKind::Worker],
        form: "worker NAME root=PATH like=PARTIAL was=NAME { service children }",
        doc: "A service that runs without being reached.",
        example: "worker mailer { image \"ghcr.io/acme/shop:1.4.2\"; run \"bin/worker\"; }",
        ..SERVICE
    },
    NodeSpec {
        node: ProjectNode::Service(ServiceKind::Cron).node(),
        kinds: &[ServiceKind::Cron],
        props: CRON_PROPS,
        form: "cron NAME schedule=CRON timezone=ZONE root=PATH like=PARTIAL was=NAME { service children }",
        doc: "A command that runs on a schedule.",
        example: "cron report schedule=\"30 3 * * *\" { image \"ghcr.io/acme/shop:1.4.2\"; run \"bin/report\"; }",
        ..SERVICE
    },
    NodeSpec {
        node: ProjectNode::Include.node(),
        places: &[Place::Project],
        repeat: Repeat::Many,
        args: Args::One(arg("GLOB", Type::IncludeGlob)),
        form: "include GLOB",
        doc: "Takes children of the project from other files, which hold them at their top level. The pattern begins in the folder of `starform.kdl`, also in an included file: `*` stands for any characters of one name, `**` for any number of folders, neither for hidden ones; the last name ends in `.kdl`. A pattern that names no file is an error, and so is a file that is included twice.",
        default: "none",
        example: "include \"services/*.kdl\"",
        ..ROW
    },
    NodeSpec {
        node: ProjectNode::Removed.node(),
        places: &[Place::Project],
        repeat: Repeat::Many,
        args: Args::Two(
            arg("KIND", Type::OneOf(GoneKind::WORDS)),
            arg("NAME", Type::FormerName),
        ),
        props: &[required(
            "data",
            Type::OneOf(Data::WORDS),
            "Whether the volumes stay in the cluster, unmanaged, or are deleted with all that is on them.",
        )],
        form: "removed KIND NAME data=keep|destroy",
        doc: "Reviewed consent to stop managing something that holds data: a service with all its volumes, or one volume as `SERVICE.VOLUME`. What is only left out of the file loses no data: its volumes stay and are listed.",
        default: "none",
        example: "removed volume api.data data=destroy",
        ..ROW
    },
    reserved(ReservedNode::Postgres, "A managed PostgreSQL database."),
    reserved(ReservedNode::Cache, "A managed cache."),
    reserved(ReservedNode::Bucket, "A managed object store."),
];

const PREVIEW_PROPS: &[PropSpec] = &[
    required(
        "from",
        Type::Reference(NameOf::Environment),
        "The environment that a preview is as, but for what `in preview` says.",
    ),
    required(
        "on",
        Type::OneOf(&["pull-request"]),
        "What a preview is made for.",
    ),
    required(
        "expire",
        Type::Duration {
            min: 3_600,
            max: 30 * 24 * 3_600,
        },
        "How long a preview stays without a new commit, from `1h` to `30d`.",
    ),
    prop(
        "secrets",
        Type::OneOf(Secrets::WORDS),
        "Whether secrets are stubs, or those of `from`, which then must not be protected; `stub` if left out.",
    ),
];

/// What the four kinds of service share.
const SERVICE: NodeSpec = NodeSpec {
    places: &[Place::Project],
    repeat: Repeat::Many,
    args: Args::One(arg("NAME", Type::ServiceName)),
    props: SERVICE_PROPS,
    block: Block::Of(Place::Service),
    default: "none",
    ..ROW
};

const LIKE: PropSpec = prop(
    "like",
    Type::Reference(NameOf::Partial),
    "The partial whose children stand below this service's own.",
);
const ROOT: PropSpec = prop(
    "root",
    Type::RelativePath,
    "The folder of the repository that the service is built from; `.` if left out.",
);
const WAS: PropSpec = prop(
    "was",
    Type::FormerService,
    "The service's name before it was renamed: it keeps its objects, host and data. May be taken out once every environment has the new name.",
);

const SERVICE_PROPS: &[PropSpec] = &[LIKE, ROOT, WAS];

const CRON_PROPS: &[PropSpec] = &[
    required(
        "schedule",
        Type::Schedule,
        "Minute, hour, day of month, month, day of week, as Kubernetes reads them.",
    ),
    prop(
        "timezone",
        Type::TimeZone,
        "The IANA time zone that the schedule is read in; `UTC` if left out.",
    ),
    LIKE,
    ROOT,
    WAS,
];

const fn reserved(node: ReservedNode, doc: &'static str) -> NodeSpec {
    NodeSpec {
        node: ProjectNode::Reserved(node).node(),
        places: &[Place::Project],
        repeat: Repeat::Many,
        availability: Availability::Later {
            instead: "use one that runs elsewhere and give services its address in `vars`",
        },
        form: "reserved",
        doc,
        default: "none",
        ..ROW
    }
}
