//! What looks like a credential is shown by nothing: every rendering, fix, hover and formatted text of files full of canaries.
//! Pure.
//! Read on in `crate::ui` for the renderings of single mistakes, and in `starform_dsl::fmt::covered` for differences.

use starform_dsl::ide::{self, Analysis};
use starform_dsl::{
    compile, fix, fmt,
    render::{self, Human},
    source::SourceTree,
    syntax::TextRange,
};

/// Values under names that say what they are, in every wrong way to write them.
const LINES: [&str; 22] = [
    "API_TOKEN \"CANARY-1\"",
    "API_TOKEN CANARY-1",
    "API_TOKEN CANARY/1",
    "API_TOKEN=CANARY-1",
    "API_TOKEN: \"CANARY-1\"",
    "API_TOKEN: CANARY-1",
    "API_TOKEN 'CANARY-1'",
    "API_TOKEN [\"CANARY-1\"]",
    "API_TOKEN (ref)\"CANARY-1.x\"",
    "API_TOKEN (ref)\"x.CANARY-1\"",
    "API_TOKEN (template)\"{CANARY-1}\"",
    "API_TOKEN (secret)\"CANARY-1\"",
    "ANYTHING (secret)\"CANARY-1\"",
    "API_TOKEN (secrets)\"CANARY-1\"",
    "API_TOKEN (generate)\"CANARY-1\"",
    "API_TOKEN { CANARY-1; }",
    "API_TOKEN { value \"CANARY-1\"; }",
    "API_TOKEN x=\"CANARY-1\"",
    "API_TOKEN \"CANARY-1\" \"CANARY-1\"",
    "API_TOKEN \"CANARY-1",
    "DATABASE_URL \"postgres://user:CANARY-1@db.example/shop\"",
    "DB_PASSWORD #\"CANARY-1\"#",
];

/// Where such a line may stand.
fn projects(line: &str) -> Vec<String> {
    let service = |inner: &str| {
        format!(
            "project p {{\n  environment e branch=main\n  web it {{\n    image \"a/b:1\"\n    port 1\n{inner}\n  }}\n}}\n"
        )
    };
    vec![
        service(&format!("    vars {{\n      {line}\n    }}")),
        service(&format!("    env {{\n      {line}\n    }}")),
        service(&format!("    {line}")),
        service(&format!("    in e {{ vars {{\n      {line}\n    }}; }}")),
        service(&format!(
            "    vars {{\n      A 1\n      {line}\n      A 2\n    }}"
        )),
        format!(
            "project p {{\n  environment e branch=main\n  var-group g {{\n    {line}\n  }}\n}}\n"
        ),
        format!("{line}\n"),
    ]
}

fn said(sources: &SourceTree) -> Vec<(&'static str, String)> {
    let compiled = compile(sources);
    let all = &compiled.diagnostics;
    let human = Human {
        width: 100,
        color: false,
        secrets: &compiled.secrets,
    };
    vec![
        ("human", render::human(sources, all, human)),
        ("short", render::short(sources, all)),
        ("json", render::json(sources, all)),
        ("sarif", render::sarif(sources, all, "0")),
        ("github", render::github(sources, all, "")),
    ]
}

#[test]
fn no_output_shows_what_looks_like_a_credential() {
    let mut shown = Vec::new();
    for line in LINES {
        for text in projects(line) {
            let sources = SourceTree::single("starform.kdl", &text);
            let mut outputs = said(&sources);
            let steps = fix::repair(&sources, fix::Level::All);
            let titles = steps.applied.iter().chain(&steps.refused);
            let titles: Vec<String> = titles
                .map(|step| format!("{} {}", step.diagnostic, step.title))
                .collect();
            outputs.push(("steps of fixes", titles.join("\n")));
            outputs.push(("differences", fmt::covered(&text)));
            outputs.push(("hovers", hovers(&text)));
            for (what, output) in outputs {
                if output.contains("CANARY") {
                    shown.push(format!("{what} of:\n{text}{output}"));
                }
            }
        }
    }
    assert!(
        shown.is_empty(),
        "{} shown:\n{}",
        shown.len(),
        shown.join("\n")
    );
}

/// What an editor is told at every place of the text.
fn hovers(text: &str) -> String {
    let analysis = Analysis::of(SourceTree::single("starform.kdl", text));
    let mut told = String::new();
    for file in analysis.files() {
        for offset in 0..=u32::try_from(text.len()).expect("a short text") {
            if let Some(hover) = ide::hover(&analysis, file, offset) {
                told.push_str(&hover.markdown);
            }
        }
        let all = TextRange::new(0, u32::try_from(text.len()).expect("a short text"));
        for action in ide::actions(&analysis, file, all) {
            told.push_str(&format!("{} {:?}", action.fix.title, action.fix.edits));
        }
        for hint in ide::inlay_hints(&analysis, file, all) {
            told.push_str(&hint.label);
        }
    }
    told
}
