//! A word that is no node: what it is here, or what is done instead of what it does elsewhere.
//! Pure. The answers are those that a check of a file gives, from the same tables.
//! Read on in `crate::table` for the words of other platforms.

use starform_contract::ServiceKind;

use crate::ide::annotation_doc;
use crate::table::{self, NodeSpec, foreign_nodes, instead_anywhere};
use crate::vars::Output;

/// What is known of a word that is no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// A sentence without a full stop.
    pub said: String,
    /// The node that it is called here, where there is one.
    pub node: Option<&'static str>,
}

/// `None` where no table knows the word.
pub fn elsewhere(word: &str) -> Option<Elsewhere> {
    let only = |said: String| Elsewhere { said, node: None };
    annotation_doc(word)
        .map(|doc| only(format!("`({word})` stands before a value in `vars`: {doc}")))
        .or_else(|| output(word).map(only))
        .or_else(|| counterpart(word))
        .or_else(|| property(word).map(only))
        .or_else(|| instead_anywhere(word).map(|help| only(format!("`{word}`: {help}"))))
}

/// An output of services, or `self`, which stands for the service that speaks.
fn output(word: &str) -> Option<String> {
    let all = Output::of(ServiceKind::Web);
    if word == "self" {
        let names: Vec<&str> = all.iter().map(|output| output.as_str()).collect();
        let names = names.join(", ");
        return Some(format!(
            "`self` stands for the service itself, as in `(ref)\"self.port\"`; outputs are {names}"
        ));
    }
    let output = all.iter().find(|output| output.as_str() == word)?;
    let of_web = !Output::of(ServiceKind::Private).contains(output);
    let whose = if of_web {
        "web services"
    } else {
        "web and private services"
    };
    Some(format!(
        "`{word}` is an output of {whose}, written `(ref)\"SERVICE.{word}\"` in `vars`: {}",
        output.doc()
    ))
}

/// Nodes of a service come first: most words are looked for there.
fn counterpart(word: &str) -> Option<Elsewhere> {
    let mut specs: Vec<&NodeSpec> = table::nodes()
        .filter(|spec| foreign_nodes(word).any(|name| name == spec.name()))
        .collect();
    specs.sort_by_key(|spec| !spec.is_inside_services());
    let mut names: Vec<&'static str> = Vec::new();
    for spec in specs {
        if !names.contains(&spec.name()) {
            names.push(spec.name());
        }
    }
    let first = names.first().copied()?;
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Some(Elsewhere {
        said: format!("`{word}` is written {}", listed.join(" or ")),
        node: Some(first),
    })
}

fn property(word: &str) -> Option<String> {
    let spec = table::nodes().find(|spec| spec.prop(word).is_some())?;
    let node = spec.name();
    Some(format!(
        "`{word}=` is a property, such as that of `{node}`: `starform explain {node}` shows it"
    ))
}
