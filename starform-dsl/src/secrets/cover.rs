//! Takes credentials out of the words of diagnostics, also where only a part of one or another spelling is shown.
//! Pure. Of a place that a diagnostic speaks of, no run of [`RUN`] bytes of a credential stays in its words.
//! Read on in `super` for what is a credential.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{HIDDEN, Secret};
use crate::diag::{Diagnostic, Fix};
use crate::source::{SourceTree, Span};
use crate::syntax::quoted;

/// Bytes of a part of a secret that give it away, where the part is quoted or cut.
const SHORTEST_PART: usize = 4;

/// Bytes of a part of a secret that are hidden wherever they stand.
const RUN: usize = WINDOW + STRIDE - 1;

/// Bytes of a secret that are looked up at once.
const WINDOW: usize = 8;

/// Not every window of a secret is kept, since of a large one that would take much room.
const STRIDE: usize = 4;

/// Parts every two spellings in the text that is searched; words of a diagnostic do not hold it.
const BORDER: char = '\0';

/// Takes what stands at the places out of titles, labels, notes, helps and fixes.
pub(crate) fn cover(diagnostics: &mut [Diagnostic], secrets: &[Secret], sources: &SourceTree) {
    if secrets.is_empty() {
        return;
    }
    let touched: Vec<Vec<Range<usize>>> = diagnostics
        .iter()
        .map(|diagnostic| touched(diagnostic, secrets))
        .collect();
    let spelled = Spelled::of(secrets, &merged(&touched), sources);
    for (diagnostic, touched) in diagnostics.iter_mut().zip(touched) {
        for near in touched {
            conceal(diagnostic, &spelled.part(&near));
        }
    }
}

/// Every spelling of the secrets that some diagnostic touches.
struct Spelled {
    /// All of them, each between two borders.
    text: String,
    /// Where the spellings of each secret begin in the text, and where those of the last one end.
    starts: Vec<usize>,
    /// Windows of the text and where they begin, sorted.
    windows: Vec<(u64, usize)>,
    /// Spellings that are too short to have a run, with the place of their secret in the text, sorted.
    short: Vec<(Short, usize)>,
    /// How long they are, each once.
    lengths: BTreeSet<usize>,
}

/// A text of fewer than [`RUN`] bytes as a number: of the many that are compared, none takes a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Short(u128);

impl Short {
    fn of(text: &str) -> Option<Self> {
        if text.len() >= RUN {
            return None;
        }
        let mut bytes = [0; size_of::<u128>()];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        // The length keeps a text apart from one that goes on with a zero.
        bytes[RUN] = u8::try_from(text.len()).ok()?;
        Some(Self(u128::from_be_bytes(bytes)))
    }
}

fn window(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// The spellings of a few neighbouring secrets.
struct Part<'a> {
    spelled: &'a Spelled,
    /// In the text of all.
    range: Range<usize>,
}

impl Spelled {
    fn of(secrets: &[Secret], touched: &[Range<usize>], sources: &SourceTree) -> Spelled {
        let mut spelled = Spelled {
            text: String::from(BORDER),
            starts: Vec::with_capacity(secrets.len() + 1),
            windows: Vec::new(),
            short: Vec::new(),
            lengths: BTreeSet::new(),
        };
        let mut touched = touched.iter().peekable();
        for (index, secret) in secrets.iter().enumerate() {
            let start = spelled.text.len();
            spelled.starts.push(start);
            while touched.next_if(|range| range.end <= index).is_some() {}
            if !touched.peek().is_some_and(|range| range.contains(&index)) {
                continue;
            }
            for spelling in spellings(secret, sources) {
                if let Some(short) = Short::of(&spelling) {
                    spelled.short.push((short, start));
                    spelled.lengths.insert(spelling.len());
                }
                spelled.text.push_str(&spelling);
                spelled.text.push(BORDER);
            }
        }
        spelled.starts.push(spelled.text.len());
        let windows = spelled.text.as_bytes().windows(WINDOW).enumerate();
        spelled.windows = windows
            .step_by(STRIDE)
            .filter_map(|(at, bytes)| Some((window(bytes)?, at)))
            .collect();
        spelled.windows.sort_unstable();
        spelled.short.sort_unstable();
        spelled
    }

