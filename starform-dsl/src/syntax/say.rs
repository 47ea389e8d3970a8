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
        FaultKind::UnterminatedString => unterminated_string(&at),
        FaultKind::UnterminatedLines => unterminated_lines(&at),
        FaultKind::UnterminatedComment => unterminated_comment(&at),
        FaultKind::BadEscape => bad_escape(&at),
        FaultKind::BadUnicodeEscape => bad_unicode_escape(&at),
        FaultKind::BadLines(fault) => bad_lines(fault, &at),
        FaultKind::Forbidden => forbidden(&at),
        FaultKind::V1RawString => v1_raw_string(&at),
        FaultKind::NeedsQuotes => needs_quotes(&at),
        FaultKind::Glob => glob(&at),
        FaultKind::BadNumber => bad_number(&at),
        FaultKind::NumberTooLarge => number_too_large(&at),
        FaultKind::BadKeyword => bad_keyword(&at),
        FaultKind::BareKeyword => bare_keyword(&at),
        FaultKind::UnexpectedCharacter => unexpected_character(&at),
        FaultKind::List => list(&at),
        FaultKind::Section => section(&at),
        FaultKind::Comma => comma(&at),
        FaultKind::Colon => colon(&at),
        FaultKind::ListItem => list_item(&at),
        FaultKind::SingleQuotes => single_quotes(&at),
        FaultKind::SingleQuote => single_quote(&at),
        FaultKind::CommentInText => comment_in_text(&at),
        FaultKind::MissingSpace => missing_space(&at),
        FaultKind::MissingValue { name } => missing_value(name, &at),
        FaultKind::AssignedNode { name } => assigned_node(name, &at),
        FaultKind::UnexpectedEquals => unexpected_equals(&at),
        FaultKind::BadPropertyName => bad_property_name(&at),
        FaultKind::TypedPropertyName { value } => typed_property_name(value, &at),
        FaultKind::BadNodeName => bad_node_name(&at),
        FaultKind::BadType => bad_type(&at),
        FaultKind::TypeOfNothing => type_of_nothing(&at),
        FaultKind::UnclosedBlock { missing } => unclosed_block(missing, &at),
        FaultKind::UnopenedBlock => unopened_block(&at),
        FaultKind::SecondBlock { first } => second_block(first, &at),
        FaultKind::EntryAfterBlock { block } => entry_after_block(block, &at),
        FaultKind::BlockWithoutNode => block_without_node(&at),
        FaultKind::MissingTerminator => missing_terminator(&at),
        FaultKind::EmptySlashdash => empty_slashdash(&at),
        FaultKind::EmptyNode => empty_node(&at),
        FaultKind::BadContinuation => bad_continuation(&at),
        FaultKind::Version1 => version_1(&at),
        FaultKind::FileTooLarge => file_too_large(&at),
        FaultKind::TooDeep => too_deep(&at),
        FaultKind::TooManyNodes => too_many_nodes(&at),
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

    /// Help and fix: quote the culprit.
    fn quote_it(&self, error: Diagnostic) -> Diagnostic {
        error
            .help(format!("quote it: {}", self.quoted()))
            .fix(self.replace("quote it", self.quoted()))
    }
}

