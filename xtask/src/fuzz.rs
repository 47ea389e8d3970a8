//! `cargo xtask fuzz`: the targets of `fuzz/` for some time each, from the kept cases, the goldens and the official suite.
//!
//! Effects: runs cargo-fuzz with a nightly compiler; what is found lies below `fuzz/`, outside of git.
//! Always holds: one target after the other, and the first that finds something ends it all.
//! Read on in `docs/fuzzing.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{place, process};

/// Fuzzes one target, or all of them.
///
/// # Errors
/// Where no target has that name, a tool is missing, or a law does not hold.
pub fn run(target: Option<&str>, seconds: u32) -> Result<()> {
    let known = targets()?;
    let chosen: Vec<&String> = known
        .iter()
        .filter(|name| target.is_none_or(|target| target == *name))
        .collect();
    if chosen.is_empty() {
        let wanted = target.unwrap_or_default();
        bail!(
            "there is no target {wanted}; there are: {}",
            known.join(", ")
        );
    }
    let needed = "; docs/fuzzing.md says what fuzzing needs";
    tool(
        &["rustc", "--version"],
        &format!("there is no nightly compiler: run `rustup toolchain install nightly`{needed}"),
    )?;
    tool(
        &["cargo", "fuzz", "--version"],
        &format!("there is no cargo-fuzz: run `cargo install cargo-fuzz --locked`{needed}"),
    )?;
    let suite = official_suite()?;
    for name in chosen {
        process::run(&mut fuzz(name, &suite, seconds)?)
            .with_context(|| format!("what {name} fails on lies in fuzz/artifacts/{name}, if it was built at all; docs/fuzzing.md says what to do with it"))?;
    }
    Ok(())
}

/// Told before anything is built; `missing` is the next step.
fn tool(words: &[&str], missing: &str) -> Result<()> {
    process::output(&mut nightly(words)).context(missing.to_owned())?;
    Ok(())
}

fn nightly(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly"])
        .args(words)
        .current_dir(place::root())
        // What the outer cargo set is not for the nightly one.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn targets() -> Result<Vec<String>> {
    let folder = place::root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("fuzz/fuzz_targets is part of the checkout")? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn fuzz(name: &str, suite: &Path, seconds: u32) -> Result<Command> {
    let root = place::root();
    let found = root.join("fuzz/corpus").join(name);
    fs::create_dir_all(&found).with_context(|| format!("cannot write {}", found.display()))?;
    let mut command = nightly(&["cargo", "fuzz", "run", "-s", "none", name]);
    command.arg(found).arg(root.join("fuzz/seeds").join(name));
    // Its cases are scripts of edits, all others are texts.
    if name != "lsp_edits" {
        command.args([
            root.join("golden/ui"),
            root.join("golden/fmt"),
            suite.to_owned(),
        ]);
    }
    command
        .args(["--", "-max_len=4096", "-timeout=20"])
        .arg(format!("-max_total_time={seconds}"));
    Ok(command)
}

/// The package of the crate `kdl` carries it.
fn official_suite() -> Result<PathBuf> {
    let arguments = ["metadata", "--format-version=1"];
    let metadata: Value = serde_json::from_str(&process::output(&mut process::cargo(arguments))?)?;
    let packages = metadata["packages"].as_array();
    let manifest = packages.into_iter().flatten().find_map(|package| {
        let version = package["version"].as_str()?;
        let is_suite = package["name"] == "kdl" && version.starts_with("6.");
        package["manifest_path"].as_str().filter(|_| is_suite)
    });
    let manifest = Path::new(manifest.context("the crate kdl is no dependency")?);
    Ok(manifest.with_file_name("tests").join("test_cases/input"))
}
