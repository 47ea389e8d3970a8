//! Every code of a finding of a plan, as data: SF61nn, its title, what it means, and its page.
//!
//! Pure; the pages are compiled in. A code is public and never reused. The language has codes of its own;
//! those that begin with SF61 are for plans alone.
//! Read on in `docs/errors/README.md` for the form of a page.

/// A row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct FindingCode {
    pub code: &'static str,
    /// The title in general, without the names of one plan.
    pub title: &'static str,
    /// What is wrong, in a sentence or two; the page begins with it.
    pub doc: &'static str,
    /// The text of `docs/errors/SFnnnn.md`.
    pub page: &'static str,
}

/// Declares rows: a constant each, and all of them in [`ALL`].
macro_rules! codes {
    ($($name:ident $code:literal $title:literal $doc:literal;)*) => {
        $(#[doc = $title] pub const $name: FindingCode = FindingCode {
            code: $code,
            title: $title,
            doc: $doc,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $code, ".md")),
        };)*
        /// All rows.
        pub const ALL: &[FindingCode] = &[$($name),*];
    };
}

codes! {
    MISSING_SERVICE "SF6101" "service refers to one that would be missing"
        "After this plan, a service of the environment would refer to a service, or admit one, that the environment does not have.";
    HOST_TWICE "SF6102" "host would belong to two services"
        "After this plan, two services of the project would claim one host.";
    NAMES "SF6103" "names do not fit the services"
        "The names that the plan would give to services in the cluster are not those that the project holds for them.";
    NOTHING_TO_ADOPT "SF6104" "nothing to adopt"
        "`--adopt` names an object that this plan does not create, so there is nothing to take over.";
    UNKNOWN_SERVICE "SF6105" "no service of this name to plan"
        "`--service` names a service that the environment neither has nor would get.";
    OVER_QUOTA "SF6106" "project would need more than its tier has"
        "At their most, the services of all environments of the project together would need more than the quota of its tier.";
    TOO_LARGE "SF6107" "container or volume is larger than its tier allows"
        "One container or volume asks for more than a single one of the project's tier may have.";
    NO_SECRET_VALUE "SF6108" "secret without a value"
        "A variable, or the pulling of images, uses a secret of which no value is kept, in the version that the plan needs.";
    VOLUME_SHRINKS "SF6111" "volume would shrink"
        "The plan makes a volume smaller than it is, which no disk can do.";
    VOLUME_MOVES "SF6112" "volume would change its storage class"
        "The plan gives a volume another storage class, and a disk stays where it was made.";
    VOLUME_KEPT "SF6113" "volume left behind with its data"
        "A volume, or its service, is not declared any more. The disk stays in the cluster until somebody says by its name what becomes of it.";
    HOST_TAKEN "SF6114" "host belongs to another project"
        "The plan would route a host that another project of the same control plane, or of the same cluster, has already.";
    OBJECT_TOO_LARGE "SF6115" "object is larger than 256 KiB"
        "An object of the plan is larger than agents and the cluster's store take well.";
    BUNDLE_TOO_LARGE "SF6116" "environment is larger than 8 MiB"
        "All objects of the environment together, or of the project itself, are more than an agent takes in one bundle.";
    INDEX_TOO_LARGE "SF6117" "desired state of the cluster is larger than 4 MiB"
        "With this plan, the list of all projects and environments of the cluster would be more than its agent takes.";
    HOST_UNVERIFIED "SF6118" "host is not shown to be the project's"
        "Nothing in the DNS says that the host belongs to the project, so it is not routed yet.";
    UNDECLARED "SF6119" "environment runs that the file does not declare"
        "An environment is accepted and runs, but the project's file has no such environment any more.";
    NEVER_HERE "SF6120" "`was` or `removed` names what was never here"
        "A service says that it was another one, or the file says that something is removed, and nothing of that name was ever accepted, while this plan takes something else away.";
    APPROVAL_NEEDED "SF6121" "plan needs an approval"
        "The environment is protected, and the plan deletes, replaces or opens something of it, or takes `protect` away.";
    VOLUME_EMPTY "SF6122" "volume made anew, without its data"
        "A plan goes back to a generation that declares a volume whose disk has gone with its data since.";
    CLUSTER_REJECTS "SF6123" "cluster would not store an object"
        "The cluster's own API server, asked with a dry-run, refuses an object that the plan writes: by its schema, a policy, a quota or a webhook.";
    CLUSTER_OWNED "SF6124" "others state fields of an object"
        "An object of this name is in the cluster and not the project's, and somebody else states fields of it otherwise.";
    CLUSTER_CHANGES "SF6125" "cluster would store an object otherwise"
        "The cluster's own API server, asked with a dry-run, takes an object of the plan and would store other values than the plan writes: a webhook, a policy or the server itself changes them.";
}
