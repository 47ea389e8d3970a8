//! What is said about each fault: title, the words under the culprit, the next step and the edit that takes it.
//! Pure. Titles name what the author wrote; edits are safe where only one meaning is possible.
//! Read on in `diag::codes` for the rule behind each.

use super::TextRange;
use super::fault::{Fault, FaultKind};
use super::number;
use super::string::LineFault;
use crate::diag::{Code, Diagnostic, Edit, Fix, codes};
use crate::source::{FileId, Span};

/// Where a fault lies.
struct Place<'a> {
    file: FileId,
    text: &'a str,
    range: TextRange,
}

pub(super) fn diagnostic(fault: Fault, file: FileId, text: &str) -> Diagnostic {
    let at = Place {
        file,
        text,
        range: fault.range,
    };
    match fault.kind {
        FaultKind::UnterminatedString
        | FaultKind::UnterminatedLines
        | FaultKind::UnterminatedComment
        | FaultKind::BadEscape
        | FaultKind::BadUnicodeEscape
        | FaultKind::Forbidden
        | FaultKind::V1RawString => in_string(fault.kind, &at),
        FaultKind::BadLines(fault) => bad_lines(fault, &at),
        FaultKind::NeedsQuotes
        | FaultKind::Glob
        | FaultKind::BadNumber
        | FaultKind::NumberTooLarge
        | FaultKind::BadKeyword
        | FaultKind::BareKeyword
        | FaultKind::UnexpectedCharacter => in_word(fault.kind, &at),
        FaultKind::List | FaultKind::Section | FaultKind::Comma | FaultKind::Colon => {
            foreign(fault.kind, &at)
        }
        FaultKind::MissingSpace
        | FaultKind::MissingValue { .. }
        | FaultKind::AssignedNode { .. }
        | FaultKind::UnexpectedEquals
        | FaultKind::BadPropertyName
        | FaultKind::TypedPropertyName { .. }
        | FaultKind::BadNodeName
        | FaultKind::BadType
        | FaultKind::UntypedType => in_node(fault.kind, &at),
        FaultKind::UnclosedBlock { .. }
        | FaultKind::UnopenedBlock
        | FaultKind::SecondBlock { .. }
        | FaultKind::EntryAfterBlock { .. }
        | FaultKind::BlockWithoutNode => of_block(fault.kind, &at),
        FaultKind::MissingTerminator
        | FaultKind::EmptySlashdash
        | FaultKind::EmptyNode
        | FaultKind::BadContinuation => between_nodes(fault.kind, &at),
        FaultKind::Version1
        | FaultKind::FileTooLarge
        | FaultKind::TooDeep
        | FaultKind::TooManyNodes => of_file(fault.kind, &at),
    }
}

/// The text in double quotes, escaped where it must be.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl<'a> Place<'a> {
    fn slice(&self) -> &'a str {
        self.text_of(self.range)
    }

    fn text_of(&self, range: TextRange) -> &'a str {
        &self.text[range.as_range()]
    }

    fn span(&self, range: TextRange) -> Span {
        Span {
            file: self.file,
            range,
        }
    }

    fn error(&self, code: Code, title: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.span(self.range), title)
    }

    /// Safe: the culprit becomes `text`.
    fn replace(&self, title: &str, text: impl Into<String>) -> Fix {
        Fix::replace(title, self.span(self.range), text)
    }

    fn insert(&self, title: &str, at: u32, text: &str) -> Fix {
        Fix::replace(title, self.span(TextRange::at(at)), text)
    }

    fn quoted(&self) -> String {
        quote(self.slice())
    }
}