/// The beginning of a text's first line, short enough for a title.
fn clip(text: &str) -> String {
    const CHARACTERS: usize = 30;
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn unterminated_string(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    let closing = format!("\"{}", &slice[..slice.find('"').unwrap_or(0)]);
    let edit = Edit {
        span: at.span(TextRange::at(at.range.end())),
        text: closing.clone(),
    };
    at.error(codes::UNTERMINATED_STRING, "string is never closed")
        .label("begins here and has no closing quote on this line")
        .help(format!("write `{closing}` where the text ends"))
        .fix(Fix::maybe("close the string", vec![edit]))
}

fn unterminated_lines(at: &Place<'_>) -> Diagnostic {
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

fn unterminated_comment(at: &Place<'_>) -> Diagnostic {
    at.error(codes::UNTERMINATED_COMMENT, "block comment is never closed")
        .label("everything from here on is inside this comment")
        .help("write `*/` where the comment ends; comments nest, so each `/*` needs one")
}

fn bad_escape(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_ESCAPE,
        format!("`{}` is no escape", clip(at.slice())),
    )
    .label("a backslash in quotes begins an escape")
    .help("write `\\\\` for a backslash")
    .note("escapes are \\n \\r \\t \\b \\f \\s \\\" \\\\ and \\u{…}")
    .fix(at.replace("double the backslash", format!("\\{}", at.slice())))
}

fn bad_unicode_escape(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_UNICODE_ESCAPE,
        format!("`{}` names no character", clip(at.slice())),
    )
    .label("1 to 6 hexadecimal digits of a character in braces")
    .help("write `\\u{…}`, such as `\\u{e9}` for é")
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
        LineFault::Prefix { .. } => error("line is not indented as the closing `\"\"\"` is")
            .label("begins with other white space than the closing quotes")
            .help("begin every line with the white space, tabs or spaces, that stands before the closing `\"\"\"`"),
    }
}

fn forbidden(at: &Place<'_>) -> Diagnostic {
    let point = at.slice().chars().next().map_or(0, u32::from);
    at.error(
        codes::FORBIDDEN_CHARACTER,
        format!("character U+{point:04X} may not stand in a file"),
    )
    .label("hidden here")
    .help(format!(
        "delete it, or write `\\u{{{point:x}}}` in a quoted string"
    ))
    .fix(Fix::maybe(
        "delete it",
        vec![Edit {
            span: at.span(at.range),
            text: String::new(),
        }],
    ))
}

fn v1_raw_string(at: &Place<'_>) -> Diagnostic {
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

fn needs_quotes(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
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

fn glob(at: &Place<'_>) -> Diagnostic {
    let error = at.error(
        codes::NEEDS_QUOTES,
        format!("`{}` needs quotes", clip(at.slice())),
    );
    at.quote_it(error.label("without quotes `/*` begins a comment"))
}

fn bad_number(at: &Place<'_>) -> Diagnostic {
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

fn number_too_large(at: &Place<'_>) -> Diagnostic {
    at.error(codes::NUMBER_TOO_LARGE, "number is too large")
        .label("does not fit in 64 bits")
        .help("write a smaller number, or quote it if nobody counts with it")
}

fn bad_keyword(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
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
        None => at.quote_it(error.label("without quotes `#` begins a keyword")),
    }
}

fn bare_keyword(at: &Place<'_>) -> Diagnostic {
    let keyword = format!("#{}", at.slice());
    let quote = Edit {
        span: at.span(at.range),
        text: at.quoted(),
    };
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
    .fix(Fix::maybe("quote it", vec![quote]))
}

fn unexpected_character(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::UNEXPECTED_CHARACTER,
        format!("unexpected `{}`", clip(at.slice())),
    )
    .label("has no meaning here")
    .help("delete it, or quote the text that it belongs to")
}

fn list(at: &Place<'_>) -> Diagnostic {
    let items = at
        .slice()
        .trim_matches(['[', ']'])
        .split([',', ' '])
        .filter(|item| !item.is_empty());
    let items = items.collect::<Vec<_>>().join(" ");
    at.error(codes::FOREIGN_LIST, "list in brackets")
        .label("KDL has no lists in brackets")
        .help(format!(
            "write the values one after the other: {}",
            clip(&items)
        ))
        .fix(Fix::maybe(
            "leave out brackets and commas",
            vec![Edit {
                span: at.span(at.range),
                text: items,
            }],
        ))
}

fn section(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::FOREIGN_LIST,
        format!("section header `{}`", clip(at.slice())),
    )
    .label("KDL has no sections in brackets")
    .help("write a node with a block: name { … }")
}

