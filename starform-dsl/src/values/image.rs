//! References to container images.
//! Pure. Accepts `[REGISTRY/]NAME[:TAG][@DIGEST]`, and says how firmly a reference is pinned.
//! Source: the grammar of distribution/reference.

/// What keeps the image of a reference from changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    Digest,
    /// A tag other than `latest`; it can be moved.
    Tag,
    /// `latest`, or no tag, which means it.
    Latest,
}

/// Why a text is no image, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImage {
    #[error("an image is not empty")]
    Empty,
    #[error("an image has no scheme: write `{0}`")]
    Scheme(String),
    #[error("an image has no white space")]
    WhiteSpace,
    #[error("the name of an image is lower case: `{0}`")]
    Upper(String),
    #[error("`{0}` is no digest: one is `sha256:` and 64 lower-case hex digits")]
    Digest(String),
    #[error(
        "`{0}` is no tag: at most 128 letters, digits, `_`, `.` and `-`, beginning with one of the first three"
    )]
    Tag(String),
    #[error("`{0}` is no registry: a host name with an optional `:PORT`")]
    Registry(String),
    #[error(
        "`{0}` is no part of an image's name: lower-case letters and digits, parted by `.`, `_`, `__` or `-`"
    )]
    Part(String),
    #[error("the name of an image has at most 255 characters")]
    TooLong,
}

pub fn parse(text: &str) -> Result<Pin, InvalidImage> {
    if text.is_empty() {
        return Err(InvalidImage::Empty);
    }
    if text.contains(char::is_whitespace) {
        return Err(InvalidImage::WhiteSpace);
    }
    if let Some((_, rest)) = text.split_once("://") {
        return Err(InvalidImage::Scheme(rest.to_owned()));
    }
    let (named, digest) = match text.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (text, None),
    };
    let (name, tag) = split_tag(named);
    check_name(name)?;
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    match (digest, tag) {
        (Some(digest), _) => check_digest(digest).map(|()| Pin::Digest),
        (None, None | Some("latest")) => Ok(Pin::Latest),
        (None, Some(_)) => Ok(Pin::Tag),
    }
}

/// A `:` after the last `/` begins the tag; one before it belongs to the registry's port.
fn split_tag(named: &str) -> (&str, Option<&str>) {
    let last = named.rfind('/').map_or(0, |slash| slash + 1);
    match named[last..].find(':') {
        Some(colon) => (&named[..last + colon], Some(&named[last + colon + 1..])),
        None => (named, None),
    }
}

fn check_name(name: &str) -> Result<(), InvalidImage> {
    if name.len() > 255 {
        return Err(InvalidImage::TooLong);
    }
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), rest)
        }
        Some(_) | None => (None, name),
    };
    if let Some(registry) = registry {
        check_registry(registry)?;
    }
    path.split('/').try_for_each(check_part)
}

fn check_registry(registry: &str) -> Result<(), InvalidImage> {
    let (host, port) = registry.split_once(':').unwrap_or((registry, "0"));
    let host_holds = host.split('.').all(|label| {
        let inner = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    });
    if host_holds && port.parse::<u16>().is_ok() {
        Ok(())
    } else {
        Err(InvalidImage::Registry(registry.to_owned()))
    }
}

fn check_part(part: &str) -> Result<(), InvalidImage> {
    if part.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(InvalidImage::Upper(part.to_lowercase()));
    }
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = bytes.first().is_some_and(|b| alphanumeric(*b))
        && bytes.last().is_some_and(|b| alphanumeric(*b));
    let separators = part
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .filter(|between| !between.is_empty())
        .all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|b| b == b'-'));
    if ends && separators {
        Ok(())
    } else {
        Err(InvalidImage::Part(part.to_owned()))
    }
}

fn check_tag(tag: &str) -> Result<(), InvalidImage> {
    let inner = tag
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    let first = tag
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if inner && first && tag.len() <= 128 {
        Ok(())
    } else {
        Err(InvalidImage::Tag(tag.to_owned()))
    }
}

fn check_digest(digest: &str) -> Result<(), InvalidImage> {
    let hex = digest.strip_prefix("sha256:");
    let holds = hex.is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    });
    if holds {
        Ok(())
    } else {
        Err(InvalidImage::Digest(digest.to_owned()))
    }
}
