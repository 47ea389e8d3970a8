//! What is said about faults between texts: entries, nodes, blocks, and the file as a whole.
//! Pure. One function for each fault, named after it.
//! Read on in `super` for which fault is told by which.

use super::{Place, clip};
use crate::diag::{Diagnostic, Edit, Fix, codes};
use crate::syntax::TextRange;
use crate::syntax::format::Format;

pub(super) fn missing_space(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::MISSING_SPACE,
        format!("no space before `{}`", clip(at.slice())),
    )
    .label("touches what stands before it")
    .help("part them with a space")
    .fix(at.insert("insert a space", at.range.start(), " "))
}

pub(super) fn missing_value(name: TextRange, at: &Place<'_>) -> Diagnostic {
    let name = clip(at.text_of(name));
    at.error(
        codes::MISSING_VALUE,
        format!("property `{name}` has no value"),
    )
    .label("a value must follow")
    .help(format!("write {name}=\"…\" on one line and without spaces"))
}

pub(super) fn assigned_node(name: TextRange, at: &Place<'_>) -> Diagnostic {
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

pub(super) fn unexpected_equals(at: &Place<'_>) -> Diagnostic {
    at.error(codes::UNEXPECTED_EQUALS, "`=` has no name before it")
        .label("expected `name=value`")
        .help("delete it, or write the property's name before it")
}

pub(super) fn bad_property_name(at: &Place<'_>) -> Diagnostic {
    let error = at.error(
        codes::BAD_PROPERTY_NAME,
        format!("`{}` is not a property name", clip(at.slice())),
    );
    at.quote_it(error.label("a name is text"))
}

pub(super) fn typed_property_name(value: u32, at: &Place<'_>) -> Diagnostic {
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

pub(super) fn bad_node_name(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_NODE_NAME,
        format!("`{}` is not a node name", clip(at.slice())),
    )
    .label("a line begins with the name of a node")
    .help("write the node's name first, such as `port 8080`")
}

pub(super) fn bad_type(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_TYPE_ANNOTATION,
        "type annotation is not complete",
    )
    .label("expected one name in parentheses")
    .help("write it as in `(secret)name`; quote text that has parentheses")
}

pub(super) fn type_of_nothing(at: &Place<'_>) -> Diagnostic {
    let slice = clip(at.slice().trim_end());
    at.error(
        codes::BAD_TYPE_ANNOTATION,
        format!("nothing follows the annotation `{slice}`"),
    )
    .label("a value must follow at once")
    .help(format!("write {slice}name"))
}

pub(super) fn unclosed_block(missing: u32, at: &Place<'_>) -> Diagnostic {
    let help = match missing {
        1 => "write the missing `}` where this block ends".to_owned(),
        _ => format!("write the {missing} missing `}}`, the first where this block ends"),
    };
    at.error(codes::UNCLOSED_BLOCK, "block is never closed")
        .label("this `{` has no `}`")
        .help(help)
}

pub(super) fn unopened_block(at: &Place<'_>) -> Diagnostic {
    at.error(codes::UNOPENED_BLOCK, "`}` without its `{`")
        .label("closes nothing")
        .help("delete it, or write the `{` that it should close")
}

pub(super) fn second_block(first: TextRange, at: &Place<'_>) -> Diagnostic {
    at.error(codes::SECOND_BLOCK, "second block of one node")
        .label("a node has one block")
        .also(at.span(first), "the first block")
        .help("move its nodes into the first block")
}

pub(super) fn entry_after_block(block: TextRange, at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::ENTRY_AFTER_BLOCK,
        format!("`{}` stands after the block", clip(at.slice())),
    )
    .label("values stand before the block")
    .also(at.span(block), "the block")
    .help("move it before the block")
}

