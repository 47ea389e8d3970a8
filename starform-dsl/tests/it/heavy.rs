//! Texts of nearly 1 MiB that a careless check would take minutes for.
//! Pure but for a clock.
//! Read on in `hostile` for texts that are no projects at all.

use std::time::{Duration, Instant};

use crate::project::compiled;

/// The file's limit, less what closes the text.
const SIZE: usize = (1 << 20) - 64;

/// A name, what comes first, what comes again and again (`#` counts), what comes last.
/// `OPEN` is a project with two environments, `WEB` a web service in it.
const TEXTS: [(&str, &str, &str, &str); 22] = [
    ("unknown nodes", "project p {\n", "nod# 1\n", "}"),
    ("unknown children", "WEB", "helth# 1\n", "}; }"),
    (
        "environments",
        "project p {\n",
        "environment e# branch=x\n",
        "}",
    ),
    ("services", "OPEN", "worker w# { image a; }\n", "}"),
    ("empty services", "OPEN", "web w#\n", "}"),
    ("ports", "WEB", "port #\n", "}; }"),
    ("one child", "WEB", "size cpu=1\n", "}; }"),
    ("in blocks", "WEB", "in e { scale 2; }\n", "}; }"),
    ("empty in blocks", "WEB", "in e\n", "}; }"),
    ("named environments", "WEBonly", " e#", "\n}; }"),
    (
        "unknown environments",
        "WEBin",
        " e#",
        " { scale 2; }\n}; }",
    ),
    ("variables", "OPENvar-group g {\n", "K# 1\n", "}; }"),
    (
        "groups",
        "OPEN",
        "var-group g# { A# 1; in e { A# 2; }; }\n",
        "}",
    ),
    ("one variable", "OPENvar-group g {\n", "K 1\n", "}; }"),
    ("domains", "WEB", "domain \"h#.example\"\n", "}; }"),
    ("one domain", "WEB", "domain \"h.example\"\n", "}; }"),
    (
        "time zones",
        "OPEN",
        "cron c# schedule=\"0 0 * * *\" timezone=\"Euro/Lisb#\"\n",
        "}",
    ),
    (
        "references",
        "WEBvars {\n",
        "K# (ref)\"servce#.host\"\n",
        "}; }; }",
    ),
    ("partials", "OPEN", "partial p#; worker w# like=q#\n", "}"),
    (
        "a template",
        "WEBvars { K (template)\"",
        "{w.hst}",
        "\"; }; }; }",
    ),
    ("a command", "WEBrun \"", "a b ", "\"; }; }"),
    (
        "secrets",
        "OPENvar-group g {\n",
        "A#_TOKEN abcdefg\n",
        "}; }",
    ),
];

const OPEN: &str = "project p { environment e branch=x; environment f branch=x;\n";

fn text(before: &str, piece: &str, after: &str) -> String {
    let mut text = before
        .replace("WEB", "OPENweb w { image \"a/b:1\"; port 1;\n")
        .replace("OPEN", OPEN);
    for index in 1..99_000 {
        let next = piece.replace('#', &index.to_string());
        if text.len() + next.len() > SIZE {
            break;
        }
        text.push_str(&next);
    }
    text.push_str(after);
    text
}

/// How long each text takes, and how many things are said about it.
fn answers() -> Vec<(&'static str, Duration, usize)> {
    TEXTS
        .iter()
        .map(|(name, before, piece, after)| {
            let text = text(before, piece, after);
            let start = Instant::now();
            let compiled = compiled(&text);
            let took = start.elapsed();
            let failed = compiled.diagnostics.iter().any(|d| d.is_error());
            assert_eq!(compiled.project.is_none(), failed, "{name}");
            (*name, took, compiled.diagnostics.len())
        })
        .collect()
}

#[test]
fn heavy_texts_are_answered() {
    for (name, took, _) in answers() {
        assert!(took.as_secs() < 30, "{name}: {took:?}");
    }
}

/// `cargo test --release -p starform-dsl --test it -- --ignored --nocapture heavy`
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn heavy_texts_are_answered_within_half_a_second() {
    for (name, took, said) in answers() {
        eprintln!("{name}: {said} diagnostics, {took:?}");
        assert!(took.as_millis() < 500, "{name}: {took:?}");
    }
}
