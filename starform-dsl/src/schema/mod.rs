//! The language as data for other tools: the node table, and a JSON Schema of documents in their JSON form.
//! Pure. Which nodes, arguments and properties there are is read off the node table, lengths of names off their types.
//! What texts look like is written out in `values`; it may allow more than the checks, never less.
//! Read on in `document` for the JSON form, in `tree` for the schema, and in `nodes` for the table.

mod digits;
mod document;
mod nodes;
mod tree;
mod values;

pub use document::document;
pub use nodes::{all_nodes, nodes_named};
pub use tree::json_schema;
