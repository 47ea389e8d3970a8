//! The testbed: building the Go program, and one cluster for as long as we need it.
//!
//! Effects: runs `go`, writes below `target/testbed`, starts and stops clusters.
//! Always holds: a [`Cluster`] ends with the value, and with this process however that ends.
//! Read on in `testbed/main.go`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{place, process};

/// The built program.
#[derive(Clone, Debug)]
pub struct Testbed {
    pub binary: PathBuf,
}

/// A running cluster of our own.
pub struct Cluster {
    testbed: Testbed,
    folder: TempDir,
}

/// `cargo xtask testbed …`: builds where needed, then hands the command over.
///
/// # Errors
/// Where the program cannot be built or started.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let testbed = build()?;
    if arguments == ["build"] {
        println!("{}", testbed.binary.display());
        return Ok(ExitCode::SUCCESS);
    }
    let status = Command::new(&testbed.binary)
        .args(arguments)
        .status()
        .context("cannot start the testbed")?;
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

/// Builds the program where its sources are newer. The first build takes about five minutes.
///
/// # Errors
/// Where Go is missing or the build fails.
pub fn build() -> Result<Testbed> {
    let folder = place::target().join("testbed");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()
        .context("cannot wait for another build of the testbed")?;
    let testbed = Testbed {
        binary: folder.join("testbed"),
    };
    if is_current(&testbed.binary)? {
        return Ok(testbed);
    }
    if !testbed.binary.exists() {
        eprintln!("building the testbed for the first time: about five minutes on two cores");
    }
    compile(&folder.join("testbed.next"))?;
    copy_definitions(&folder.join("gateway-api"))?;
    fs::rename(folder.join("testbed.next"), &testbed.binary)?;
    Ok(testbed)
}

impl Cluster {
    /// Starts a cluster with an audit log in a temporary folder.
    ///
    /// # Errors
    /// Where it does not become usable; the error names its logs.
    pub fn start(testbed: &Testbed, nodes: u32) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("starform-cluster-")
            .tempdir()?;
        let said = process::output(
            Command::new(&testbed.binary)
                .args(["up", "--audit", "--remove"])
                .arg(format!("--nodes={nodes}"))
                .arg(format!("--owner-pid={}", std::process::id()))
                .arg("--dir")
                .arg(folder.path()),
        )?;
        eprintln!("» testbed up: {}", said.lines().next().unwrap_or_default());
        Ok(Self {
            testbed: testbed.clone(),
            folder,
        })
    }

    /// The folder with `kubeconfig` and `audit.log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Where tests find it: variables of their environment.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("KUBECONFIG_FOR_TESTS", self.kubeconfig()),
            ("TESTBED_DIR_FOR_TESTS", self.folder().to_owned()),
        ]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = process::output(
            Command::new(&self.testbed.binary)
                .arg("down")
                .arg("--dir")
                .arg(self.folder.path()),
        );
        if let Err(error) = stopped {
            eprintln!("stopping the cluster: {error:#}");
        }
    }
}

/// Compares times of change only: a fresh checkout is newer than what was built before it.
fn is_current(binary: &Path) -> Result<bool> {
    let Ok(built) = fs::metadata(binary).and_then(|file| file.modified()) else {
        return Ok(false);
    };
    Ok(newest(&place::root().join("testbed"))? <= built)
}

fn newest(folder: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let changed = if entry.file_type()?.is_dir() {
            self::newest(&entry.path())?
        } else {
            entry.metadata()?.modified()?
        };
        newest = newest.max(changed);
    }
    Ok(newest)
}

fn compile(output: &Path) -> Result<()> {
    let version = go_list("{{.Version}}", "k8s.io/kubernetes")?;
    let mut stamps = String::from("-s -w");
    // Without these the API server calls itself v0.0.0-master and kubectl refuses to talk to it.
    for package in [
        "k8s.io/component-base/version",
        "k8s.io/client-go/pkg/version",
    ] {
        let (major, minor) = major_minor(&version)?;
        for (field, value) in [
            ("gitVersion", version.as_str()),
            ("gitMajor", major),
            ("gitMinor", minor),
            ("gitTreeState", "clean"),
            ("gitCommit", "unknown"),
        ] {
            stamps = format!("{stamps} -X {package}.{field}={value}");
        }
    }
    process::run(
        go().args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            &stamps,
            "-o",
        ])
        .arg(output)
        .arg("."),
    )
}

fn major_minor(version: &str) -> Result<(&str, &str)> {
    let mut numbers = version.trim_start_matches('v').split('.');
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => Ok((major, minor)),
        _ => bail!("testbed/go.mod names a Kubernetes version that is none: {version}"),
    }
}

/// The Gateway API's own definitions, from its module: a file of another module cannot be embedded.
fn copy_definitions(folder: &Path) -> Result<()> {
    let module = go_list("{{.Dir}}", "sigs.k8s.io/gateway-api")?;
    let source = Path::new(&module).join("config/crd/standard");
    let _ = fs::remove_dir_all(folder); // none yet, or those of another version
    fs::create_dir_all(folder)?;
    for entry in
        fs::read_dir(&source).with_context(|| format!("cannot read {}", source.display()))?
    {
        let entry = entry?;
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            // Written, not copied: files of the module cache are read-only.
            fs::write(folder.join(entry.file_name()), fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn go_list(field: &str, module: &str) -> Result<String> {
    let text = process::output(go().args(["list", "-m", "-f", field, module]))
        .context("the testbed is a Go program: it needs Go 1.26 or newer in PATH")?;
    Ok(text.trim().to_owned())
}

fn go() -> Command {
    let mut command = Command::new("go");
    command.current_dir(place::root().join("testbed"));
    // A workspace file of the surrounding folders is not ours.
    command.env("GOWORK", "off");
    command
}
