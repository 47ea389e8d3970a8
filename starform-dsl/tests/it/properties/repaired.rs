//! Applied fixes never leave more errors than there were, and nothing to do after.
//! Pure.
//! Read on in `starform_dsl::fix`.

use starform_dsl::compile;
use starform_dsl::fix::{self, Level, Repaired};
use starform_dsl::source::SourceTree;

/// The laws, of one tree at one level.
pub(crate) fn judge(sources: &SourceTree, level: Level) -> Repaired {
    let before = errors(sources);
    let repaired = fix::repair(sources, level);
    let after = errors(&repaired.sources);
    assert!(after <= before, "{before} errors became {after}");
    assert!(repaired.applied.len() <= 10_000);
    assert_eq!(
        same(sources, &repaired.sources),
        repaired.applied.is_empty(),
        "a text changes exactly if a fix was applied"
    );
    if repaired.settled {
        let again = fix::repair(&repaired.sources, level);
        assert!(
            again.applied.is_empty(),
            "a fixed file is changed again: {:?}",
            again.applied
        );
    }
    repaired
}

fn errors(sources: &SourceTree) -> usize {
    let said = compile(sources).diagnostics;
    said.iter().filter(|one| one.is_error()).count()
}

pub(crate) fn same(one: &SourceTree, other: &SourceTree) -> bool {
    one.files()
        .zip(other.files())
        .all(|((_, one), (_, other))| one.text() == other.text())
}
