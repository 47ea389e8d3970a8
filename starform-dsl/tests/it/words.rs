//! Words of other platforms: each is told what it is called here, or what is done instead, wherever it is offered.
//! Pure.
//! Read on in `starform_dsl::table` for the words as data, and in `golden/ui` for whole files of other platforms.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::ServiceKind;
use starform_dsl::compile;
use starform_dsl::diag::Diagnostic;
use starform_dsl::source::SourceTree;
use starform_dsl::table::{
    self, Alias, Block, NodeSpec, Place, Type, foreign_node, foreign_property, foreign_value,
    instead_of, node_aliases, property_aliases, valid_in, value_aliases, without_counterpart,
};

const PLACES: [Place; 9] = [
    Place::Root,
    Place::Project,
    Place::Environment,
    Place::Partial,
    Place::Service,
    Place::ServiceIn,
    Place::Health,
    Place::Domain,
    Place::Build,
];

/// As words are compared.
fn folded(word: &str) -> String {
    word.replace(['-', '_'], "").to_lowercase()
}

/// As most platforms write it: `stop-grace-period` becomes `stopGracePeriod`.
fn camel_case(word: &str) -> String {
    let mut parts = word.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |word, part| {
        let (initial, rest) = part.split_at(1);
        word + &initial.to_uppercase() + rest
    })
}

/// A project with `inner` in a place.
fn within(place: Place, inner: &str) -> String {
    let service = |inner: &str| format!("web it {{ image \"a/b:1\"; port 1; {inner}; }}");
    let project = |inner: &str| format!("project p {{ environment e branch=main; {inner}; }}");
    match place {
        Place::Root => format!("project p {{ environment e branch=main; }}\n{inner}"),
        Place::Project => project(inner),
        Place::Environment => {
            format!("project p {{ environment e branch=main {{ {inner}; }}; }}")
        }
        Place::Group => project(&format!("var-group g {{ {inner}; }}")),
        Place::Partial => project(&format!("partial g {{ {inner}; }}")),
        Place::Service => project(&service(inner)),
        Place::ServiceIn => project(&service(&format!("in e {{ {inner}; }}"))),
        Place::Health => project(&service(&format!("health {{ {inner}; }}"))),
        Place::Domain => project(&service(&format!("domain \"a.b\" {{ {inner}; }}"))),
        Place::Build => project(&format!("web it {{ port 1; build {{ {inner}; }}; }}")),
    }
}

/// What is said about the word that stands first in `inner`.
fn said(place: Place, word: &str, inner: &str) -> Vec<Diagnostic> {
    let text = within(place, inner);
    let sources = SourceTree::single("starform.kdl", &text);
    let all = compile(&sources).diagnostics;
    all.into_iter()
        .filter(|one| sources.text(one.primary.span) == word)
        .collect()
}

fn help(said: &[Diagnostic]) -> Option<&str> {
    match said {
        [one] => one.help.as_deref(),
        _ => None,
    }
}

#[test]
fn every_word_is_told_its_counterpart_where_that_is_valid() {
    let mut offered = 0;
    for alias in node_aliases() {
        for &word in alias.words {
            let places = PLACES
                .into_iter()
                .filter(|place| valid_in(*place).contains(&alias.ours))
                .filter(|place| table::find(*place, word).is_none());
            for place in places {
                offered += 1;
                for spelling in [word.replace('-', "_"), camel_case(word)] {
                    let said = said(place, &spelling, &spelling);
                    let wanted = format!("`{}`", alias.ours);
                    assert!(
                        help(&said).is_some_and(|help| help.contains(&wanted)),
                        "{spelling} in {place:?} is not told {wanted}: {said:?}"
                    );
                    let of_web = !matches!(place, Place::Service | Place::ServiceIn)
                        || table::find(place, alias.ours)
                            .is_some_and(|spec| spec.kinds.contains(&ServiceKind::Web));
                    assert_eq!(said[0].fixes.len(), usize::from(of_web), "{spelling}");
                }
            }
        }
    }
    assert!(offered > 250, "{offered}");
}

#[test]
fn every_word_without_a_counterpart_is_told_what_to_do_where_it_is_met() {
    for row in without_counterpart() {
        for &word in row.words {
            for &place in row.places {
                let camel = camel_case(word);
                let said = said(place, &camel, &camel);
                assert_eq!(help(&said), Some(row.help), "{word} in {place:?}: {said:?}");
            }
        }
    }
}

