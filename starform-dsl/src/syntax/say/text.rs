//! What is said about faults inside a text: strings, numbers, keywords, and punctuation of other languages.
//! Pure. One function for each fault, named after it.
//! Read on in `super` for which fault is told by which.

use super::{Place, clip};
use crate::diag::{Diagnostic, Fix, codes};
use crate::syntax::TextRange;
use crate::syntax::number;
use crate::syntax::string::{self, LineFault};

pub(super) fn unterminated_string(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    let closing = format!("\"{}", &slice[..slice.find('"').unwrap_or(0)]);
    let end = at.span(TextRange::at(at.range.end()));
    at.error(codes::UNTERMINATED_STRING, "string is never closed")
        .label("begins here and has no closing quote on this line")
        .help(format!("write `{closing}` where the text ends"))
        .fix(Fix::maybe_replace("close the string", end, closing))
}

pub(super) fn newline_in_string(at: &Place<'_>) -> Diagnostic {
    let hashes = &at.slice()[..at.slice().find('"').unwrap_or(0)];
    let (open, close) = (format!("{hashes}\"\"\""), format!("\"\"\"{hashes}"));
    let (title, between) = if hashes.is_empty() {
        let title = "newline inside a quoted string";
        (title, format!("between `{open}`"))
    } else {
        let title = "newline inside a raw string";
        (title, format!("between `{open}` and `{close}`"))
    };
    let error = at
        .error(codes::UNTERMINATED_STRING, title)
        .label("goes on over the end of its line")
        .help(format!(
            "put text of several lines {between}, each on a line of its own"
        ));
    let Some(body) = between_three_quotes(at, hashes) else {
        return error;
    };
    let text = format!("{open}\n{body}{close}");
    let title = format!("put it {between}");
    error.fix(Fix::maybe_replace(title, at.span(at.range), text))
}

/// The lines of a text in simple quotes, indented below the node that they belong to and as deep among themselves as
/// they are; then the white space before the closing quotes. `None`: the text holds such quotes itself.
fn between_three_quotes(at: &Place<'_>, hashes: &str) -> Option<String> {
    let around = hashes.len() + 1;
    let body = &at.slice()[around..at.slice().len() - around];
    if body.contains("\"\"\"") {
        return None;
    }
    let line = line_before(at);
    let outer = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let mut lines = body.trim().lines().map(str::trim_end);
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    let depth = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let written = rest.iter().filter(|line| !line.is_empty());
    let least = written.map(depth).min().unwrap_or(0);
    let inner = rest
        .iter()
        .map(|line| line.get(least..).unwrap_or_default());
    let indented = std::iter::once(first).chain(inner).map(|line| match line {
        "" => "\n".to_owned(),
        text => format!("{outer}  {text}\n"),
    });
    Some(format!("{}{outer}  ", indented.collect::<String>()))
}

pub(super) fn unterminated_lines(at: &Place<'_>) -> Diagnostic {
    let hashes = at.slice().bytes().filter(|&byte| byte == b'#').count();
    let quotes = at.slice().bytes().filter(|&byte| byte == b'"').count();
    at.error(
        codes::UNTERMINATED_STRING,
        "string of several lines is never closed",
    )
    .label("everything from here on is inside this string")
    .help(format!(
        "write `{}{}` where the text ends",
        "\"".repeat(quotes),
        clip(&"#".repeat(hashes))
    ))
}

pub(super) fn unterminated_comment(at: &Place<'_>) -> Diagnostic {
    at.error(codes::UNTERMINATED_COMMENT, "block comment is never closed")
        .label("everything from here on is inside this comment")
        .help("write `*/` where the comment ends; comments nest, so each `/*` needs one")
}

pub(super) fn bad_escape(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_ESCAPE,
        format!("`{}` is no escape", clip(at.slice())),
    )
    .label("a backslash in quotes begins an escape")
    .help("write `\\\\` for a backslash")
    .note("escapes are \\n \\r \\t \\b \\f \\s \\\" \\\\ and \\u{…}")
    .fix(at.replace("double the backslash", format!("\\{}", at.slice())))
}

pub(super) fn bad_unicode_escape(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_UNICODE_ESCAPE,
        format!("`{}` names no character", clip(at.slice())),
    )
    .label("1 to 6 hexadecimal digits of a character in braces")
    .help("write `\\u{…}`, such as `\\u{e9}` for é")
}

