//! Host names as certificates and routes take them.
//! Pure. Accepts lower-case DNS names of at least two labels; a wildcard only as the whole first label.
//! Sources: RFC 1035 and RFC 1123 for labels, RFC 5891 for `xn--`, Gateway API `Hostname`.

use std::net::IpAddr;

/// Why a text is no host, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHost {
    #[error("a host is not empty")]
    Empty,
    #[error("a host has no scheme, port or path: write `{0}`")]
    Url(String),
    #[error("hosts are written in lower case: `{0}`")]
    Upper(String),
    #[error("a host ends without a dot: `{0}`")]
    TrailingDot(String),
    #[error("an IP address is no host: use a DNS name that leads to it")]
    Address,
    #[error("write letters beyond ASCII as punycode (`xn--…`)")]
    NotAscii,
    #[error("`xn--` begins a punycode label, and `{0}` is none")]
    Punycode(String),
    #[error("`*` may only be the whole first label, as in `*.shop.example`")]
    Wildcard,
    #[error("a host has at least two labels, as in `shop.example`")]
    OneLabel,
    #[error("a host has at most 253 characters and labels of 1 to 63")]
    TooLong,
    #[error("the label `{0}` may hold letters, digits and inner hyphens only")]
    Label(String),
}

pub fn check(text: &str) -> Result<(), InvalidHost> {
    if text.is_empty() {
        return Err(InvalidHost::Empty);
    }
    check_spelling(text)?;
    let name = match text.strip_prefix("*.") {
        Some(rest) => rest,
        None if text.contains('*') => return Err(InvalidHost::Wildcard),
        None => text,
    };
    if name.contains('*') {
        return Err(InvalidHost::Wildcard);
    }
    if text.len() > 253 {
        return Err(InvalidHost::TooLong);
    }
    let labels: Vec<&str> = name.split('.').collect();
    if labels.len() < 2 {
        return Err(InvalidHost::OneLabel);
    }
    if labels
        .iter()
        .all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(InvalidHost::Address);
    }
    labels.iter().try_for_each(|label| check_label(label))
}

/// Mistakes with a spelling that would be right.
fn check_spelling(text: &str) -> Result<(), InvalidHost> {
    if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
        return Err(InvalidHost::Address);
    }
    let bare = text.split_once("//").map_or(text, |(_, rest)| rest);
    let bare = bare.split(['/', ':', '?']).next().unwrap_or(bare);
    if bare != text && !bare.is_empty() {
        return Err(InvalidHost::Url(bare.to_lowercase()));
    }
    if !text.is_ascii() {
        return Err(InvalidHost::NotAscii);
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(InvalidHost::Upper(text.to_lowercase()));
    }
    match text.strip_suffix('.') {
        Some(rest) => Err(InvalidHost::TrailingDot(rest.to_owned())),
        None => Ok(()),
    }
}

fn check_label(label: &str) -> Result<(), InvalidHost> {
    if label.is_empty() || label.len() > 63 {
        return Err(InvalidHost::TooLong);
    }
    let inner = label
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !inner || label.starts_with('-') || label.ends_with('-') {
        return Err(InvalidHost::Label(label.to_owned()));
    }
    match label.strip_prefix("xn--") {
        Some(code) if !decodes(code) => Err(InvalidHost::Punycode(label.to_owned())),
        Some(_) | None => Ok(()),
    }
}

/// Whether a punycode label decodes (RFC 3492 §6.2) to something that is not plain ASCII.
fn decodes(code: &str) -> bool {
    let (basic, extended) = code.rsplit_once('-').unwrap_or(("", code));
    let mut length = u32::try_from(basic.len()).unwrap_or(u32::MAX);
    let (mut n, mut i, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = extended.bytes().map(digit).peekable();
    if digits.peek().is_none() {
        return false;
    }
    while digits.peek().is_some() {
        let Some(step) = delta(&mut digits, bias).and_then(|delta| i.checked_add(delta)) else {
            return false;
        };
        length += 1;
        bias = adapt(step - i, length, i == 0 && n == 128);
        n = n.saturating_add(step / length);
        i = step % length + 1;
        if char::from_u32(n).is_none() {
            return false;
        }
    }
    true
}

/// One generalised variable-length integer.
fn delta(digits: &mut impl Iterator<Item = u32>, bias: u32) -> Option<u32> {
    let (mut value, mut weight) = (0u32, 1u32);
    for k in (36u32..).step_by(36) {
        let digit = digits.next()?;
        value = value.checked_add(digit.checked_mul(weight)?)?;
        let threshold = k.saturating_sub(bias).clamp(1, 26);
        if digit < threshold {
            return Some(value);
        }
        weight = weight.checked_mul(36 - threshold)?;
    }
    None
}

fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

/// `a`–`z` are 0–25, `0`–`9` are 26–35; labels hold nothing else.
fn digit(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => u32::from(byte - b'a'),
        b'0'..=b'9' => u32::from(byte - b'0') + 26,
        _ => 36,
    }
}
