//! Paths of the repository, of a container and of URLs, and patterns of paths.
//! Pure, never looks at a file. What is accepted never leads out of what it is relative to.
//! Read on in `crate::lower::path`, which turns these into diagnostics.

/// Why a text is no such path, with the spelling that would be right where there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    #[error("a path is not empty")]
    Empty,
    #[error("a path here is relative: it does not begin with `/`")]
    Absolute { right: String },
    #[error("a path here is absolute: it begins with `/`")]
    Relative { right: String },
    #[error("`..` would lead out of the folder")]
    Parent,
    #[error("paths are written with `/`, not with `\\`")]
    Backslash { right: String },
    #[error("a path has no empty or `.` parts: write `{right}`")]
    Spelling { right: String },
    #[error("`{0}` may not stand in a path")]
    Character(char),
    #[error("a disk cannot stand in the container's root folder")]
    Root,
    #[error("a path has at most 1 024 characters")]
    TooLong,
    #[error("`{0}` is never closed")]
    Unclosed(char),
    #[error("`**` stands for whole folders: write it alone between `/`")]
    Stars,
    #[error("`!` excludes nothing here: name what belongs to it")]
    Negated,
}

const LONGEST: usize = 1_024;

/// `.`, or parts parted by `/` that lead down only.
pub fn check_relative(text: &str) -> Result<(), InvalidPath> {
    check_text(text)?;
    if text.contains('\\') {
        let right = text.replace('\\', "/");
        return Err(InvalidPath::Backslash { right });
    }
    if text.split('/').any(|part| part == "..") {
        return Err(InvalidPath::Parent);
    }
    let right = plain(text);
    if text.starts_with('/') {
        return Err(InvalidPath::Absolute { right });
    }
    if right == text {
        Ok(())
    } else {
        Err(InvalidPath::Spelling { right })
    }
}

/// A relative path with `*`, `?`, `[…]`, `{…}`, and `**` for any number of folders.
pub fn check_glob(text: &str) -> Result<(), InvalidPath> {
    if text.starts_with('!') {
        return Err(InvalidPath::Negated);
    }
    check_relative(text)?;
    if text
        .split('/')
        .any(|part| part.contains("**") && part != "**")
    {
        return Err(InvalidPath::Stars);
    }
    check_brackets(text)
}

/// A folder inside a container: absolute, not the root, spelled in the one way.
pub fn check_mount(text: &str) -> Result<(), InvalidPath> {
    check_text(text)?;
    let right = format!("/{}", plain(text).trim_start_matches('.'));
    if !text.starts_with('/') {
        return Err(InvalidPath::Relative { right });
    }
    if text.split('/').any(|part| part == "..") {
        return Err(InvalidPath::Parent);
    }
    if right == "/" {
        return Err(InvalidPath::Root);
    }
    if text.contains(':') {
        // Kubernetes refuses it in `mountPath`.
        return Err(InvalidPath::Character(':'));
    }
    if right == text {
        Ok(())
    } else {
        Err(InvalidPath::Spelling { right })
    }
}

/// Whether a path of a URL has no host, white space or fragment.
pub fn is_http_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.is_ascii()
        && !text.contains(['#', ' ', '\t', '\n', '\r'])
}

/// Whether it can begin other paths: no query, no empty parts, nothing that a Gateway would rewrite,
/// and only what an HTTPRoute takes (the rules of its field `matches.path.value`).
pub fn is_route(text: &str) -> bool {
    let parts = || text[1..].split('/');
    is_http_path(text)
        && !text.contains('*')
        && has_route_characters(text)
        && text.len() <= LONGEST
        && (text == "/" || parts().all(|part| !matches!(part, "" | "." | "..")))
}

/// RFC 3986's characters of a path, and escapes of two digits but that of `/`.
fn has_route_characters(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@".contains(c);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| {
            digits.iter().all(u8::is_ascii_hexdigit) && !digits.eq_ignore_ascii_case(b"2f")
        })
    };
    text.char_indices().all(|(at, c)| match c {
        '%' => is_escape(&text[at + 1..]),
        c => plain(c),
    })
}

/// Whether it is a path of the same host, or an `http` or `https` URL with a host.
pub fn is_location(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return is_http_path(text);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let port_holds = port.parse::<u16>().is_ok_and(|port| port > 0);
    super::host::check(host).is_ok()
        && !host.starts_with('*')
        && port_holds
        && (path.is_empty() || is_http_path(path))
}

fn check_text(text: &str) -> Result<(), InvalidPath> {
    if text.trim().is_empty() {
        return Err(InvalidPath::Empty);
    }
    if text.len() > LONGEST {
        return Err(InvalidPath::TooLong);
    }
    match text.chars().find(|c| c.is_control()) {
        Some(character) => Err(InvalidPath::Character(character)),
        None => Ok(()),
    }
}

/// The same path without empty and `.` parts and slashes at its ends.
fn plain(text: &str) -> String {
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// Every `[` and `{` has its end; braces do not nest.
fn check_brackets(text: &str) -> Result<(), InvalidPath> {
    let mut open = None;
    for character in text.chars() {
        open = match (open, character) {
            (None, '[' | '{') => Some(character),
            (Some('['), ']') | (Some('{'), '}') => None,
            (None, ']' | '}') => return Err(InvalidPath::Character(character)),
            (Some('{'), '{') => return Err(InvalidPath::Character('{')),
            (open, _) => open,
        };
    }
    match open {
        None => Ok(()),
        Some(character) => Err(InvalidPath::Unclosed(character)),
    }
}
