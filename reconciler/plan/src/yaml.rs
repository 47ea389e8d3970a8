//! One manifest as YAML that every reader understands alike.
//!
//! Pure. Always holds: a string is plain only where no version of YAML could take it for something
//! else; `no`, `on`, `1_000` and `12:30` are other types in YAML 1.1, which kubectl reads. Every other
//! string is written as JSON writes it, which is YAML too (YAML 1.2, section 1.3).

use std::fmt::Write as _;

use serde_json::Value;

/// A document with its separator before it.
pub fn document(manifest: &Value) -> String {
    let mut text = "---\n".to_owned();
    block(&mut text, manifest, 0);
    text
}

/// `value` from the start of a line on, `depth` levels in; ends with a line break.
fn block(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                indent(text, depth);
                text.push_str(&scalar(key));
                text.push(':');
                after_key(text, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                block(&mut inner, item, depth + 1);
                indent(text, depth);
                // The item's own indent is two characters deeper: its first line takes the dash.
                text.push_str("- ");
                text.push_str(inner.trim_start_matches(' '));
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)
        | Value::Array(_) => {
            indent(text, depth);
            text.push_str(&flow(value));
            text.push('\n');
        }
    }
}

fn after_key(text: &mut String, value: &Value, depth: usize) {
    let nested = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if nested {
        text.push('\n');
        // Lists stand under their key's own column, as kubectl prints them.
        block(
            text,
            value,
            if value.is_array() { depth } else { depth + 1 },
        );
    } else {
        writeln!(text, " {}", flow(value)).expect("writing to a string cannot fail");
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(string) => scalar(string),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn scalar(string: &str) -> String {
    if is_plain(string) {
        string.to_owned()
    } else {
        Value::from(string).to_string()
    }
}

/// Letters first and nothing but word characters, `.`, `/`, `-` and inner `:`; no word of YAML 1.1.
fn is_plain(string: &str) -> bool {
    const WORDS: [&str; 11] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ];
    let letter = string.starts_with(|c: char| c.is_ascii_alphabetic());
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | ':');
    letter
        && string.chars().all(inside)
        && !string.ends_with(':')
        && !WORDS.contains(&string.to_ascii_lowercase().as_str())
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n(' ', depth * 2));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::document;

    #[test]
    fn what_yaml_1_1_would_misread_is_quoted() {
        let value = json!({
            "args": ["no", "yes", "on", "1_000", "12:30", "0x1f", "", "~", "a b", "a: b", "a\nb", "a:", "#x", "it's"],
            "empty": {"list": [], "map": {}},
            "image": "ghcr.io/a/b@sha256:00",
            "list": [{"a": 1, "b": [true, null]}, [["x"]]],
        });
        let text = document(&value);
        let wanted = "---\nargs:\n- \"no\"\n- \"yes\"\n- \"on\"\n- \"1_000\"\n- \"12:30\"\n- \"0x1f\"\n- \"\"\n- \"~\"\n- \"a b\"\n- \"a: b\"\n- \"a\\nb\"\n- \"a:\"\n- \"#x\"\n- \"it's\"\nempty:\n  list: []\n  map: {}\nimage: \"ghcr.io/a/b@sha256:00\"\nlist:\n- a: 1\n  b:\n  - true\n  - null\n- - - x\n";
        assert_eq!(text, wanted);
    }
}
