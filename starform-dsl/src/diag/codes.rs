//! Every code of a diagnostic, as data: number, severity, title, what it means, and its page.
//! Pure; the pages are compiled in. A code is public and never reused or given another meaning; new ones are added at the end of their thousand.
//! Read on in `syntax` and `language` for the rows, and in `docs/errors/README.md` for the form of a page.

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
    /// What is wrong and what would be right, in a sentence or two; the page begins with it.
    pub doc: &'static str,
    /// The text of `docs/errors/SFnnnn.md`.
    pub page: &'static str,
}

/// Declares rows: `1001 NAME Error "title" "doc";` gives `pub const NAME: Code` and a row of the named table.
/// Without the page `docs/errors/SF1001.md` it does not compile.
macro_rules! codes {
    ($table:ident; $($number:literal $name:ident $severity:ident $title:literal $doc:literal;)*) => {
        $(#[doc = $title] pub const $name: $crate::diag::codes::Code = $crate::diag::codes::Code::of($number);)*
        pub(super) const $table: &[$crate::diag::codes::CodeEntry] = &[$($crate::diag::codes::CodeEntry {
            code: $name,
            severity: $crate::diag::Severity::$severity,
            title: $title,
            doc: $doc,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors/SF", $number, ".md")),
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

    /// 2004 of `SF2004`.
    pub fn number(self) -> u16 {
        self.0
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
        let number = number(text).filter(|_| !text.starts_with(|c: char| c.is_ascii_digit()))?;
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

/// What the codes of each thousand are about.
pub const CHAPTERS: &[(u16, &str)] = &[
    (1, "syntax"),
    (2, "nodes and properties"),
    (3, "references"),
    (4, "environments"),
    (5, "values and limits"),
    (6, "versions and what is reserved"),
    (9, "internal"),
];

/// The number of something written like a code: `SF2004`, `sf2004` or `2004`.
pub fn number(text: &str) -> Option<u16> {
    let prefix = text.get(..2).filter(|two| two.eq_ignore_ascii_case("sf"));
    let digits = &text[prefix.map_or(0, str::len)..];
    let four = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| four)
}