pub(super) fn bad_lines(fault: LineFault, at: &Place<'_>) -> Diagnostic {
    let error = |title: &str| at.error(codes::BAD_MULTILINE_STRING, title);
    match fault {
        LineFault::TextAfterOpening => error("text after the opening `\"\"\"`")
            .label("the text begins on the next line")
            .help("use `\"…\"` for one line, or begin and end the text on lines of its own"),
        LineFault::TextBeforeClosing { .. } => error("text before the closing `\"\"\"`")
            .label("the closing quotes stand on a line of their own")
            .help("move the closing `\"\"\"` to the next line, indented as the text is"),
        LineFault::Prefix { .. } => error("line is not indented as the closing `\"\"\"` is")
            .label("begins with other white space than the closing quotes")
            .help("begin every line with the white space, tabs or spaces, that stands before the closing `\"\"\"`"),
    }
}

pub(super) fn forbidden(at: &Place<'_>) -> Diagnostic {
    let point = at.slice().chars().next().map_or(0, u32::from);
    at.error(
        codes::FORBIDDEN_CHARACTER,
        format!("character U+{point:04X} may not stand in a file"),
    )
    .label("hidden here")
    .help(format!(
        "delete it, or write `\\u{{{point:x}}}` in a quoted string"
    ))
    .fix(Fix::maybe_replace("delete it", at.span(at.range), ""))
}

pub(super) fn v1_raw_string(at: &Place<'_>) -> Diagnostic {
    let raw = at.slice().trim_start_matches('r');
    let raw = if raw.starts_with('#') {
        raw.to_owned()
    } else {
        format!("#{raw}#")
    };
    at.error(codes::V1_RAW_STRING, "raw string of KDL v1")
        .label("KDL v2 has no `r` here")
        .help(format!("write {}", clip(&raw)))
        .fix(at.replace("write it as KDL v2", raw))
}

pub(super) fn needs_quotes(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    if let Some(range) = other_quotes(at) {
        return single_quotes(&Place { range, ..*at });
    }
    let why = match slice.chars().find(|c| "/#[]\\".contains(*c)) {
        Some(character) => format!("`{character}` may only stand inside quotes"),
        None => "begins like a number but is none".to_owned(),
    };
    at.quote_it(
        at.error(
            codes::NEEDS_QUOTES,
            format!("`{}` needs quotes", clip(slice)),
        )
        .label(why),
    )
}

pub(super) fn glob(at: &Place<'_>) -> Diagnostic {
    let error = at.error(
        codes::NEEDS_QUOTES,
        format!("`{}` needs quotes", clip(at.slice())),
    );
    at.quote_it(error.label("without quotes `/*` begins a comment"))
}

pub(super) fn bad_number(at: &Place<'_>) -> Diagnostic {
    let error = at.error(
        codes::BAD_NUMBER,
        format!("`{}` is not a number", clip(at.slice())),
    );
    match number::repaired(at.slice()) {
        Some(number) => error
            .label("a number has digits before and after its point")
            .help(format!("write {}", clip(&number)))
            .fix(at.replace("complete the number", number)),
        None => error
            .label("has a digit that this notation lacks, or none")
            .help("write 443, 0x1F, 0o17 or 0b11; any other text is quoted"),
    }
}

pub(super) fn number_too_large(at: &Place<'_>) -> Diagnostic {
    at.error(codes::NUMBER_TOO_LARGE, "number is too large")
        .label("does not fit in 64 bits")
        .help("write a smaller number, or quote it if nobody counts with it")
}

pub(super) fn bad_keyword(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    if begins_line(at) || is_hash_comment(at.text, at.range) {
        let hash = TextRange::new(at.range.start(), at.range.start() + 1);
        let hash = Place { range: hash, ..*at };
        return hash
            .error(codes::BAD_KEYWORD, "`#` begins no comment")
            .label("comments begin with `//`")
            .help("write `//`")
            .fix(hash.replace("write `//`", "//"));
    }
    let error = at.error(
        codes::BAD_KEYWORD,
        format!("`{}` is no keyword", clip(slice)),
    );
    let meant = match slice.to_ascii_lowercase().as_str() {
        "#true" | "#yes" | "#on" => Some("#true"),
        "#false" | "#no" | "#off" => Some("#false"),
        "#null" | "#nil" | "#none" => Some("#null"),
        _ => None,
    };
    match meant {
        Some(keyword) => error
            .label("keywords are #true, #false and #null")
            .help(format!("write {keyword}"))
            .fix(at.replace(&format!("write {keyword}"), keyword)),
        None if follows_value(at) => word_or_comment(error, at),
        None => at.quote_it(error.label("without quotes `#` begins a keyword")),
    }
}

