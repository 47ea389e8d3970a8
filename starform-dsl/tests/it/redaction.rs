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
const LINES: [&str; 30] = [
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
    "DATABASE_URL postgres://user:CANARY-1@db.example/shop",
    "TOKEN1:CANARY-1",
    "SECRET (CANARY-1)",
    "- API_TOKEN \"CANARY-1\"",
    "- API_TOKEN=CANARY-1",
    "API_TOKEN\u{2039} \"CANARY-1\"",
    "{API_TOKEN \"CANARY-1\"}",
    "\"env\": {\"API_TOKEN\": \"CANARY-1\"},",
];

/// Credentials that are written otherwise than they are meant, that have several lines, and that no title has room for.
fn long_and_escaped() -> Vec<String> {
    let forty = "CANARY/1".repeat(5);
    let lines = [forty.as_str(), "CANARY/2", forty.as_str()].join("\n      ");
    let quotes = "\"\"\"";
    vec![
        format!("AWS_SECRET_ACCESS_KEY {forty}"),
        format!("AWS_SECRET_ACCESS_KEY={forty}"),
        format!("AWS_SECRET_ACCESS_KEY: {forty}"),
        format!("AWS_SECRET_ACCESS_KEY '{forty}'"),
        format!("AWS_SECRET_ACCESS_KEY [\"a\", \"{forty}\"]"),
        format!("AWS_SECRET_ACCESS_KEY [one two three CANARY-1 {forty}]"),
        format!("AWS_SECRET_ACCESS_KEY {forty}//x"),
        format!("AWS_SECRET_ACCESS_KEY x/*{forty}*/"),
        format!("AWS_SECRET_ACCESS_KEY #{forty}"),
        format!("AWS_SECRET_ACCESS_KEY r\"{forty}\""),
        format!("AWS_SECRET_ACCESS_KEY 1{forty}"),
        format!("AWS_SECRET_ACCESS_KEY \"{forty}"),
        format!("API_TOKEN {quotes}{forty}{quotes}"),
        format!("API_TOKEN {quotes}\n      {lines}\n      {quotes}"),
        format!("API_TOKEN #{quotes}\n      {lines}\n      {quotes}#"),
        format!("API_TOKEN {quotes}\n      {lines}\n        {quotes}"),
        format!("API_TOKEN {quotes}\n      {lines}"),
        "API_TOKEN \"\\u{43}ANARY-1\\u{31}\"".to_owned(),
        "API_TOKEN \"CANARY\\q-1\"".to_owned(),
        "API_TOKEN \"CANARY \\\"CANARY\\\" \\\\CANARY\\tCANARY\"".to_owned(),
        "API_TOKEN \"CANARY `CANARY` CANARY\"".to_owned(),
        "API_TOKEN { x { \"CANARY-1\" \"CANARY-2\"; }; }".to_owned(),
        format!("AWS_SECRET_ACCESS_KEY x//{forty}"),
        format!("A 1 // it is sk_live_12{forty}"),
        format!("/* sk_live_12{forty} */ nothing"),
    ]
}

/// The same without a name that says so, as values of what the language knows.
fn values_of_known_nodes() -> Vec<String> {
    let forty = "CANARY/1".repeat(5);
    let many = "CANARY-1".repeat(38);
    let key = "-----BEGIN RSA PRIVATE KEY-----";
    let lines = [key, forty.as_str(), "CANARY/2"].join("\n      ");
    let quotes = "\"\"\"";
    let values = [
        "\"sk_live_CANARY\\u{31}234567\"".to_owned(),
        "\"sk_live_\\u{43}ANARY1234567\"".to_owned(),
        "\"sk_live_CANARY12 \\\"CANARY\\\"\"".to_owned(),
        "sk_live_CANARY1234567".to_owned(),
        "sk_live_CANARY1234567/x".to_owned(),
        format!("sk_live_1{many}"),
        format!("\"sk_live_1{many}\""),
        format!("\"/sk_live_1{many}\""),
        format!("\"{many}.sk_live_12345678\""),
        format!("\"postgres://user:{many}@db.example/shop\""),
        format!("\"eyJhbGci1.{many}.{forty}\""),
        format!("{quotes}\n      {key}\n      {lines}\n      {quotes}"),
        format!("\"{key}\\n{forty}\\nCANARY\\n\""),
    ];
    let before = [
        "health ready=",
        "image ",
        "port ",
        "size cpu=",
        "domain ",
        "scale max=",
        "use ",
        "command ",
        "nothing ",
        "volume ",
        "schedule timezone=",
        "allow-from ",
        "build context=",
    ];
    let pairs = values
        .iter()
        .flat_map(|value| before.map(|before| format!("{before}{value}")));
    pairs.collect()
}

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
    let lines = LINES.into_iter().map(str::to_owned);
    let texts = lines
        .chain(long_and_escaped())
        .flat_map(|line| projects(&line));
    let known = values_of_known_nodes().into_iter().enumerate();
    // In the block of variables, and as a service's own.
    let known =
        known.map(|(index, line)| projects(&line).swap_remove(if index % 3 == 0 { 0 } else { 2 }));
    for text in texts.chain(known) {
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
            if output.contains("ANARY") {
                shown.push(format!("{what} of:\n{text}{output}"));
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
