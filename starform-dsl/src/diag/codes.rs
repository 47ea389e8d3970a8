//! Every code of a diagnostic, as data: number, severity, title, and what it means.
//! Pure. A code is public and never reused or given another meaning; new ones are added at the end of their thousand.
//! Read on in `syntax` and `language` for the rows.

use std::fmt;

use super::Severity;

/// `SF` and four digits: 1xxx syntax, 2xxx schema, 3xxx references, 4xxx environments,
/// 5xxx values and limits, 6xxx contract and version, 9xxx internal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// A row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct CodeEntry {
    pub code: Code,
    pub severity: Severity,
    /// The title in general, without the names of one text.
    pub title: &'static str,
    /// Why this is refused and what to do instead, in a sentence or two.
    pub doc: &'static str,
}

/// Declares rows: `1001 NAME Error "title" "doc";` gives `pub const NAME: Code` and a row of the named table.
macro_rules! codes {
    ($table:ident; $($number:literal $name:ident $severity:ident $title:literal $doc:literal;)*) => {
        $(#[doc = $title] pub const $name: $crate::diag::codes::Code = $crate::diag::codes::Code::of($number);)*
        pub(super) const $table: &[$crate::diag::codes::CodeEntry] = &[$($crate::diag::codes::CodeEntry {
            code: $name,
            severity: $crate::diag::Severity::$severity,
            title: $title,
            doc: $doc,
        }),*];
    };
}

mod language;
mod syntax;

pub use language::*;
pub use syntax::*;

impl Code {
    const fn of(number: u16) -> Code {
        Code(number)
    }

    /// The row of this code.
    pub fn entry(self) -> &'static CodeEntry {
        all()
            .find(|entry| entry.code == self)
            .expect("every code is made by a row of the registry")
    }

    pub fn severity(self) -> Severity {
        self.entry().severity
    }

    /// The row of `SF1001` or `sf1001`, if there is one.
    pub fn parse(text: &str) -> Option<&'static CodeEntry> {
        let digits = text
            .strip_prefix("SF")
            .or_else(|| text.strip_prefix("sf"))?;
        let number: u16 = digits.parse().ok().filter(|_| digits.len() == 4)?;
        all().find(|entry| entry.code.0 == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SF{:04}", self.0)
    }
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static CodeEntry> {
    [SYNTAX, LANGUAGE].into_iter().flatten()
}
