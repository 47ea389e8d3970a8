//! Why the pods of a service do not get well, in the words that a person needs.
//!
//! Pure. Looks at the newest revision only: older pods go on serving while it fails. No log line and no
//! termination message is quoted, because a program may write a secret there.

use std::fmt;

use serde_json::Value;

use super::{condition, is, one_line};

/// What keeps one pod from being ready; the gravest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Problem {
    /// The image cannot be pulled.
    Image { image: String, message: String },
    /// The kubelet cannot make or start the container.
    Container { reason: String, message: String },
    /// The container ended, and is started again.
    Crash(Crash),
    /// No node takes the pod.
    Unschedulable { message: String },
    /// The pod was ended from outside, such as by an eviction.
    Ended { reason: String, message: String },
    /// It runs, but a check does not pass.
    NotReady { check: String },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crash {
    /// `None` while only the count of restarts tells.
    exit_code: Option<i64>,
    out_of_memory: bool,
    restarts: u64,
    /// The kubelet holds the next start back.
    backing_off: bool,
}

/// The gravest problem of the newest pods; `None` if they are ready, or only young.
pub fn explain_pods(pods: &[Value]) -> Option<String> {
    let newest = newest_revision(pods);
    let mut problems: Vec<Problem> = newest.iter().filter_map(|pod| problem(pod)).collect();
    problems.sort();
    let affected = problems.len();
    let first = problems.into_iter().next()?;
    Some(match newest.len() {
        1 => first.to_string(),
        total => format!("{first} ({affected} of {total} pods)"),
    })
}

/// Whether a new pod has a problem that time alone seldom ends.
pub fn is_stuck(pods: &[Value]) -> bool {
    newest_revision(pods)
        .into_iter()
        .filter_map(problem)
        .any(|problem| problem.is_stuck())
}

impl Problem {
    fn is_stuck(&self) -> bool {
        match self {
            Self::Image { .. } | Self::Container { .. } | Self::Unschedulable { .. } => true,
            Self::Crash(crash) => crash.backing_off,
            Self::Ended { .. } | Self::NotReady { .. } => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { image, message } => {
                write!(f, "the image {image} cannot be pulled")?;
                detail(f, message)
            }
            Self::Container { reason, message } => {
                write!(f, "the container cannot be started: {reason}")?;
                detail(f, message)
            }
            Self::Crash(crash) => crash.fmt(f),
            Self::Unschedulable { message } => {
                f.write_str("no node takes the pod")?;
                detail(f, message)
            }
            Self::Ended { reason, message } => {
                write!(f, "the pod was ended: {reason}")?;
                detail(f, message)
            }
            Self::NotReady { check } => write!(f, "the container runs, but {check} does not pass"),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit_code {
            Some(_) if self.out_of_memory => f.write_str("the container runs out of memory")?,
            Some(0) => f.write_str("the container ends by itself with exit code 0")?,
            Some(code) => write!(f, "the container crashes with exit code {code}")?,
            None => f.write_str("the container crashes")?,
        }
        match self.restarts {
            0 => Ok(()),
            1 => f.write_str(", 1 restart so far"),
            n => write!(f, ", {n} restarts so far"),
        }
    }
}

fn detail(f: &mut fmt::Formatter<'_>, message: &str) -> fmt::Result {
    if message.is_empty() {
        Ok(())
    } else {
        write!(f, ": {message}")
    }
}

/// The pods that share the template of the pod created last, without those being deleted.
fn newest_revision(pods: &[Value]) -> Vec<&Value> {
    let staying = || {
        pods.iter()
            .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none())
    };
    let hash = |pod: &Value| pod.pointer("/metadata/labels/pod-template-hash").cloned();
    let created = |pod: &Value| text(pod, "/metadata/creationTimestamp");
    let newest = staying()
        .max_by_key(|pod| (created(pod), text(pod, "/metadata/name")))
        .map(hash);
    staying().filter(|pod| Some(hash(pod)) == newest).collect()
}

