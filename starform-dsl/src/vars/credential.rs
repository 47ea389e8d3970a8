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

/// Wherever they stand in a name.
const PASSWORDS: [&str; 2] = ["PASSWORD", "PASSWD"];

const KEY_ENDS: [&str; 11] = [
    "TOKEN",
    "SECRET",
    "PASS",
    "PASSPHRASE",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "SECRET_KEY",
    "ACCESS_KEY",
    "CREDENTIALS",
    "AUTHORIZATION",
];

/// Beginnings of tokens as their issuers document them.
const FORMS: [&str; 27] = [
    "AKIA",
    "ASIA",
    "AIza",
    "SG.",
    "dop_v1_",
    "eyJhbGci",
    "ghp_",
    "gho_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hvs.",
    "npm_",
    "pypi-",
    "rk_live_",
    "rk_test_",
    "shpat_",
    "sk-ant-",
    "sk-proj-",
    "sk_live_",
    "sk_test_",
    "whsec_",
    "xapp-",
    "xoxb-",
    "xoxp-",
];

/// How private keys begin, whatever stands before them; certificates and public keys may be read by anyone.
const PRIVATE_KEYS: [&str; 2] = ["PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"];

/// What follows the beginning of a token is at least this long.
const TOKEN_LENGTH: usize = 8;
/// Bytes of the shortest token: those of the shortest of [`FORMS`] and what follows it.
const SHORTEST_TOKEN: usize = 3 + TOKEN_LENGTH;
/// Bytes of the shortest end of a name that says so.
const SHORTEST_END: usize = 4;
/// So much of it is looked at for a digit, so that a text of nothing but beginnings is not read again for each.
const TOKEN_LOOKED_AT: usize = 64;
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
    if let Some(sign) = sign_of_value(value) {
        return Some(sign);
    }
    // `PASSWORD_MIN_LENGTH` and `PASSWORD_RESET_URL` are about passwords, `DB_PASSWORD` is one.
    let about_one = || !key_ends_so(key) && (is_small_number(value) || is_address(value));
    if key_says_so(key) && !about_one() {
        return Some(Sign::Key);
    }
    is_random(value).then_some(Sign::Random)
}

/// What gives a text away whatever it is called, also a part of a longer one.
pub fn sign_of_value(value: &str) -> Option<Sign> {
    if has_token(value) || PRIVATE_KEYS.iter().any(|key| value.contains(key)) {
        return Some(Sign::Form);
    }
    if has_password(value) {
        return Some(Sign::Address);
    }
    has_pair(value).then_some(Sign::Key)
}

/// Whether a part of a query or of a connection string is named like a secret: `?api_key=…`, `Server=db;Password=…`.
fn has_pair(value: &str) -> bool {
    const PARTS: [char; 3] = [';', '&', '?'];
    let mut parts = value.split(PARTS).skip(usize::from(!value.contains(';')));
    value.contains('=')
        && parts.any(|part| {
            let pair = part.split_once('=');
            pair.is_some_and(|(key, value)| is_pair(key.trim(), value.trim()))
        })
}

fn is_pair(key: &str, value: &str) -> bool {
    let named = key.len() <= LONGEST_OPTION && key_ends_so(&key.replace([' ', '-', '.'], "_"));
    named && !value.is_empty() && !stands_for_another(value)
}

/// What follows an option of this name as an argument of its own: `--token …`.
pub fn sign_after_option(option: &str, value: &str) -> Option<Sign> {
    let key = option.strip_prefix("--")?;
    let value = value.trim_matches(QUOTES);
    (!value.starts_with('-') && is_pair(key, value)).then_some(Sign::Key)
}

/// `user:password@registry/…`, without the scheme of an address.
pub fn has_login(value: &str) -> bool {
    let host = value.split('/').next().unwrap_or(value);
    host.split_once('@').is_some_and(|(login, after)| {
        login.contains(':') && !after.starts_with("sha256:") && !after.starts_with("sha512:")
    })
}

/// Whether a word of the text begins as a token does and goes on as one.
fn has_token(value: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = value.as_bytes();
    let starts = (bytes.len() + 1).saturating_sub(SHORTEST_TOKEN);
    // One walk over the words: thirty searches for each of a hundred thousand values would take long.
    (0..starts).any(|at| {
        let begins =
            is_word(&bytes[at]) && !at.checked_sub(1).is_some_and(|at| is_word(&bytes[at]));
        begins && FORMS.iter().any(|form| is_token(&bytes[at..], form))
    })
}

