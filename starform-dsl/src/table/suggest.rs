//! The nearest known word to one that is not known: by spelling, then by what other platforms call it.
//! Pure. Spelling: Damerau–Levenshtein distance of at most a third of the word, case and `_`/`-` folded.
//! Read on in `crate::lower` for the messages that name it.

/// Words of compose, Kubernetes, Render, Fly, Heroku and Terraform, and ours.
const FOREIGN: &[(&str, &str)] = &[
    ("app", "project"),
    ("stack", "project"),
    ("env", "environment"),
    ("envs", "environment"),
    ("stage", "environment"),
    ("env", "vars"),
    ("environment", "vars"),
    ("envvars", "vars"),
    ("variables", "vars"),
    ("secrets", "vars"),
    ("env-file", "use"),
    ("envfrom", "use"),
    ("fromgroup", "use"),
    ("group", "var-group"),
    ("envvargroups", "var-group"),
    ("configmap", "var-group"),
    ("locals", "var-group"),
    ("template", "partial"),
    ("anchor", "partial"),
    ("extends", "like"),
    ("service", "web"),
    ("services", "web"),
    ("deployment", "web"),
    ("http-service", "web"),
    ("pserv", "private"),
    ("internal", "private"),
    ("background", "worker"),
    ("process", "worker"),
    ("job", "cron"),
    ("cronjob", "cron"),
    ("scheduled", "cron"),
    ("replicas", "scale"),
    ("instances", "scale"),
    ("count", "scale"),
    ("numinstances", "scale"),
    ("autoscale", "scale"),
    ("autoscaling", "scale"),
    ("scaling", "scale"),
    ("resources", "size"),
    ("requests", "size"),
    ("limits", "size"),
    ("vm", "size"),
    ("plan", "size"),
    ("cmd", "run"),
    ("command", "run"),
    ("start", "run"),
    ("startcommand", "run"),
    ("entrypoint", "run"),
    ("args", "run"),
    ("container", "image"),
    ("ports", "port"),
    ("expose", "port"),
    ("listen", "port"),
    ("targetport", "port"),
    ("containerport", "port"),
    ("healthcheck", "health"),
    ("healthcheckpath", "health"),
    ("checks", "health"),
    ("probe", "health"),
    ("readinessprobe", "ready"),
    ("readiness", "ready"),
    ("livenessprobe", "live"),
    ("liveness", "live"),
    ("startupprobe", "startup"),
    ("host", "domain"),
    ("hostname", "domain"),
    ("domains", "domain"),
    ("ingress", "domain"),
    ("url", "domain"),
    ("redirect", "alias"),
    ("depends-on", "allow-from"),
    ("networkpolicy", "allow-from"),
    ("allow", "allow-from"),
    ("stop-grace-period", "drain"),
    ("terminationgraceperiodseconds", "drain"),
    ("shutdown", "drain"),
    ("concurrencypolicy", "overlap"),
    ("concurrency", "overlap"),
    ("backofflimit", "retries"),
    ("retry", "retries"),
    ("activedeadlineseconds", "timeout"),
    ("history", "keep"),
    ("telemetry", "observability"),
    ("monitoring", "observability"),
    ("except", "not-in"),
    ("overrides", "in"),
    ("when", "in"),
    ("autodeploy", "deploy"),
    ("migrate", "release"),
    ("predeploycommand", "release"),
    ("cron", "schedule"),
    ("tz", "timezone"),
    ("time-zone", "timezone"),
    ("mem", "memory"),
    ("ram", "memory"),
    ("cpus", "cpu"),
    ("minreplicas", "min"),
    ("maxreplicas", "max"),
    ("period", "every"),
    ("interval", "every"),
    ("periodseconds", "every"),
    ("timeoutseconds", "timeout"),
    ("failurethreshold", "failures"),
    ("retries", "failures"),
    ("git-branch", "branch"),
];

/// The candidate that is spelled most like `word`, if one is close enough.
pub fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = fold(word);
    let most = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            (folded.len().abs_diff(wanted.len()) <= most)
                .then(|| (distance(&wanted, &folded), candidate))
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What other platforms call something, and what it is called here.
pub(crate) fn foreign_words() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    FOREIGN.iter()
}

/// Our word for what another platform calls `word`, if it is one of `candidates`.
pub fn foreign_word<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let wanted = fold(word);
    candidates.into_iter().find(|candidate| {
        FOREIGN
            .iter()
            .any(|(foreign, ours)| ours == candidate && fold(foreign) == wanted)
    })
}

fn fold(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| *c != '-' && *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Damerau–Levenshtein distance, adjacent transpositions only.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for (i, &x) in a.iter().enumerate() {
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = last[j] + usize::from(x != y);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}
