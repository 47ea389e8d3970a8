//! One value against its type in the node table.
//! Pure. Says at most one thing about a value, with the spelling that would be right wherever there is one.
//! Read on in `read`, which asks, and in `crate::values` for what texts mean.

use starform_contract::{
    EnvironmentName, GroupName, PartialName, PortName, ProjectName, ServiceName, VolumeName,
    name::InvalidName,
};

use super::{amount, path, schedule};
use crate::diag::{Diagnostic, Fix, codes};
use crate::source::Span;
use crate::syntax::{Entry, Value, quoted};
use crate::table::{Type, closest, foreign_value, is_same_word};
use crate::values::{host, image, timezone};

/// What is wrong with a value; `None` as well where it is broken and reported.
///
/// `suggest`: whether it may be compared with all that would be right.
pub(super) fn check(ty: Type, name: &str, entry: Entry<'_>, suggest: bool) -> Option<Diagnostic> {
    let span = entry.value_span();
    match (ty, entry.value()) {
        (_, Value::Invalid) => None,
        (_, Value::Null) => Some(wrong(span, name, "`#null`", "leave it out instead")),
        (Type::Integer { .. } | Type::OneOfNumbers(_), Value::Integer(number))
            if i64::try_from(number).is_err() =>
        {
            Some(number_too_large(span).help(format!("write {}", expected(ty))))
        }
        (Type::Integer { min, max }, value) => integer(name, &value, span, min, max),
        (Type::OneOfNumbers(numbers), value) => one_of_numbers(name, &value, span, numbers),
        (Type::Literal, value) => super::vars::not_plain(&value, entry),
        (Type::Bool, value) => boolean(name, &value, span),
        (Type::Cpu, Value::Integer(_) | Value::Decimal(_)) => amount::cpu(entry.raw(), span),
        (Type::TimeZone, Value::String(text)) => time_zone(&text, span, suggest),
        (_, Value::String(text)) => text_value(ty, name, &text, span),
        (_, Value::Integer(_) | Value::Decimal(_)) => {
            Some(number_for_text(ty, name, entry.raw(), span))
        }
        (_, Value::Bool(_)) => {
            let hint = format!("write {}", expected(ty));
            Some(wrong(span, name, "`#true` or `#false`", &hint))
        }
    }
}

/// A number that has no place in 64 bits.
pub(super) fn number_too_large(span: Span) -> Diagnostic {
    Diagnostic::new(codes::NUMBER_TOO_LARGE, span, "number is too large")
        .label("does not fit in 64 bits")
}

fn integer(name: &str, value: &Value<'_>, span: Span, min: i64, max: i64) -> Option<Diagnostic> {
    match value {
        Value::Integer(number) => {
            let inside = (i128::from(min)..=i128::from(max)).contains(number);
            let title = format!("{name} is {number}, which is out of range");
            let range = if max == i64::MAX {
                format!("use a whole number from {min}")
            } else {
                format!("use a whole number from {min} to {max}")
            };
            (!inside).then(|| Diagnostic::new(codes::OUT_OF_RANGE, span, title).help(range))
        }
        Value::String(text) if text.parse::<i64>().is_ok() => Some(
            wrong(span, name, "text", "write the number without quotes").fix(Fix::replace(
                "remove the quotes",
                span,
                text.as_ref(),
            )),
        ),
        Value::String(text) => Some(match container_port(text).filter(|_| name == "`port`") {
            Some(port) => wrong(
                span,
                name,
                "text",
                "write the port that the service listens on",
            )
            .fix(Fix::maybe_replace(format!("write {port}"), span, port)),
            None => wrong(span, name, "text", "write a whole number"),
        }),
        Value::Decimal(_) => Some(wrong(span, name, "a fraction", "write a whole number")),
        Value::Bool(_) => Some(wrong(
            span,
            name,
            "`#true` or `#false`",
            "write a whole number",
        )),
        Value::Null | Value::Invalid => None,
    }
}

/// The port inside of `8080:80` and `8080/tcp`.
fn container_port(text: &str) -> Option<&str> {
    let port = match text.rsplit_once(':') {
        Some((_, port)) => port,
        None => text.split_once('/')?.0,
    };
    let port = port.split('/').next().unwrap_or(port);
    port.parse::<u16>()
        .is_ok_and(|number| number > 0)
        .then_some(port)
}