    fn part(&self, secrets: &Range<usize>) -> Part<'_> {
        Part {
            spelled: self,
            range: self.starts[secrets.start]..self.starts[secrets.end],
        }
    }
}

impl Part<'_> {
    /// The words without the secrets, if they hold any.
    fn hidden(&self, words: &str) -> Option<String> {
        let mut found = self.runs(words);
        found.extend(self.short(words));
        found.extend(self.quoted(words));
        found.extend(self.cut(words));
        if found.is_empty() {
            return None;
        }
        found.sort_unstable_by_key(|range| (range.start, range.end));
        let mut shown = String::with_capacity(words.len());
        let mut done = 0;
        for range in found {
            if range.start >= done {
                let between = &words[done..range.start];
                // What stood side by side is one secret; what was cut needs no second sign.
                if done == 0 || !between.is_empty() {
                    shown.push_str(between);
                    shown.push_str(HIDDEN);
                }
            }
            done = done.max(range.end);
        }
        let rest = &words[done..];
        shown.push_str(rest.strip_prefix(HIDDEN).unwrap_or(rest));
        Some(shown)
    }

    /// Runs that a secret has too, up to the ends of their words.
    fn runs(&self, words: &str) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        let bytes = words.as_bytes();
        for (at, bytes) in bytes.windows(WINDOW).enumerate() {
            if window(bytes).is_some_and(|window| self.has_window(window)) {
                match runs.last_mut() {
                    Some(last) if at <= last.end => last.end = at + WINDOW,
                    Some(_) | None => runs.push(at..at + WINDOW),
                }
            }
        }
        let grown = |run: Range<usize>| {
            let before = bytes[..run.start].iter().rposition(ends_word);
            let after = bytes[run.end..].iter().position(ends_word);
            let start = before.map_or(0, |at| at + 1);
            start..after.map_or(bytes.len(), |at| run.end + at)
        };
        runs.into_iter().map(grown).collect()
    }

    fn has_window(&self, window: u64) -> bool {
        let windows = &self.spelled.windows;
        let first = windows.partition_point(|known| *known < (window, self.range.start));
        windows
            .get(first)
            .is_some_and(|(own, at)| *own == window && *at < self.range.end)
    }

    /// Whole secrets without a run; of a few characters only where they are a word.
    fn short(&self, words: &str) -> Vec<Range<usize>> {
        let lengths = &self.spelled.lengths;
        let parts = (0..words.len())
            .filter(|at| words.is_char_boundary(*at))
            .flat_map(|at| lengths.iter().map(move |length| at..at + length));
        parts
            .filter(|range| {
                words.get(range.clone()).is_some_and(|text| {
                    self.has_short(text) && (text.len() >= SHORTEST_PART || is_word(words, range))
                })
            })
            .collect()
    }

    fn has_short(&self, text: &str) -> bool {
        let known = &self.spelled.short;
        Short::of(text).is_some_and(|short| {
            let first = known.partition_point(|known| *known < (short, self.range.start));
            known
                .get(first)
                .is_some_and(|(own, at)| *own == short && *at < self.range.end)
        })
    }

    /// Quoted parts of a secret, such as the word of a reference that is none.
    fn quoted(&self, words: &str) -> Vec<Range<usize>> {
        let ticks: Vec<usize> = words.match_indices('`').map(|(at, _)| at).collect();
        let quoted = ticks.chunks_exact(2).map(|pair| pair[0] + 1..pair[1]);
        quoted
            .filter(|range| {
                let part = words[range.clone()].trim_end_matches(HIDDEN);
                part.len() >= SHORTEST_PART && self.text().contains(part)
            })
            .collect()
    }

    /// Beginnings of a secret where a text was cut.
    fn cut(&self, words: &str) -> Vec<Range<usize>> {
        let before = |(end, _): (usize, &str)| {
            (SHORTEST_PART..RUN).rev().find_map(|length| {
                let start = end.checked_sub(length)?;
                let part = words.get(start..end)?;
                let beginning = format!("{BORDER}{part}");
                self.text().contains(&beginning).then_some(start..end)
            })
        };
        words.match_indices(HIDDEN).filter_map(before).collect()
    }

    /// With the border before the first spelling.
    fn text(&self) -> &str {
        &self.spelled.text[self.range.start - BORDER.len_utf8()..self.range.end]
    }
}

