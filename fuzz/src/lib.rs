//! The laws of the language, as the fuzz targets call them: the same functions that the tests of `starform-dsl` call.
//! Pure. Every function panics where its law does not hold of the bytes.
//! Read on in `starform-dsl/tests/it/properties`.
#![allow(dead_code, reason = "the tests use more of what is shared")]

#[path = "../../starform-dsl/tests/it/abstract_tree.rs"]
mod abstract_tree;
mod formatting;
#[path = "../../starform-dsl/tests/it/project.rs"]
mod project;
#[path = "../../starform-dsl/tests/it/properties/mod.rs"]
mod properties;

use properties::Target;

pub fn lex(bytes: &[u8]) {
    Target::Lex.check(bytes);
}

pub fn parse(bytes: &[u8]) {
    Target::Parse.check(bytes);
}

pub fn compile(bytes: &[u8]) {
    Target::Compile.check(bytes);
}

pub fn fmt(bytes: &[u8]) {
    Target::Fmt.check(bytes);
}

pub fn lsp_edits(bytes: &[u8]) {
    Target::LspEdits.check(bytes);
}

pub fn differential(bytes: &[u8]) {
    Target::Differential.check(bytes);
}