/// `#` and white space: as other languages begin a comment.
pub(in crate::syntax) fn is_hash_comment(text: &str, range: TextRange) -> bool {
    let after = text[range.end() as usize..].chars().next();
    text[range.as_range()].bytes().all(|byte| byte == b'#') && after.is_none_or(char::is_whitespace)
}

/// `port 80 #public`
fn word_or_comment(error: Diagnostic, at: &Place<'_>) -> Diagnostic {
    let hash = at.span(TextRange::new(at.range.start(), at.range.start() + 1));
    error
        .label("without quotes `#` begins a keyword")
        .help(format!(
            "write `//` before a comment; if it is a value, quote it: {}",
            at.quoted()
        ))
        .fix(Fix::maybe_replace("write `//`", hash, "//"))
        .fix(Fix::maybe_replace(
            "quote it",
            at.span(at.range),
            at.quoted(),
        ))
}

/// Whether a node's name and a value stand before the culprit on its line.
fn follows_value(at: &Place<'_>) -> bool {
    line_before(at).split_whitespace().nth(1).is_some()
}

/// Whether only white space stands before the culprit on its line.
fn begins_line(at: &Place<'_>) -> bool {
    line_before(at).trim().is_empty()
}

fn line_before<'a>(at: &Place<'a>) -> &'a str {
    let before = &at.text[..at.range.start() as usize];
    before.rsplit(['\n', '\r']).next().unwrap_or(before)
}

pub(super) fn bare_keyword(at: &Place<'_>) -> Diagnostic {
    let keyword = format!("#{}", at.slice());
    let before = at.text[..at.range.start() as usize].trim_end_matches([' ', '\t']);
    if before.is_empty() || before.ends_with(['\n', '\r', ';', '{', '\u{feff}']) {
        return at.quote_it(
            at.error(
                codes::BARE_KEYWORD,
                format!("`{}` is a keyword", at.slice()),
            )
            .label("names no node without quotes"),
        );
    }
    at.error(
        codes::BARE_KEYWORD,
        format!("`{}` lacks its `#`", at.slice()),
    )
    .label("keywords begin with `#`")
    .help(format!(
        "write {keyword}, or {} if you mean the text",
        at.quoted()
    ))
    .fix(at.replace(&format!("write {keyword}"), keyword))
    .fix(Fix::maybe_replace(
        "quote it",
        at.span(at.range),
        at.quoted(),
    ))
}

pub(super) fn unexpected_character(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::UNEXPECTED_CHARACTER,
        format!("unexpected `{}`", clip(at.slice())),
    )
    .label("has no meaning here")
    .help("delete it, or quote the text that it belongs to")
}

pub(super) fn list(at: &Place<'_>) -> Diagnostic {
    let error = at
        .error(codes::FOREIGN_LIST, "list in brackets")
        .label("KDL has no lists in brackets");
    let help = |items: &str| {
        let items = clip(items);
        format!("write the values one after the other: {items}")
    };
    match list_items(at.slice()) {
        Some(items) if items.is_empty() => {
            error.help("an empty list is written by leaving the node out")
        }
        Some(items) => {
            let items = items.join(" ");
            error
                .help(help(&items))
                .fix(at.replace("leave out brackets and commas", items))
        }
        None => error.help(help("name one two")),
    }
}

/// What stands in a list, as KDL writes it; `None` where it is more than words, numbers and texts in quotes.
fn list_items(list: &str) -> Option<Vec<String>> {
    let mut rest = list.strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let end = match rest.strip_prefix('"') {
            Some(inner) => {
                let end = inner.find(['"', '\\'])?;
                inner[end..].starts_with('"').then_some(end + 2)?
            }
            None => rest.find([',', ' ', '\t']).unwrap_or(rest.len()),
        };
        let (item, after) = rest.split_at(end);
        items.push(list_item_as_kdl(item)?);
        // A comma, white space, or both part two values.
        let next = after.trim_start();
        let parted = next.len() < after.len() || next.is_empty() || next.starts_with(',');
        parted.then_some(())?;
        rest = next.strip_prefix(',').unwrap_or(next).trim_start();
    }
    Some(items)
}

fn list_item_as_kdl(item: &str) -> Option<String> {
    let is_word = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    match item {
        "true" | "false" | "null" => Some(format!("#{item}")),
        text if text.starts_with('"') => Some(text.to_owned()),
        "" => None,
        word if !is_word(word) => None,
        word if number::looks_like_number(word) => {
            number::kind(word).is_ok().then(|| word.to_owned())
        }
        word => Some(word.to_owned()),
    }
}

