//! One duration or quantity against its range.
//! Pure.
//! Read on in `starform_contract::quantity` for the grammar, and in `value`, which asks.

use starform_contract::quantity::{Cpu, Duration, InvalidAmount, Memory};

use crate::diag::{Diagnostic, codes};
use crate::source::Span;

pub(super) fn duration(
    name: &str,
    text: &str,
    span: Span,
    min: u32,
    max: u32,
) -> Option<Diagnostic> {
    let (min, max) = (Duration::from_secs(min), Duration::from_secs(max));
    match text.parse::<Duration>() {
        Err(error) => Some(amount(error, span)),
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
        Err(error) => Some(amount(error, span)),
        Ok(memory) if (LEAST_MEMORY..=MOST_MEMORY).contains(&memory.as_bytes()) => None,
        Ok(memory) => {
            let title = format!("{memory} of memory is out of range");
            Some(
                Diagnostic::new(codes::OUT_OF_RANGE, span, title)
                    .help("use 4Mi to 64Ti, with a unit, such as \"256Mi\""),
            )
        }
    }
}

/// The least that a provisioner makes sense of; who writes less forgot the unit.
const LEAST_STORAGE: u64 = 1 << 20;
const MOST_STORAGE: u64 = 64 << 40;

pub(super) fn storage(text: &str, span: Span) -> Option<Diagnostic> {
    let form = "write a number and a unit, such as \"10Gi\", \"500Mi\", \"1Ti\"";
    match text.parse::<Memory>() {
        Err(_) => {
            let title = format!("`{text}` is no amount of storage");
            Some(Diagnostic::new(codes::BAD_AMOUNT, span, title).help(form))
        }
        Ok(size) if (LEAST_STORAGE..=MOST_STORAGE).contains(&size.as_bytes()) => None,
        Ok(size) => {
            let title = format!("{size} of storage is out of range");
            let help = "use 1Mi to 64Ti, with a unit, such as \"10Gi\"";
            Some(Diagnostic::new(codes::OUT_OF_RANGE, span, title).help(help))
        }
    }
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