fn is_token(word: &[u8], form: &str) -> bool {
    // Most differ in the first byte, which costs no call.
    if word.first() != form.as_bytes().first() {
        return false;
    }
    let Some(rest) = word.strip_prefix(form.as_bytes()) else {
        return false;
    };
    let goes_on = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let token = || rest.iter().take(TOKEN_LOOKED_AT).take_while(goes_on);
    token().count() >= TOKEN_LENGTH && token().any(u8::is_ascii_digit)
}

/// What gives an argument of a command away: it, a word of it (`sh -c "…"`), or what it gives an option or
/// a variable (`--api-key=…`, `-e TOKEN=…`).
pub fn sign_of_argument(argument: &str) -> Option<Sign> {
    let of_word = |word| sign_of_option(word).or_else(|| sign("", word));
    let words = argument.split_whitespace();
    let mut pairs = words.clone().zip(words.clone().skip(1));
    sign_of_value(argument)
        .or_else(|| words.clone().find_map(of_word))
        .or_else(|| pairs.find_map(|(option, value)| sign_after_option(option, value)))
}

/// `--KEY=VALUE` and `KEY=VALUE`, where the value is none that stands for another, such as a file or `$NAME`.
fn sign_of_option(word: &str) -> Option<Sign> {
    let (key, value) = word.trim_matches(QUOTES).split_once('=')?;
    let value = value.trim_matches(QUOTES);
    if stands_for_another(value) || key.len() > LONGEST_OPTION {
        return None;
    }
    let name = key.trim_start_matches('-').replace(['-', '.'], "_");
    // `--password-policy=strict` is about passwords, as most options are whose names do not end so.
    let name = if key_ends_so(&name) { &name } else { "" };
    sign(name, value)
}

/// A number, or what is no value but says where it is: a file, a variable, a place to fill in.
fn stands_for_another(value: &str) -> bool {
    value.starts_with(['$', '%', '{', '<', '/', '.', '@', '~'])
        || value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Around words in the text of a shell.
const QUOTES: [char; 2] = ['"', '\''];
/// Characters of an option's name.
const LONGEST_OPTION: usize = 40;

/// Whether a variable of this name holds a secret, whatever its value.
pub fn key_says_so(key: &str) -> bool {
    let holds = |word: &str| {
        let mut windows = key.as_bytes().windows(word.len());
        windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    key.len() >= SHORTEST_END && (key_ends_so(key) || PASSWORDS.into_iter().any(holds))
}

/// Whether the last word of a name is that of a secret: `API_TOKEN`, `apiToken`, `DB_PASSWORD`.
fn key_ends_so(key: &str) -> bool {
    PASSWORDS.iter().any(|end| before_end(key, end).is_some())
        || KEY_ENDS
            .iter()
            .any(|end| before_end(key, end).is_some_and(|before| ends_a_word(before, key)))
}

/// What stands before this end of a name, in letters of either case.
fn before_end<'k>(key: &'k str, end: &str) -> Option<&'k str> {
    let at = key.len().checked_sub(end.len())?;
    let (before, last) = (key.get(..at)?, key.get(at..)?);
    last.eq_ignore_ascii_case(end).then_some(before)
}

/// Whether the beginning of a name ends with a whole word.
fn ends_a_word(before: &str, key: &str) -> bool {
    let next_is_upper = key[before.len()..].starts_with(|c: char| c.is_ascii_uppercase());
    before.is_empty()
        || before.ends_with('_')
        || (next_is_upper && before.ends_with(|c: char| c.is_ascii_lowercase()))
}

/// Switches, paths and nothing.
fn is_plain(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.is_empty()
        || matches!(
            lower.as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "none"
        )
        || value.starts_with("/run/")
        || value.starts_with("/etc/")
        || value.starts_with("/var/")
}

fn is_small_number(value: &str) -> bool {
    value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_address(value: &str) -> bool {
    value.starts_with("https://") || value.starts_with("http://")
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
        && !is_alphabet(value)
}

/// Whether most characters follow the one before them, as in a list of the characters allowed.
fn is_alphabet(value: &str) -> bool {
    let follows = |pair: &&[u8]| pair[1] == pair[0].wrapping_add(1);
    value.as_bytes().windows(2).filter(follows).count() * 2 > value.len()
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
