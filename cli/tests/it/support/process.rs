//! Running `starform` to its end, and keeping servers that die with the test.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use super::wait_for;

/// What one command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Fails unless each of the words was printed.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) -> &Self {
        let all = format!("{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(all.contains(word), "`{word}` is not in:\n{all}");
        }
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}

/// `starform` without anything of the caller's environment that would change its answer.
pub(crate) fn starform() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starform"));
    for name in [
        "STARFORM_SERVER",
        "STARFORM_TOKEN",
        "KUBECONFIG",
        "CLICOLOR_FORCE",
        "CI",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .stdin(Stdio::null());
    command
}

pub(crate) fn run(command: &mut Command) -> Ran {
    ran(command.output().unwrap())
}

/// As [`run`], with bytes on standard input.
pub(crate) fn run_with(command: &mut Command, input: impl AsRef<[u8]>) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input.as_ref()).unwrap();
    drop(pipe);
    ran(child.wait_with_output().unwrap())
}

/// On a terminal of its own, which `script` (util-linux) opens, where this is typed.
pub(crate) fn typed(command: &Command, answers: &str) -> Ran {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let mut script = Command::new("script");
    script.args(["-qec", &words.join(" "), "/dev/null"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        script.current_dir(folder);
    }
    run_with(&mut script, answers)
}

/// Runs the command and sends it Ctrl-C as soon as it has said each of the words.
pub(crate) fn interrupted(command: &mut Command, words: &[&str]) -> Ran {
    interrupted_after(command, words, || {})
}

/// As [`interrupted`], with something that is done before each Ctrl-C.
pub(crate) fn interrupted_after(
    command: &mut Command,
    words: &[&str],
    mut before: impl FnMut(),
) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let file = |path| Stdio::from(File::create(path).unwrap());
    let read = |path| std::fs::read_to_string(path).unwrap();
    let child = command.stdout(file(&out)).stderr(file(&err)).spawn();
    let mut child = child.unwrap();
    for word in words {
        wait_for(word, Duration::from_secs(60), || {
            read(&err).contains(word).then_some(())
        });
        before();
        signal("-INT", child.id());
    }
    let status = child.wait().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: read(&out),
        stderr: read(&err),
    }
}

/// `-INT` is Ctrl-C, as a terminal sends it.
pub(crate) fn signal(signal: &str, process: u32) {
    run(Command::new("kill").args([signal, &process.to_string()])).expect(0);
}

fn ran(output: Output) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// A process that is killed when the test lets go of it.
pub(crate) struct Running {
    child: Child,
    pub(crate) log: PathBuf,
}

impl Running {
    /// Output goes to `log`, which is appended to, so that a restart keeps the story.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Panics with the log when the process has ended.
    pub(crate) fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("ended with {status}:\n{}", self.log());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- {} (last lines)", self.log.display());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Another binary of the workspace, built by `cargo xtask test` before the tests run.
pub(crate) fn shuttle_bin() -> PathBuf {
    let folder = env::var_os("STARFORM_BIN_DIR_FOR_TESTS").map_or_else(
        || {
            Path::new(env!("CARGO_BIN_EXE_starform"))
                .parent()
                .unwrap()
                .to_owned()
        },
        PathBuf::from,
    );
    let path = folder.join("starform-shuttle");
    assert!(
        path.is_file(),
        "{} is not built; run `cargo xtask test`",
        path.display()
    );
    path
}

pub(crate) fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
    command: &mut Command,
    args: I,
) -> Ran {
    run(command.args(args))
}