fn boolean(name: &str, value: &Value<'_>, span: Span) -> Option<Diagnostic> {
    let word = match value {
        Value::Bool(_) | Value::Null | Value::Invalid => return None,
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(raw) => (*raw).to_owned(),
    };
    let meant = match word.as_str() {
        "yes" | "on" | "true" | "y" | "1" | "enabled" => Some("#true"),
        "no" | "off" | "false" | "n" | "0" | "disabled" => Some("#false"),
        _ => None,
    };
    let diagnostic = wrong(
        span,
        name,
        "neither `#true` nor `#false`",
        "write `#true` or `#false`",
    );
    Some(match meant {
        Some(meant) => diagnostic.fix(Fix::replace(format!("write `{meant}`"), span, meant)),
        None => diagnostic,
    })
}

/// What is wrong with a text as a value of a type.
pub(crate) fn text_value(ty: Type, name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    match ty {
        Type::Text if text.is_empty() => Some(
            Diagnostic::new(codes::OUT_OF_RANGE, span, format!("{name} is empty"))
                .help("write at least one character, or leave it out"),
        ),
        Type::Text
        | Type::Word
        | Type::Literal
        | Type::Reference(_)
        | Type::Bool
        | Type::Integer { .. }
        | Type::OneOfNumbers(_) => None,
        Type::ProjectName => name_error(ProjectName::new(text).err(), span),
        // References call the service itself so.
        Type::ServiceName | Type::FormerService if text == "self" => name_error(
            Some(InvalidName::Reserved {
                what: "service name",
                text: text.to_owned(),
            }),
            span,
        ),
        Type::ServiceName | Type::FormerService => name_error(ServiceName::new(text).err(), span),
        Type::EnvironmentName => environment_name(text, span),
        Type::GroupName => name_error(GroupName::new(text).err(), span),
        Type::PartialName => name_error(PartialName::new(text).err(), span),
        Type::VolumeName => name_error(VolumeName::new(text).err(), span),
        Type::FormerName => super::removed::bad_name(text, span),
        Type::PortName => name_error(PortName::new(text).err(), span),
        Type::Duration { min, max } => amount::duration(name, text, span, min, max),
        Type::Cpu => amount::cpu(text, span),
        Type::Memory => amount::memory(text, span),
        Type::HttpPath => path::http(name, text, span),
        Type::RoutePath => path::route(name, text, span),
        Type::Location => path::location(name, text, span),
        Type::RelativePath => path::relative(name, text, span),
        Type::Glob => path::glob(name, text, span),
        Type::MountPath => path::mount(name, text, span),
        Type::Storage => amount::storage(text, span),
        Type::StorageClass => storage_class(text, span),
        Type::VariableName => super::vars::bad_key(text, span),
        Type::Host => host_error(text, span),
        Type::OneOf(words) => one_of(name, text, span, words),
        Type::Schedule => schedule::check(text, span),
        Type::TimeZone => time_zone(text, span, false),
        Type::Image => image_error(text, span),
        Type::IncludeGlob => super::include::glob_error(text, span),
    }
}

pub(super) fn name_error(error: Option<InvalidName>, span: Span) -> Option<Diagnostic> {
    let error = error?;
    let (title, help) = match &error {
        InvalidName::Empty { what } => (format!("{what} is empty"), "give it a name".to_owned()),
        InvalidName::TooLong {
            what,
            length,
            limit,
            ..
        } => (
            format!("{what} has {length} characters"),
            format!("use at most {limit}"),
        ),
        InvalidName::Shape { what, text, rule } => {
            (format!("`{text}` is no {what}"), (*rule).to_owned())
        }
        InvalidName::Reserved { what, text } => (
            format!("`{text}` is reserved by Starform"),
            format!("choose another {what}"),
        ),
    };
    let diagnostic = Diagnostic::new(codes::BAD_NAME, span, title).help(help);
    Some(match &error {
        InvalidName::Shape { text, .. } => match spelled_right(text) {
            Some(right) => {
                diagnostic.fix(Fix::maybe_replace(format!("write `{right}`"), span, right))
            }
            None => diagnostic,
        },
        InvalidName::Empty { .. } | InvalidName::TooLong { .. } | InvalidName::Reserved { .. } => {
            diagnostic
        }
    })
}

/// A name that the text may have meant: lower case, single hyphens for everything else.
pub(super) fn spelled_right(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let parts: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    let right = parts.join("-");
    right
        .starts_with(|c: char| c.is_ascii_lowercase())
        .then_some(right)
}

fn environment_name(text: &str, span: Span) -> Option<Diagnostic> {
    match EnvironmentName::new(text) {
        Err(error) => name_error(Some(error), span),
        Ok(name) if name.is_reserved() => Some(
            Diagnostic::new(
                codes::RESERVED_ENVIRONMENT,
                span,
                format!("`{text}` belongs to preview environments"),
            )
            .help("choose another name, such as `staging`"),
        ),
        Ok(_) => None,
    }
}

