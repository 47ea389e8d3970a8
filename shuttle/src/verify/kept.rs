//! Whether an object would be stored as it was stated, and where not.
//!
//! Pure. Always holds: paths and never values leave this module; what the server adds where nothing was
//! stated is no difference, nor is another spelling of the same quantity, nor an empty value that it
//! leaves out.

use serde_json::Value;

/// By which fields the elements of a list are known, the first that all of them have.
const NAMES: [&str; 5] = ["name", "mountPath", "containerPort", "port", "type"];

/// The paths of what is stated and would be stored otherwise: `spec.template.spec.containers[api].image`.
pub(super) fn differences(stated: &Value, stored: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    compare("", stated, Some(stored), &mut paths);
    paths
}

fn compare(path: &str, stated: &Value, stored: Option<&Value>, paths: &mut Vec<String>) {
    match (stated, stored) {
        (Value::Object(stated), Some(Value::Object(stored))) => {
            for (name, value) in stated {
                let step = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                compare(&step, value, stored.get(name), paths);
            }
        }
        (Value::Array(stated), Some(Value::Array(stored))) => {
            compare_lists(path, stated, stored, paths);
        }
        (stated, None) if is_empty(stated) => {}
        (stated, Some(stored)) if stated == stored || is_same_amount(stated, stored) => {}
        (_, Some(_) | None) => paths.push(path.to_owned()),
    }
}

fn compare_lists(path: &str, stated: &[Value], stored: &[Value], paths: &mut Vec<String>) {
    let Some(name) = name_of(stated) else {
        if stated.len() != stored.len() {
            paths.push(path.to_owned());
            return;
        }
        for (n, (stated, stored)) in stated.iter().zip(stored).enumerate() {
            compare(&format!("{path}[{n}]"), stated, Some(stored), paths);
        }
        return;
    };
    for element in stated {
        let known = element.get(name);
        let found = stored.iter().find(|other| other.get(name) == known);
        let step = match known {
            Some(Value::String(text)) => format!("{path}[{text}]"),
            Some(
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)),
            ) => format!("{path}[{other}]"),
            None => path.to_owned(),
        };
        compare(&step, element, found, paths);
    }
}

/// A field that all elements have, each with another value.
fn name_of(elements: &[Value]) -> Option<&'static str> {
    let is_name = |name: &&str| {
        let mut seen: Vec<&Value> = Vec::new();
        elements.iter().all(|element| {
            let value = element.get(*name);
            let new = value.is_some_and(|value| !seen.contains(&value));
            seen.extend(value);
            new
        })
    };
    if elements.is_empty() {
        return None;
    }
    NAMES.into_iter().find(is_name)
}

/// What a server leaves out of what it stores.
fn is_empty(stated: &Value) -> bool {
    match stated {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

/// `1` and `1000m`.
fn is_same_amount(one: &Value, other: &Value) -> bool {
    match (amount(one), amount(other)) {
        (Some(one), Some(other)) => one == other,
        (Some(_) | None, _) => false,
    }
}

/// A quantity in thousandths; of Kubernetes' forms those without an exponent.
fn amount(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let end = text.find(|c: char| c.is_ascii_alphabetic());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let factor: i128 = match unit {
        "m" => 1,
        "" => 1000,
        "k" => 1000 * 1000,
        "M" => 1000 * 1000_i128.pow(2),
        "G" => 1000 * 1000_i128.pow(3),
        "T" => 1000 * 1000_i128.pow(4),
        "P" => 1000 * 1000_i128.pow(5),
        "Ki" => 1000 * 1024,
        "Mi" => 1000 * 1024_i128.pow(2),
        "Gi" => 1000 * 1024_i128.pow(3),
        "Ti" => 1000 * 1024_i128.pow(4),
        "Pi" => 1000 * 1024_i128.pow(5),
        _ => return None,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = if part.is_empty() { "0" } else { part };
    let scale = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let whole = whole.parse::<i64>().ok()?;
    let part = part.parse::<u32>().ok()?;
    let thousandths = (i128::from(whole) * scale + i128::from(part)) * factor;
    (thousandths % scale == 0).then_some(thousandths / scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_stored_as_stated_has_no_difference() {
        let stated = json!({"spec": {"replicas": 1, "paused": false, "template": {"spec": {
            "containers": [{"name": "api", "image": "a:1", "env": [],
                "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}]}}}});
        let stored = json!({"status": {}, "spec": {"replicas": 1, "strategy": {"type": "x"},
            "template": {"spec": {"containers": [
                {"name": "sidecar", "image": "s:1"},
                {"name": "api", "image": "a:1", "imagePullPolicy": "Always",
                    "resources": {"limits": {"cpu": "1", "memory": "1024Mi"}}}]}}}});
        assert_eq!(differences(&stated, &stored), Vec::<String>::new());
    }

    #[test]
    fn what_would_be_stored_otherwise_is_told_by_path() {
        let stated = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"replicas": 1,
            "ports": [{"port": 80}, {"port": 81}],
            "template": {"spec": {"containers": [{"name": "api", "image": "a:1", "args": ["x"]}]}}}});
        let stored = json!({"metadata": {}, "spec": {"replicas": 2, "ports": [{"port": 80}],
            "template": {"spec": {"containers": [{"name": "api", "image": "mirror/a:1", "args": ["x", "y"]}]}}}});
        assert_eq!(
            differences(&stated, &stored),
            [
                "metadata.labels",
                "spec.ports[81]",
                "spec.replicas",
                "spec.template.spec.containers[api].args",
                "spec.template.spec.containers[api].image",
            ]
        );
    }

    #[test]
    fn another_text_is_no_other_spelling() {
        for (one, other) in [
            ("1", "2"),
            ("1m", "1"),
            ("a", "b"),
            ("1Gi", "1G"),
            ("", "0"),
        ] {
            assert!(!is_same_amount(&json!(one), &json!(other)), "{one} {other}");
        }
        assert!(is_same_amount(&json!("0.5"), &json!("500m")));
        assert!(is_same_amount(&json!(2), &json!("2")));
    }
}
