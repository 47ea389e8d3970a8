//! Values in the JSON Schema: what the data of an argument or property looks like, by its type in the node table.
//! Pure. Whatever the compiler accepts fits; what a pattern cannot say (ranges of amounts, names that exist) is left to it.
//! Read on in `crate::lower::value`, which judges values in full, and in `tree` for what stands around them.

use serde_json::{Value as Json, json};
use starform_contract::{
    EnvironmentName, GroupName, PortName, ProjectName, SecretName, ServiceName,
};

use super::digits;
use crate::lower::expected;
use crate::table::Type;
use crate::values::timezone;
use crate::vars::{Annotation, Generator};

/// Letters, digits and single hyphens; a letter first.
const NAME: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
/// The same within a longer pattern.
const INNER: &str = "[a-z][a-z0-9]*(-[a-z0-9]+)*";
/// An RFC 1123 label.
const LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
const MEMORY: &str = "^[0-9]+((\\.[0-9]{1,9})?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P))?$";
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
/// What reads the same as text and as a number.
const PLAIN_NUMBER: &str = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?";

/// The definition of a type: an argument or property with a value of it and without an annotation.
pub(super) fn entry(ty: Type) -> (String, Json) {
    let bounds = if let Type::Integer { min, max } = ty {
        let max = (max != i64::MAX).then(|| format!(".{max}"));
        format!(".{min}{}", max.unwrap_or_default())
    } else if let Type::OneOf(words) = ty {
        format!(".{}", words.join("."))
    } else if let Type::OneOfNumbers(numbers) = ty {
        format!(".{}", alternatives(numbers, "."))
    } else {
        String::new()
    };
    let name = format!("{}{bounds}", ty.word());
    let mut schema = bare(value(ty));
    schema["description"] = json!(format!("{}.", expected(ty)));
    (name, schema)
}

/// `NODE #null`
pub(super) fn null_entry() -> Json {
    bare(keyword(&["null"]))
}

fn bare(value: Json) -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["value"],
        "properties": { "type": { "type": "null" }, "value": value },
    })
}

/// The value of a variable: a literal, or text that its annotation gives a meaning.
pub(super) fn variable_entry() -> Json {
    let meaning = |annotation: Annotation| {
        let data = match annotation {
            Annotation::Ref => json!({ "pattern": "^[^.]+\\.[^.]+$" }),
            Annotation::Template => json!({}),
            Annotation::Secret => json!({ "pattern": NAME, "maxLength": SecretName::LONGEST }),
            Annotation::Generate => json!({ "const": Generator::Bytes32.as_str() }),
        };
        json!({
            "if": { "required": ["type"], "properties": { "type": { "const": annotation.as_str() } } },
            "then": { "properties": { "value": text(data) } },
        })
    };
    let types: Vec<Json> = std::iter::once(Json::Null)
        .chain(Annotation::ALL.map(|annotation| json!(annotation.as_str())))
        .collect();
    let literal = json!({
        "if": { "properties": { "type": { "type": "null" } } },
        "then": { "properties": { "value": { "anyOf": [literal(), keyword(&["null"])] } } },
    });
    let meanings: Vec<Json> = std::iter::once(literal)
        .chain(Annotation::ALL.map(meaning))
        .collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["value"],
        "properties": {
            "type": { "enum": types },
            "value": true,
        },
        "allOf": meanings,
    })
}

/// The name of a variable that a person may set.
pub(super) fn variable_name() -> Json {
    json!({ "pattern": VARIABLE, "not": { "pattern": "^(PORT$|STARFORM_)" } })
}