fn comma(at: &Place<'_>) -> Diagnostic {
    let slice = at.slice();
    let rest = slice.trim_matches(',');
    let glued = at.text[at.range.end() as usize..].starts_with(|next: char| !next.is_whitespace());
    let text = match slice.starts_with(',') && (glued || !rest.is_empty()) {
        true => format!(" {rest}"),
        false => rest.to_owned(),
    };
    at.error(codes::FOREIGN_COMMA, "comma between values")
        .label("values are parted by spaces")
        .help("leave out the comma")
        .fix(at.replace("leave out the comma", text))
}

fn colon(at: &Place<'_>) -> Diagnostic {
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

fn list_item(at: &Place<'_>) -> Diagnostic {
    at.error(codes::FOREIGN_LIST, "list item with `-`")
        .label("KDL has no lists with `-`")
        .help("write the values one after the other behind the node's name: name one two")
}

fn single_quotes(at: &Place<'_>) -> Diagnostic {
    let quoted = quote(at.slice().trim_matches('\''));
    at.error(codes::FOREIGN_QUOTES, "single quotes")
        .label("a single quote is an ordinary character")
        .help(format!("use double quotes: {}", clip(&quoted)))
        .fix(at.replace("use double quotes", quoted))
}

fn single_quote(at: &Place<'_>) -> Diagnostic {
    let error = at.error(codes::FOREIGN_QUOTES, "single quote that nothing closes");
    let error = error.label("a single quote is an ordinary character");
    error.help(format!(
        "put the text in double quotes; if `'` belongs to it: {}",
        clip(&at.quoted())
    ))
}

fn comment_in_text(at: &Place<'_>) -> Diagnostic {
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

fn missing_space(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::MISSING_SPACE,
        format!("no space before `{}`", clip(at.slice())),
    )
    .label("touches what stands before it")
    .help("part them with a space")
    .fix(at.insert("insert a space", at.range.start(), " "))
}

fn missing_value(name: TextRange, at: &Place<'_>) -> Diagnostic {
    let name = clip(at.text_of(name));
    at.error(
        codes::MISSING_VALUE,
        format!("property `{name}` has no value"),
    )
    .label("a value must follow")
    .help(format!("write {name}=\"…\" on one line and without spaces"))
}

fn assigned_node(name: TextRange, at: &Place<'_>) -> Diagnostic {
    let gap = TextRange::new(name.end(), at.range.end());
    let spaced = at.text[at.range.end() as usize..].starts_with([' ', '\t']);
    let name = clip(at.text_of(name));
    at.error(
        codes::UNEXPECTED_EQUALS,
        format!("`=` after the node name `{name}`"),
    )
    .label("only properties have `=`")
    .help(format!(
        "a node's value follows its name after a space: {name} …"
    ))
    .fix(Fix::replace(
        "leave out the `=`",
        at.span(gap),
        if spaced { "" } else { " " },
    ))
}

fn unexpected_equals(at: &Place<'_>) -> Diagnostic {
    at.error(codes::UNEXPECTED_EQUALS, "`=` has no name before it")
        .label("expected `name=value`")
        .help("delete it, or write the property's name before it")
}

fn bad_property_name(at: &Place<'_>) -> Diagnostic {
    let error = at.error(
        codes::BAD_PROPERTY_NAME,
        format!("`{}` is not a property name", clip(at.slice())),
    );
    at.quote_it(error.label("a name is text"))
}

fn typed_property_name(value: u32, at: &Place<'_>) -> Diagnostic {
    let remove = Edit {
        span: at.span(at.range),
        text: String::new(),
    };
    let insert = Edit {
        span: at.span(TextRange::at(value)),
        text: at.slice().to_owned(),
    };
    at.error(
        codes::BAD_PROPERTY_NAME,
        "type annotation before a property's name",
    )
    .label("belongs before the value")
    .help(format!("write name={}value", clip(at.slice())))
    .fix(Fix::safe("move it before the value", vec![remove, insert]))
}

fn bad_node_name(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_NODE_NAME,
        format!("`{}` is not a node name", clip(at.slice())),
    )
    .label("a line begins with the name of a node")
    .help("write the node's name first, such as `port 8080`")
}

