//! Rows of the node table: what runs in a service, where its image comes from, and as whom it runs.
//! Pure data. `image`, `build` and `image-of` are one slot: a layer holds one of them, and it replaces whichever stands below.
//! Read on in `service` for the other children, and in `crate::lower::image` for how the slot is read.

use super::name::{BuildNode, ImageNode, LayerNode};
use super::service::{CHILD, HOUR, RUNNING, duration};
use super::{
    Args, Availability, Block, NameOf, NodeSpec, Place, ROW, Repeat, Type, Word, arg, prop,
};
use crate::project::{Builder, ImageUser};

/// What to do while this version builds nothing.
const BUILD_ELSEWHERE: &str =
    "build the image in your pipeline and give it to the plan: `--image SERVICE=REF`";

pub(super) const NODES: &[NodeSpec] = &[
    NodeSpec {
        node: ImageNode::Image.node(),
        args: Args::One(arg("REF", Type::Image)),
        form: "image REF",
        doc: "The container image that runs. A digest (`@sha256:…`) keeps it from changing unseen.",
        default: "`build`",
        example: "image \"ghcr.io/acme/api@sha256:1f0c…\"",
        ..CHILD
    },
    NodeSpec {
        node: ImageNode::Build.node(),
        props: &[
            prop(
                "builder",
                Type::OneOf(Builder::WORDS),
                "What builds; `auto` takes the Dockerfile where there is one, else Railpack.",
            ),
            prop(
                "dockerfile",
                Type::RelativePath,
                "The Dockerfile, relative to the service's `root`; `Dockerfile` if left out.",
            ),
            prop(
                "context",
                Type::RelativePath,
                "The folder that the build sees, relative to the service's `root`; `.` if left out.",
            ),
            prop(
                "target",
                Type::Text,
                "The stage of the Dockerfile that is built; the last if left out.",
            ),
            prop(
                "command",
                Type::Text,
                "The build command that Railpack runs instead of the one it finds.",
            ),
        ],
        block: Block::Of(Place::Build),
        availability: Availability::Checked {
            instead: BUILD_ELSEWHERE,
        },
        form: "build builder=auto|railpack|dockerfile dockerfile=PATH context=PATH target=STR command=STR { arg KEY VALUE; }",
        doc: "Builds the image from the service's `root` in the repository. The built image is given by `--image SERVICE=REF`.",
        default: "holds where neither `image` nor `image-of` is given",
        example: "build dockerfile=\"Dockerfile\" { arg NODE_VERSION 22; }",
        ..CHILD
    },
    NodeSpec {
        node: BuildNode::Arg.node(),
        places: &[Place::Build],
        repeat: Repeat::Many,
        args: Args::Two(arg("KEY", Type::VariableName), arg("VALUE", Type::Literal)),
        form: "arg KEY VALUE",
        doc: "A build argument. It stays readable in the image, so it is no place for a secret.",
        default: "none",
        example: "arg NODE_VERSION 22",
        ..ROW
    },
    NodeSpec {
        node: ImageNode::ImageOf.node(),
        args: Args::One(arg("SERVICE", Type::Reference(NameOf::Service))),
        form: "image-of SERVICE",
        doc: "Runs the image of another service, which must exist in the same environments.",
        default: "`build`",
        example: "image-of storefront",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Watch.node(),
        repeat: Repeat::Many,
        args: Args::Several(arg("GLOB", Type::Glob)),
        form: "watch GLOB…",
        doc: "Files of the repository whose change builds the service again; for the pipeline that builds it.",
        default: "everything under `root`",
        example: "watch \"services/api/**\" \"packages/*/src/**\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Run.node(),
        args: Args::Several(arg("COMMAND", Type::Word)),
        form: "run COMMAND | run PROGRAM ARG…",
        doc: "The command: one text is split into words as a POSIX shell would, several are taken as they are.",
        default: "the image's own command",
        example: "run \"bin/server\" \"--verbose\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Release.node(),
        kinds: RUNNING,
        args: Args::Several(arg("COMMAND", Type::Word)),
        props: &[prop(
            "timeout",
            duration(1, 24 * HOUR),
            "A release that takes longer has failed; 10m if left out.",
        )],
        form: "release COMMAND timeout=DUR | release PROGRAM ARG… timeout=DUR",
        doc: "A command that ends before new instances start, such as a migration. It is split into words as `run` is.",
        default: "none; timeout=\"10m\"",
        example: "release \"bin/migrate\" timeout=\"10m\"",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::Hold.node(),
        form: "hold",
        doc: "Plans leave this service's accepted state as it is unless they name it.",
        default: "off",
        example: "hold",
        ..CHILD
    },
    NodeSpec {
        node: LayerNode::RunAs.node(),
        args: Args::Optional(arg("WHO", Type::OneOf(ImageUser::WORDS))),
        props: &[
            prop("user", USER, "The user's number."),
            prop("group", USER, "The group's number; the user's if left out."),
        ],
        form: "run-as root|image | run-as user=N group=N",
        doc: "The user that the container runs as: a number, `root`, or the one that the image names.",
        default: "user 10001",
        example: "run-as user=1000 group=1000",
        ..CHILD
    },
];

/// What Kubernetes takes for users and groups; 0 is written `run-as root`.
const USER: Type = Type::Integer {
    min: 1,
    max: 2_147_483_647,
};
