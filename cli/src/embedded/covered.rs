//! Fields of live objects without the values that look like credentials: others may have put them there.
//!
//! Pure. Always holds: what the compiler would call a credential in a file is covered here too, as a plan covers the
//! content of Secrets. Read on in [`starform_dsl::vars::credential`] for what looks like one.

use serde_json::Value;
use starform_dsl::vars::credential;
use starform_plan::document::{FieldChange, SecretChange};

/// Where the arguments of programs stand.
const ARGUMENTS: [&str; 2] = ["command", "args"];

pub(super) fn covered(field: FieldChange) -> FieldChange {
    let place = field.words.as_deref().unwrap_or(&field.path);
    let name = Name::of(place);
    let shows = |value: &Option<Value>| value.as_ref().is_some_and(|value| name.shows(value));
    let (before, after) = (shows(&field.before), shows(&field.after));
    if !before && !after {
        return field;
    }
    let secret = match (&field.before, &field.after) {
        (None, _) => SecretChange::Added,
        (Some(_), None) => SecretChange::Removed,
        (Some(_), Some(_)) => SecretChange::Changed,
    };
    FieldChange {
        before: None,
        after: None,
        secret: Some(secret),
        ..field
    }
}

/// What a value is called, and whether it is what a program is started with.
#[derive(Clone, Copy)]
struct Name<'a> {
    name: &'a str,
    is_argument: bool,
}

impl<'a> Name<'a> {
    /// `spec.template.spec.containers[api].env[TOKEN].value` is the value of `TOKEN`.
    fn of(place: &'a str) -> Self {
        let steps = place.rsplit(['.', '/', '[']);
        let steps = steps.map(|step| step.trim_end_matches(']'));
        let mut steps = steps.filter(|step| step.parse::<usize>().is_err());
        let last = steps.next().unwrap_or_default();
        let name = match last {
            "value" => steps.next().unwrap_or_default(),
            name => name,
        };
        Self {
            name,
            is_argument: ARGUMENTS.contains(&last),
        }
    }

    fn shows(self, value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) => false,
            Value::Number(number) => credential::sign(self.name, &number.to_string()).is_some(),
            Value::String(text) if self.is_argument => credential::sign_of_argument(text).is_some(),
            Value::String(text) => credential::sign(self.name, text).is_some(),
            Value::Array(all) => {
                let after = |pair: &[Value]| match (&pair[0], &pair[1]) {
                    (Value::String(option), Value::String(text)) => {
                        credential::sign_after_option(option, text).is_some()
                    }
                    _ => false,
                };
                all.iter().any(|one| self.shows(one))
                    || (self.is_argument && all.windows(2).any(after))
            }
            Value::Object(all) => {
                // `{"name": "TOKEN", "value": "…"}`, as a variable of a container is written.
                let named = all.get("name").and_then(Value::as_str);
                all.iter().any(|(key, value)| {
                    let name = named.filter(|_| key == "value").unwrap_or(key);
                    let is_argument = ARGUMENTS.contains(&key.as_str());
                    Name { name, is_argument }.shows(value)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use starform_plan::document::Op;

    use super::*;

    fn told(words: &str, before: &Value) -> String {
        let field = FieldChange {
            path: "/spec".to_owned(),
            words: Some(words.to_owned()),
            op: Op::Set,
            before: Some(before.clone()),
            after: None,
            secret: None,
        };
        serde_json::to_string(&covered(field)).unwrap()
    }

    #[test]
    fn what_looks_like_a_credential_is_covered_wherever_it_stands() {
        let env = "spec.template.spec.containers[api].env";
        let args = "spec.template.spec.containers[api].args";
        for (words, value) in [
            (format!("{env}[DB_PASSWORD].value"), json!("CANARY")),
            (
                format!("{env}[DB_PASSWORD]"),
                json!({"name": "DB_PASSWORD", "value": "CANARY"}),
            ),
            (
                env.to_owned(),
                json!([{"name": "A", "value": "b"}, {"name": "API_TOKEN", "value": "CANARY"}]),
            ),
            (
                "spec.template.spec.containers[debug]".to_owned(),
                json!({"name": "debug", "env": [{"name": "API_TOKEN", "value": "CANARY"}]}),
            ),
            (
                format!("{env}[DSN].value"),
                json!("postgres://shop:CANARY-1@db/shop"),
            ),
            (args.to_owned(), json!(["serve", "--token", "CANARY"])),
            (format!("{args}/1"), json!("--api-token=CANARY")),
        ] {
            let told = told(&words, &value);
            assert!(!told.contains("CANARY"), "{told}");
            assert!(told.contains("\"secret\":\"removed\""), "{told}");
        }
    }

    #[test]
    fn what_does_not_is_told() {
        let env = "spec.template.spec.containers[api].env";
        for (words, value) in [
            ("spec.replicas".to_owned(), json!(3)),
            (format!("{env}[LOG_LEVEL].value"), json!("debug")),
            (
                "spec.template.spec.containers[api].image".to_owned(),
                json!(
                    "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
                ),
            ),
            (
                "spec.template.spec.containers[api].command".to_owned(),
                json!(["bin/serve", "--port", "8080"]),
            ),
            (
                format!("{env}[API_TOKEN]"),
                json!({"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "api-1a2b3c4d", "key": "API_TOKEN"}}}),
            ),
        ] {
            let told = told(&words, &value);
            assert!(!told.contains("\"secret\":"), "{told}");
        }
    }
}