fn bad_type(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_TYPE_ANNOTATION,
        "type annotation is not complete",
    )
    .label("expected one name in parentheses")
    .help("write it as in `(secret)name`; quote text that has parentheses")
}

fn type_of_nothing(at: &Place<'_>) -> Diagnostic {
    let slice = clip(at.slice().trim_end());
    at.error(
        codes::BAD_TYPE_ANNOTATION,
        format!("nothing follows the annotation `{slice}`"),
    )
    .label("a value must follow at once")
    .help(format!("write {slice}name"))
}

fn unclosed_block(missing: u32, at: &Place<'_>) -> Diagnostic {
    let help = match missing {
        1 => "write the missing `}` where this block ends".to_owned(),
        _ => format!("write the {missing} missing `}}`, the first where this block ends"),
    };
    at.error(codes::UNCLOSED_BLOCK, "block is never closed")
        .label("this `{` has no `}`")
        .help(help)
}

fn unopened_block(at: &Place<'_>) -> Diagnostic {
    at.error(codes::UNOPENED_BLOCK, "`}` without its `{`")
        .label("closes nothing")
        .help("delete it, or write the `{` that it should close")
}

fn second_block(first: TextRange, at: &Place<'_>) -> Diagnostic {
    at.error(codes::SECOND_BLOCK, "second block of one node")
        .label("a node has one block")
        .also(at.span(first), "the first block")
        .help("move its nodes into the first block")
}

fn entry_after_block(block: TextRange, at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::ENTRY_AFTER_BLOCK,
        format!("`{}` stands after the block", clip(at.slice())),
    )
    .label("values stand before the block")
    .also(at.span(block), "the block")
    .help("move it before the block")
}

fn block_without_node(at: &Place<'_>) -> Diagnostic {
    at.error(codes::BLOCK_WITHOUT_NODE, "block without a node")
        .label("no node name before it on this line")
        .help("write `{` on the line of the node that it belongs to")
}

fn missing_terminator(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::MISSING_TERMINATOR,
        format!("`{}` follows on the line of another node", clip(at.slice())),
    )
    .label("the node before it ended with its block")
    .help("begin a new line, or part the two with `;`")
    .fix(at.insert("part them with `;`", at.range.start(), "; "))
}

fn empty_slashdash(at: &Place<'_>) -> Diagnostic {
    at.error(codes::EMPTY_SLASHDASH, "`/-` with nothing to leave out")
        .label("a node, value, property or block must follow")
        .help("delete it, or use `//` for a comment")
}

fn empty_node(at: &Place<'_>) -> Diagnostic {
    at.error(codes::BAD_NODE_NAME, "`;` without a node")
        .label("ends nothing")
        .help("delete it")
        .fix(at.replace("delete it", ""))
}

fn bad_continuation(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_LINE_CONTINUATION,
        "`\\` before the end of the line",
    )
    .label("only a comment may follow on this line")
    .help("quote the text that it belongs to, or delete it")
}

fn version_1(at: &Place<'_>) -> Diagnostic {
    at.error(codes::BAD_KDL_VERSION, "file says that it is KDL version 1")
        .label("Starform reads KDL version 2")
        .help("convert the file with `starform fmt --migrate`")
}

fn file_too_large(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::FILE_TOO_LARGE,
        format!("file is larger than 1 MiB ({} bytes)", at.text.len()),
    )
    .help("move parts of the project into files of their own with `include`")
}

fn too_deep(at: &Place<'_>) -> Diagnostic {
    at.error(codes::TOO_DEEP, "blocks are nested deeper than 64")
        .label("the 65th block inside each other")
        .help("write the `}` that is missing above, or nest less")
}

fn too_many_nodes(at: &Place<'_>) -> Diagnostic {
    at.error(codes::TOO_MANY_NODES, "more than 100 000 nodes")
        .label("not read from here on")
        .help("move parts of the project into files of their own with `include`")
}
