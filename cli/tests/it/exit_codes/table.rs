//! The rows of `rows.txt`: what is run, in which situation, the code that it ends with, and what it says first.
//!
//! Pure. Rows of one place are walked from the first to the last, and go on from where the former left.

/// Where a row is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// No kubeconfig names a cluster.
    Alone,
    /// A cluster, no control plane.
    Embedded,
    /// A control plane, and an agent in a cluster.
    Served,
}

/// How a row is run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Plain,
    /// By an Admin of the project, who is not the operator.
    Ada,
    /// At a terminal, with this answer.
    Typed(&'static str),
    /// Ctrl-C, once this was said.
    Interrupted(&'static str),
    /// After somebody set so many replicas in the cluster.
    ByHand(u32),
}

pub(super) struct Row {
    pub(super) place: Place,
    /// In words.
    pub(super) situation: &'static str,
    /// What `starform.kdl` says.
    pub(super) file: String,
    pub(super) way: Way,
    pub(super) words: &'static str,
    pub(super) code: i32,
    /// How lines begin that are told; of an error the first.
    pub(super) says: Vec<&'static str>,
}

pub(super) const SHOP: &str = r#"project exits contract=1 {
  environment production branch=main
  environment spare branch=spare
  web api {
    image "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
    port 8080
    scale 1
  }
  worker mailer {
    image "ghcr.io/acme/mailer@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
  }
}
"#;

const MAILER: &str = "  worker mailer {\n    image \"ghcr.io/acme/mailer@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0\"\n  }\n";

pub(super) fn rows() -> Vec<Row> {
    let lines = include_str!("rows.txt").lines();
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(row).collect()
}

fn row(line: &'static str) -> Row {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [place, situation, file, way, words, code, says] = cells[..] else {
        panic!("seven cells: {line}")
    };
    Row {
        place: match place {
            "alone" => Place::Alone,
            "embedded" => Place::Embedded,
            "served" => Place::Served,
            other => panic!("{other} is no place"),
        },
        situation,
        file: written(file),
        way: way_of(way),
        words,
        code: code.parse().unwrap(),
        says: says.split(" & ").filter(|word| !word.is_empty()).collect(),
    }
}

/// [`SHOP`], with what is otherwise in it.
fn written(file: &str) -> String {
    let edits: &[(&str, &str)] = match file {
        "as it is" => &[],
        "two" => &[("scale 1", "scale 2")],
        "three" => &[("scale 1", "scale 3")],
        "spaced" => &[("scale 1", "scale   1")],
        "misspelt" => &[("port 8080", "prot 8080")],
        "a secret" => &[("scale 1", "scale 1\n    vars { KEY (secret)key; }")],
        "no image" => &[("ghcr.io/acme/mailer@", "registry.test/behave-pullfail@")],
        "never ready" => &[("ghcr.io/acme/api@", "registry.test/behave-neverready@")],
        "protected" => &[("branch=main", "branch=main { protect; }")],
        "without mailer" => &[("branch=main", "branch=main { protect; }"), (MAILER, "")],
        other => panic!("{other} is no file"),
    };
    let mut text = SHOP.to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    text
}

fn way_of(way: &'static str) -> Way {
    let after = |start| way.strip_prefix(start);
    match (way, after("types "), after("Ctrl-C at "), after("by hand ")) {
        ("plain", ..) => Way::Plain,
        ("Ada", ..) => Way::Ada,
        (_, Some(answer), ..) => Way::Typed(answer),
        (_, _, Some(word), _) => Way::Interrupted(word),
        (_, _, _, Some(replicas)) => Way::ByHand(replicas.parse().unwrap()),
        (_, None, None, None) => panic!("{way} is no way"),
    }
}
