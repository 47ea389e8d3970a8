//! Texts of nearly 1 MiB that a careless check would take minutes for.
//! Starts threads with a small stack and reads the clock.
//! Read on in `hostile` for texts that are no projects at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use starform_dsl::compile;
use starform_dsl::ide::Analysis;
use starform_dsl::render::{self, Human};
use starform_dsl::source::SourceTree;

/// The file's limit, less what closes the text.
const SIZE: usize = (1 << 20) - 64;

/// A name, what comes first, what comes again and again (`#` counts), what comes last.
/// `OPEN` is a project with two environments, `WEB` a web service in it.
const TEXTS: [(&str, &str, &str, &str); 23] = [
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
    (
        "beginnings of tokens",
        "OPENvar-group g { A \"",
        "AKIA-",
        "\"; }; }",
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
    text_of(SIZE, before, piece, after)
}

fn text_of(size: usize, before: &str, piece: &str, after: &str) -> String {
    let mut text = before
        .replace(
            "WEB",
            &format!(
                "OPENweb w {{ image \"a/b@sha256:{}\"; port 1;\n",
                "1f0c4cb9".repeat(8)
            ),
        )
        .replace("OPEN", OPEN);
    for index in 1..99_000 {
        let next = piece.replace('#', &index.to_string());
        if text.len() + next.len() > size {
            break;
        }
        text.push_str(&next);
    }
    text.push_str(after);
    text
}

/// Texts that hit a limit, or two; that is all that is said.
const LIMITS: [(&str, &str); 8] = [
    ("environments", "SF5034"),
    ("services", "SF5028"),
    ("empty services", "SF5028"),
    ("empty in blocks", "SF5035"),
    ("named environments", "SF5035"),
    ("domains", "SF5035"),
    ("variables", "SF5035"),
    ("partials", "SF5028 SF5035"),
];

/// Compiles and shows a text on a small stack: the quickest of several runs, and the codes.
pub(crate) fn answer(text: &str, runs: usize) -> (Duration, Vec<String>) {
    answer_all(&[("starform.kdl".to_owned(), text.into())].into(), runs)
}

/// The same of a project of several files.
pub(crate) fn answer_all(
    files: &BTreeMap<String, Arc<str>>,
    runs: usize,
) -> (Duration, Vec<String>) {
    let files = files.clone();
    let run = move || {
        let start = spent();
        let sources = SourceTree::new(files.clone());
        let compiled = compile(&sources);
        let how = Human {
            width: 80,
            color: false,
            secrets: &compiled.secrets,
        };
        let shown = render::human(&sources, &compiled.diagnostics, how);
        let took = spent() - start;
        assert!(shown.len() < 100_000, "{} bytes are shown", shown.len());
        let failed = compiled.diagnostics.iter().any(|d| d.is_error());
        assert_eq!(compiled.project.is_none(), failed);
        let codes = compiled.diagnostics.iter().map(|d| d.code.to_string());
        (took, codes.collect())
    };
    let worker = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || (0..runs).map(|_| run()).min().expect("at least one run"))
        .expect("a thread starts");
    worker.join().expect("no text aborts")
}

/// What this thread has spent on a processor, so that other work of the machine is not counted; else the clock.
pub(crate) fn spent() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(
        || {
            std::time::SystemTime::UNIX_EPOCH
                .elapsed()
                .expect("after 1970")
        },
        Duration::from_nanos,
    )
}

/// All of them, by name.
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, String)> {
    TEXTS
        .iter()
        .map(|(name, before, piece, after)| (*name, text(before, piece, after)))
}

fn answers(runs: usize) -> Vec<(&'static str, Duration, Vec<String>)> {
    texts()
        .map(|(name, text)| {
            let (took, codes) = answer(&text, runs);
            (name, took, codes)
        })
        .collect()
}

/// An unoptimised build takes some twenty times as long as the goal allows an optimised one.
#[test]
fn heavy_texts_are_answered_on_a_small_stack() {
    for (name, took, codes) in answers(1) {
        assert!(took.as_secs() < 20, "{name}: {took:?}");
        let limit = LIMITS.iter().find(|(text, _)| *text == name);
        if let Some((_, limit)) = limit {
            assert_eq!(codes.join(" "), *limit, "{name}");
        }
    }
}

/// The goal. `cargo xtask soak language` runs it in release.
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn soak_heavy_texts_take_a_tenth_of_a_second() {
    let answers = answers(3);
    for (name, took, codes) in &answers {
        eprintln!("{name}: {} diagnostics, {took:?}", codes.len());
    }
    let late = answers
        .iter()
        .filter(|(_, took, _)| took.as_millis() >= 100);
    let late: Vec<_> = late.map(|(name, took, _)| (name, took)).collect();
    assert!(late.is_empty(), "{late:?}");
}

/// Each of their pieces asks what a whole line, node or file was asked before. As [`TEXTS`]; `¤` stands for `#` itself.
const ASKING_AGAIN: [(&str, &str, &str, &str); 8] = [
    (
        "removed services",
        "OPEN",
        "removed web a# data=keep\n",
        "}",
    ),
    (
        "removed volumes",
        "OPEN",
        "removed volume a.b# data=destroy\n",
        "}",
    ),
    ("raw strings over lines", "", "n ¤\"a\n\"", ""),
    ("raw strings", "", "¤\"\"\"x\"¤\n", ""),
    ("single quotes", "", "'a ", ""),
    ("words for properties", "WEBscale", " min", " min=2; }; }"),
    ("unknown properties", "WEBscale", " a=1", "; }; }"),
    ("keys and groups", "WEB", "use g#; vars { K# 1; }\n", "}; }"),
];

fn asking_again(size: usize, runs: usize) -> Vec<(&'static str, Duration)> {
    let took = |(name, before, piece, after)| {
        let text = text_of(size, before, piece, after).replace('¤', "#");
        let named = (0..runs).map(|_| analysed(&text)).min().unwrap_or_default();
        (name, answer(&text, runs).0.max(named))
    };
    ASKING_AGAIN.into_iter().map(took).collect()
}

/// What an editor needs of a text: its names besides what a compilation asks for.
fn analysed(text: &str) -> Duration {
    let sources = SourceTree::new([("starform.kdl".to_owned(), text.into())].into());
    let start = spent();
    let analysis = Analysis::of(sources);
    let took = spent() - start;
    assert_eq!(analysis.files().count(), 1);
    took
}

/// An eighth of the size: what grows with its square shows there already.
#[test]
fn texts_that_ask_again_are_answered_in_time() {
    for (name, took) in asking_again(SIZE / 8, 1) {
        assert!(took.as_secs() < 2, "{name}: {took:?}");
    }
}

/// At full size. `cargo xtask soak language` runs it in release.
#[test]
#[ignore = "a measurement; only meaningful in release"]
fn soak_texts_that_ask_again_take_a_fifth_of_a_second() {
    let late: Vec<_> = asking_again(SIZE, 3)
        .into_iter()
        .filter(|(_, took)| took.as_millis() >= 200)
        .collect();
    assert!(late.is_empty(), "{late:?}");
}
