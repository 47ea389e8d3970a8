//! Which field of a service's model holds what a node or a property of the service says: one row for each.
//! Pure data. Both ways are read from the same rows; a test holds the node table and the model against them.
//! Read on in `starform_contract::model` for the fields and in `value` for what is read out of them.

use crate::table::{self, Place};

/// Where a node's or property's value comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What one node says.
    One(&'static str),
    /// What several nodes say, in their order.
    List(&'static str),
    /// What several nodes say, by their first argument.
    ByName(&'static str),
    /// Nowhere by itself: it decides what others say, or whether the service is there at all.
    Spent,
}

/// Nodes by the slot that they share (see `NodeName::slot`), then properties of the service's own node.
const FIELDS: [(&str, Field); 31] = [
    ("image", Field::One("image")),
    ("watch", Field::Spent),
    ("run", Field::One("run")),
    ("release", Field::One("release")),
    ("port", Field::List("ports")),
    ("metrics", Field::One("metrics")),
    ("hold", Field::One("hold")),
    ("health", Field::One("health")),
    ("size", Field::One("size")),
    ("scale", Field::One("scale")),
    ("drain", Field::One("drain")),
    ("use", Field::Spent),
    ("vars", Field::ByName("vars")),
    ("domain", Field::List("domains")),
    ("route", Field::ByName("routes")),
    ("redirect", Field::ByName("redirects")),
    ("allow-from", Field::One("allow-from")),
    ("volume", Field::ByName("volumes")),
    ("run-as", Field::One("run-as")),
    ("observability", Field::One("observability")),
    ("overlap", Field::One("overlap")),
    ("retries", Field::One("retries")),
    ("timeout", Field::One("timeout")),
    ("keep", Field::One("keep")),
    ("only", Field::Spent),
    ("in", Field::Spent),
    ("schedule", Field::One("schedule")),
    ("timezone", Field::One("timezone")),
    ("root", Field::Spent),
    ("like", Field::Spent),
    ("was", Field::Spent),
];

/// The field of a child or a property of a service; `None` for a name that the language does not have there.
pub fn field(name: &str) -> Option<Field> {
    let slot = table::find(Place::Service, name).map_or(name, |row| row.node.slot().as_str());
    let row = FIELDS.iter().find(|(known, _)| *known == slot);
    row.map(|(_, field)| *field)
}

/// The child or property whose field of the model has a name.
pub(super) fn said_by(name: &str) -> Option<&'static str> {
    let row = FIELDS.iter().find(|(_, field)| field.name() == Some(name));
    row.map(|(known, _)| *known)
}

impl Field {
    /// As the model's JSON has it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Field::One(name) | Field::List(name) | Field::ByName(name) => Some(name),
            Field::Spent => None,
        }
    }
}