fn value(ty: Type) -> Json {
    match ty {
        Type::Text => text(json!({ "minLength": 1 })),
        Type::Word | Type::Reference(_) => text(json!({})),
        Type::ProjectName => text(json!({ "pattern": NAME, "maxLength": ProjectName::LONGEST })),
        Type::ServiceName | Type::FormerService => text(json!({
            "pattern": NAME, "maxLength": ServiceName::LONGEST, "not": { "pattern": "^(starform-|self$)" },
        })),
        Type::EnvironmentName => text(json!({
            "pattern": format!("^{LABEL}$"), "maxLength": EnvironmentName::LONGEST,
            "not": { "pattern": "^(preview|pr-[0-9]+)$" },
        })),
        // A service, or one of its volumes.
        Type::FormerName => text(json!({ "pattern": format!("^{INNER}(\\.{INNER})?$") })),
        Type::GroupName | Type::PartialName | Type::VolumeName => {
            text(json!({ "pattern": NAME, "maxLength": GroupName::LONGEST }))
        }
        Type::PortName => text(json!({
            "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": PortName::LONGEST,
            "allOf": [{ "pattern": "[a-z]" }],
        })),
        Type::Integer { min, max } => number(&json!({ "pattern": integer(min, max) })),
        Type::OneOfNumbers(numbers) => {
            number(&json!({ "pattern": spelled(&alternatives(numbers, "|")) }))
        }
        Type::Bool => keyword(&["true", "false"]),
        Type::Duration { .. } => text(json!({
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2,
        })),
        Type::Cpu => any(json!({ "pattern": "^([0-9]+m|[0-9]+(\\.[0-9]{1,9})?)$" })),
        Type::Memory | Type::Storage => text(json!({ "pattern": MEMORY })),
        Type::HttpPath | Type::RoutePath => text(json!({ "pattern": "^/([^/\\s#][^\\s#]*)?$" })),
        Type::Location => text(json!({ "pattern": "^(/|https?://)[^\\s]*$" })),
        Type::Host => text(json!({ "pattern": host(), "maxLength": 253 })),
        Type::OneOf(words) => text(json!({ "enum": words })),
        Type::Schedule => text(json!({ "pattern": "^[^@\\s]\\S*(\\s+\\S+){4}\\s*$" })),
        Type::TimeZone => text(json!({ "enum": timezone::names().collect::<Vec<_>>() })),
        Type::Image => text(json!({ "pattern": "^[^\\s/][^\\s]*$", "not": { "pattern": "://" } })),
        Type::IncludeGlob => text(json!({ "pattern": "^[^/].*\\.kdl$" })),
        Type::RelativePath | Type::Glob => text(json!({ "pattern": "^[^/\\\\][^\\\\]*$" })),
        Type::MountPath => text(json!({ "pattern": "^/[^:\\\\]+$" })),
        Type::StorageClass => text(json!({
            "pattern": format!("^{LABEL}(\\.{LABEL})*$"), "maxLength": 253,
        })),
        Type::VariableName => text(json!({ "pattern": VARIABLE })),
        Type::Literal => literal(),
    }
}

/// Two labels or more, the first perhaps a wildcard.
fn host() -> String {
    let label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
    format!("^(\\*\\.)?{label}(\\.{label})+$")
}

fn integer(min: i64, max: i64) -> String {
    let low = u64::try_from(min).expect("no number of the table is negative");
    let decimal = match u8::try_from(min) {
        Ok(min @ 0..=9) if max == i64::MAX => digits::from(min),
        Ok(_) | Err(_) => digits::between(low, max.unsigned_abs()),
    };
    spelled(&decimal)
}

fn alternatives(numbers: &[i64], between: &str) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    texts.join(between)
}

/// With a sign and zeros in front, too. How large a number of another radix or with `_` is, is left to the compiler.
fn spelled(decimal: &str) -> String {
    let other = "[+-]?(0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+|[0-9]+_[0-9_]*)";
    let zero = if decimal.starts_with("[0-9]") {
        "|-0+"
    } else {
        ""
    };
    format!("^(\\+?0*({decimal})|{other}{zero})$")
}

/// Text, a plain number or a boolean.
fn literal() -> Json {
    let pattern = format!("^({PLAIN_NUMBER}|true|false)$");
    json!({ "anyOf": [text(json!({})), number(&json!({ "pattern": pattern }))] })
}

fn keyword(words: &[&str]) -> Json {
    number(&json!({ "enum": words }))
}

/// A value that is written in quotes or as a plain word.
fn text(data: Json) -> Json {
    data_of(data, json!({ "enum": [false, null] }), &["data"])
}

/// A number, or a keyword such as `#true`.
fn number(data: &Json) -> Json {
    data_of(data.clone(), json!({ "const": true }), &["data", "literal"])
}

/// Either of them.
fn any(data: Json) -> Json {
    data_of(data, json!({ "type": ["boolean", "null"] }), &["data"])
}

fn data_of(mut data: Json, literal: Json, required: &[&str]) -> Json {
    data["type"] = json!("string");
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": { "data": data, "literal": literal },
    })
}