/// Whether a byte parts words, and with them what is one secret and what is not.
fn ends_word(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'`' | b'"' | b'=' | b'(' | b')' | b'{' | b'}')
}

fn is_word(words: &str, range: &Range<usize>) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    !words[..range.start].ends_with(in_word) && !words[range.end..].starts_with(in_word)
}

/// How a secret may stand in the words of a diagnostic: as it is written, as it is meant, and either in quotes.
fn spellings(secret: &Secret, sources: &SourceTree) -> Vec<String> {
    let raw = sources.text(secret.span);
    let bare = raw.trim().trim_matches(['"', '\'', '#']);
    let mut found: Vec<String> = pieces(raw).map(str::to_owned).collect();
    for text in [bare, secret.text.as_deref().unwrap_or(bare)] {
        let in_quotes = quoted(text);
        found.push(in_quotes.trim_matches('"').to_owned());
        found.push(text.to_owned());
    }
    found.retain(|spelling| !spelling.is_empty());
    found.sort_unstable();
    found.dedup();
    found
}

/// The text of a value without its quotes; of a list in brackets, that of each of its values.
fn pieces(raw: &str) -> impl Iterator<Item = &str> {
    let list: &[char] = if raw.starts_with('[') {
        &['[', ']', ',']
    } else {
        &[]
    };
    raw.split(list)
        .map(|piece| piece.trim().trim_matches(['"', '\'', '#']))
}

/// The secrets at the places that a diagnostic speaks of, without those that follow from another range.
fn touched(diagnostic: &Diagnostic, secrets: &[Secret]) -> Vec<Range<usize>> {
    let labels = diagnostic.labels.iter().map(|label| label.span);
    let edits = diagnostic.fixes.iter().flat_map(|fix| &fix.edits);
    let places = std::iter::once(diagnostic.primary.span)
        .chain(labels)
        .chain(edits.map(|edit| edit.span));
    let near: Vec<Range<usize>> = places.map(|place| near(secrets, place)).collect();
    merged(&[near])
}

/// The secrets that overlap or touch a place. They are sorted and do not overlap each other.
fn near(secrets: &[Secret], place: Span) -> Range<usize> {
    let first = secrets.partition_point(|Secret { span, .. }| {
        (span.file, span.range.end()) < (place.file, place.range.start())
    });
    let after = secrets.partition_point(|Secret { span, .. }| {
        (span.file, span.range.start()) <= (place.file, place.range.end())
    });
    first..after.max(first)
}

/// Sorted, apart from each other and not empty.
fn merged(ranges: &[Vec<Range<usize>>]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = ranges.iter().flatten().cloned().collect();
    all.retain(|range| !range.is_empty());
    all.sort_unstable_by_key(|range| (range.start, range.end));
    all.dedup_by(|next, kept| {
        let joined = next.start <= kept.end;
        if joined {
            kept.end = kept.end.max(next.end);
        }
        joined
    });
    all
}

fn conceal(diagnostic: &mut Diagnostic, secrets: &Part<'_>) {
    let hide = |words: &mut String| {
        if let Some(hidden) = secrets.hidden(words) {
            *words = hidden;
        }
    };
    hide(&mut diagnostic.title);
    hide(&mut diagnostic.primary.text);
    diagnostic
        .labels
        .iter_mut()
        .for_each(|label| hide(&mut label.text));
    diagnostic.notes.iter_mut().for_each(hide);
    diagnostic.help.iter_mut().for_each(hide);
    let shows = |text: &str| !secrets.runs(text).is_empty() || !secrets.short(text).is_empty();
    let repeats = |fix: &Fix| shows(&fix.title) || fix.edits.iter().any(|edit| shows(&edit.text));
    diagnostic.fixes.retain(|fix| !repeats(fix));
}
