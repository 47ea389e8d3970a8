//! Whether a literal looks like a secret that must not stand in a file.
//! Pure. Judges the key first, then the value; switches, paths and empty texts are never secrets.
//! Read on in `crate::lower::vars` for the diagnostic.

/// What gives a literal away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Its key is called like one.
    Key,
    /// It has the form of a known kind of key or token.
    Form,
    /// It is an address with a password in it.
    Address,
    /// It is long and random.
    Random,
}

const KEY_ENDS: [&str; 8] = [
    "TOKEN",
    "SECRET",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "SECRET_KEY",
    "ACCESS_KEY",
    "CREDENTIALS",
];

/// Beginnings of tokens as their issuers document them.
const FORMS: [&str; 14] = [
    "-----BEGIN",
    "AKIA",
    "AIza",
    "SG.",
    "eyJhbGci",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "npm_",
    "sk_live_",
    "xoxb-",
    "xoxp-",
];

/// A random text is at least this long.
const RANDOM_LENGTH: usize = 24;
/// Names of classes and modules have fewer.
const RANDOM_DIGITS: usize = 3;
/// Bits per character above which a text of that length is not a word.
const RANDOM_BITS: f64 = 4.0;

pub fn sign(key: &str, value: &str) -> Option<Sign> {
    if is_plain(value) {
        return None;
    }
    if FORMS
        .iter()
        .any(|form| value.starts_with(form) && value.len() > form.len() + 8)
    {
        return Some(Sign::Form);
    }
    if has_password(value) {
        return Some(Sign::Address);
    }
    if key_says_so(key) {
        return Some(Sign::Key);
    }
    is_random(value).then_some(Sign::Random)
}

/// Whether a variable of this name holds a secret, whatever its value.
pub fn key_says_so(key: &str) -> bool {
    let key = key.to_ascii_uppercase();
    key.contains("PASSWORD")
        || key.contains("PASSWD")
        || KEY_ENDS.iter().any(|end| {
            key.strip_suffix(end)
                .is_some_and(|before| before.is_empty() || before.ends_with('_'))
        })
}

/// Switches, small numbers, paths and nothing.
fn is_plain(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.is_empty()
        || matches!(
            lower.as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "none"
        )
        || (value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit()))
        || value.starts_with("/run/")
        || value.starts_with("/etc/")
        || value.starts_with("/var/")
}

/// `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty())
}

/// Letters of both cases and digits, no word breaks, and nearly as many bits as characters allow.
fn is_random(value: &str) -> bool {
    let token = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-'));
    let has = |class: fn(&u8) -> bool| value.as_bytes().iter().any(class);
    token
        && value.len() >= RANDOM_LENGTH
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && value.bytes().filter(u8::is_ascii_digit).count() >= RANDOM_DIGITS
        && bits_per_character(value) >= RANDOM_BITS
}

/// Shannon entropy of the characters.
fn bits_per_character(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}
