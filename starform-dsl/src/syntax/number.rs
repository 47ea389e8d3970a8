//! Which words are numbers, and what is wrong with one that is none.
//! Pure. A word that looks like a number is either one or a mistake: KDL has no identifiers of that form.
//! Read on in `value` for the number itself.

use super::token::TokenKind;
use super::value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberFault {
    /// `10s`, `1.2.3`: text that begins like a number.
    NeedsQuotes,
    /// `.5`, `1.`, `0xZZ`
    Malformed,
    /// `80,`
    Comma,
    /// Does not fit in an `i128`.
    TooLarge,
}

/// So many digits of any radix fit in an `i128`.
const SURELY_FITS: usize = 30;

/// Whether a word begins with a digit, after a sign or a dot or both.
pub(super) fn looks_like_number(word: &str) -> bool {
    let (first, rest) = match word.as_bytes() {
        [b'+' | b'-', first, rest @ ..] => (first, rest),
        [first, rest @ ..] => (first, rest),
        [] => return false,
    };
    first.is_ascii_digit() || (*first == b'.' && rest.first().is_some_and(u8::is_ascii_digit))
}

/// The kind of a word that looks like a number.
pub(super) fn kind(word: &str) -> Result<TokenKind, NumberFault> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let kind = match unsigned.as_bytes() {
        [b'0', b'x', digits @ ..] => radix(digits, u8::is_ascii_hexdigit)?,
        [b'0', b'o', digits @ ..] => radix(digits, |byte| matches!(byte, b'0'..=b'7'))?,
        [b'0', b'b', digits @ ..] => radix(digits, |byte| matches!(byte, b'0' | b'1'))?,
        _ => decimal(unsigned).ok_or_else(|| fault(unsigned))?,
    };
    let fits =
        kind != TokenKind::Integer || word.len() <= SURELY_FITS || value::integer(word).is_some();
    if fits {
        Ok(kind)
    } else {
        Err(NumberFault::TooLarge)
    }
}

fn radix(digits: &[u8], is_digit: impl Fn(&u8) -> bool) -> Result<TokenKind, NumberFault> {
    let first = digits.first().is_some_and(&is_digit);
    let all = digits.iter().all(|byte| *byte == b'_' || is_digit(byte));
    if first && all {
        Ok(TokenKind::Integer)
    } else {
        Err(NumberFault::Malformed)
    }
}

fn decimal(unsigned: &str) -> Option<TokenKind> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let right =
        is_digits(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits);
    let kind = if fraction.is_none() && exponent.is_none() {
        TokenKind::Integer
    } else {
        TokenKind::Decimal
    };
    right.then_some(kind)
}

fn is_digits(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_digit())
}

fn fault(unsigned: &str) -> NumberFault {
    let without_comma = unsigned.strip_suffix(',');
    if without_comma.is_some_and(|number| decimal(number).is_some()) {
        NumberFault::Comma
    } else if repaired(unsigned).is_some() {
        NumberFault::Malformed
    } else {
        NumberFault::NeedsQuotes
    }
}

/// The number that `.5` or `1.` was meant to be.
pub(super) fn repaired(word: &str) -> Option<String> {
    let (sign, unsigned) = word.split_at(word.len() - word.trim_start_matches(['+', '-']).len());
    let candidate = match (unsigned.strip_prefix('.'), unsigned.strip_suffix('.')) {
        (Some(_), None) => format!("0{unsigned}"),
        (None, Some(whole)) => whole.to_owned(),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    decimal(&candidate).map(|_| format!("{sign}{candidate}"))
}
