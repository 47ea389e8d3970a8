//! The words that properties and arguments take, each with the variant that it means.
//! Pure data. A word stands here once, so what a row allows and what it is read as cannot drift.
//! Read on in `types` for `Type::OneOf`, which holds the words, and in `crate::lower::read` for how they are read.

use starform_contract::{
    ServiceKind,
    model::{Overlap, Protocol},
    state::DriftPolicy,
};

use crate::project::{Builder, Data, Deploy, GoneKind, ImageUser, ProbeKind, Secrets};

/// Whose variants are one word of the language each.
pub(crate) trait Word: Copy + 'static {
    /// In the order in which they are offered.
    const WORDS: &'static [&'static str];

    fn as_str(self) -> &'static str;

    fn parse(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($type:ty { $($word:literal = $variant:ident $(($inner:path))?),+ $(,)? }) => {
        impl Word for $type {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant $(($inner))? => $word,)+
                }
            }

            fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant $(($inner))?),)+
                    _ => None,
                }
            }
        }
    };
}

words!(Deploy { "commit" = Commit, "checks" = Checks, "manual" = Manual });
words!(DriftPolicy { "correct" = Correct, "report" = Report });
words!(Secrets { "stub" = Stub, "inherit" = Inherit });
words!(GoneKind {
    "web" = Service(ServiceKind::Web),
    "private" = Service(ServiceKind::Private),
    "worker" = Service(ServiceKind::Worker),
    "cron" = Service(ServiceKind::Cron),
    "volume" = Volume,
});
words!(Data { "keep" = Keep, "destroy" = Destroy });
words!(Builder { "auto" = Auto, "railpack" = Railpack, "dockerfile" = Dockerfile });
words!(ImageUser { "root" = Root, "image" = Image });
words!(Protocol { "http" = Http, "h2c" = H2c, "grpc" = Grpc, "tcp" = Tcp });
words!(ProbeKind { "http" = Http, "tcp" = Tcp, "grpc" = Grpc });
words!(Overlap { "forbid" = Forbid, "replace" = Replace, "allow" = Allow });