/// At most 24 characters of a text's first line, for a title.
fn clip(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(24) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn in_string(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    match kind {
        FaultKind::UnterminatedString => {
            let closing = format!("\"{}", &slice[..slice.find('"').unwrap_or(0)]);
            let mut fix = at.insert("close the string", at.range.end(), &closing);
            fix.applicability = crate::diag::Applicability::Maybe;
            at.error(codes::UNTERMINATED_STRING, "string is never closed")
                .label("begins here and has no closing quote on this line")
                .help(format!("write `{closing}` where the text ends"))
                .fix(fix)
        }
        FaultKind::UnterminatedLines => at
            .error(codes::UNTERMINATED_STRING, "string of several lines is never closed")
            .label("everything from here on is inside this string")
            .help(format!("write `{}` on a line of its own where the text ends", closing_of(slice))),
        FaultKind::UnterminatedComment => at
            .error(codes::UNTERMINATED_COMMENT, "block comment is never closed")
            .label("everything from here on is inside this comment")
            .help("write `*/` where the comment ends; comments nest, so each `/*` needs one"),
        FaultKind::BadEscape => at
            .error(codes::BAD_ESCAPE, format!("`{}` is no escape", clip(slice)))
            .label("a backslash in quotes begins an escape")
            .help("write `\\\\` for a backslash; known are \\n \\r \\t \\b \\f \\s \\\" \\\\ and \\u{…}")
            .fix(at.replace("double the backslash", format!("\\{slice}"))),
        FaultKind::Forbidden => {
            let point = slice.chars().next().map_or(0, u32::from);
            at.error(codes::FORBIDDEN_CHARACTER, format!("character U+{point:04X} may not stand in a file"))
                .label("hidden here")
                .help(format!("delete it, or write `\\u{{{point:x}}}` in a quoted string"))
                .fix(Fix::maybe("delete it", vec![Edit { span: at.span(at.range), text: String::new() }]))
        }
        FaultKind::V1RawString => {
            let raw = slice.trim_start_matches('r');
            let raw = if raw.starts_with('#') { raw.to_owned() } else { format!("#{raw}#") };
            at.error(codes::V1_RAW_STRING, "raw string of KDL v1")
                .label("KDL v2 has no `r` here")
                .help(format!("write {}", clip(&raw)))
                .fix(at.replace("write it as KDL v2", raw))
        }
        _ => at
            .error(codes::BAD_UNICODE_ESCAPE, format!("`{}` names no character", clip(slice)))
            .help("write `\\u{…}` with 1 to 6 hexadecimal digits, such as `\\u{e9}` for é"),
    }
}

fn closing_of(opening: &str) -> String {
    let hashes = opening.bytes().filter(|&byte| byte == b'#').count();
    let quotes = opening.bytes().filter(|&byte| byte == b'"').count();
    format!("{}{}", "\"".repeat(quotes), "#".repeat(hashes))
}

fn bad_lines(fault: LineFault, at: &Place<'_>) -> Diagnostic {
    let error = |title: &str| at.error(codes::BAD_MULTILINE_STRING, title);
    match fault {
        LineFault::TextAfterOpening => error("text after the opening `\"\"\"`")
            .label("the text begins on the next line")
            .help("use `\"…\"` for one line, or begin and end the text on lines of its own"),
        LineFault::TextBeforeClosing { .. } => error("text before the closing `\"\"\"`")
            .label("the closing quotes stand on a line of their own")
            .help("move the closing `\"\"\"` to the next line, indented as the text is"),
        LineFault::Prefix { .. } => error("line is indented less than the closing `\"\"\"`")
            .label("begins with other white space than the closing quotes")
            .help("begin every line with the same white space, tabs or spaces, as the closing `\"\"\"`"),
    }
}

fn in_word(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    let (slice, quoted) = (at.slice(), at.quoted());
    let quote_it = || at.replace("quote it", quoted.clone());
    let write_quoted = || format!("quote it: {}", quoted);
    match kind {
        FaultKind::Glob => at
            .error(
                codes::NEEDS_QUOTES,
                format!("`{}` needs quotes", clip(slice)),
            )
            .label("without quotes `/*` begins a comment")
            .help(write_quoted())
            .fix(quote_it()),
        FaultKind::BadNumber => {
            let error = at.error(
                codes::BAD_NUMBER,
                format!("`{}` is not a number", clip(slice)),
            );
            match number::repaired(slice) {
                Some(number) => error
                    .label("a number has digits before and after its point")
                    .help(format!("write {number}"))
                    .fix(at.replace("complete the number", number.clone())),
                None => error.label("has a digit that this notation lacks").help(
                    "whole numbers are written 443, 0x1F, 0o17 or 0b11; any other text is quoted",
                ),
            }
        }
        FaultKind::NumberTooLarge => at
            .error(codes::NUMBER_TOO_LARGE, "number is too large")
            .label("does not fit in 64 bits")
            .help("if it is not a number to count with, quote it"),
        FaultKind::BadKeyword => bad_keyword(at),
        FaultKind::BareKeyword => {
            let keyword = format!("#{slice}");
            at.error(codes::BARE_KEYWORD, format!("`{slice}` lacks its `#`"))
                .label("keywords begin with `#`")
                .help(format!(
                    "write {keyword}, or {} if you mean the text",
                    quoted
                ))
                .fix(at.replace(&format!("write {keyword}"), keyword.clone()))
                .fix(Fix::maybe(
                    "quote it",
                    vec![Edit {
                        span: at.span(at.range),
                        text: quoted.clone(),
                    }],
                ))
        }
        FaultKind::UnexpectedCharacter => at
            .error(
                codes::UNEXPECTED_CHARACTER,
                format!("unexpected `{}`", clip(slice)),
            )
            .label("has no meaning here")
            .help("delete it, or quote the text that it belongs to"),
        _ => at
            .error(
                codes::NEEDS_QUOTES,
                format!("`{}` needs quotes", clip(slice)),
            )
            .label(why_quotes(slice))
            .help(write_quoted())
            .fix(quote_it()),
    }
}

fn why_quotes(word: &str) -> String {
    match word.chars().find(|c| "/#[]\\".contains(*c)) {
        Some(character) => format!("`{character}` may only stand inside quotes"),
        None => "begins like a number but is none".to_owned(),
    }
}

fn bad_keyword(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    let error = at.error(
        codes::BAD_KEYWORD,
        format!("`{}` is no keyword", clip(slice)),
    );
    let lower = slice.to_ascii_lowercase();
    let meant = match lower.as_str() {
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
        None => error
            .label("without quotes `#` begins a keyword")
            .help(format!("quote it: {}", at.quoted()))
            .fix(at.replace("quote it", at.quoted())),
    }
}

fn foreign(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    match kind {
        FaultKind::List => {
            let items: Vec<&str> = slice
                .trim_matches(['[', ']'])
                .split([',', ' '])
                .filter(|s| !s.is_empty())
                .collect();
            let items = items.join(" ");
            at.error(codes::FOREIGN_LIST, "list in brackets")
                .label("KDL has no lists in brackets")
                .help(format!(
                    "write the values one after the other: {}",
                    clip(&items)
                ))
                .fix(at.replace("leave out brackets and commas", items.clone()))
        }
        FaultKind::Section => at
            .error(
                codes::FOREIGN_LIST,
                format!("section header `{}`", clip(slice)),
            )
            .label("KDL has no sections in brackets")
            .help("write a node with a block: name { … }"),
        FaultKind::Comma => {
            let alone = slice.trim_matches(',');
            at.error(codes::FOREIGN_COMMA, "comma between values")
                .label("values are parted by spaces")
                .help("leave out the comma")
                .fix(at.replace(
                    "leave out the comma",
                    if slice.ends_with(',') {
                        alone.to_owned()
                    } else {
                        format!(" {alone}")
                    },
                ))
        }
        _ => {
            let rest = slice.trim_start_matches(':');
            let spaced = if rest.is_empty() {
                String::new()
            } else {
                format!(" {rest}")
            };
            at.error(codes::FOREIGN_COLON, "colon after a name")
                .label("a space parts name and value")
                .help("leave out the colon")
                .fix(at.replace("leave out the colon", spaced))
        }
    }
}

fn in_node(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    match kind {
        FaultKind::MissingSpace => at
            .error(
                codes::MISSING_SPACE,
                format!("no space before `{}`", clip(slice)),
            )
            .label("touches what stands before it")
            .help("part them with a space")
            .fix(at.insert("insert a space", at.range.start(), " ")),
        FaultKind::MissingValue { name } => {
            let name = at.text_of(name);
            at.error(
                codes::MISSING_VALUE,
                format!("property `{}` has no value", clip(name)),
            )
            .label("a value must follow")
            .help(format!("write {}=\"…\" on the same line", clip(name)))
        }
        FaultKind::AssignedNode { name } => {
            let gap = TextRange::new(name.end(), at.range.end());
            let next_is_space = at.text[at.range.end() as usize..].starts_with([' ', '\t']);
            at.error(
                codes::UNEXPECTED_EQUALS,
                format!("`=` after the node name `{}`", clip(at.text_of(name))),
            )
            .label("only properties have `=`")
            .help(format!(
                "a node's value follows its name after a space: {} …",
                clip(at.text_of(name))
            ))
            .fix(Fix::replace(
                "leave out the `=`",
                at.span(gap),
                if next_is_space { "" } else { " " },
            ))
        }
        FaultKind::UnexpectedEquals => at
            .error(codes::UNEXPECTED_EQUALS, "`=` has no name before it")
            .label("expected `name=value`")
            .help("delete it, or write the property's name before it"),
        FaultKind::BadPropertyName => at
            .error(
                codes::BAD_PROPERTY_NAME,
                format!("`{}` is not a property name", clip(slice)),
            )
            .label("a name is text")
            .help(format!("quote it: {}", at.quoted()))
            .fix(at.replace("quote it", at.quoted())),
        FaultKind::TypedPropertyName { ty, value } => at
            .error(
                codes::BAD_PROPERTY_NAME,
                "type annotation before a property's name",
            )
            .label("belongs before the value")
            .help(format!("write name={}value", clip(at.text_of(ty))))
            .fix(Fix::safe(
                "move it before the value",
                vec![
                    Edit {
                        span: at.span(ty),
                        text: String::new(),
                    },
                    Edit {
                        span: at.span(TextRange::at(value)),
                        text: at.text_of(ty).to_owned(),
                    },
                ],
            )),
        FaultKind::BadNodeName => at
            .error(
                codes::BAD_NODE_NAME,
                format!("`{}` is not a node name", clip(slice)),
            )
            .label("a line begins with the name of a node")
            .help("write the node's name first, such as `port 8080`"),
        FaultKind::BadType => at
            .error(
                codes::BAD_TYPE_ANNOTATION,
                "type annotation is not complete",
            )
            .label("expected one name in parentheses")
            .help("write it as in `(secret)name`; text in parentheses is quoted as a whole"),
        _ => at
            .error(
                codes::BAD_TYPE_ANNOTATION,
                format!("nothing follows the annotation `{}`", clip(slice)),
            )
            .label("a value must follow at once")
            .help(format!("write {}name", clip(slice))),
    }
}

fn of_block(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    match kind {
        FaultKind::UnclosedBlock { missing } => {
            let error = at.error(codes::UNCLOSED_BLOCK, "block is never closed");
            let error = error.label("this `{` has no `}`");
            match missing {
                1 => error.help(
                    "write the missing `}`; this is the block whose indentation does not fit",
                ),
                _ => error.help(format!("write the {missing} missing `}}`")),
            }
        }
        FaultKind::UnopenedBlock => at
            .error(codes::UNOPENED_BLOCK, "`}` without its `{`")
            .label("closes nothing")
            .help("delete it, or write the `{` that it should close"),
        FaultKind::SecondBlock { first } => at
            .error(codes::SECOND_BLOCK, "second block of one node")
            .label("a node has one block")
            .also(at.span(first), "the first block")
            .help("move its nodes into the first block"),
        FaultKind::EntryAfterBlock { block } => at
            .error(
                codes::ENTRY_AFTER_BLOCK,
                format!("`{}` stands after the block", clip(at.slice())),
            )
            .label("values stand before the block")
            .also(at.span(block), "the block")
            .help("move it before the block"),
        _ => at
            .error(codes::BLOCK_WITHOUT_NODE, "block without a node")
            .label("no node name before it on this line")
            .help("write `{` on the line of the node that it belongs to"),
    }
}

fn between_nodes(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    match kind {
        FaultKind::MissingTerminator => at
            .error(
                codes::MISSING_TERMINATOR,
                format!("`{}` follows on the line of another node", clip(at.slice())),
            )
            .label("the node before it ended with its block")
            .help("begin a new line, or part the two with `;`")
            .fix(at.insert("part them with `;`", at.range.start(), "; ")),
        FaultKind::EmptySlashdash => at
            .error(codes::EMPTY_SLASHDASH, "`/-` with nothing to leave out")
            .label("a node, value, property or block must follow")
            .help("delete it, or use `//` for a comment"),
        FaultKind::EmptyNode => at
            .error(codes::BAD_NODE_NAME, "`;` without a node")
            .label("ends nothing")
            .help("delete it")
            .fix(at.replace("delete it", "")),
        _ => at
            .error(
                codes::BAD_LINE_CONTINUATION,
                "`\\` before the end of the line",
            )
            .label("only a comment may follow on this line")
            .help("quote the text that it belongs to, or delete it"),
    }
}

fn of_file(kind: FaultKind, at: &Place<'_>) -> Diagnostic {
    match kind {
        FaultKind::FileTooLarge => at
            .error(
                codes::FILE_TOO_LARGE,
                format!("file is larger than 1 MiB ({} bytes)", at.text.len()),
            )
            .help("move parts of the project into files of their own with `include`"),
        FaultKind::TooDeep => at
            .error(codes::TOO_DEEP, "blocks are nested deeper than 64")
            .label("the 65th block inside each other")
            .help("is a `}` missing above?"),
        FaultKind::TooManyNodes => at
            .error(codes::TOO_MANY_NODES, "more than 100 000 nodes")
            .label("not read from here on")
            .help("move parts of the project into files of their own with `include`"),
        _ => at
            .error(codes::BAD_KDL_VERSION, "file says that it is KDL version 1")
            .label("Starform reads KDL version 2")
            .help("convert the file with `starform fmt --migrate`"),
    }
}
