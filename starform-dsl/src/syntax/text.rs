//! A byte range of a text, as `u32` because no file is larger than 1 MiB.
//! Pure. `start <= end` always holds.
//! Read on in `token` and `cst`, whose places these are.

use std::ops::Range;

/// Bytes `start..end` of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRange {
    start: u32,
    end: u32,
}

impl TextRange {
    /// An `end` before `start` gives the empty range at `start`.
    pub fn new(start: u32, end: u32) -> TextRange {
        TextRange {
            start,
            end: end.max(start),
        }
    }

    /// The empty range at an offset.
    pub fn at(offset: u32) -> TextRange {
        TextRange {
            start: offset,
            end: offset,
        }
    }

    pub fn start(self) -> u32 {
        self.start
    }

    pub fn end(self) -> u32 {
        self.end
    }

    /// In bytes.
    pub fn len(self) -> u32 {
        self.end - self.start
    }

    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The smallest range over both.
    pub fn cover(self, other: TextRange) -> TextRange {
        TextRange {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    pub fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }

    /// For slicing a text.
    pub fn as_range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}