#[test]
fn every_counterpart_is_a_node_or_a_property() {
    let nodes: BTreeSet<&str> = table::nodes()
        .filter(|spec| spec.availability.is_usable())
        .map(|spec| spec.name())
        .collect();
    let properties: BTreeSet<&str> = table::nodes()
        .flat_map(|spec| spec.props)
        .map(|prop| prop.name)
        .collect();
    for (aliases, known) in [(node_aliases(), nodes), (property_aliases(), properties)] {
        let ours: Vec<&str> = aliases.iter().map(|alias| alias.ours).collect();
        let unknown: Vec<&&str> = ours.iter().filter(|word| !known.contains(*word)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(ours.len(), ours.iter().collect::<BTreeSet<_>>().len());
    }
}

/// One word means one thing in one place, and nothing that stands there already.
#[test]
fn no_word_means_two_things_in_one_place() {
    let mut twice = Vec::new();
    for place in PLACES {
        let here = valid_in(place);
        let title = format!("{place:?}");
        twice.extend(ambiguous(node_aliases(), &here, &title));
        for row in without_counterpart() {
            for word in row.words.iter().filter(|_| row.places.contains(&place)) {
                let counterpart = foreign_node(word, here.iter().copied());
                let first = instead_of(word, place) == Some(row.help);
                if counterpart.is_some() || table::find(place, word).is_some() || !first {
                    twice.push(format!("{word} in {title}: a hint and {counterpart:?}"));
                }
            }
        }
    }
    for spec in table::nodes() {
        let here: Vec<&str> = spec.props.iter().map(|prop| prop.name).collect();
        twice.extend(ambiguous(property_aliases(), &here, spec.name()));
    }
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

fn ambiguous(aliases: &[Alias], here: &[&str], place: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut twice = Vec::new();
    for alias in aliases.iter().filter(|alias| here.contains(&alias.ours)) {
        for word in alias.words {
            if here.iter().any(|known| folded(known) == folded(word)) {
                twice.push(format!("{word} in {place} is known there"));
            }
            if let Some(before) = seen.insert(folded(word), alias.ours) {
                twice.push(format!("{word} in {place}: {before} and {}", alias.ours));
            }
        }
    }
    twice
}

#[test]
fn every_property_of_others_is_told_its_counterpart() {
    let mut offered = 0;
    for spec in table::nodes().filter(|spec| spec.availability.is_usable()) {
        for alias in property_aliases() {
            if spec.prop(alias.ours).is_none() {
                continue;
            }
            let words = alias.words.iter().filter(|word| spec.prop(word).is_none());
            for &word in words.filter(|word| !is_inner(spec, word)) {
                offered += 1;
                let names = spec.props.iter().map(|prop| prop.name);
                assert_eq!(foreign_property(word, names), Some(alias.ours));
                let camel = camel_case(word);
                let said = said(
                    spec.places[0],
                    &camel,
                    &format!("{} {camel}=1", spec.name()),
                );
                let wanted = format!("did you mean `{}`?", alias.ours);
                let of_word: Vec<&Diagnostic> = said
                    .iter()
                    .filter(|one| one.code.to_string() != "SF2014")
                    .collect();
                let told = of_word
                    .iter()
                    .any(|one| one.help.as_deref() == Some(&wanted));
                let elsewhere = !spec.kinds.contains(&ServiceKind::Web);
                assert!(told || elsewhere, "{} {word}=: {said:?}", spec.name());
            }
        }
    }
    assert!(offered > 100, "{offered}");
}

/// Whether a node of this name stands inside.
fn is_inner(spec: &NodeSpec, word: &str) -> bool {
    match spec.block {
        Block::Of(place) => table::find(place, word).is_some(),
        Block::None | Block::Variables => false,
    }
}

/// What a hint names in backquotes exists: nodes with their properties, values of variables, commands.
#[test]
fn hints_name_only_what_exists() {
    for row in without_counterpart() {
        let code: Vec<&str> = row.help.split('`').skip(1).step_by(2).collect();
        for code in code {
            let first = code.split([' ', '=']).next().unwrap_or_default();
            let known = table::first_named(first).is_some()
                || table::nodes().any(|spec| spec.prop(first).is_some())
                || code.contains("(secret)")
                || code.contains("(ref)")
                || ["x-", "STOPSIGNAL", "starform"].contains(&first);
            assert!(known, "`{code}` in: {}", row.help);
        }
    }
}

#[test]
fn the_vocabulary_is_large() {
    let words: BTreeSet<String> = node_aliases()
        .iter()
        .chain(property_aliases())
        .flat_map(|alias| alias.words)
        .chain(without_counterpart().iter().flat_map(|row| row.words))
        .map(|word| folded(word))
        .collect();
    assert!(words.len() >= 400, "only {} words", words.len());
}

#[test]
fn every_value_of_others_is_told_its_counterpart() {
    let mut told = BTreeSet::new();
    let args = |spec: &NodeSpec| spec.args.at(0).map(|arg| arg.ty);
    for spec in table::nodes() {
        let types = spec.props.iter().map(|prop| prop.ty).chain(args(spec));
        for ty in types {
            let Type::OneOf(words) = ty else { continue };
            let here = value_aliases()
                .iter()
                .filter(|one| words.contains(&one.ours));
            for alias in here.clone() {
                told.insert(alias.ours);
                for word in alias.words.iter().filter(|word| !words.contains(word)) {
                    let found = foreign_value(word, words.iter().copied());
                    assert_eq!(found, Some(alias.ours), "{word} in {}", spec.name());
                }
            }
            let twice = ambiguous(value_aliases(), words, spec.name());
            assert!(twice.is_empty(), "{twice:?}");
        }
    }
    assert_eq!(
        told.len(),
        value_aliases().len(),
        "a word that nothing takes"
    );
}