pub(super) fn block_without_node(at: &Place<'_>) -> Diagnostic {
    let error = at
        .error(codes::BLOCK_WITHOUT_NODE, "block without a node")
        .label("no node name before it on this line")
        .help("write `{` on the line of the node that it belongs to");
    match gap_to_node(at) {
        Some(gap) => error.fix(Fix::replace("join it to the line above", at.span(gap), " ")),
        None => error,
    }
}

/// The line end between a block and the node that it surely belongs to.
fn gap_to_node(at: &Place<'_>) -> Option<TextRange> {
    let before = &at.text[..at.range.start() as usize];
    let above = before.trim_end();
    let line = above.rsplit(['\n', '\r']).next()?;
    let breaks = before[above.len()..].matches('\n').count();
    let ends_node = line.ends_with(['{', '}', ';']) || line.contains("//");
    let start = u32::try_from(above.len()).ok()?;
    (breaks == 1 && !line.is_empty() && !ends_node).then(|| TextRange::new(start, at.range.start()))
}

pub(super) fn missing_terminator(at: &Place<'_>) -> Diagnostic {
    let error = at
        .error(
            codes::MISSING_TERMINATOR,
            format!("`{}` follows on the line of another node", clip(at.slice())),
        )
        .label("the node before it ended with its block");
    if at.slice().starts_with(char::is_alphabetic) {
        error
            .help("begin a new line, or part the two with `;`")
            .fix(at.insert("part them with `;`", at.range.start(), "; "))
    } else {
        error.help("move it before the block if it is a value, else begin a new line")
    }
}

pub(super) fn empty_slashdash(at: &Place<'_>) -> Diagnostic {
    at.error(codes::EMPTY_SLASHDASH, "`/-` with nothing to leave out")
        .label("a node, value, property or block must follow")
        .help("delete it, or use `//` for a comment")
}

pub(super) fn empty_node(at: &Place<'_>) -> Diagnostic {
    at.error(codes::BAD_NODE_NAME, "`;` without a node")
        .label("ends nothing")
        .help("delete it")
        .fix(at.replace("delete it", ""))
}

pub(super) fn bad_continuation(at: &Place<'_>) -> Diagnostic {
    at.error(
        codes::BAD_LINE_CONTINUATION,
        "`\\` before the end of the line",
    )
    .label("only a comment may follow on this line")
    .help("quote the text that it belongs to, or delete it")
}

pub(super) fn version_1(at: &Place<'_>) -> Diagnostic {
    at.error(codes::BAD_KDL_VERSION, "file says that it is KDL version 1")
        .label("Starform reads KDL version 2")
        .help("convert the file with `starform fmt --migrate`")
}

pub(super) fn other_format(format: Format, at: &Place<'_>) -> Diagnostic {
    let name = format.name();
    let label = match format {
        Format::Json => "KDL has no colons, and names need no quotes",
        Format::Yaml => "KDL has no colons and hyphens; blocks stand in braces",
        Format::Toml => "KDL has no sections, and values follow a space",
        Format::Hcl => "only properties have `=`, and Starform has nodes of its own",
    };
    at.error(codes::OTHER_FORMAT, format!("this is {name}, not KDL"))
        .label(label)
        .help("begin the file with `project NAME {` and write it anew in KDL; `starform explain project` shows what stands inside")
}

pub(super) fn file_too_large(at: &Place<'_>) -> Diagnostic {
    at.error(codes::FILE_TOO_LARGE, "file is larger than 1 MiB")
        .help("move parts of the project into files of their own with `include`")
}

pub(super) fn too_deep(at: &Place<'_>) -> Diagnostic {
    at.error(codes::TOO_DEEP, "blocks are nested deeper than 64")
        .label("the 65th block inside each other")
        .help("write the `}` that is missing above, or nest less")
}

pub(super) fn too_many_nodes(at: &Place<'_>) -> Diagnostic {
    at.error(codes::TOO_MANY_NODES, "more than 100 000 nodes")
        .label("not read from here on")
        .help("move parts of the project into files of their own with `include`")
}
