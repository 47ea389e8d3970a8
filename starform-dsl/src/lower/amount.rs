//! One duration or quantity against its range.
//! Pure.
//! Read on in `starform_contract::quantity` for the grammar, and in `value`, which asks.

use starform_contract::quantity::{Cpu, Duration, InvalidAmount, Memory};

use crate::diag::{Diagnostic, Fix, codes};
use crate::source::Span;
use crate::syntax::quoted;

pub(super) fn duration(
    name: &str,
    text: &str,
    span: Span,
    min: u32,
    max: u32,
) -> Option<Diagnostic> {
    let (min, max) = (Duration::from_secs(min), Duration::from_secs(max));
    match text.parse::<Duration>() {
        Err(_) if has_form(text, &DURATION_UNITS) => {
            let title = format!("{name} is {text}, which is out of range");
            Some(
                Diagnostic::new(codes::OUT_OF_RANGE, span, title)
                    .help(format!("use {min} to {max}")),
            )
        }
        Err(error) => Some(with_right(
            amount(error, span),
            meant_duration(text),
            span,
            |text| text.parse::<Duration>().is_ok(),
        )),
        Ok(length) if length < min || length > max => {
            let title = format!("{name} is {length}, which is out of range");
            Some(
                Diagnostic::new(codes::OUT_OF_RANGE, span, title)
                    .help(format!("use {min} to {max}")),
            )
        }
        Ok(_) => None,
    }
}

pub(super) fn cpu(text: &str, span: Span) -> Option<Diagnostic> {
    match text.parse::<Cpu>() {
        Err(error) => Some(amount(error, span)),
        Ok(cpu) if (1..=1_000_000).contains(&cpu.as_millicores()) => None,
        Ok(cpu) => Some(
            Diagnostic::new(
                codes::OUT_OF_RANGE,
                span,
                format!("{cpu} cores are out of range"),
            )
            .help("use 1m to 1000"),
        ),
    }
}

/// Below this no container starts; who writes less forgot the unit.
const LEAST_MEMORY: u64 = 4 << 20;
const MOST_MEMORY: u64 = 64 << 40;

pub(super) fn memory(text: &str, span: Span) -> Option<Diagnostic> {
    match text.parse::<Memory>() {
        Err(_) if has_form(text, &MEMORY_UNITS) => Some(memory_out_of_range(text, span)),
        Err(error) => Some(with_right(
            amount(error, span),
            meant_bytes(text),
            span,
            |text| text.parse::<Memory>().is_ok(),
        )),
        Ok(memory) if (LEAST_MEMORY..=MOST_MEMORY).contains(&memory.as_bytes()) => None,
        Ok(memory) => {
            let diagnostic = memory_out_of_range(&memory.to_string(), span);
            Some(with_right(diagnostic, meant_bytes(text), span, |text| {
                memory_fits(text)
            }))
        }
    }
}

fn memory_out_of_range(memory: &str, span: Span) -> Diagnostic {
    let title = format!("{memory} of memory is out of range");
    Diagnostic::new(codes::OUT_OF_RANGE, span, title)
        .help("use 4Mi to 64Ti, with a unit, such as \"256Mi\"")
}

/// The least that a provisioner makes sense of; who writes less forgot the unit.
const LEAST_STORAGE: u64 = 1 << 20;
const MOST_STORAGE: u64 = 64 << 40;

pub(super) fn storage(text: &str, span: Span) -> Option<Diagnostic> {
    let form = "write a number and a unit, such as \"10Gi\", \"500Mi\", \"1Ti\"";
    match text.parse::<Memory>() {
        Err(_) => {
            let title = format!("`{text}` is no amount of storage");
            let diagnostic = Diagnostic::new(codes::BAD_AMOUNT, span, title).help(form);
            Some(with_right(diagnostic, meant_bytes(text), span, |text| {
                text.parse::<Memory>().is_ok()
            }))
        }
        Ok(size) if (LEAST_STORAGE..=MOST_STORAGE).contains(&size.as_bytes()) => None,
        Ok(size) => {
            let title = format!("{size} of storage is out of range");
            let help = "use 1Mi to 64Ti, with a unit, such as \"10Gi\"";
            Some(Diagnostic::new(codes::OUT_OF_RANGE, span, title).help(help))
        }
    }
}

fn memory_fits(text: &str) -> bool {
    text.parse::<Memory>()
        .is_ok_and(|memory| (LEAST_MEMORY..=MOST_MEMORY).contains(&memory.as_bytes()))
}

/// `30`, `30 s`, `1 minute`, `3 days`: the duration that is meant.
fn meant_duration(text: &str) -> Option<String> {
    let (number, unit) = number_and_unit(text)?;
    let unit = match unit.as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

/// `256`, `512MB`, `1 GiB`, `512m`: mebibytes and gibibytes, as most platforms mean them.
fn meant_bytes(text: &str) -> Option<String> {
    let (number, unit) = number_and_unit(text)?;
    let unit = match unit.as_str() {
        "" | "m" | "mb" | "mi" | "mib" => "Mi",
        "g" | "gb" | "gi" | "gib" => "Gi",
        "t" | "tb" | "ti" | "tib" => "Ti",
        "k" | "kb" | "ki" | "kib" => "Ki",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

/// Whole digits, and what follows them in lower case.
fn number_and_unit(text: &str) -> Option<(&str, String)> {
    let text = text.trim();
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    (!number.is_empty()).then_some((number, unit))
}

/// With the amount that is meant, if it is one.
fn with_right(
    diagnostic: Diagnostic,
    right: Option<String>,
    span: Span,
    is_good: impl Fn(&str) -> bool,
) -> Diagnostic {
    match right.filter(|right| is_good(right)) {
        Some(right) => {
            let text = quoted(&right);
            diagnostic.fix(Fix::maybe_replace(format!("write {text}"), span, text))
        }
        None => diagnostic,
    }
}

const DURATION_UNITS: [&str; 4] = ["s", "m", "h", "d"];
/// Those of memory beyond the ones that [`Memory`] holds, first.
const MEMORY_UNITS: [&str; 12] = [
    "Ei", "E", "Pi", "P", "Ti", "T", "Gi", "G", "Mi", "M", "Ki", "k",
];

/// Whether a text is a whole number and a unit, so that only its size can be wrong.
fn has_form(text: &str, units: &[&str]) -> bool {
    let number = units.iter().find_map(|unit| text.strip_suffix(unit));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn amount(error: InvalidAmount, span: Span) -> Diagnostic {
    let (text, what, form) = match error {
        InvalidAmount::Duration(text) => (
            text,
            "duration",
            "write a whole number and a unit, such as \"90s\", \"10m\", \"2h\", \"3d\"",
        ),
        InvalidAmount::Cpu(text) => (
            text,
            "amount of CPU",
            "write cores or thousandths, such as 1, 0.5, \"250m\"",
        ),
        InvalidAmount::Memory(text) => (
            text,
            "amount of memory",
            "write a number and a unit, such as \"256Mi\", \"1Gi\", \"500M\"",
        ),
    };
    Diagnostic::new(codes::BAD_AMOUNT, span, format!("`{text}` is no {what}")).help(form)
}
