//! The names of nodes, by what they stand in: what a row of the table is about, and what lowering matches on.
//! Pure data. A word stands here once for each place, beside the variant that it means.
//! Read on in `project`, `service`, `image`, `traffic` and `schedule` for the rows and in `crate::lower` for who matches.

use starform_contract::ServiceKind;

/// Defines the nodes of a place: each with its word, or by the nodes that it stands for.
macro_rules! nodes {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$inner_doc:meta])* $variant:ident = $word:literal,)*
        $(; $($(#[$group_doc:meta])* $group:ident($inner:ty),)+)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$inner_doc])* $variant,)*
            $($($(#[$group_doc])* $group($inner),)+)?
        }

        impl $name {
            /// As the file writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    $($(Self::$group(inner) => inner.as_str(),)+)?
                }
            }
        }
    };
}

/// The nodes that a block holds, as what reads the block matches them.
pub(crate) trait Nodes: Copy {
    /// `None`: it stands in another block.
    fn of(node: NodeName) -> Option<Self>;
}

/// Tells the nodes of one place from those of others.
macro_rules! nodes_of {
    ($($pattern:path => $name:ident,)+) => {
        $(
            impl Nodes for $name {
                fn of(node: NodeName) -> Option<Self> {
                    if let $pattern(node) = node { Some(node) } else { None }
                }
            }

            impl $name {
                pub const fn node(self) -> NodeName {
                    $pattern(self)
                }
            }
        )+
    };
}

nodes! {
    /// Which node a row is about.
    NodeName {
        ;
        InRoot(RootNode),
        InProject(ProjectNode),
        InEnvironment(EnvironmentNode),
        InGroup(GroupNode),
        InService(ServiceNode),
        InHealth(HealthNode),
        InDomain(DomainNode),
        InBuild(BuildNode),
    }
}

nodes_of! {
    NodeName::InRoot => RootNode,
    NodeName::InProject => ProjectNode,
    NodeName::InEnvironment => EnvironmentNode,
    NodeName::InGroup => GroupNode,
    NodeName::InService => ServiceNode,
    NodeName::InHealth => HealthNode,
    NodeName::InDomain => DomainNode,
    NodeName::InBuild => BuildNode,
}

impl LayerNode {
    pub const fn node(self) -> NodeName {
        ServiceNode::Layer(self).node()
    }
}

impl ImageNode {
    pub const fn node(self) -> NodeName {
        LayerNode::Image(self).node()
    }
}

impl PresenceNode {
    pub const fn node(self) -> NodeName {
        ServiceNode::Presence(self).node()
    }
}

impl NodeName {
    /// What it fills in a block: of the nodes with one slot a block holds one, which replaces whichever stands below.
    pub fn slot(self) -> NodeName {
        if let NodeName::InService(ServiceNode::Layer(LayerNode::Image(_))) = self {
            ImageNode::Image.node()
        } else if let NodeName::InService(ServiceNode::Presence(_)) = self {
            PresenceNode::Only.node()
        } else {
            self
        }
    }
}

nodes! {
    /// The top level of the root file.
    RootNode { Project = "project", }
}

nodes! {
    /// Children of a project.
    ProjectNode {
        Environment = "environment",
        Preview = "preview",
        VarGroup = "var-group",
        Partial = "partial",
        Include = "include",
        Removed = "removed",
        ;
        Service(ServiceKind),
        Reserved(ReservedNode),
    }
}

nodes! {
    /// Words that a later version may give a meaning in a project.
    ReservedNode {
        Postgres = "postgres",
        Cache = "cache",
        Bucket = "bucket",
    }
}

nodes! {
    /// Children of an environment.
    EnvironmentNode {
        Deploy = "deploy",
        Protect = "protect",
        Drift = "drift",
    }
}

nodes! {
    /// What stands beside the variables of a var-group.
    GroupNode { In = "in", }
}

nodes! {
    /// Children of a service.
    ServiceNode {
        In = "in",
        ;
        Presence(PresenceNode),
        Layer(LayerNode),
    }
}

nodes! {
    /// In which environments a service exists.
    PresenceNode {
        Only = "only",
        NotIn = "not-in",
    }
}

nodes! {
    /// What a layer of a service holds: its own, that of a partial, that of `in ENV`.
    LayerNode {
        Watch = "watch",
        Run = "run",
        Release = "release",
        Hold = "hold",
        RunAs = "run-as",
        Port = "port",
        Metrics = "metrics",
        Domain = "domain",
        Route = "route",
        Redirect = "redirect",
        AllowFrom = "allow-from",
        Health = "health",
        Size = "size",
        Scale = "scale",
        Drain = "drain",
        Use = "use",
        Vars = "vars",
        Volume = "volume",
        Observability = "observability",
        Overlap = "overlap",
        Retries = "retries",
        Timeout = "timeout",
        Keep = "keep",
        AllowIp = "allow-ip",
        Header = "header",
        ;
        Image(ImageNode),
    }
}

nodes! {
    /// Where the image comes from.
    ImageNode {
        Image = "image",
        Build = "build",
        ImageOf = "image-of",
    }
}

nodes! {
    /// The probes of `health`.
    HealthNode {
        Ready = "ready",
        Live = "live",
        Startup = "startup",
    }
}

nodes! {
    /// What stands in a domain.
    DomainNode { Alias = "alias", }
}

nodes! {
    /// What stands in `build`.
    BuildNode { Arg = "arg", }
}
