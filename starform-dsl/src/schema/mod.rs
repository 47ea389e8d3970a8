//! The language as data for other tools: the node table, and a JSON Schema of documents in their JSON form.
//! Pure. All of it is made from the node table, so that it cannot say other things than the checks.
//! Read on in `document` for the JSON form, in `tree` for the schema, and in `nodes` for the table.

mod digits;
mod document;
mod nodes;
mod tree;
mod values;

pub use document::document;
pub use nodes::{all_nodes, nodes_named};
pub use tree::json_schema;
