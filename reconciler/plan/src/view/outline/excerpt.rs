//! Texts that are too long for the short form: of two the part around what differs, of one its beginning.
//!
//! Pure. Always holds: what is left out is counted, in words that stand outside of the quotes; of two texts the
//! same is left out in front and, as far as they are equal, behind.

use std::borrow::Cow;

use serde_json::Value;

use crate::view::values;

/// A text of more characters is not told whole.
const LONG: usize = 400;
/// Characters told on either side of what differs.
const AROUND: usize = 40;
/// Characters told of what differs, or of a text alone.
const MOST: usize = 200;

/// What is told of a text, and how many characters stand before and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excerpt<'a> {
    pub(super) before: usize,
    pub(super) text: &'a str,
    pub(super) after: After,
}

/// What follows an excerpt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// So many characters that the other text has too.
    Equal(usize),
    /// So many that it has not, or where there is no other text.
    More(usize),
}

pub(super) fn is_long(text: &str) -> bool {
    // No character takes more bytes than four.
    text.len() > LONG && text.chars().nth(LONG).is_some()
}

pub(super) fn is_long_value(value: &Value) -> bool {
    !values::is_within(value, LONG)
}

/// `"the beginning" (19800 more characters)`
pub(super) fn of_value(value: &Value) -> String {
    quoted(head(&raw(value)))
}

/// Both sides, each as `(9940 equal characters) "the part that differs" (10019 equal characters)`.
pub(super) fn of_values(before: &Value, after: &Value) -> (String, String) {
    let (before, after) = (raw(before), raw(after));
    let (before, after) = between(&before, &after);
    (quoted(before), quoted(after))
}

pub(super) fn head(text: &str) -> Excerpt<'_> {
    let end = skip(text, MOST);
    Excerpt {
        before: 0,
        text: &text[..end],
        after: After::More(count(&text[end..])),
    }
}

/// The same window of two texts: it begins shortly before the first difference and ends shortly behind the last, or
/// before that where too much differs.
pub(super) fn between<'a>(before: &'a str, after: &'a str) -> (Excerpt<'a>, Excerpt<'a>) {
    let pairs = before.chars().zip(after.chars());
    let equal = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8());
    let differs_at: usize = equal.sum();
    let (old, new) = (&before[differs_at..], &after[differs_at..]);
    let pairs = old.chars().rev().zip(new.chars().rev());
    let equal = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8());
    let equal: usize = equal.sum();
    let start = back(before, differs_at, AROUND);
    let side = |text: &'a str| {
        let behind = text.len() - equal;
        let before = count(&text[..start]);
        let most = differs_at + skip(&text[differs_at..], MOST);
        let (end, after) = if most < behind {
            (most, After::More(count(&text[most..])))
        } else {
            let end = behind + skip(&text[behind..], AROUND);
            (end, After::Equal(count(&text[end..])))
        };
        Excerpt {
            before,
            text: &text[start..end],
            after,
        }
    };
    (side(before), side(after))
}

impl Excerpt<'_> {
    /// `9940 equal characters`
    pub(super) fn in_front(self) -> Option<String> {
        equal(self.before)
    }

    pub(super) fn behind(self) -> Option<String> {
        match self.after {
            After::Equal(number) => equal(number),
            After::More(number) => (number > 0).then(|| values::count(number, "more character")),
        }
    }
}

fn equal(number: usize) -> Option<String> {
    (number > 0).then(|| values::count(number, "equal character"))
}

fn quoted(excerpt: Excerpt<'_>) -> String {
    let told = values::quoted(excerpt.text);
    let in_front = excerpt.in_front().map(|words| format!("({words}) "));
    let behind = excerpt.behind().map(|words| format!(" ({words})"));
    format!(
        "{}{told}{}",
        in_front.unwrap_or_default(),
        behind.unwrap_or_default()
    )
}

/// A string itself, of another value how it is written.
fn raw(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Cow::Owned(values::inline(value))
        }
    }
}

fn count(text: &str) -> usize {
    text.chars().count()
}

/// Where so many characters end, or the text does.
fn skip(text: &str, characters: usize) -> usize {
    let mut places = text.char_indices();
    places.nth(characters).map_or(text.len(), |(at, _)| at)
}

/// So many characters before a place.
fn back(text: &str, place: usize, characters: usize) -> usize {
    let mut places = text[..place].char_indices().rev();
    match characters.checked_sub(1) {
        Some(last) => places.nth(last).map_or(0, |(at, _)| at),
        None => place,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn left_out(told: Excerpt<'_>) -> usize {
        let (After::Equal(behind) | After::More(behind)) = told.after;
        told.before + behind
    }

    proptest! {
        #[test]
        fn what_is_left_out_is_counted_and_a_difference_is_told(
            start in "[aé]{0,300}", old in "[ax設]{0,400}", new in "[ay設]{0,400}", end in "[aé]{0,300}",
        ) {
            let (before, after) = (format!("{start}{old}{end}"), format!("{start}{new}{end}"));
            let (one, other) = between(&before, &after);
            prop_assert_eq!(one.before, other.before);
            for (whole, told) in [(&before, one), (&after, other)] {
                prop_assert!(whole.contains(told.text));
                prop_assert!(count(told.text) <= MOST + 2 * AROUND);
                prop_assert_eq!(left_out(told) + count(told.text), count(whole));
            }
            prop_assert_eq!(before == after, one == other);
            let alone = head(&before);
            prop_assert_eq!(left_out(alone) + count(alone.text), count(&before));
        }
    }
}