fn problem(pod: &Value) -> Option<Problem> {
    let status = &pod["status"];
    let ready = condition(status, "Ready").is_some_and(|condition| is(condition, "True"));
    if ready || status["phase"] == "Succeeded" {
        return None;
    }
    let scheduled = condition(status, "PodScheduled");
    let refused = scheduled.filter(|c| is(c, "False") && c["reason"] == "Unschedulable");
    if let Some(refused) = refused {
        let message = one_line(refused["message"].as_str().unwrap_or_default());
        return Some(Problem::Unschedulable { message });
    }
    let containers = containers(pod);
    let gravest = containers
        .into_iter()
        .filter_map(|(container, status)| container_problem(container, status))
        .min();
    gravest.or_else(|| ended(status))
}

/// Every container that has a status, with what the pod says about it.
fn containers(pod: &Value) -> Vec<(&Value, &Value)> {
    let lists = [
        ("/spec/initContainers", "/status/initContainerStatuses"),
        ("/spec/containers", "/status/containerStatuses"),
    ];
    lists
        .into_iter()
        .flat_map(|(specs, statuses)| {
            list(pod, statuses).iter().map(move |status| {
                let spec = list(pod, specs)
                    .iter()
                    .find(|spec| spec["name"] == status["name"]);
                (spec.unwrap_or(&Value::Null), status)
            })
        })
        .collect()
}

fn container_problem(container: &Value, status: &Value) -> Option<Problem> {
    if status["ready"] == true {
        return None;
    }
    if let Some(reason) = status.pointer("/state/waiting/reason") {
        return waiting(reason.as_str().unwrap_or_default(), status);
    }
    if let Some(crash) = crash(status) {
        return Some(Problem::Crash(crash));
    }
    let check = failing_check(container, status)?;
    Some(Problem::NotReady { check })
}

/// Reasons of the kubelet; `None` for one that belongs to every start.
fn waiting(reason: &str, status: &Value) -> Option<Problem> {
    let message = one_line(&text(status, "/state/waiting/message"));
    match reason {
        "ContainerCreating" | "PodInitializing" | "" => None,
        "CrashLoopBackOff" => Some(Problem::Crash(Crash {
            backing_off: true,
            ..crash(status).unwrap_or(Crash {
                exit_code: None,
                out_of_memory: false,
                restarts: restarts(status),
                backing_off: true,
            })
        })),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => {
            let image = text(status, "/image");
            Some(Problem::Image { image, message })
        }
        other => Some(Problem::Container {
            reason: other.to_owned(),
            message,
        }),
    }
}

/// The last end of a container: now, or before its last start.
fn crash(status: &Value) -> Option<Crash> {
    let ended = ["/state/terminated", "/lastState/terminated"]
        .into_iter()
        .find_map(|path| status.pointer(path).filter(|state| state.is_object()))?;
    Some(Crash {
        exit_code: ended["exitCode"].as_i64(),
        out_of_memory: ended["reason"] == "OOMKilled",
        restarts: restarts(status),
        backing_off: false,
    })
}

fn restarts(status: &Value) -> u64 {
    status["restartCount"].as_u64().unwrap_or(0)
}

/// The check that a running container has not passed; a container without one is ready at once.
fn failing_check(container: &Value, status: &Value) -> Option<String> {
    let startup = container.get("startupProbe");
    let (what, probe) = match startup {
        Some(probe) if status["started"] != true => ("startup", probe),
        _ => ("readiness", container.get("readinessProbe")?),
    };
    Some(format!("its {what} check ({})", describe(probe)))
}

fn describe(probe: &Value) -> String {
    if let Some(get) = probe.get("httpGet") {
        let path = get["path"].as_str().unwrap_or("/");
        return format!("HTTP GET {path} on port {}", get["port"]);
    }
    if let Some(grpc) = probe.get("grpc") {
        return format!("gRPC health on port {}", grpc["port"]);
    }
    match probe.get("tcpSocket") {
        Some(socket) => format!("TCP on port {}", socket["port"]),
        None => "a command".to_owned(),
    }
}

/// A pod that failed as a whole, such as one evicted from its node.
fn ended(status: &Value) -> Option<Problem> {
    let reason = text(status, "/reason");
    (status["phase"] == "Failed" && !reason.is_empty()).then(|| Problem::Ended {
        reason,
        message: one_line(&text(status, "/message")),
    })
}

fn text(value: &Value, path: &str) -> String {
    let text = value.pointer(path).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
