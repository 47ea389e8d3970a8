//! What a word that is not known may mean: by its spelling, or by what other platforms call it.
//! Pure. How near two spellings are is said in `starform_contract::spelling`.
//! Read on in `alias` and `instead` for the words of others, in `crate::lower` for the messages.

pub use starform_contract::spelling::closest;
use starform_contract::spelling::fold;

use super::Place;
use super::alias::{self, Alias};
use super::instead::{INSTEAD, Instead};

/// What other platforms call a node that is called otherwise here.
pub fn node_aliases() -> &'static [Alias] {
    alias::NODES
}

/// What other platforms call a property that is called otherwise here.
pub fn property_aliases() -> &'static [Alias] {
    alias::PROPERTIES
}

/// What other platforms call the words that properties and arguments take.
pub fn value_aliases() -> &'static [Alias] {
    alias::VALUES
}

/// Words of other platforms that nothing is called here.
pub fn without_counterpart() -> &'static [Instead] {
    INSTEAD
}

/// The node of `candidates` that another platform calls `word`.
pub fn foreign_node<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    counterpart(alias::NODES, word, candidates)
}

/// Every node that another platform calls `word`.
pub fn foreign_nodes(word: &str) -> impl Iterator<Item = &'static str> {
    let wanted = fold(word);
    alias::NODES
        .iter()
        .filter(move |alias| alias.words.iter().any(|known| fold(known) == wanted))
        .map(|alias| alias.ours)
}

/// The property of `candidates` that another platform calls `word`.
pub fn foreign_property<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    counterpart(alias::PROPERTIES, word, candidates)
}

/// The word of `candidates` that another platform calls `word`.
pub fn foreign_value<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    counterpart(alias::VALUES, word, candidates)
}

/// What is done in `place` instead of what `word` does elsewhere.
pub fn instead_of(word: &str, place: Place) -> Option<&'static str> {
    let wanted = fold(word);
    let row = INSTEAD.iter().find(|row| {
        row.places.contains(&place) && row.words.iter().any(|known| fold(known) == wanted)
    })?;
    Some(row.help)
}

/// What is done instead of what `word` does elsewhere, in a service if it is one of the places.
pub fn instead_anywhere(word: &str) -> Option<&'static str> {
    let places = [
        Place::Service,
        Place::Project,
        Place::Environment,
        Place::Root,
    ];
    places.into_iter().find_map(|place| instead_of(word, place))
}

/// Whether two words differ in case, `_` and `-` at most.
pub(crate) fn is_same_word(one: &str, other: &str) -> bool {
    fold(one) == fold(other)
}

fn counterpart<'c>(
    aliases: &[Alias],
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let wanted = fold(word);
    let called = |ours: &str| {
        aliases
            .iter()
            .filter(|alias| alias.ours == ours)
            .any(|alias| alias.words.iter().any(|known| fold(known) == wanted))
    };
    candidates.into_iter().find(|candidate| called(candidate))
}
