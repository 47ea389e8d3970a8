//! One value, path or piece of user text as a view shows it.
//!
//! Pure. Always holds: no control character, terminal sequence or invisible character of a user's text
//! reaches the reader as such; strings are quoted, words of ours (such as `(secret changed)`) are not,
//! so that a text can never look like one.

use serde_json::Value;

use crate::document::SecretChange;

/// User text without quotes, for names and paths: what cannot be seen is written out.
pub fn visible(text: &str) -> String {
    text.chars().flat_map(shown).collect()
}

/// A value on one line: strings quoted, lists and maps as JSON, secrets by name and version.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => match secret_reference(fields) {
            Some(text) => text,
            None => {
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort();
                let fields: Vec<String> = keys
                    .into_iter()
                    .map(|key| format!("{}: {}", visible(key), inline(&fields[key])))
                    .collect();
                format!("{{{}}}", fields.join(", "))
            }
        },
    }
}

/// A JSON pointer in the way people write paths: `/spec/rules/0/x.y` as `spec.rules[0][x.y]`.
pub fn words(pointer: &str) -> String {
    let Some(steps) = pointer.strip_prefix('/') else {
        return pointer.to_owned();
    };
    steps.split('/').fold(String::new(), |path, escaped| {
        let key = escaped.replace("~1", "/").replace("~0", "~");
        let is_position = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        if is_position && !path.is_empty() {
            format!("{path}[{key}]")
        } else {
            step(&path, &key)
        }
    })
}

/// `path` and one more field; a name with other characters than usual stands in brackets.
pub fn step(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match (is_plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", visible(key)),
    }
}

/// `1 field`, `2 fields`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A secret's change, in words that no quoted text can be mistaken for.
pub fn secret(change: SecretChange) -> &'static str {
    match change {
        SecretChange::Added => "(secret added)",
        SecretChange::Changed => "(secret changed)",
        SecretChange::Unchanged => "(secret unchanged)",
        SecretChange::Removed => "(secret removed)",
    }
}

fn quoted(text: &str) -> String {
    let inner: String = text
        .chars()
        .flat_map(|c| match c {
            '"' => "\\\"".chars().collect::<Vec<char>>(),
            '\\' => "\\\\".chars().collect(),
            other => shown(other),
        })
        .collect();
    format!("\"{inner}\"")
}

fn secret_reference(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let known = |key: &String| matches!(key.as_str(), "secret" | "version" | "group");
    let name = fields.get("secret")?.as_str()?;
    let version = fields.get("version")?.as_u64()?;
    let group = fields.get("group").and_then(Value::as_str);
    fields.keys().all(known).then(|| match group {
        Some(group) => format!(
            "(secret {} of {}, version {version})",
            visible(name),
            visible(group)
        ),
        None => format!("(secret {}, version {version})", visible(name)),
    })
}

/// A character, or its escape when it would move the cursor, reverse the text or hide.
fn shown(c: char) -> Vec<char> {
    let deceives = c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    match c {
        '\n' => vec!['\\', 'n'],
        '\r' => vec!['\\', 'r'],
        '\t' => vec!['\\', 't'],
        c if deceives => format!("\\u{{{:x}}}", u32::from(c)).chars().collect(),
        c => vec![c],
    }
}
