//! The three pure crates cannot reach the clock, the environment, files, the network or random order.
//!
//! Runs clippy on a scratch crate that makes every banned call, with the very `clippy.toml` of the pure crates.
//! Always holds: a ban without a proof, and a proof without a ban, fail.
//! Read on in `starform-dsl/clippy.toml`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use xtask::{place, process};

const PURE: [&str; 3] = ["starform-dsl", "reconciler/contract", "reconciler/plan"];

/// Each banned path, and a function body that uses it.
const PROOFS: [(&str, &str); 45] = [
    (
        "std::time::Instant::now",
        "let _ = std::time::Instant::now();",
    ),
    (
        "std::time::SystemTime::now",
        "let _ = std::time::SystemTime::now();",
    ),
    ("std::env::var", "let _ = std::env::var(\"A\");"),
    ("std::env::var_os", "let _ = std::env::var_os(\"A\");"),
    ("std::env::vars", "let _ = std::env::vars();"),
    ("std::env::vars_os", "let _ = std::env::vars_os();"),
    ("std::env::args", "let _ = std::env::args();"),
    ("std::env::args_os", "let _ = std::env::args_os();"),
    ("std::env::current_dir", "let _ = std::env::current_dir();"),
    ("std::env::temp_dir", "let _ = std::env::temp_dir();"),
    ("std::fs::read", "let _ = std::fs::read(\"a\");"),
    (
        "std::fs::read_to_string",
        "let _ = std::fs::read_to_string(\"a\");",
    ),
    ("std::fs::read_dir", "let _ = std::fs::read_dir(\"a\");"),
    ("std::fs::metadata", "let _ = std::fs::metadata(\"a\");"),
    ("std::fs::exists", "let _ = std::fs::exists(\"a\");"),
    (
        "std::fs::canonicalize",
        "let _ = std::fs::canonicalize(\"a\");",
    ),
    ("std::fs::write", "let _ = std::fs::write(\"a\", \"b\");"),
    ("std::fs::copy", "let _ = std::fs::copy(\"a\", \"b\");"),
    ("std::fs::rename", "let _ = std::fs::rename(\"a\", \"b\");"),
    ("std::fs::create_dir", "let _ = std::fs::create_dir(\"a\");"),
    (
        "std::fs::create_dir_all",
        "let _ = std::fs::create_dir_all(\"a\");",
    ),
    (
        "std::fs::remove_file",
        "let _ = std::fs::remove_file(\"a\");",
    ),
    ("std::fs::remove_dir", "let _ = std::fs::remove_dir(\"a\");"),
    (
        "std::fs::remove_dir_all",
        "let _ = std::fs::remove_dir_all(\"a\");",
    ),
    (
        "std::path::Path::exists",
        "let _ = std::path::Path::new(\"a\").exists();",
    ),
    (
        "std::path::Path::is_file",
        "let _ = std::path::Path::new(\"a\").is_file();",
    ),
    (
        "std::path::Path::is_dir",
        "let _ = std::path::Path::new(\"a\").is_dir();",
    ),
    (
        "std::path::Path::read_dir",
        "let _ = std::path::Path::new(\"a\").read_dir();",
    ),
    (
        "std::path::Path::canonicalize",
        "let _ = std::path::Path::new(\"a\").canonicalize();",
    ),
    ("std::process::exit", "std::process::exit(1)"),
    ("std::process::id", "let _ = std::process::id();"),
    ("std::thread::spawn", "let _ = std::thread::spawn(|| 1);"),
    (
        "std::thread::sleep",
        "std::thread::sleep(std::time::Duration::ZERO);",
    ),
    ("std::io::stdin", "let _ = std::io::stdin();"),
    ("std::io::stdout", "let _ = std::io::stdout();"),
    ("std::io::stderr", "let _ = std::io::stderr();"),
    (
        "std::collections::HashMap",
        "let _ = std::collections::HashMap::<u8, u8>::new();",
    ),
    (
        "std::collections::HashSet",
        "let _ = std::collections::HashSet::<u8>::new();",
    ),
    (
        "std::hash::RandomState",
        "let _ = std::hash::RandomState::new();",
    ),
    ("std::fs::File", "let _ = std::fs::File::open(\"a\");"),
    (
        "std::fs::OpenOptions",
        "let _ = std::fs::OpenOptions::new();",
    ),
    (
        "std::net::TcpStream",
        "let _ = std::net::TcpStream::connect(\"a\");",
    ),
    (
        "std::net::TcpListener",
        "let _ = std::net::TcpListener::bind(\"a\");",
    ),
    (
        "std::net::UdpSocket",
        "let _ = std::net::UdpSocket::bind(\"a\");",
    ),
    (
        "std::process::Command",
        "let _ = std::process::Command::new(\"a\");",
    ),
];

