//! Patterns of the whole numbers between two: JSON Schema compares no numbers that are written in strings.
//! Pure. The pattern of a range matches the plain decimal spelling of exactly its numbers.
//! Read on in `values`, which asks.

use std::collections::BTreeSet;

/// The numbers from `min` to `max`, as alternatives without anchors.
pub(super) fn between(min: u64, max: u64) -> String {
    let mut alternatives = Vec::new();
    let mut low = min;
    for high in ends(min, max) {
        alternatives.push(block(low, high));
        low = high.saturating_add(1);
    }
    alternatives.join("|")
}

/// Every number from `min`, which has one digit.
pub(super) fn from(min: u8) -> String {
    match min {
        0 => "[0-9]+".to_owned(),
        9 => "9|[1-9][0-9]+".to_owned(),
        min => format!("[{min}-9]|[1-9][0-9]+"),
    }
}

/// Where the blocks end that a range is divided into: in each the first digits are equal, one runs, the rest run free.
fn ends(min: u64, max: u64) -> BTreeSet<u64> {
    let mut ends = BTreeSet::from([max]);
    let powers = || (1..=18).map(|digits| 10u64.pow(digits));
    // Upwards: 7 → 9, 99, 999, …; downwards from 1000: 999, 899 …
    let nines = powers().map(|power| min / power * power + (power - 1));
    ends.extend(nines.take_while(|end| *end < max));
    let zeros = powers().map(|power| (max + 1) / power * power);
    ends.extend(zeros.take_while(|end| *end > min).map(|end| end - 1));
    ends
}

fn block(low: u64, high: u64) -> String {
    let (low, high) = (low.to_string(), high.to_string());
    let mut text = String::new();
    let mut free = 0;
    for (a, b) in low.chars().zip(high.chars()) {
        match (a, b) {
            ('0', '9') => free += 1,
            (a, b) if a == b => text.push(a),
            (a, b) => text.push_str(&format!("[{a}-{b}]")),
        }
    }
    match free {
        0 => text,
        1 => text + "[0-9]",
        free => format!("{text}[0-9]{{{free}}}"),
    }
}
