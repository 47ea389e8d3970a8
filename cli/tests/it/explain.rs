//! `starform explain`: pages of codes and nodes in the width of the terminal, without files or a network.
//!
//! Starts the binary.

use crate::support::process::{Ran, run, starform};

fn explain(words: &[&str], columns: &str) -> Ran {
    let mut command = starform();
    command.env("COLUMNS", columns).arg("explain");
    run(command.args(words))
}

#[test]
fn a_code_is_explained_however_it_is_written() {
    let page = explain(&["SF2004"], "80").expect(0).stdout;
    assert!(page.starts_with("SF2004: unknown node\n\n"), "{page}");
    for spelling in ["sf2004", "2004"] {
        assert_eq!(explain(&[spelling], "80").expect(0).stdout, page);
    }
    let finding = explain(&["SF6101"], "80").expect(0).stdout;
    assert!(finding.contains("error[SF6101] "), "{finding}");
}

#[test]
fn an_unknown_code_is_told_what_is_near() {
    let ran = explain(&["SF2099"], "80").expect(1);
    assert!(ran.stderr.contains("; nearest: SF20"), "{}", ran.stderr);
    let ran = explain(&["SF20"], "80").expect(1);
    assert!(ran.stderr.contains("four digits"), "{}", ran.stderr);
}

#[test]
fn the_list_of_codes_fits_the_terminal() {
    for columns in [40, 80, 120] {
        let list = explain(&[], &columns.to_string()).expect(0).stdout;
        let wide = list.lines().find(|line| line.chars().count() > columns);
        assert_eq!(wide, None);
        assert!(list.contains("\n  SF9001  internal error\n"), "{list}");
        assert!(list.contains("\n  SF6105  "), "{list}");
    }
}
