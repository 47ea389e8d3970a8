//! What the values of arguments and properties are, and which of them are names of what.
//! Pure data. A value that is a name says so by its type alone, not by what its row calls it.
//! Read on in `crate::lower::value` for what is said about a value that does not fit its type.

/// What a value is; amounts carry their least and greatest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    /// Text that may be empty.
    Word,
    ProjectName,
    ServiceName,
    EnvironmentName,
    GroupName,
    PartialName,
    VolumeName,
    /// What a service was called before.
    FormerService,
    /// Of a service that was, or `SERVICE.VOLUME`.
    FormerName,
    PortName,
    /// A name that something else declares; looked up once everything is read.
    Reference(NameOf),
    Integer {
        min: i64,
        max: i64,
    },
    Bool,
    /// Seconds.
    Duration {
        min: u32,
        max: u32,
    },
    Cpu,
    Memory,
    HttpPath,
    /// A path that begins other paths, such as `/api`.
    RoutePath,
    /// A path of the same host, or an `http` or `https` URL.
    Location,
    Host,
    OneOf(&'static [&'static str]),
    OneOfNumbers(&'static [i64]),
    Schedule,
    TimeZone,
    Image,
    /// Files of the repository; see [`crate::include::Glob`].
    IncludeGlob,
    /// A path inside the repository or below another such path.
    RelativePath,
    /// A pattern of such paths.
    Glob,
    /// A folder inside a container.
    MountPath,
    /// Bytes of a disk.
    Storage,
    StorageClass,
    VariableName,
    /// Text, a plain decimal number or a boolean, taken as text.
    Literal,
}

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameOf {
    Project,
    Environment,
    Group,
    Partial,
    Service,
    /// Of one service.
    Volume,
}

/// What a value does with the name that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Declares(NameOf),
    Uses(NameOf),
    /// What it names was called so once.
    Formerly(NameOf),
}

impl Type {
    /// As tools read it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Word => "word",
            Type::ProjectName => "project-name",
            Type::ServiceName | Type::FormerService => "service-name",
            Type::EnvironmentName => "environment-name",
            Type::FormerName => "former-name",
            Type::GroupName | Type::PartialName | Type::VolumeName => "group-name",
            Type::PortName => "port-name",
            Type::Reference(_) => "reference",
            Type::Integer { .. } => "integer",
            Type::Bool => "boolean",
            Type::Duration { .. } => "duration",
            Type::Cpu => "cpu",
            Type::Memory => "memory",
            Type::HttpPath => "http-path",
            Type::RoutePath => "route-path",
            Type::Location => "location",
            Type::Host => "host",
            Type::OneOf(_) => "one-of",
            Type::OneOfNumbers(_) => "one-of-numbers",
            Type::Schedule => "schedule",
            Type::TimeZone => "time-zone",
            Type::Image => "image",
            Type::IncludeGlob => "include-glob",
            Type::RelativePath => "relative-path",
            Type::Glob => "glob",
            Type::MountPath => "mount-path",
            Type::Storage => "storage",
            Type::StorageClass => "storage-class",
            Type::VariableName => "variable-name",
            Type::Literal => "literal",
        }
    }

    /// What a value does with the name that it is; `None` where it is no name that others are looked up by.
    pub fn naming(self) -> Option<Naming> {
        match self {
            Type::ProjectName => Some(Naming::Declares(NameOf::Project)),
            Type::EnvironmentName => Some(Naming::Declares(NameOf::Environment)),
            Type::GroupName => Some(Naming::Declares(NameOf::Group)),
            Type::PartialName => Some(Naming::Declares(NameOf::Partial)),
            Type::ServiceName => Some(Naming::Declares(NameOf::Service)),
            Type::VolumeName => Some(Naming::Declares(NameOf::Volume)),
            Type::FormerService => Some(Naming::Formerly(NameOf::Service)),
            Type::Reference(of) => Some(Naming::Uses(of)),
            // `removed` says of what kind it is.
            Type::Text
            | Type::Word
            | Type::FormerName
            | Type::PortName
            | Type::Integer { .. }
            | Type::Bool
            | Type::Duration { .. }
            | Type::Cpu
            | Type::Memory
            | Type::HttpPath
            | Type::RoutePath
            | Type::Location
            | Type::Host
            | Type::OneOf(_)
            | Type::OneOfNumbers(_)
            | Type::Schedule
            | Type::TimeZone
            | Type::Image
            | Type::IncludeGlob
            | Type::RelativePath
            | Type::Glob
            | Type::MountPath
            | Type::Storage
            | Type::StorageClass
            | Type::VariableName
            | Type::Literal => None,
        }
    }
}
