//! Patterns of `include`, and projects that are spread over several files.
//! Pure.
//! Read on in `starform_dsl::include` and in the cases `include-*` of `golden/ui`.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use starform_dsl::{
    Compiled, compile,
    include::{Glob, wanted},
    source::SourceTree,
};

fn glob(text: &str) -> Glob {
    text.parse().expect("a pattern")
}

fn tree(files: &[(&str, &str)]) -> SourceTree {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)));
    SourceTree::new(files.collect::<BTreeMap<_, _>>())
}

fn codes(compiled: &Compiled) -> Vec<String> {
    let said = compiled.diagnostics.iter();
    said.map(|d| format!("{} {}", d.code, d.title)).collect()
}

#[test]
fn patterns_name_files() {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        (
            "api.kdl",
            &["api.kdl"],
            &["a/api.kdl", "API.kdl", "api.kdl/api.kdl"],
        ),
        (
            "*.kdl",
            &["a.kdl", "starform.kdl"],
            &[".kdl", ".a.kdl", "a/b.kdl", "a.kdl.bak"],
        ),
        (
            "a/web-*.kdl",
            &["a/web-1.kdl", "a/web-.kdl"],
            &["a/web.kdl", "a/b/web-1.kdl"],
        ),
        (
            "**/*.kdl",
            &["a.kdl", "a/b/c/d.kdl"],
            &[".git/a.kdl", "a/.b/c.kdl", "a/b/.c.kdl"],
        ),
        (
            "a/**/b/c.kdl",
            &["a/b/c.kdl", "a/x/y/b/c.kdl"],
            &["b/c.kdl", "a/c.kdl", "a/b/x/c.kdl"],
        ),
        (".config/a.kdl", &[".config/a.kdl"], &["config/a.kdl"]),
    ];
    for (pattern, right, wrong) in cases {
        let glob = glob(pattern);
        assert_eq!(glob.to_string(), pattern);
        for path in right {
            assert!(glob.matches(path), "{pattern} names {path}");
        }
        for path in wrong {
            assert!(!glob.matches(path), "{pattern} does not name {path}");
        }
    }
}

