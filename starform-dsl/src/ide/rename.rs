//! Another name for an environment, var-group, partial, service or variable, everywhere at once.
//! Pure. A name that does not hold or is taken is refused, so a project that compiles still does.
//! A service that gets another name says its old one with `was=`, because without it the old service
//! would be deleted and a new one created. The first `was=` stays, since only that name was ever deployed
//! while several renames wait for one apply; renaming back to it takes it out.
//! Read on in `index` for where a name is written.

use super::Analysis;
use super::index::{Form, Index, NameKind, Occurrence, Role, Symbol};
use super::scope::{is_service, walk};
use crate::diag::Edit;
use crate::lower::{key_diagnostic, text_value};
use crate::project::PREVIEW;
use crate::source::{FileId, Span};
use crate::syntax::{self, Entry, Node, TextRange, Value};
use crate::table::{NodeSpec, Type};

/// Why a name is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    #[error("there is no name here that can be changed")]
    NoName,
    #[error("{what} `{name}` is not declared here; change it where it is declared")]
    Undeclared { what: &'static str, name: String },
    #[error("{title}: {help}")]
    BadName { title: String, help: String },
    #[error("{what} `{name}` exists already; choose another name")]
    Taken { what: &'static str, name: String },
    #[error("`{name}` is named in `was=` or `removed` as what was; choose another name")]
    Former { name: String },
    #[error("`{name}` stands in a text with escapes; write the text without them first")]
    Escaped { name: String, span: Span },
    #[error("a service has `{key}` from {also} too; change each of them by hand")]
    Shared { key: String, also: String },
}

/// The name at an offset, if it can be changed.
pub fn prepare_rename(analysis: &Analysis, file: FileId, offset: u32) -> Option<Span> {
    let (span, symbol) = analysis.index.at(file, offset)?;
    changeable(&analysis.index, symbol).ok()?;
    Some(span)
}

/// The edits that give the name at an offset another name, in the order of the files.
pub fn rename(
    analysis: &Analysis,
    file: FileId,
    offset: u32,
    new_name: &str,
) -> Result<Vec<Edit>, RenameError> {
    let index = &analysis.index;
    let (_, symbol) = index.at(file, offset).ok_or(RenameError::NoName)?;
    changeable(index, symbol)?;
    if symbol.name == new_name {
        return Ok(Vec::new());
    }
    check(index, symbol, new_name)?;
    if symbol.kind == NameKind::Service && !is_free_of_the_past(analysis, symbol, new_name) {
        let name = new_name.to_owned();
        return Err(RenameError::Former { name });
    }
    let mut edits: Vec<Edit> = index
        .occurrences(symbol)
        .iter()
        .filter(|found| found.role != Role::Former)
        .map(|found| edit(found, new_name))
        .collect();
    if symbol.kind == NameKind::Service {
        let services = index.declarations(symbol);
        edits
            .extend(services.filter_map(|found| was(analysis, found.span, &symbol.name, new_name)));
    }
    edits.sort_by_key(|edit| edit.span);
    Ok(edits)
}

/// Whether a name is declared in the project and all its places can be written anew.
fn changeable(index: &Index, symbol: &Symbol) -> Result<(), RenameError> {
    if symbol.kind == NameKind::Environment && symbol.name == PREVIEW {
        return Err(RenameError::NoName);
    }
    if !index.declares(symbol) {
        let (what, name) = (symbol.kind.title(), symbol.name.clone());
        return Err(RenameError::Undeclared { what, name });
    }
    let escaped = |found: &&Occurrence| found.form == Form::Escaped && found.role != Role::Former;
    if let Some(found) = index.occurrences(symbol).iter().find(escaped) {
        let (name, span) = (symbol.name.clone(), found.span);
        return Err(RenameError::Escaped { name, span });
    }
    let rival = symbol
        .owner
        .as_ref()
        .and_then(|owner| index.takes.rival(owner, &symbol.name));
    match rival {
        Some(rival) => Err(RenameError::Shared {
            key: symbol.name.clone(),
            also: format!("{} {}", rival.kind.title(), rival.name),
        }),
        None => Ok(()),
    }
}

/// Whether a name may be given.
fn check(index: &Index, symbol: &Symbol, new_name: &str) -> Result<(), RenameError> {
    let nowhere = Span::new(FileId(0), TextRange::at(0));
    let wrong = match symbol.kind {
        NameKind::Environment => text_value(Type::EnvironmentName, "", new_name, nowhere),
        NameKind::Group => text_value(Type::GroupName, "", new_name, nowhere),
        NameKind::Partial => text_value(Type::PartialName, "", new_name, nowhere),
        NameKind::Service => text_value(Type::ServiceName, "", new_name, nowhere),
        NameKind::Variable => key_diagnostic(new_name, nowhere),
    };
    if let Some(wrong) = wrong {
        return Err(RenameError::BadName {
            title: wrong.title,
            help: wrong.help.unwrap_or_default(),
        });
    }
    if index.is_taken(symbol, new_name) {
        return Err(RenameError::Taken {
            what: symbol.kind.title(),
            name: new_name.to_owned(),
        });
    }
    Ok(())
}

fn edit(found: &Occurrence, new_name: &str) -> Edit {
    let bare = found.form == Form::Inside || syntax::is_bare(new_name);
    Edit {
        span: found.span,
        text: if bare {
            new_name.to_owned()
        } else {
            syntax::quoted(new_name)
        },
    }
}

/// Whether nothing was called so, but for the service itself: what had the name once cannot be declared.
fn is_free_of_the_past(analysis: &Analysis, symbol: &Symbol, new_name: &str) -> bool {
    let index = &analysis.index;
    let own = index
        .declarations(symbol)
        .filter_map(|found| former_name(service_at(analysis, found.span)?.0))
        .filter(|given| given.value() == Value::String(new_name.into()))
        .count();
    let of_the_name = Symbol::new(NameKind::Service, new_name);
    index.occurrences(&of_the_name).len() == own
}

/// `was=` of a service's node.
fn former_name(node: Node<'_>) -> Option<Entry<'_>> {
    node.prop("was")
}

/// What becomes of `was=` of the service that is declared at `name`.
fn was(analysis: &Analysis, name: Span, old: &str, new_name: &str) -> Option<Edit> {
    let (node, spec) = service_at(analysis, name)?;
    let prop = spec.prop("was")?;
    if !prop.availability.is_usable() {
        return None;
    }
    match former_name(node) {
        Some(given) if given.value() == Value::String(new_name.into()) => Some(Edit {
            span: given.span_with_space(),
            text: String::new(),
        }),
        Some(_) => None,
        None => {
            let after = node.args().next()?.span();
            let end = Span::new(after.file, TextRange::at(after.range.end()));
            let old = if syntax::is_bare(old) {
                old.to_owned()
            } else {
                syntax::quoted(old)
            };
            Some(Edit {
                span: end,
                text: format!(" was={old}"),
            })
        }
    }
}

fn service_at(analysis: &Analysis, name: Span) -> Option<(Node<'_>, &'static NodeSpec)> {
    let cst = analysis.cst(name.file)?;
    let top = analysis.top(name.file);
    walk(cst, top).find_map(|visit| {
        let spec = visit.spec.filter(|spec| is_service(spec))?;
        let range = visit.node.head_span().range;
        range
            .contains(name.range.start())
            .then_some((visit.node, spec))
    })
}
