//! From a name to where it is declared and to everywhere else it is written.
//! Pure. Answers come from the index, in the order of the files.
//! Read on in `index` for which names there are and in `rename` for changing one.

use super::Analysis;
use super::index::Role;
use crate::source::{FileId, Span};

/// A place of a name in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Highlight {
    pub span: Span,
    /// The name is declared here.
    pub declaration: bool,
}

/// Where the name at an offset is declared; several where it is declared twice, or by more than one block.
pub fn definition(analysis: &Analysis, file: FileId, offset: u32) -> Vec<Span> {
    let Some((_, symbol)) = analysis.index.at(file, offset) else {
        return Vec::new();
    };
    let declarations = analysis.index.declarations(symbol);
    declarations.map(|found| found.span).collect()
}

/// Everywhere the name at an offset is written.
pub fn references(
    analysis: &Analysis,
    file: FileId,
    offset: u32,
    include_declaration: bool,
) -> Vec<Span> {
    let Some((_, symbol)) = analysis.index.at(file, offset) else {
        return Vec::new();
    };
    analysis
        .index
        .occurrences(symbol)
        .iter()
        .filter(|found| include_declaration || found.role != Role::Declaration)
        .map(|found| found.span)
        .collect()
}

/// Everywhere in its file that the name at an offset is written.
pub fn highlights(analysis: &Analysis, file: FileId, offset: u32) -> Vec<Highlight> {
    let Some((_, symbol)) = analysis.index.at(file, offset) else {
        return Vec::new();
    };
    analysis
        .index
        .occurrences(symbol)
        .iter()
        .filter(|found| found.span.file == file)
        .map(|found| Highlight {
            span: found.span,
            declaration: found.role == Role::Declaration,
        })
        .collect()
}
