//! Durations and resource quantities, in the words a person writes: `90s`, `250m`, `256Mi`.
//!
//! Pure. Always holds: equal amounts print equal text (`1000m` and `1` are both `1`), so a spelling
//! never shows as a change. Source of the quantity grammar: Kubernetes `resource.Quantity`.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::text_form;

/// Why a text is not an amount, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    #[error(
        "`{0}` is not a duration; write a whole number and a unit, such as `90s`, `10m`, `2h`, `3d`"
    )]
    Duration(String),
    #[error(
        "`{0}` is not an amount of CPU; write cores or thousandths, such as `1`, `0.5`, `250m`"
    )]
    Cpu(String),
    #[error(
        "`{0}` is not an amount of memory; write bytes with a unit, such as `256Mi`, `1Gi`, `500M`"
    )]
    Memory(String),
}

/// A span of time in whole seconds, at most 365 days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Duration(u32);

/// Thousandths of a core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Cpu(u64);

/// Bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Memory(u64);

impl Duration {
    const LONGEST: u32 = 365 * 86_400;

    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl Cpu {
    pub const fn from_millicores(millicores: u64) -> Self {
        Self(millicores)
    }

    pub const fn as_millicores(self) -> u64 {
        self.0
    }
}

impl Memory {
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

const DURATION_UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// Binary units first: a multiple of both is written the way people write memory.
const MEMORY_UNITS: [(&str, u64); 10] = [
    ("Pi", 1 << 50),
    ("Ti", 1 << 40),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
    ("P", 1_000_000_000_000_000),
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
];

impl FromStr for Duration {
    type Err = InvalidAmount;

    /// One or more `<whole number><unit>`, largest unit first: `90s`, `1h30m`.
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let invalid = || InvalidAmount::Duration(text.to_owned());
        let mut rest = text;
        let mut total: u32 = 0;
        let mut last_unit = u32::MAX;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u32 = rest[..digits].parse().map_err(|_| invalid())?;
            rest = &rest[digits..];
            let (unit, seconds) = DURATION_UNITS
                .iter()
                .find(|(unit, _)| rest.starts_with(unit))
                .filter(|(_, seconds)| *seconds < last_unit)
                .ok_or_else(invalid)?;
            rest = &rest[unit.len()..];
            last_unit = *seconds;
            total = number
                .checked_mul(*seconds)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= Self::LONGEST)
                .ok_or_else(invalid)?;
        }
        if text.is_empty() {
            Err(invalid())
        } else {
            Ok(Self(total))
        }
    }
}

impl FromStr for Cpu {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        quantity(text, 1000)
            .map(Self)
            .ok_or_else(|| InvalidAmount::Cpu(text.to_owned()))
    }
}

impl FromStr for Memory {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        quantity(text, 1)
            .map(Self)
            .ok_or_else(|| InvalidAmount::Memory(text.to_owned()))
    }
}

/// Units below one, as powers of ten.
const SMALL_UNITS: [(&str, u32); 3] = [("m", 3), ("u", 6), ("n", 9)];

/// More digits than any amount has; also keeps the products below within 128 bits.
const MOST_DIGITS: usize = 18;

/// How many of `unit` (1000: thousandths, 1: whole ones) a quantity is, as Kubernetes reads it: a decimal
/// number with a unit or a power of ten. `None` unless that is a whole number that contract integers can carry.
fn quantity(text: &str, unit: u64) -> Option<u64> {
    let (number, times, over) = parted(text)?;
    let number = number.strip_prefix('+').unwrap_or(number);
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{integer}{fraction}");
    let known = !digits.is_empty()
        && digits.len() <= MOST_DIGITS
        && digits.bytes().all(|b| b.is_ascii_digit());
    let digits: u128 = known.then(|| digits.parse().ok()).flatten()?;
    let denominator = over.checked_mul(10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
    let numerator = digits.checked_mul(times)?.checked_mul(u128::from(unit))?;
    (numerator % denominator == 0)
        .then(|| u64::try_from(numerator / denominator).ok())
        .flatten()
        .filter(|n| *n < 1 << 53)
}

/// A quantity's number, and by what its unit or power of ten multiplies and divides it.
fn parted(text: &str) -> Option<(&str, u128, u128)> {
    let number_of = |unit: &str| text.strip_suffix(unit);
    let large = MEMORY_UNITS
        .iter()
        .find_map(|(unit, times)| Some((number_of(unit)?, u128::from(*times), 1)));
    let small = || {
        SMALL_UNITS
            .iter()
            .find_map(|(unit, power)| Some((number_of(unit)?, 1, 10u128.pow(*power))))
    };
    if let Some(parted) = large.or_else(small) {
        return Some(parted);
    }
    let Some((number, exponent)) = text.split_once(['e', 'E']) else {
        return Some((text, 1, 1));
    };
    let power = |digits: &str| -> Option<u128> {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        10u128.checked_pow(plain.then(|| digits.parse().ok()).flatten()?)
    };
    match exponent.strip_prefix('-') {
        Some(digits) => Some((number, 1, power(digits)?)),
        None => Some((
            number,
            power(exponent.strip_prefix('+').unwrap_or(exponent))?,
            1,
        )),
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The largest unit that divides it; `3d` and `90s`, never `1m30s`, so one amount has one text.
        let unit = DURATION_UNITS
            .iter()
            .find(|(_, seconds)| self.0 != 0 && self.0.is_multiple_of(*seconds));
        match unit {
            Some((unit, seconds)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = MEMORY_UNITS
            .iter()
            .find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        match unit {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

text_form!(Duration, InvalidAmount);
text_form!(Cpu, InvalidAmount);
text_form!(Memory, InvalidAmount);
