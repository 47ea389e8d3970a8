//! What an environment's state holds: defaults, layers, references, origins.
//! Pure.
//! Read on in `ui` for what is said about mistakes.

use crate::project::{emitted, state};

const HELLO: &str = "project hello { environment production branch=main; web api { image \"a/b:1\"; port 8080; }; }";

#[test]
fn defaults_are_filled_in() {
    let state = state(HELLO, "production");
    let model = serde_json::to_value(&state.services[0].model).expect("a model is JSON");
    eprintln!("{model:#}");
}
