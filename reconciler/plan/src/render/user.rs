//! As whom containers run, and with which rights: the security contexts of pods and containers.
//!
//! Pure. Always holds: everything but `run-as root` fulfils Pod Security Admission's *restricted*
//! level, and that one the *baseline* level, which namespaces enforce. Sources: Kubernetes' Pod
//! Security Standards; `docs/objects.md` for the reasons.

use serde_json::{Value, json};
use starform_contract::model::RunAs;

/// Images seldom name a numeric user, and the kubelet refuses to guess.
const USER: u32 = 10_001;
const ROOT: u32 = 0;
/// What programs that start as root do first: prepare files and give up their rights. A part of what
/// container runtimes give root, and of what the baseline level allows.
const ROOT_CAPABILITIES: [&str; 6] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
];

/// Of a pod. Its group owns the volumes, so that every user may write to them.
pub(super) fn pod_context(run_as: RunAs) -> Value {
    let mut context = json!({
        "runAsNonRoot": run_as != RunAs::Root,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    let (user, group) = match run_as {
        RunAs::Default => (USER, USER),
        RunAs::Root => (ROOT, ROOT),
        RunAs::User { user, group } => (user, group),
        // The kubelet takes the image's user and refuses one that is root or a name.
        RunAs::Image => {
            context["fsGroup"] = json!(USER);
            return context;
        }
    };
    context["fsGroup"] = json!(group);
    context["runAsGroup"] = json!(group);
    context["runAsUser"] = json!(user);
    context
}

/// Of the container.
pub(super) fn container_context(run_as: RunAs) -> Value {
    let capabilities = match run_as {
        RunAs::Root => json!({ "add": ROOT_CAPABILITIES, "drop": ["ALL"] }),
        RunAs::Default | RunAs::Image | RunAs::User { .. } => json!({ "drop": ["ALL"] }),
    };
    json!({ "allowPrivilegeEscalation": false, "capabilities": capabilities })
}
