//! Which of several names a misspelt one may mean.
//!
//! Pure. Always holds: a name is near at a Damerau–Levenshtein distance of at most a third of the word,
//! case and `_`/`-` folded.

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

/// What to say of a name that nothing has: the one that it is like, and all that there are.
pub fn instead(word: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match closest(word, known.iter().copied()) {
        _ if known.is_empty() => "there is none yet".to_owned(),
        None => format!("there is {all}"),
        Some(near) if known.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? There is {all}"),
    }
}

/// What two spellings of one word have in common.
pub fn fold(word: &str) -> Vec<char> {
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