/// A DNS subdomain, as the names of StorageClasses are.
fn storage_class(text: &str, span: Span) -> Option<Diagnostic> {
    let label = |label: &str| {
        let inner = label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let good = text.len() <= 253 && text.split('.').all(label);
    let diagnostic = || {
        let title = format!("`{text}` is no name of a StorageClass");
        let help =
            "use lower-case letters, digits, `-` and `.`, as `kubectl get storageclass` shows them";
        Diagnostic::new(codes::BAD_NAME, span, title).help(help)
    };
    (!good).then(diagnostic)
}

fn one_of_numbers(
    name: &str,
    value: &Value<'_>,
    span: Span,
    numbers: &[i64],
) -> Option<Diagnostic> {
    let help = format!("valid here: {}", number_list(numbers));
    match value {
        Value::Integer(number) if numbers.iter().any(|known| i128::from(*known) == *number) => None,
        Value::Integer(number) => {
            let title = format!("{name} is {number}, which is not one of its numbers");
            Some(Diagnostic::new(codes::NOT_ONE_OF, span, title).help(help))
        }
        Value::String(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null | Value::Invalid => {
            integer(name, value, span, i64::MIN, i64::MAX)
        }
    }
}

/// `1`, `2`, `3`
fn number_list(numbers: &[i64]) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    list(&texts)
}

fn host_error(text: &str, span: Span) -> Option<Diagnostic> {
    use host::InvalidHost as E;
    let error = host::check(text).err()?;
    let right = match &error {
        E::Url(right) | E::Upper(right) | E::TrailingDot(right) => {
            host::check(right).is_ok().then(|| right.clone())
        }
        E::Empty
        | E::Address
        | E::NotAscii
        | E::Punycode(_)
        | E::Wildcard
        | E::OneLabel
        | E::TooLong
        | E::Label(_) => None,
    };
    let diagnostic = Diagnostic::new(codes::BAD_HOST, span, format!("`{text}` is no host"))
        .help(error.to_string());
    let Some(right) = right else {
        return Some(diagnostic);
    };
    let title = format!("write \"{right}\"");
    // A port, a path or a login that is left out may have been meant.
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let all = bare
        .trim_end_matches(['/', '.'])
        .eq_ignore_ascii_case(&right);
    Some(diagnostic.fix(if all {
        Fix::replace(title, span, quoted(&right))
    } else {
        Fix::maybe_replace(title, span, quoted(&right))
    }))
}

fn one_of(name: &str, text: &str, span: Span, words: &[&'static str]) -> Option<Diagnostic> {
    if words.contains(&text) {
        return None;
    }
    let title = format!("{name} is `{text}`, which is not one of its words");
    let diagnostic = Diagnostic::new(codes::NOT_ONE_OF, span, title);
    if let Some(same) = words.iter().find(|word| is_same_word(word, text)) {
        let fix = Fix::replace(format!("write `{same}`"), span, *same);
        return Some(diagnostic.help(format!("it is spelled `{same}`")).fix(fix));
    }
    let meant = foreign_value(text, words.iter().copied());
    Some(
        match meant.or_else(|| closest(text, words.iter().copied())) {
            Some(right) => diagnostic
                .help(format!(
                    "did you mean `{right}`? Valid here: {}",
                    list(words)
                ))
                .fix(Fix::maybe_replace(format!("write `{right}`"), span, right)),
            None => diagnostic.help(format!("valid here: {}", list(words))),
        },
    )
}

fn time_zone(text: &str, span: Span, suggest: bool) -> Option<Diagnostic> {
    if timezone::is_known(text) {
        return None;
    }
    let title = format!("unknown time zone `{text}`");
    let diagnostic = Diagnostic::new(codes::BAD_TIME_ZONE, span, title);
    let city = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
    let compare = || {
        timezone::abbreviated(text)
            .or_else(|| timezone::names().find(|zone| city(zone).eq_ignore_ascii_case(text)))
            .or_else(|| closest(text, timezone::names().filter(|zone| zone.contains('/'))))
    };
    let near = suggest.then(compare).flatten();
    Some(match near {
        Some(zone) => diagnostic
            .help(format!("did you mean \"{zone}\"?"))
            .fix(Fix::maybe_replace(
                format!("write \"{zone}\""),
                span,
                quoted(zone),
            )),
        None => diagnostic.help("write an IANA name, such as \"Europe/Lisbon\" or \"UTC\""),
    })
}

fn image_error(text: &str, span: Span) -> Option<Diagnostic> {
    use image::InvalidImage as E;
    let error = image::parse(text).err()?;
    let diagnostic =
        Diagnostic::new(codes::BAD_IMAGE, span, "this is no image").help(error.to_string());
    Some(match &error {
        E::Scheme(right) if image::parse(right).is_ok() => {
            diagnostic.fix(Fix::replace("remove the scheme", span, quoted(right)))
        }
        E::Scheme(_)
        | E::Empty
        | E::WhiteSpace
        | E::Upper(_)
        | E::Digest(_)
        | E::Tag(_)
        | E::Registry(_)
        | E::Part(_)
        | E::TooLong => diagnostic,
    })
}

/// A duration that the bounds, in seconds, allow; as people write it.
pub(crate) fn duration_within(min: u32, max: u32) -> &'static str {
    let known = [(90, "90s"), (600, "10m"), (7_200, "2h"), (259_200, "3d")];
    let within = known
        .into_iter()
        .find(|(seconds, _)| (min..=max).contains(seconds));
    within.map_or("1h", |(_, text)| text)
}

/// A number where text belongs: mostly an amount without its unit, or a name without its quotes.
fn number_for_text(ty: Type, name: &str, raw: &str, span: Span) -> Diagnostic {
    let unit = if matches!(ty, Type::Duration { .. }) {
        Some("s")
    } else if ty == Type::Storage {
        Some("Gi")
    } else {
        (ty == Type::Memory).then_some("Mi")
    };
    let diagnostic = wrong(span, name, "a number", &format!("write {}", expected(ty)));
    let right = format!("\"{raw}{}\"", unit.unwrap_or_default());
    if text_value(ty, name, raw, span).is_none() {
        diagnostic.fix(Fix::replace("quote it", span, format!("\"{raw}\"")))
    } else if unit.is_some() {
        diagnostic.fix(Fix::maybe_replace(format!("write {right}"), span, right))
    } else {
        diagnostic
    }
}

/// What belongs in a place of this type.
pub(crate) fn expected(ty: Type) -> String {
    match ty {
        Type::Text | Type::Word => "text".to_owned(),
        Type::ProjectName
        | Type::ServiceName
        | Type::FormerService
        | Type::EnvironmentName
        | Type::GroupName
        | Type::PartialName
        | Type::VolumeName
        | Type::FormerName
        | Type::PortName
        | Type::Reference(_) => "a name".to_owned(),
        Type::Integer { min, max } if max == i64::MAX => format!("a whole number from {min}"),
        Type::Integer { min, max } => format!("a whole number from {min} to {max}"),
        Type::Bool => "`#true` or `#false`".to_owned(),
        Type::Duration { min, max } => {
            let such = duration_within(min, max);
            format!("a duration with its unit, such as \"{such}\"")
        }
        Type::Cpu => "an amount of CPU, such as \"250m\"".to_owned(),
        Type::Memory => "an amount of memory with its unit, such as \"256Mi\"".to_owned(),
        Type::HttpPath => "a path, such as \"/healthz\"".to_owned(),
        Type::RoutePath => "a path, such as \"/api\"".to_owned(),
        Type::Location => "a path or a URL, such as \"/new\"".to_owned(),
        Type::RelativePath => "a path inside the repository, such as \"services/api\"".to_owned(),
        Type::Glob => "a pattern of paths, such as \"services/api/**\"".to_owned(),
        Type::MountPath => "a folder of the container, such as \"/data\"".to_owned(),
        Type::Storage => "an amount of storage with its unit, such as \"10Gi\"".to_owned(),
        Type::StorageClass => "the name of a StorageClass".to_owned(),
        Type::VariableName => "the name of a variable".to_owned(),
        Type::Literal => "text, a number or a boolean".to_owned(),
        Type::OneOfNumbers(numbers) => format!("one of {}", number_list(numbers)),
        Type::Host => "a host, such as \"shop.example\"".to_owned(),
        Type::OneOf(words) => format!("one of {}", list(words)),
        Type::Schedule => "a schedule, such as \"30 3 * * *\"".to_owned(),
        Type::TimeZone => "a time zone, such as \"Europe/Lisbon\"".to_owned(),
        Type::Image => "an image, such as \"ghcr.io/acme/api:1.4.2\"".to_owned(),
        Type::IncludeGlob => "a pattern of files, such as \"services/*.kdl\"".to_owned(),
    }
}

/// `a`, `b`, `c`
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn wrong(span: Span, name: &str, is: &str, help: &str) -> Diagnostic {
    Diagnostic::new(codes::WRONG_TYPE, span, format!("{name} is {is}")).help(help)
}
