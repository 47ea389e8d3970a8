//! Whether an object holds what a manifest says: every path of the manifest, with an equal value.
//!
//! Pure. Always holds: only what the manifest does not name may be added, and lists are compared as they stand, so an
//! amount in another spelling is another value.

use serde_json::Value;

/// The paths of `ours` at which `live` says something else, with both words.
pub(super) fn lost(ours: &Value, live: &Value) -> Vec<String> {
    let mut lost = Vec::new();
    compare("", ours, Some(live), &mut lost);
    lost
}

fn compare(path: &str, ours: &Value, live: Option<&Value>, lost: &mut Vec<String>) {
    match (ours, live) {
        (Value::Object(ours), Some(Value::Object(live))) => {
            for (key, value) in ours {
                compare(&format!("{path}.{key}"), value, live.get(key), lost);
            }
        }
        (Value::Array(ours), Some(Value::Array(live))) if ours.len() == live.len() => {
            for (at, (ours, live)) in ours.iter().zip(live).enumerate() {
                compare(&format!("{path}[{at}]"), ours, Some(live), lost);
            }
        }
        (ours, Some(live)) if ours == live => {}
        (ours, live) => lost.push(format!(
            "{path}: wrote {ours}, is {}",
            live.map_or_else(|| "absent".to_owned(), Value::to_string)
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lost;

    #[test]
    fn what_is_added_is_no_loss_and_everything_else_is() {
        let ours = json!({"spec": {"cpu": "100m", "list": [{"name": "a"}], "none": {}}});
        let kept = json!({"spec": {"cpu": "100m", "list": [{"name": "a", "more": 1}], "none": {}, "more": 1}, "status": 1});
        assert!(lost(&ours, &kept).is_empty());
        for (other, path) in [
            (
                json!({"cpu": "0.1", "list": [{"name": "a"}], "none": {}}),
                ".spec.cpu",
            ),
            (
                json!({"cpu": "100m", "list": [{"name": "b"}], "none": {}}),
                ".spec.list[0].name",
            ),
            (
                json!({"cpu": "100m", "list": [{"name": "a"}, {}], "none": {}}),
                ".spec.list",
            ),
            (
                json!({"cpu": "100m", "list": [{"name": "a"}]}),
                ".spec.none",
            ),
        ] {
            let found = lost(&ours, &json!({ "spec": other }));
            assert!(
                found.len() == 1 && found[0].starts_with(&format!("{path}: ")),
                "{found:?}"
            );
        }
    }
}
