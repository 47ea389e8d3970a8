//! The colours of `starform.kdl` for editors that read TextMate grammars, made from the node table.
//! Pure. A grammar sees lines and no blocks, so a word is a node of the language wherever a node may begin; what only
//! the tree can tell is left to the server's semantic tokens.
//! Read on in `editors/vscode` for the grammar in use and in `crate::ide` for semantic tokens.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::table::{self, Type};
use crate::vars::{Annotation, Generator};

/// What a plain word is made of, as far as a line can show.
const WORD: &str = r##"[^\s\\/(){};\[\]"#=]+"##;
/// Before the name of a node: the beginning of a line, a brace or a semicolon; `/-` may stand between.
const START: &str = r"(?:^|(?<=[{;]))\s*(?:/-\s*)?";
const END: &str = r"(?=[\s{};/\\(]|$)";
const VALUE_START: &str = r#"(?<![^\s=(){};])"#;
const VALUE_END: &str = r"(?=[\s(){};/\\]|$)";

/// The grammar as JSON.
pub fn textmate() -> String {
    let grammar = json!({
        "information_for_contributors": ["Made from the node table of starform-dsl; a test compares it."],
        "name": "Starform",
        "scopeName": "source.starform",
        "fileTypes": [crate::ROOT_FILE],
        "patterns": [
            {"include": "#comments"}, {"include": "#nodes"}, {"include": "#annotated"},
            {"include": "#annotations"}, {"include": "#properties"}, {"include": "#strings"},
            {"include": "#literals"}, {"include": "#words"}, {"include": "#marks"},
        ],
        "repository": {
            "comments": {"patterns": comments()},
            "nodes": {"patterns": nodes()},
            "annotated": annotated(),
            "annotations": {"patterns": annotations()},
            "properties": {"patterns": properties()},
            "strings": {"patterns": strings()},
            "escapes": {"patterns": escapes()},
            "literals": {"patterns": literals()},
            "words": {"patterns": words()},
            "marks": {"patterns": marks()},
        },
    });
    let mut text = serde_json::to_string_pretty(&grammar).expect("a grammar has string keys");
    text.push('\n');
    text
}

fn comments() -> Vec<Value> {
    vec![
        json!({"name": "comment.line.double-slash.starform", "match": "//.*$"}),
        json!({
            "name": "comment.block.starform", "begin": r"/\*", "end": r"\*/",
            "patterns": [{"include": "#comments"}],
        }),
        json!({"name": "punctuation.definition.comment.starform", "match": "/-"}),
    ]
}