pub(super) fn section(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::FOREIGN_LIST,
        format!("section header `{}`", clip(at.slice())),
    )
    .label("KDL has no sections in brackets")
    .help("write a node with a block: name { … }")
}

pub(super) fn comma(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    let rest = slice.trim_matches(',');
    let behind = &at.text[at.range.end() as usize..];
    let error = at.error(codes::FOREIGN_COMMA, "comma between values");
    if slice.ends_with(',') && begins_a_pair(behind) {
        return error
            .label("what follows is a node of its own")
            .help("part nodes with `;` or a new line")
            .fix(at.replace("write `;` for the comma", format!("{rest};")));
    }
    let glued = behind.starts_with(|next: char| !next.is_whitespace());
    let text = match slice.starts_with(',') && (glued || !rest.is_empty()) {
        true => format!(" {rest}"),
        false => rest.to_owned(),
    };
    error
        .label("values are parted by spaces")
        .help("leave out the comma")
        .fix(at.replace("leave out the comma", text))
}

/// `name: …` or `"name": …` on this line, as other languages write what is a node here.
fn begins_a_pair(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']);
    let text = text.strip_prefix('"').unwrap_or(text);
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let after = text.trim_start_matches(in_name);
    let after_name = after.strip_prefix('"').unwrap_or(after);
    after.len() < text.len() && after_name.starts_with(':') && !after_name.starts_with("://")
}

pub(super) fn colon(at: &Place<'_>) -> Diagnostic {
    let rest = at.slice().trim_start_matches(':');
    let text = if rest.is_empty() {
        String::new()
    } else {
        format!(" {rest}")
    };
    at.error(codes::FOREIGN_COLON, "colon after a name")
        .label("a space parts name and value")
        .help("leave out the colon")
        .fix(at.replace("leave out the colon", text))
}

pub(super) fn list_item(at: &Place<'_>) -> Diagnostic {
    at.error(codes::FOREIGN_LIST, "list item with `-`")
        .label("KDL has no lists with `-`")
        .help("write the values one after the other behind the node's name: name one two")
}

/// The text in quotes that begins where the culprit does, if these are quotes of another kind than KDL's.
fn other_quotes(at: &Place<'_>) -> Option<TextRange> {
    let rest = &at.text[at.range.start() as usize..];
    let line = rest.lines().next()?;
    let closing = CLOSING.iter().find(|(open, _)| line.starts_with(*open))?.1;
    let open = line.chars().next()?.len_utf8();
    let close = open + line[open..].find(closing)? + closing.len_utf8();
    let end = at.range.start() + u32::try_from(close).ok()?;
    (end >= at.range.end()).then(|| TextRange::new(at.range.start(), end))
}

/// Quotes that word processors and other languages use, by what opens them.
const CLOSING: [(char, char); 5] = [
    ('\'', '\''),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201e}', '\u{201c}'),
    ('`', '`'),
];

pub(super) fn single_quotes(at: &Place<'_>) -> Diagnostic {
    let inner = at.slice().strip_prefix(|_: char| true).unwrap_or_default();
    let inner = inner.strip_suffix(|_: char| true).unwrap_or_default();
    let quoted = string::quoted(inner);
    let (title, label) = if at.slice().starts_with('\'') {
        ("single quotes", "a single quote is an ordinary character")
    } else {
        ("quotes of another kind", "KDL knows only `\"`")
    };
    at.error(codes::FOREIGN_QUOTES, title)
        .label(label)
        .help(format!("use double quotes: {}", clip(&quoted)))
        .fix(at.replace("use double quotes", quoted))
}

pub(super) fn single_quote(at: &Place<'_>) -> Diagnostic {
    let error = at.error(codes::FOREIGN_QUOTES, "single quote that nothing closes");
    let error = error.label("a single quote is an ordinary character");
    error.help(format!(
        "put the text in double quotes; if `'` belongs to it: {}",
        clip(&at.quoted())
    ))
}

pub(super) fn comment_in_text(at: &Place<'_>) -> Diagnostic {
    let comment = if at.slice().contains("/*") {
        "/*"
    } else {
        "//"
    };
    let error = at.error(
        codes::COMMENT_IN_TEXT,
        format!("`{}` needs quotes", clip(at.slice())),
    );
    at.quote_it(error.label(format!("without quotes `{comment}` begins a comment")))
}
