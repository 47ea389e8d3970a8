//! Lines of a terminal: styled text, wrapped at a width, with a place at the right or beneath.
//!
//! Pure. Always holds: no line is wider than the page (a single word that is wider is broken), but the
//! one that asks not to be broken; without colour no escape sequence is written; what is written has
//! passed [`values`].

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::view::values;

/// How a piece of text looks; only where colour is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
    Magenta,
    Cyan,
}

/// Pieces of one logical line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pieces: Vec<(Paint, String)>,
    /// Holds a user's text: where it goes on is marked, so that no part of it looks like a line.
    is_users: bool,
}

/// Before what goes on of a user's text, in two columns that are ours.
const GOES_ON: &str = "↳";

/// Where a line goes on that does not fit.
#[derive(Clone, Copy)]
struct Hanging {
    column: usize,
    is_marked: bool,
}

pub(crate) struct Page {
    width: usize,
    color: bool,
    out: String,
}

/// Narrower pages would break every word.
const NARROWEST: usize = 40;

impl Paint {
    /// The parameter of Select Graphic Rendition (ECMA-48).
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Green => Some("32"),
            Self::Yellow => Some("33"),
            Self::Red => Some("31"),
            Self::Magenta => Some("35"),
            Self::Cyan => Some("36"),
        }
    }
}

impl Text {
    pub(crate) fn new(paint: Paint, text: impl Into<String>) -> Self {
        Self::default().and(paint, text)
    }

    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(Paint::Plain, text)
    }

    #[must_use]
    pub(crate) fn and(mut self, paint: Paint, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.pieces.push((paint, text));
        }
        self
    }

    #[must_use]
    pub(crate) fn of_user(mut self) -> Self {
        self.is_users = true;
        self
    }

    /// With spaces up to `width` columns.
    #[must_use]
    pub(crate) fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.and(Paint::Plain, " ".repeat(missing))
    }

    #[must_use]
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self.is_users |= other.is_users;
        self
    }

    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }
}

impl Page {
    pub(crate) fn new(width: usize, color: bool) -> Self {
        Self {
            width: width.max(NARROWEST),
            color,
            out: String::new(),
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Where the next line begins, for [`Page::holds_since`].
    pub(crate) fn position(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn holds_since(&self, position: usize, c: char) -> bool {
        self.out[position..].contains(c)
    }

    pub(crate) fn lines_since(&self, position: usize) -> usize {
        self.out[position..].matches('\n').count()
    }

    pub(crate) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// A line at `indent`; what does not fit goes on at `hanging`.
    pub(crate) fn line(&mut self, indent: usize, hanging: usize, text: &Text) {
        let mut column = self.start(indent);
        let mut fresh = true;
        let again = Hanging {
            column: hanging,
            is_marked: text.is_users && hanging >= 2,
        };
        for (paint, piece) in &text.pieces {
            for word in words(piece) {
                let width = word.trim_end().width();
                // A word that no line can hold is broken where it stands.
                let fits_below = hanging + width <= self.width;
                if !fresh && fits_below && column + width > self.width {
                    self.end();
                    column = self.start_again(again);
                }
                column = self.word(word, *paint, column, again);
                fresh = false;
            }
        }
        self.end();
    }

    /// A line that is read by programs too, so it stays one line on any page.
    pub(crate) fn unbroken(&mut self, paint: Paint, text: &str) {
        self.painted(text, paint);
        self.end();
    }

    /// As [`Page::line`], with `place` at the right edge if there is room, else without.
    pub(crate) fn line_beside(
        &mut self,
        indent: usize,
        hanging: usize,
        text: &Text,
        place: Option<&str>,
    ) {
        let fits = |place: &&str| indent + text.width() + 2 + place.width() <= self.width;
        self.placed(indent, hanging, text, place.filter(fits));
    }

    /// As [`Page::line`], with `place` at the right edge, or beneath where there is no room.
    pub(crate) fn placed(
        &mut self,
        indent: usize,
        hanging: usize,
        text: &Text,
        place: Option<&str>,
    ) {
        let Some(place) = place else {
            return self.line(indent, hanging, text);
        };
        let place = values::visible(place);
        let used = indent + text.width() + 2 + place.width();
        if used <= self.width {
            let gap = self.width - used + 2;
            let text = text.clone().and(Paint::Plain, " ".repeat(gap));
            self.line(indent, hanging, &text.and(Paint::Dim, place));
        } else {
            self.line(indent, hanging, text);
            let room = self.width.saturating_sub(hanging);
            let gap = room.saturating_sub(place.width());
            self.line(hanging + gap, hanging, &Text::new(Paint::Dim, place));
        }
    }

    fn start(&mut self, indent: usize) -> usize {
        self.out.push_str(&" ".repeat(indent));
        indent
    }

    fn start_again(&mut self, hanging: Hanging) -> usize {
        if hanging.is_marked {
            self.start(hanging.column - 2);
            self.painted(GOES_ON, Paint::Dim);
            self.out.push(' ');
            hanging.column
        } else {
            self.start(hanging.column)
        }
    }

    /// Without spaces at the end of a line.
    fn end(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// Writes a word with the spaces after it. One that is wider than a line is broken, after a
    /// separator where it has one.
    fn word(&mut self, word: &str, paint: Paint, mut column: usize, hanging: Hanging) -> usize {
        let text = word.trim_end_matches(' ');
        let mut piece = String::new();
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            if column + width > self.width && column > hanging.column {
                let at = break_at(&piece);
                // What would go down has to fit there, with this character.
                let below = hanging.column + piece[at..].width() + width;
                let rest = piece.split_off(if below > self.width { piece.len() } else { at });
                self.painted(&piece, paint);
                self.end();
                column = self.start_again(hanging) + rest.width();
                piece = rest;
            }
            piece.push(c);
            column += width;
        }
        self.painted(&piece, paint);
        let spaces = word.len() - text.len();
        self.out.push_str(&" ".repeat(spaces));
        column + spaces
    }

    fn painted(&mut self, text: &str, paint: Paint) {
        match paint.code().filter(|_| self.color && !text.is_empty()) {
            Some(code) => {
                self.out.push_str("\u{1b}[");
                self.out.push_str(code);
                self.out.push('m');
                self.out.push_str(text);
                self.out.push_str("\u{1b}[0m");
            }
            None => self.out.push_str(text),
        }
    }
}

/// Where an overlong word is broken: after its last separator, else at its end.
fn break_at(piece: &str) -> usize {
    let last = piece.rfind(['/', '@', ',', '&', ';']);
    last.map_or(piece.len(), |at| at + 1)
}

/// Words with the spaces that follow them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let word = rest.find(' ').unwrap_or(rest.len());
        let spaces = rest[word..].len() - rest[word..].trim_start_matches(' ').len();
        let (head, tail) = rest.split_at(word + spaces);
        rest = tail;
        Some(head)
    })
}