/// Nodes that declare a name come with it.
fn nodes() -> Vec<Value> {
    let quoted_or_plain = format!(r#"("(?:[^"\\]|\\.)*"|{WORD})"#);
    let declaring = alternatives(
        table::nodes()
            .filter(|spec| spec.declares().is_some())
            .map(|spec| spec.name()),
    );
    let all = alternatives(table::nodes().map(|spec| spec.name()));
    vec![
        json!({
            "match": format!(r"{START}({declaring})\s+{quoted_or_plain}{END}"),
            "captures": {
                "1": {"name": "keyword.control.starform"},
                "2": {"name": "entity.name.type.starform"},
            },
        }),
        json!({
            "match": format!("{START}({all}){END}"),
            "captures": {"1": {"name": "keyword.other.starform"}},
        }),
        // Keys of variables, and what other tools keep under `x-`.
        json!({
            "match": format!(r"{START}({WORD}){END}"),
            "captures": {"1": {"name": "variable.other.starform"}},
        }),
    ]
}

/// A template's text, in which `{service.output}` stands for something.
fn annotated() -> Value {
    let template = Annotation::Template.as_str();
    json!({
        "begin": format!(r#"(\()({template})(\))\s*(")"#),
        "end": "\"|$",
        "beginCaptures": {
            "1": {"name": "punctuation.definition.annotation.starform"},
            "2": {"name": "storage.type.starform"},
            "3": {"name": "punctuation.definition.annotation.starform"},
            "4": {"name": "string.quoted.double.starform"},
        },
        "endCaptures": {"0": {"name": "string.quoted.double.starform"}},
        "contentName": "string.quoted.double.starform",
        "patterns": [
            {"include": "#escapes"},
            {"name": "constant.character.escape.starform", "match": r"\{\{|\}\}"},
            {
                "name": "meta.embedded.starform",
                "match": r#"(\{)(?:(self)|([^{}".]*))(?:\.([^{}"]*))?(\})"#,
                "captures": {
                    "1": {"name": "punctuation.section.embedded.starform"},
                    "2": {"name": "variable.language.starform"},
                    "3": {"name": "entity.name.type.starform"},
                    "4": {"name": "variable.other.property.starform"},
                    "5": {"name": "punctuation.section.embedded.starform"},
                },
            },
        ],
    })
}

fn annotations() -> Vec<Value> {
    vec![json!({
        "match": r"(\()\s*([^\s()]*)\s*(\))",
        "captures": {
            "1": {"name": "punctuation.definition.annotation.starform"},
            "2": {"name": "storage.type.starform"},
            "3": {"name": "punctuation.definition.annotation.starform"},
        },
    })]
}

/// Properties that the language knows, then any other.
fn properties() -> Vec<Value> {
    let all = table::nodes()
        .flat_map(|spec| spec.props)
        .map(|prop| prop.name);
    let known = alternatives(all);
    let rule = |names: &str, scope: &str| {
        json!({
            "match": format!("{VALUE_START}({names})(=)"),
            "captures": {
                "1": {"name": scope},
                "2": {"name": "keyword.operator.assignment.starform"},
            },
        })
    };
    vec![
        rule(&known, "entity.other.attribute-name.starform"),
        rule(WORD, "variable.parameter.starform"),
    ]
}

fn strings() -> Vec<Value> {
    let raw = |scope: &str, quotes: &str| json!({"name": scope, "begin": format!("(#+){quotes}"), "end": format!(r"{quotes}\1")});
    vec![
        raw("string.quoted.other.multi-line.starform", "\"\"\""),
        raw("string.quoted.other.starform", "\""),
        json!({
            "name": "string.quoted.triple.starform", "begin": "\"\"\"", "end": "\"\"\"",
            "patterns": [{"include": "#escapes"}],
        }),
        json!({
            "name": "string.quoted.double.starform", "begin": "\"", "end": "\"|$",
            "patterns": [{"include": "#escapes"}],
        }),
    ]
}

fn escapes() -> Vec<Value> {
    vec![
        json!({
            "name": "constant.character.escape.starform",
            "match": r#"\\(?:[nrtbfs"\\]|u\{[0-9a-fA-F]{1,6}\}|\s+|$)"#,
        }),
        json!({"name": "invalid.illegal.escape.starform", "match": r"\\."}),
    ]
}

fn literals() -> Vec<Value> {
    let number = r"[+-]?(?:0x[0-9a-fA-F][0-9a-fA-F_]*|0o[0-7][0-7_]*|0b[01][01_]*|[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9][0-9_]*)?)";
    vec![
        json!({
            "name": "constant.language.starform",
            "match": format!("{VALUE_START}#(?:true|false|null|inf|-inf|nan){VALUE_END}"),
        }),
        json!({
            "name": "constant.numeric.starform",
            "match": format!("{VALUE_START}{number}{VALUE_END}"),
        }),
    ]
}

/// Words that the language gives a meaning, then any other text without quotes.
fn words() -> Vec<Value> {
    let args = (0..2).flat_map(|index| table::nodes().filter_map(move |spec| spec.args.at(index)));
    let props = table::nodes().flat_map(|spec| spec.props);
    let types = args.map(|arg| arg.ty).chain(props.map(|prop| prop.ty));
    let known = types.flat_map(|ty| {
        if let Type::OneOf(words) = ty {
            words
        } else {
            &[]
        }
    });
    let known = alternatives(known.copied().chain([Generator::Bytes32.as_str()]));
    vec![
        json!({
            "name": "support.constant.starform",
            "match": format!("{VALUE_START}(?:{known}){VALUE_END}"),
        }),
        json!({"name": "string.unquoted.starform", "match": WORD}),
    ]
}

fn marks() -> Vec<Value> {
    vec![
        json!({"name": "punctuation.section.block.starform", "match": "[{}]"}),
        json!({"name": "punctuation.terminator.starform", "match": ";"}),
        json!({"name": "keyword.operator.assignment.starform", "match": "="}),
        json!({"name": "punctuation.separator.continuation.starform", "match": r"\\"}),
    ]
}

/// A pattern of words, in one order whatever the table's is. They hold letters, digits and hyphens only.
fn alternatives<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: BTreeSet<&str> = words.collect();
    words.into_iter().collect::<Vec<_>>().join("|")
}
