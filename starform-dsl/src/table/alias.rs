//! Words of other platforms that have one of ours: compose, Kubernetes and Helm, Render, Fly, Heroku, Railway, Terraform.
//! Pure data. Case, `_` and `-` do not count in a word; one that has no counterpart here stands in `instead`.
//! Read on in `suggest` for how a word is looked up.

/// What is called `ours` here, and otherwise elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// A node in `NODES`, a property in `PROPERTIES`, one of the words of a property or argument in `VALUES`.
    pub ours: &'static str,
    pub words: &'static [&'static str],
}

const fn alias(ours: &'static str, words: &'static [&'static str]) -> Alias {
    Alias { ours, words }
}

#[rustfmt::skip]
pub(super) const NODES: &[Alias] = &[
    // Around services.
    alias("project", &["app", "application", "stack"]),
    alias("environment", &["env", "envs", "stage", "stages", "environments", "workspace"]),
    alias("preview", &["previews", "previews-enabled", "pull-request-previews-enabled", "review-apps", "review-app"]),
    alias("var-group", &[
        "group", "env-var-groups", "env-var-group", "env-group", "config-map", "config-maps", "configs", "locals", "variable",
        "variables", "vars", "env-vars", "config-vars", "variable-group", "shared-variables",
    ]),
    alias("partial", &["template", "anchor", "base", "mixin", "module"]),
    alias("include", &["includes", "import", "imports"]),
    alias("deploy", &["auto-deploy", "auto-deploy-trigger", "trigger"]),
    alias("drift", &["self-heal", "ignore-differences"]),
    // Kinds of service.
    alias("web", &[
        "service", "app", "application", "apps", "deployment", "deployments", "http-service", "web-service", "web-app", "webserver",
        "server", "frontend", "public",
    ]),
    alias("private", &["pserv", "private-service", "internal", "internal-service", "backend", "stateful-set"]),
    alias("worker", &["background", "background-worker", "process", "consumer", "daemon", "daemon-set", "workers"]),
    alias("cron", &["job", "jobs", "cron-job", "cron-jobs", "crons", "scheduled", "scheduled-job", "scheduler", "clock", "timer"]),
    // What runs.
    alias("image", &["docker-image", "container-image"]),
    alias("image-of", &["same-image-as", "image-from", "share-image"]),
    alias("watch", &["build-filter", "watch-patterns", "watch-paths", "included-paths"]),
    alias("arg", &["args", "build-arg", "build-args"]),
    alias("run", &["cmd", "command", "start", "start-command", "entrypoint", "run-command", "docker-command", "docker-entrypoint"]),
    alias("release", &["migrate", "migrations", "pre-deploy-command", "release-command", "pre-deploy", "init-containers", "init-container"]),
    alias("hold", &["freeze", "paused", "pin"]),
    alias("run-as", &["security-context", "pod-security-context"]),
    // What reaches it.
    alias("port", &["ports", "expose", "listen", "target-port", "container-port", "internal-port", "http-port", "node-port", "service-port"]),
    alias("metrics", &["prometheus", "service-monitor", "pod-monitor", "scrape"]),
    alias("domain", &[
        "host", "hosts", "hostname", "domains", "custom-domain", "custom-domains", "ingress", "url", "virtual-host", "server-name",
        "gateway", "http-route",
    ]),
    alias("alias", &["redirect", "aliases", "redirect-from", "also"]),
    alias("route", &["routes", "paths", "url-prefix", "path-prefix"]),
    alias("redirect", &["redirects", "rewrite", "rewrites"]),
    alias("allow-from", &["network-policy", "network-policies", "allow", "allow-list"]),
    // How it runs.
    alias("health", &[
        "healthcheck", "health-checks", "healthcheck-path", "checks", "probe", "probes", "http-checks", "tcp-checks",
    ]),
    alias("ready", &["readiness-probe", "readiness", "path", "url", "endpoint"]),
    alias("live", &["liveness-probe", "liveness"]),
    alias("startup", &["startup-probe"]),
    alias("size", &[
        "resources", "requests", "limits", "vm", "plan", "instance-type", "instance-size", "instance-size-slug", "machine", "dyno",
        "dyno-type",
    ]),
    alias("scale", &[
        "replicas", "replica-count", "instances", "instance-count", "count", "num-instances", "num-replicas", "quantity", "autoscale",
        "autoscaling", "autoscaler", "scaling", "hpa", "horizontal-pod-autoscaler",
    ]),
    alias("drain", &[
        "stop-grace-period", "kill-timeout", "termination-grace-period-seconds", "max-shutdown-delay-seconds", "draining-seconds",
        "overlap-seconds", "shutdown", "pre-stop", "graceful-shutdown",
    ]),
    alias("use", &["env-file", "env-files", "env-from", "from-group", "config-map-ref"]),
    alias("vars", &[
        "env", "envs", "environment", "env-vars", "env-var", "variables", "variable", "config-vars", "config", "settings", "extra-env",
        "extra-env-vars",
    ]),
    alias("volume", &[
        "volumes", "mount", "mounts", "disk", "disks", "volume-mounts", "volume-mount", "persistence", "persistent-volume", "pvc",
        "persistent-volume-claim", "storage",
    ]),
    alias("observability", &["telemetry", "monitoring", "tracing"]),
    alias("only", &["profiles", "environments", "if"]),
    alias("not-in", &["except", "exclude", "unless"]),
    alias("in", &["override", "overrides", "overlay", "overlays", "when"]),
    // Jobs.
    alias("overlap", &["concurrency-policy", "concurrency"]),
    alias("retries", &["backoff-limit", "retry", "restart-policy-max-retries", "max-retries"]),
    alias("timeout", &["active-deadline-seconds", "deadline", "max-duration", "timeout-seconds", "release-command-timeout"]),
    alias("keep", &["history", "history-limit", "successful-jobs-history-limit", "failed-jobs-history-limit"]),
];

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Alias] = &[
    alias("branch", &["ref", "git-branch", "git"]),
    alias("after", &["on", "when", "trigger"]),
    alias("from", &["base", "parent", "of"]),
    alias("expire", &["ttl", "expiry", "expires", "expire-after", "expire-after-days", "expires-in"]),
    alias("root", &["dir", "directory", "path", "root-dir", "source-dir", "source", "folder", "context", "working-dir", "cwd"]),
    alias("like", &["extends", "inherits", "inherit", "template", "partial", "base", "from"]),
    alias("was", &["renamed-from", "previous-name", "moved-from", "formerly"]),
    alias("schedule", &["cron", "crontab", "cron-schedule", "expression", "when", "every"]),
    alias("timezone", &["tz", "zone"]),
    alias("builder", &["type", "using", "with"]),
    alias("dockerfile", &["file", "dockerfile-path"]),
    alias("context", &["dir", "path", "directory", "docker-context"]),
    alias("target", &["stage", "build-target"]),
    alias("command", &["cmd", "build-command"]),
    alias("protocol", &["type", "proto", "scheme", "app-protocol", "handlers"]),
    alias("strip-prefix", &["strip-path", "strip", "preserve-path-prefix", "rewrite"]),
    alias("to", &["target", "destination", "location", "url"]),
    alias("status", &["code", "status-code", "type"]),
    alias("memory", &["mem", "ram", "memory-limit", "mem-limit", "mem-reservation", "memory-mb", "target-memory-percent",
        "target-memory-utilization-percentage", "target-memory"]),
    alias("cpu", &["cpus", "cores", "vcpu", "vcpus", "cpu-limit", "target-cpu-percent", "target-cpu-utilization-percentage", "target-cpu",
        "average-utilization"]),
    alias("min", &["min-replicas", "min-instances", "min-machines-running", "min-scale", "minimum", "from"]),
    alias("max", &["max-replicas", "max-instances", "max-scale", "maximum", "to"]),
    alias("cooldown", &["stabilization-window-seconds", "stabilization-window", "cooldown-period", "delay"]),
    alias("before-term", &["pre-stop", "delay", "wait", "before"]),
    alias("grace", &["grace-period", "period", "timeout", "kill-timeout", "stop-grace-period", "termination-grace-period-seconds"]),
    alias("mount", &["path", "mount-path", "destination", "target", "container-path", "at"]),
    alias("size", &["size-gb", "storage", "capacity", "initial-size"]),
    alias("class", &["storage-class", "storage-class-name", "type"]),
    alias("kind", &["type", "protocol"]),
    alias("path", &["http-get", "url", "endpoint", "uri", "test"]),
    alias("every", &["period", "interval", "period-seconds"]),
    alias("failures", &["failure-threshold", "retries", "unhealthy-threshold", "threshold"]),
    alias("startup-within", &["start-period", "grace-period", "initial-delay-seconds", "startup-timeout", "healthcheck-timeout", "timeout"]),
    alias("user", &["uid", "run-as-user"]),
    alias("group", &["gid", "run-as-group"]),
    alias("succeeded", &["success", "successful", "successful-jobs-history-limit"]),
    alias("failed", &["failure", "failures", "failed-jobs-history-limit"]),
];

