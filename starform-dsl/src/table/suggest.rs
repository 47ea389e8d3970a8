//! What a word that is not known may mean: by its spelling, or by what other platforms call it.
//! Pure. Spelling: Damerau–Levenshtein distance of at most a third of the word, case and `_`/`-` folded.
//! Read on in `alias` and `instead` for the words of others, in `crate::lower` for the messages.

use super::Place;
use super::alias::{self, Alias};
use super::instead::{INSTEAD, Instead};

/// The candidate that is spelled most like `word`, if one is close enough.
pub fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = fold(word);
    let most = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            (folded.len().abs_diff(wanted.len()) <= most)
                .then(|| (distance(&wanted, &folded), candidate))
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

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

fn fold(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| *c != '-' && *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Damerau–Levenshtein distance, adjacent transpositions only.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for (i, &x) in a.iter().enumerate() {
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = last[j] + usize::from(x != y);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}