proptest! {
    /// Whoever looks for files never leaves out a folder that holds one.
    #[test]
    fn every_folder_above_a_file_may_hold_it(
        pattern in "(a|b|\\*|a\\*|\\.a)(/(a|b|\\*|\\*\\*|b\\*|\\.a)){0,3}/(a|\\*)\\.kdl",
        path in "(a|b|ab|\\.a)(/(a|b|ba|\\.a)){0,4}/(a|ab)\\.kdl",
    ) {
        let Ok(glob) = pattern.parse::<Glob>() else { return Ok(()) };
        if glob.matches(&path) {
            for (at, _) in path.match_indices('/') {
                prop_assert!(glob.may_match_below(&path[..at]), "{} in {}", pattern, &path[..at]);
            }
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_none(text in "\\PC{0,40}", path in "\\PC{0,40}") {
        if let Ok(glob) = text.parse::<Glob>() {
            for outside in [format!("/{path}"), format!("../{path}")] {
                prop_assert!(!glob.matches(&outside), "{}", outside);
            }
        }
    }
}

const ROOT: &str = "project shop {
  environment production branch=main
  include \"services/*.kdl\"
  include \"groups.kdl\"
}";

#[test]
fn what_is_wanted_grows_with_what_was_read() {
    let texts = |sources: &SourceTree| -> Vec<String> {
        wanted(sources).iter().map(Glob::to_string).collect()
    };
    let files = [
        ("starform.kdl", ROOT),
        (
            "services/api.kdl",
            "include \"deep/*.kdl\"\n/- include \"left/out.kdl\"\n",
        ),
        ("other.kdl", "include \"never.kdl\""),
    ];
    assert_eq!(texts(&tree(&files[..1])), ["groups.kdl", "services/*.kdl"]);
    let more = ["deep/*.kdl", "groups.kdl", "services/*.kdl"];
    assert_eq!(texts(&tree(&files)), more);
    assert!(wanted(&SourceTree::default()).is_empty());
}

#[test]
fn files_that_nothing_includes_are_not_read() {
    let compiled = compile(&tree(&[
        (
            "starform.kdl",
            "project shop { environment production branch=main; }",
        ),
        ("broken.kdl", "{{{{"),
    ]));
    assert_eq!(codes(&compiled), [""; 0]);
    assert!(compiled.project.is_some());
}

#[test]
fn a_syntax_error_in_one_file_blames_no_other() {
    let compiled = compile(&tree(&[
        ("starform.kdl", ROOT),
        (
            "groups.kdl",
            "partial base { image \"a/b:1\"; }\n/* var-group shared { A 1; }",
        ),
        (
            "services/api.kdl",
            "web api like=base { port 8080; use shared; }",
        ),
    ]));
    let places: Vec<u32> = compiled
        .diagnostics
        .iter()
        .filter(|d| d.is_error())
        .map(|d| d.primary.span.file.0)
        .collect();
    assert_eq!(places, [0], "{:?}", codes(&compiled));
    assert!(compiled.project.is_none());
}

#[test]
fn credentials_of_every_file_are_covered() {
    let sources = tree(&[
        ("starform.kdl", ROOT),
        (
            "groups.kdl",
            "var-group one { API_TOKEN \"tok_8f3h28fh2398fh2398fh293\"; }",
        ),
        (
            "services/api.kdl",
            "var-group two { DB_PASSWORD \"hunter2-hunter2\"; }",
        ),
    ]);
    let compiled = compile(&sources);
    let covered: Vec<&str> = compiled.secrets.iter().map(|s| sources.text(*s)).collect();
    assert_eq!(
        covered,
        ["\"tok_8f3h28fh2398fh2398fh293\"", "\"hunter2-hunter2\""]
    );
}

/// A tree keeps what was read of its files, and gives it on: that never shows in what is said.
#[test]
fn a_tree_made_of_another_says_what_a_new_one_says() {
    let text = |text: &str| -> Arc<str> { Arc::from(text) };
    let root = text("project p { environment e branch=x; include \"*.kdl\"; prt 1; }");
    let (good, bad) = (
        text("worker w { image \"a/b:1\"; }"),
        text("worker w { image \"a/b:1\"; prt 2; }"),
    );
    let named = |files: &[(&str, &Arc<str>)]| -> BTreeMap<String, Arc<str>> {
        let own = |(path, text): &(&str, &Arc<str>)| ((*path).to_owned(), Arc::clone(text));
        files.iter().map(own).collect()
    };
    // One file comes before the root, then changes, then goes.
    let steps = [
        named(&[("starform.kdl", &root)]),
        named(&[("a.kdl", &bad), ("starform.kdl", &root)]),
        named(&[("a.kdl", &good), ("starform.kdl", &root)]),
        named(&[("a.kdl", &good), ("starform.kdl", &root), ("z.kdl", &bad)]),
        named(&[("starform.kdl", &root), ("z.kdl", &bad)]),
    ];
    let mut tree = SourceTree::default();
    for files in steps {
        tree = tree.with(files.clone());
        let (kept, new) = (compile(&tree), compile(&SourceTree::new(files)));
        assert_eq!(kept.diagnostics, new.diagnostics);
        assert!(!new.diagnostics.is_empty());
    }
}

#[test]
fn a_thousand_files_are_included_and_one_more_is_not() {
    let files = |count: usize| {
        let mut files: BTreeMap<String, Arc<str>> = (0..count)
            .map(|n| {
                let text = format!("private s{n} {{ image \"a/b:1\"; port 80; }}");
                (format!("services/{n}.kdl"), Arc::from(text))
            })
            .collect();
        files.insert("groups.kdl".to_owned(), Arc::from("var-group g { A 1; }"));
        files.insert("starform.kdl".to_owned(), ROOT.into());
        compile(&SourceTree::new(files))
    };
    let fits = files(999);
    assert_eq!(fits.project.map(|p| p.services().count()), Some(999));
    let errors: Vec<String> = codes(&files(1_001))
        .into_iter()
        .filter(|said| !said.starts_with("SF5023"))
        .collect();
    assert_eq!(errors, ["SF5035 more than 1000 included files"]);
}
