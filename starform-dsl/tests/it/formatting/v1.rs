//! `--migrate`: what a text of KDL v1 means is what its text in v2 means, as the crate's own reader of v1 says.
//! Reads the suite of KDL v1, which the package of that reader carries. Every case is judged; what is not converted is listed.
//! Read on in `crate::abstract_tree` for what is compared.

use std::fs;

use starform_dsl::fmt::{Migration, migrate};

use super::generate::Dice;
use super::laws::judge;
use crate::abstract_tree::{oracle_v1, ours};
use crate::suite::{kdl_files, package_folder};

/// Judges a text that its reader takes for v1; tells whether it was converted.
fn keeps_its_meaning(text: &str) -> Result<bool, String> {
    let Migration::Converted(migrated) = migrate(text) else {
        return Ok(false);
    };
    let before = oracle_v1(text).map_err(|error| format!("converted what is no v1: {error}"))?;
    let after = ours(&migrated).map_err(|faults| format!("{faults:?} in {migrated:?}"))?;
    if before != after {
        return Err(format!(
            "means\n {before:?}\nbut became\n {after:?}\nin {migrated:?}"
        ));
    }
    assert_eq!(
        migrate(&migrated),
        Migration::Needless,
        "what is v2 stays: {migrated:?}"
    );
    judge(&migrated);
    Ok(true)
}

#[test]
fn the_suite_of_v1_keeps_its_meaning() {
    let folder = package_folder("4.");
    let (mut converted, mut wrong) = (0, Vec::new());
    for path in kdl_files(&folder.join("tests/test_cases/input")) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        match keeps_its_meaning(&text) {
            Ok(true) => converted += 1,
            Ok(false) if oracle_v1(&text).is_err() || ours(&text).is_ok() => {}
            Ok(false) => wrong.push(format!("{name}: is v1, but was not converted: {text:?}")),
            Err(reason) => wrong.push(format!("{name}: {reason}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(converted >= 30, "only {converted} were converted");
}

#[test]
fn each_difference_is_spelt_as_v2_has_it() {
    let cases = [
        ("a true false null", "a #true #false #null"),
        ("a r\"C:\\x\" r#\"a \"b\"\"#", "a #\"C:\\x\"# #\"a \"b\"\"#"),
        ("a r#\"\"quoted\"\"#", "a \"\\\"quoted\\\"\""),
        ("a \"b\\/c\"", "a \"b/c\""),
        ("a true \"one\ntwo\"", "a #true \"\"\"\none\ntwo\n\"\"\""),
        ("a true \"one\n  \ntwo\"", "a #true \"one\\n  \\ntwo\""),
        ("a true \"one\r\ntwo\"", "a #true \"one\\r\\ntwo\""),
        ("a r\"one\ntwo\"", "a #\"\"\"\none\ntwo\n\"\"\"#"),
        ("a# b#c=true", "\"a#\" \"b#c\"=#true"),
        (
            "inf -inf=1 { nan true; }",
            "\"inf\" \"-inf\"=1 { \"nan\" #true; }",
        ),
        (
            "(t#)a true // r\"x\" true",
            "(\"t#\")a #true // r\"x\" true",
        ),
        (
            "/- kdl-version 1\na 1 /* true */",
            "/- kdl-version 2\na 1 /* true */",
        ),
        (
            "a \\ // true\n  true\n/-b true\nc /-true /-{ d null; }",
            "a \\ // true\n  #true\n/-b #true\nc /-#true /-{ d #null; }",
        ),
        ("a true \u{feff} 1", "a #true   1"),
    ];
    for (v1, v2) in cases {
        assert_eq!(migrate(v1).converted(), Some(v2), "{v1:?}");
        assert_eq!(keeps_its_meaning(v1), Ok(true), "{v1:?}");
    }
    for already in ["a #true", "a b", ""] {
        assert_eq!(migrate(already), Migration::Needless, "{already:?}");
    }
    // Of two versions, or of none; with the place that is no v1.
    let neither = [
        ("a true #false", Some(7)),
        ("a true b", Some(7)),
        ("a true {", None),
        ("a \"b", Some(2)),
        ("a = true", None),
        ("a [true]", Some(2)),
    ];
    for (text, at) in neither {
        assert_eq!(migrate(text), Migration::Impossible { at }, "{text:?}");
    }
}

#[test]
fn generated_texts_of_v1_keep_their_meaning() {
    let mut converted = 0;
    for seed in 0..2_000 {
        let text = document(&mut Dice::new(seed));
        let kept = keeps_its_meaning(&text);
        let kept = kept.unwrap_or_else(|reason| panic!("seed {seed}, {text:?}: {reason}"));
        assert!(
            kept || ours(&text).is_ok(),
            "seed {seed} is not converted: {text:?}"
        );
        converted += usize::from(kept);
    }
    assert!(converted > 1_000, "only {converted} were converted");
}

const NAMES: &[&str] = &[
    "node",
    "a",
    "a#b",
    "inf",
    "nan",
    "-inf",
    "\"quoted\"",
    "\"a b\"",
    "r",
    "-",
    "caf\u{e9}",
    "x:y",
    "r#\"raw\"#",
];
const VALUES: &[&str] = &[
    "true",
    "false",
    "null",
    "1",
    "0x1F",
    "1_000",
    "-1.5e3",
    "\"\"",
    "\"a\\/b\\n\\\"c\\\"\"",
    "\"\\u{e9}\"",
    "\"two\nlines\"",
    "\"two\n\n  \n lines\n\"",
    "\"a\u{2028}b\"",
    "\"\u{7f}\u{202e}\"",
    "r\"C:\\dir\"",
    "r#\"a \"b\" c\"#",
    "r#\"\"x\"\"#",
    "r\"one\n two\n\"",
    "r##\"\"#\"##",
    "r\"a\u{85}b\"",
    "r\"\"",
    "\"#true\"",
    "\"/* no comment */\"",
];
const SPACES: &[&str] = &[
    " ",
    " ",
    "  ",
    "\t",
    " /* true */ ",
    " \\\n  ",
    " \\ // r\"\n ",
    "\u{a0}",
];
const ENDS: &[&str] = &[
    "\n",
    "\n",
    ";",
    " ; ",
    " // true \"\n",
    "\r\n",
    "\n\n\n",
    " /* /* \" */ */\n",
];

/// A document of KDL v1.
fn document(dice: &mut Dice) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for _ in 0..1 + dice.below(8) {
        node(dice, &mut out);
        if depth < 3 && dice.once_in(4) {
            out.push_str(" {\n");
            depth += 1;
            continue;
        }
        out.push_str(dice.pick(ENDS));
        if depth > 0 && dice.once_in(2) {
            out.push_str("}\n");
            depth -= 1;
        }
    }
    out.push_str(&"}\n".repeat(depth));
    out
}

fn node(dice: &mut Dice, out: &mut String) {
    if dice.once_in(10) {
        out.push_str("/-");
    }
    if dice.once_in(10) {
        out.push_str(dice.pick(&["(t)", "(\"u8\")", "(t#)"]));
    }
    out.push_str(dice.pick(NAMES));
    for _ in 0..dice.below(4) {
        out.push_str(dice.pick(SPACES));
        if dice.once_in(10) {
            out.push_str("/-");
        }
        if dice.once_in(2) {
            out.push_str(dice.pick(NAMES));
            out.push('=');
        }
        if dice.once_in(10) {
            out.push_str("(t)");
        }
        out.push_str(dice.pick(VALUES));
    }
}
