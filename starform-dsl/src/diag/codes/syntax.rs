//! Codes 1xxx: what is no KDL; and 5001 to 5009: the limits of a text.
//! Pure. Numbers are never reused.
//! Read on in `crate::syntax` for where each is raised.

codes! { SYNTAX;
    1001 UNTERMINATED_STRING Error "string is never closed"
        "A quoted string ends on its own line with the quotes it began with. Text of several lines stands between triple quotes, each on a line of its own.";
    1002 UNTERMINATED_COMMENT Error "block comment is never closed"
        "A comment that `/*` opens goes on to its `*/`; comments nest, so every `/*` needs one.";
    1003 NEEDS_QUOTES Error "text needs quotes"
        "Without quotes a value may not start like a number and may not hold `/` and some other characters, so durations, quantities, paths, globs and images are quoted: `\"10s\"`, `\"bin/server\"`.";
    1004 BAD_NUMBER Error "not a number"
        "Numbers are `10`, `-3`, `1.5`, `1e9`, `0x1F`, `0o17` and `0b11`; `_` may part digits. Anything else that starts like a number is quoted.";
    1005 BAD_KEYWORD Error "unknown keyword"
        "After `#` come `true`, `false`, `null`, `inf`, `-inf` and `nan`, or the quote of a raw string. Other text with `#` is quoted.";
    1006 BARE_KEYWORD Error "keyword without its `#`"
        "KDL v2 writes `#true`, `#false` and `#null`; a text of these letters is quoted.";
    1007 BAD_ESCAPE Error "unknown escape in a string"
        "A backslash in quotes begins one of `\\n`, `\\r`, `\\t`, `\\b`, `\\f`, `\\s`, `\\\"`, `\\\\` and `\\u{1F600}`, or stands before white space to leave it out. A raw string `#\"…\"#` needs no escapes.";
    1008 BAD_UNICODE_ESCAPE Error "unicode escape names no character"
        "`\\u{…}` takes 1 to 6 hexadecimal digits of a Unicode scalar value, so none of D800 to DFFF and none above 10FFFF.";
    1009 BAD_MULTILINE_STRING Error "lines of a string do not line up"
        "Between triple quotes every line begins with the very white space that stands before the closing quotes; the opening and the closing quotes stand on lines of their own.";
    1010 FORBIDDEN_CHARACTER Error "character may not stand in a file"
        "Control characters, a byte order mark after the beginning and characters that change the direction of text can hide what a file says. In a quoted string they are written as `\\u{…}`.";
    1011 UNEXPECTED_CHARACTER Error "unexpected character"
        "These characters have no place outside quotes here.";
    1012 V1_RAW_STRING Error "raw string of KDL v1"
        "KDL v2 writes a raw string as `#\"…\"#`, without the `r`.";
    1013 MISSING_SPACE Error "no space between two values"
        "Values and properties of a node are parted by white space.";
    1014 MISSING_VALUE Error "property without a value"
        "A property is `name=value`.";
    1015 UNEXPECTED_EQUALS Error "`=` without a property name before it"
        "A node's argument follows its name after a space: `scale 3`. Only properties, which come after the node's name, have `=`.";
    1016 BAD_PROPERTY_NAME Error "not a property name"
        "A property's name is text; a number, keyword or type annotation cannot stand before `=`.";
    1017 BAD_NODE_NAME Error "not a node name"
        "A node begins with its name, which is text: `port 8080`.";
    1018 BAD_TYPE_ANNOTATION Error "type annotation is not complete"
        "A type annotation is one name in parentheses right before a value or a node: `(secret)token`.";
    1019 UNCLOSED_BLOCK Error "block is never closed"
        "Every `{` needs its `}`.";
    1020 UNOPENED_BLOCK Error "`}` without its `{`"
        "Every `}` closes a `{` before it.";
    1021 MISSING_TERMINATOR Error "next node begins on the same line"
        "A node ends at the end of its line, at `;` or before the `}` of its parent.";
    1022 SECOND_BLOCK Error "second block of one node"
        "A node has at most one block of children.";
    1023 ENTRY_AFTER_BLOCK Error "value after the node's block"
        "Arguments and properties stand before the block of children.";
    1024 BLOCK_WITHOUT_NODE Error "block without a node"
        "A block of children belongs to a node: its name comes before `{` on the same line.";
    1025 EMPTY_SLASHDASH Error "`/-` with nothing to leave out"
        "`/-` leaves out the node, argument, property or block that follows it; between them only white space and comments may stand.";
    1026 BAD_LINE_CONTINUATION Error "`\\` before the end of the line"
        "Outside quotes `\\` continues a node on the next line, so only white space and a comment may follow it.";
    1027 BAD_KDL_VERSION Error "file is of another KDL version"
        "Starform reads KDL version 2. `starform fmt --migrate` converts a file of version 1.";
    1028 FOREIGN_LIST Error "list in brackets"
        "KDL has no lists in brackets: a node takes several arguments, parted by spaces.";
    1029 FOREIGN_COMMA Error "comma between values"
        "Values are parted by white space alone.";
    1030 FOREIGN_COLON Error "colon after a name"
        "A node's name and its value are parted by a space alone: `port 8080`.";
    1031 FOREIGN_QUOTES Error "single quotes"
        "Strings stand in double quotes; a single quote is an ordinary character.";
    1032 COMMENT_IN_TEXT Error "`//` begins a comment in the middle of a text"
        "Without quotes `//` starts a comment, so an address such as `https://example.org` must be quoted.";
    1033 OTHER_FORMAT Error "file is in another format"
        "The whole file is JSON, YAML, TOML or HCL. Starform reads KDL, so nothing else is said of it.";
    5001 FILE_TOO_LARGE Error "file is larger than 1 MiB"
        "A file may have 1 MiB, which is 1 048 576 bytes. Parts of a project can go into files of their own with `include`.";
    5002 TOO_DEEP Error "blocks are nested deeper than 64"
        "Blocks are nested deeper than 64 levels. Nothing in the language needs more than a few.";
    5003 TOO_MANY_NODES Error "more than 100 000 nodes"
        "A file may hold 100 000 nodes.";
    5004 NUMBER_TOO_LARGE Error "number is too large"
        "Whole numbers fit in 64 bits with a sign: up to 9 223 372 036 854 775 807.";
    5005 TOO_MANY_DIAGNOSTICS Error "more problems than are kept"
        "Of one run the first 1 000 problems, in the order of the text, are kept: errors before warnings.";
}