#[rustfmt::skip]
pub(super) const VALUES: &[Alias] = &[
    alias("http", &["https", "http1", "web", "ws", "wss", "websocket", "http-get"]),
    alias("h2c", &["http2", "h2", "http/2"]),
    alias("grpc", &["grpcs", "grpc-web"]),
    alias("tcp", &["tls", "raw", "socket", "tcp-socket"]),
    alias("commit", &["push", "auto", "automatic", "always", "on", "yes"]),
    alias("checks", &["ci", "tests", "checks-pass", "after-ci-checks", "success"]),
    alias("manual", &["approval", "off", "never", "no", "by-hand"]),
    alias("pull-request", &["pr", "pull-requests", "merge-request", "mr"]),
    alias("stub", &["fake", "dummy", "none"]),
    alias("inherit", &["copy", "same", "inherited"]),
    alias("correct", &["fix", "heal", "self-heal", "revert", "enforce"]),
    alias("report", &["warn", "notify", "detect", "ignore"]),
    alias("forbid", &["skip", "never", "no", "none"]),
    alias("replace", &["cancel", "kill", "restart"]),
    alias("allow", &["parallel", "always", "yes"]),
    alias("dockerfile", &["docker", "container", "buildkit"]),
    alias("railpack", &["nixpacks", "buildpack", "buildpacks", "heroku", "paketo", "native"]),
];