/// Crates that reach outside: a pure crate that depends on one has another door than `std`.
const IMPURE: [&str; 14] = [
    "anyhow",
    "async-stream",
    "axum",
    "git2",
    "hyper",
    "hyper-util",
    "kube",
    "notify",
    "octocrab",
    "rand",
    "reqwest",
    "sqlx",
    "tempfile",
    "tokio",
];

#[test]
fn every_ban_bites() {
    let configuration = configuration(PURE[0]);
    let banned = banned(&configuration);
    let proved: BTreeSet<&str> = PROOFS.iter().map(|(path, _)| *path).collect();
    assert_eq!(
        banned.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        proved,
        "each ban needs a proof here"
    );
    let refused = refused(&configuration);
    for (number, (path, body)) in PROOFS.iter().enumerate() {
        let line = number + 1;
        assert!(
            refused
                .iter()
                .any(|(at, message)| *at == line && message.contains(&format!("`{path}`"))),
            "clippy accepts {path} in `{body}`; it said {refused:?}"
        );
    }
    assert!(
        self::refused("").is_empty(),
        "without the bans the same calls pass"
    );
}

#[test]
fn the_pure_crates_share_their_bans_and_lints() {
    for folder in PURE {
        assert_eq!(
            configuration(folder),
            configuration(PURE[0]),
            "{folder}/clippy.toml"
        );
        let manifest = fs::read_to_string(place::root().join(folder).join("Cargo.toml"))
            .expect("a pure crate has a manifest");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{folder} does not take the workspace's lints"
        );
    }
    let root =
        fs::read_to_string(place::root().join("clippy.toml")).expect("the root has a clippy.toml");
    for line in root.lines().filter(|line| !line.starts_with('#')) {
        assert!(
            configuration(PURE[0]).contains(line),
            "a pure crate's clippy.toml replaces the root's and lacks: {line}"
        );
    }
}

#[test]
fn the_pure_crates_depend_on_nothing_impure() {
    let metadata = process::output(&mut process::cargo([
        "metadata",
        "--format-version=1",
        "--no-deps",
    ]))
    .expect("cargo metadata");
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo prints JSON");
    let mut seen = 0;
    for package in metadata["packages"]
        .as_array()
        .expect("packages are a list")
    {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path is text"));
        if !PURE
            .iter()
            .any(|folder| manifest == place::root().join(folder).join("Cargo.toml"))
        {
            continue;
        }
        seen += 1;
        let dependencies = package["dependencies"]
            .as_array()
            .expect("dependencies are a list");
        for dependency in dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
        {
            let name = dependency["name"].as_str().expect("a name is text");
            assert!(
                !IMPURE.contains(&name),
                "{} depends on {name}",
                package["name"]
            );
        }
    }
    assert_eq!(seen, PURE.len(), "every pure crate was looked at");
}

fn configuration(folder: &str) -> String {
    fs::read_to_string(place::root().join(folder).join("clippy.toml"))
        .expect("a pure crate has a clippy.toml")
}

/// The paths of all bans; each has to carry a reason.
fn banned(configuration: &str) -> Vec<String> {
    let entries = configuration
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ path = \""));
    entries
        .map(|entry| {
            let (path, rest) = entry.split_once('"').expect("a path is quoted");
            assert!(
                rest.contains("reason = \"pure: "),
                "{path} is banned without a reason"
            );
            path.to_owned()
        })
        .collect()
}

/// What clippy refuses in the scratch crate, one proof a line: line number and message.
fn refused(configuration: &str) -> Vec<(usize, String)> {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        fs::write(scratch.path().join(path), text).expect("the temporary folder is writable")
    };
    fs::create_dir(scratch.path().join("src")).expect("the temporary folder is writable");
    write(
        "Cargo.toml",
        "[package]\nname = \"scratch\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    write("clippy.toml", configuration);
    let lines: Vec<String> = PROOFS
        .iter()
        .enumerate()
        .map(|(number, (_, body))| format!("pub fn proof_{number}() {{ {body} }}"))
        .collect();
    write("src/lib.rs", &lines.join("\n"));
    let mut clippy = process::cargo(["clippy", "--quiet", "--offline", "--message-format=json"]);
    clippy
        .current_dir(scratch.path())
        .env("CARGO_TARGET_DIR", scratch.path().join("target"));
    // What the outer cargo set for this test is not for the inner one.
    clippy
        .env_remove("CLIPPY_CONF_DIR")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = process::output(&mut clippy).expect("clippy runs on the scratch crate");
    output.lines().filter_map(disallowed).collect()
}

fn disallowed(line: &str) -> Option<(usize, String)> {
    let event: Value = serde_json::from_str(line).ok()?;
    let message = &event["message"];
    let code = message["code"]["code"].as_str()?;
    if !code.starts_with("clippy::disallowed_") {
        return None;
    }
    let line = message["spans"][0]["line_start"]
        .as_u64()
        .and_then(|line| usize::try_from(line).ok())?;
    Some((line, message["message"].as_str()?.to_owned()))
}
