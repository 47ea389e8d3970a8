//! What may be written as a value: words of the table, declared names, time zones, and amounts people often choose.
//! Pure. A suggestion is only an example where the type has no list; each of them holds.
//! Read on in `completion`, which offers them, and `names` for which values are names.

use super::index::{Index, NameKind};
use super::names::{self, Named};
use crate::project::PREVIEW;
use crate::table::{NodeSpec, ProjectNode, Type};
use crate::values::timezone;

/// One value to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Without quotes.
    pub(super) text: String,
    pub(super) detail: String,
    pub(super) sort: Sort,
    /// `#true` and the like, which quotes would change.
    pub(super) keyword: bool,
}

/// Whether it is one of all values that fit, or an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Word,
    Name(NameKind),
    Example,
}

const CPUS: &[(&str, &str)] = &[
    ("100m", "a tenth of a core"),
    ("250m", "a quarter of a core"),
    ("500m", "half a core"),
    ("1", "one core"),
];
const MEMORIES: &[(&str, &str)] = &[
    ("128Mi", "128 mebibytes"),
    ("256Mi", "256 mebibytes"),
    ("512Mi", "512 mebibytes"),
    ("1Gi", "one gibibyte"),
];
const DURATIONS: &[(u32, &str, &str)] = &[
    (10, "10s", "ten seconds"),
    (30, "30s", "half a minute"),
    (60, "1m", "one minute"),
    (300, "5m", "five minutes"),
    (1_800, "30m", "half an hour"),
    (3_600, "1h", "one hour"),
    (259_200, "3d", "three days"),
];
const SCHEDULES: &[(&str, &str)] = &[
    ("*/15 * * * *", "every quarter of an hour"),
    ("0 * * * *", "every hour"),
    ("30 3 * * *", "every day at 3:30"),
    ("0 6 * * 1-5", "from Monday to Friday at 6:00"),
    ("0 4 1 * *", "on the first of each month at 4:00"),
];

const SIZES: &[(&str, &str)] = &[
    ("1Gi", "one gibibyte"),
    ("10Gi", "ten gibibytes"),
    ("100Gi", "a hundred gibibytes"),
];

/// What may stand as a value of a type in a row.
pub(super) fn of(index: &Index, spec: &NodeSpec, ty: Type) -> Vec<Candidate> {
    match names::of_type(ty) {
        Some(Named::Uses(kind)) => {
            let mut names = declared(index, kind);
            // A preview is from an environment that lasts.
            names.retain(|name| spec.node != ProjectNode::Preview.node() || name.text != PREVIEW);
            return names;
        }
        Some(Named::Declares(_) | Named::Formerly(_)) => return Vec::new(),
        None => {}
    }
    match ty {
        Type::OneOf(words) => words
            .iter()
            .map(|text| candidate(text, "", Sort::Word))
            .collect(),
        Type::OneOfNumbers(numbers) => numbers
            .iter()
            .map(|number| keyword(&number.to_string()))
            .collect(),
        Type::Storage => examples(SIZES),
        Type::Bool => ["#true", "#false"].map(keyword).into(),
        Type::TimeZone => timezone::names()
            .map(|text| candidate(text, "", Sort::Word))
            .collect(),
        Type::Cpu => examples(CPUS),
        Type::Memory => examples(MEMORIES),
        Type::Duration { min, max } => DURATIONS
            .iter()
            .filter(|(seconds, ..)| (min..=max).contains(seconds))
            .map(|(_, text, detail)| candidate(text, detail, Sort::Example))
            .collect(),
        Type::Schedule => examples(SCHEDULES),
        Type::Text
        | Type::Word
        | Type::ProjectName
        | Type::ServiceName
        | Type::FormerService
        | Type::EnvironmentName
        | Type::GroupName
        | Type::PartialName
        | Type::VolumeName
        | Type::PortName
        | Type::FormerName
        | Type::Reference(_)
        | Type::Integer { .. }
        | Type::HttpPath
        | Type::Host
        | Type::Image
        | Type::IncludeGlob
        | Type::RoutePath
        | Type::Location
        | Type::RelativePath
        | Type::Glob
        | Type::MountPath
        | Type::StorageClass
        | Type::VariableName
        | Type::Literal => Vec::new(),
    }
}

/// The declared names of a kind.
pub(super) fn declared(index: &Index, kind: NameKind) -> Vec<Candidate> {
    index
        .declared(kind)
        .map(|symbol| candidate(&symbol.name, kind.title(), Sort::Name(kind)))
        .collect()
}

/// The first half of a volume's name; what follows the point is gone from the file and so known to nobody here.
pub(super) fn owners(index: &Index) -> Vec<Candidate> {
    let mut services = declared(index, NameKind::Service);
    for service in &mut services {
        service.text.push('.');
    }
    services
}

/// A word of KDL that quotes would make a text.
pub(super) fn keyword(text: &str) -> Candidate {
    Candidate {
        keyword: true,
        ..candidate(text, "", Sort::Word)
    }
}

pub(super) fn candidate(text: &str, detail: &str, sort: Sort) -> Candidate {
    Candidate {
        text: text.to_owned(),
        detail: detail.to_owned(),
        sort,
        keyword: false,
    }
}

fn examples(of: &[(&str, &str)]) -> Vec<Candidate> {
    of.iter()
        .map(|(text, detail)| candidate(text, detail, Sort::Example))
        .collect()
}
