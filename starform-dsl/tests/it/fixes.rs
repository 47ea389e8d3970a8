//! Laws of applied fixes: never more errors than before, and nothing left to do after.
//! Reads `examples` and `golden/ui`; else pure but for proptest's seeds.
//! Read on in `crate::ui` for what single fixes give.

use proptest::prelude::*;
use starform_dsl::{
    diag::{Diagnostic, Fix, codes},
    fix::{self, Level},
    source::{FileId, SourceTree, Span},
    syntax::TextRange,
};

use crate::mutation::{change, changed, example};
use crate::properties::repaired::{judge, same};
use crate::ui;

#[test]
fn fixes_of_every_case_keep_the_laws() {
    for case in ui::cases() {
        for level in [Level::Safe, Level::All] {
            let repaired = judge(&case.sources, level);
            assert!(repaired.settled, "{}: {:?}", case.name, repaired.applied);
        }
    }
}

/// `a` to `f` with a fix that replaces from `start` to `end`.
fn letters(fixes: &[(u32, u32, &str)]) -> fix::Pass {
    let sources = SourceTree::single("starform.kdl", "abcdef");
    let span = |start, end| Span::new(FileId(0), TextRange::new(start, end));
    let diagnostics: Vec<Diagnostic> = fixes
        .iter()
        .map(|&(start, end, text)| {
            Diagnostic::new(codes::NEEDS_QUOTES, span(start, end), "wrong").fix(Fix::replace(
                "mend it",
                span(start, end),
                text,
            ))
        })
        .collect();
    fix::apply(&sources, &diagnostics, Level::Safe)
}

#[test]
fn of_fixes_that_want_one_place_the_first_is_applied() {
    let text = |pass: &fix::Pass| pass.sources.file(FileId(0)).text().to_string();
    let both = letters(&[(0, 2, "1"), (2, 4, "2")]);
    assert_eq!((text(&both), both.skipped.len()), ("12ef".to_owned(), 0));
    for second in [
        (1, 3, "2"),
        (0, 2, "2"),
        (2, 2, "2"),
        (0, 0, "2"),
        (0, 6, "2"),
    ] {
        let first = letters(&[(0, 2, "1"), second]);
        assert_eq!((text(&first), first.skipped.len()), ("1cdef".to_owned(), 1));
    }
    let third = letters(&[(4, 6, "3"), (1, 1, "+"), (0, 5, "2"), (2, 3, "-")]);
    assert_eq!(
        (text(&third), third.skipped.len()),
        ("a+b-d3".to_owned(), 1)
    );
}

#[test]
fn a_fix_that_uncovers_more_than_it_repairs_is_refused_and_the_others_are_applied() {
    let text = "project shop {
  environment e branch=a/b colour=1 size=2 weight=3 {}
  web a { image \"https://ghcr.io/a/b:1\"; port 8080; }
}
";
    let sources = SourceTree::single("starform.kdl", text);
    let repaired = judge(&sources, Level::Safe);
    let titles = |steps: &[fix::Step]| -> Vec<String> {
        steps.iter().map(|step| step.title.clone()).collect()
    };
    assert_eq!(titles(&repaired.refused), ["quote it"]);
    assert_eq!(titles(&repaired.applied), ["remove the scheme"]);
}

#[test]
fn what_a_fix_uncovers_is_fixed_in_the_next_pass() {
    let text = "project shop {
  environment production branch=main
  cron nightly schedule=\"@daily\", {
    image \"ghcr.io/a/b:1\"
  }
}
";
    let repaired = judge(&SourceTree::single("starform.kdl", text), Level::Safe);
    let codes: Vec<String> = repaired
        .applied
        .iter()
        .map(|s| s.code.to_string())
        .collect();
    assert_eq!(codes, ["SF1029", "SF5016"]);
    assert!(repaired.settled && repaired.compiled.project.is_some());
}

#[test]
fn only_safe_fixes_are_applied_unless_all_are_asked_for() {
    let text = "project shop {\n  environment production brunch=main\n}\n";
    let sources = SourceTree::single("starform.kdl", text);
    let safe = fix::repair(&sources, Level::Safe);
    assert!(same(&sources, &safe.sources));
    let all = fix::repair(&sources, Level::All);
    let file = all.sources.find("starform.kdl").expect("it is there");
    assert_eq!(
        **all.sources.file(file).text(),
        text.replace("brunch", "branch")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fixes_of_broken_examples_keep_the_laws(
        name in prop_oneof![Just("shop"), Just("online-boutique"), Just("hello")],
        changes in proptest::collection::vec(change(), 1..5),
        level in prop_oneof![Just(Level::Safe), Just(Level::All)],
    ) {
        let text = changed(&example(name), &changes);
        judge(&SourceTree::single("starform.kdl", &text), level);
    }

    #[test]
    fn fixes_of_any_pieces_keep_the_laws(
        text in crate::laws::pieces(),
        level in prop_oneof![Just(Level::Safe), Just(Level::All)],
    ) {
        judge(&SourceTree::single("starform.kdl", &text), level);
    }
}
