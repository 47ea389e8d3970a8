//! Answers as a person reads them: the value, then who speaks of it and where.
//! Pure: text without colour; nothing in it acts on a terminal.
//! Read on in `super` for what the roles mean.

use std::fmt::Write as _;

use super::{Answer, Explained, Role, Said};
use crate::render::harmless;

pub fn text(explained: &[Explained]) -> String {
    let mut out = String::new();
    for (index, found) in explained.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        for answer in &found.answers {
            write_answer(&mut out, &found.path, answer);
        }
    }
    harmless(&out).into_owned()
}

fn write_answer(out: &mut String, path: &str, answer: &Answer) {
    let names: Vec<&str> = answer.environments.iter().map(AsRef::as_ref).collect();
    let value = answer.value.as_deref().unwrap_or("nothing");
    let _ = writeln!(out, "{path} in {}: {value}", names.join(", "));
    let layers = answer.said.iter().map(|said| said.layer.chars().count());
    let layer = layers.max().unwrap_or(0);
    let places = answer.said.iter().map(|said| place(said).chars().count());
    let place_width = places.max().unwrap_or(0);
    for said in &answer.said {
        let _ = writeln!(
            out,
            "  {:<10}  {:<layer$}  {:<place_width$}  {}",
            role(said.role),
            said.layer,
            place(said),
            said.text.replace('\n', " "),
        );
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Holds => "holds",
        Role::LeavesOut => "leaves out",
        Role::TakesBack => "takes back",
        Role::Replaced => "replaced",
        Role::Absent => "absent",
    }
}

fn place(said: &Said) -> String {
    said.place
        .as_ref()
        .map_or(String::new(), ToString::to_string)
}
