//! What must hold of a service's variables in one environment: references that resolve, groups that agree.
//! Pure.
//! Read on in `names` for what holds in every environment.

use std::collections::{BTreeMap, BTreeSet};

use super::{At, names};
use crate::diag::{Diagnostic, codes};
use crate::project::{Setting, Spanned};
use crate::resolve::{self, MOST_VARIABLES, Resolved};
use crate::vars::{Output, Reference, Target, VarValue};

pub(super) fn check(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    if resolved.crowded {
        let name = &resolved.service.name;
        let title = format!("`{}` has more than {MOST_VARIABLES} variables", name.value);
        let help = "use fewer groups, or take out of them what the service does not need";
        let diagnostic = Diagnostic::new(codes::TOO_MANY_OF_ONE_THING, name.span, title).help(help);
        at.report(resolved.service, diagnostic);
        return;
    }
    for (key, var) in &resolved.vars {
        for reference in var.value.references() {
            check_reference(at, resolved, key, reference);
        }
    }
    check_groups(at, resolved);
}

fn check_reference(
    at: &mut At<'_, '_>,
    resolved: &Resolved<'_>,
    key: &str,
    reference: &Spanned<Reference>,
) {
    let output = reference.value.output;
    match &reference.value.target {
        Target::Own => {
            if !Output::of(resolved.service.kind.kind()).contains(&output) {
                let diagnostic = names::no_output(resolved.service, output, reference.span);
                at.report(resolved.service, diagnostic);
            }
        }
        Target::Service(name) => {
            let there = at
                .model
                .service(name)
                .is_none_or(|service| service.presence.includes(at.environment));
            if !there {
                let title = format!("`{name}` does not exist in `{}`", at.environment);
                let by = &resolved.service.name;
                let diagnostic = Diagnostic::new(codes::SERVICE_NOT_IN_ENVIRONMENT, reference.span, title)
                    .also(by.span, "used here")
                    .help(format!(
                        "let `{name}` exist there, or take the variable back: `in {} {{ vars {{ {key} #null; }}; }}`",
                        at.environment
                    ));
                at.report(resolved.service, diagnostic);
            } else if let Some(said) = not_let_in(at, resolved, name, reference) {
                at.report(resolved.service, said);
            }
        }
    }
}

/// That what the reference names will not answer. Public hosts are reached from outside, by everyone.
fn not_let_in(
    at: &At<'_, '_>,
    resolved: &Resolved<'_>,
    name: &str,
    reference: &Spanned<Reference>,
) -> Option<Diagnostic> {
    let by = &resolved.service.name;
    let private = match reference.value.output {
        Output::Host | Output::Port | Output::HostPort | Output::PrivateUrl => true,
        Output::PublicHost | Output::PublicUrl => false,
    };
    let door = at.doors.get(name).filter(|_| private)?;
    let caller = by.value.as_str();
    (name != caller && !door.contains(caller)).then(|| {
        let title = format!("`{name}` does not let `{caller}` in");
        Diagnostic::new(codes::NOT_LET_IN, reference.span, title)
            .also(by.span, "used here")
            .help(format!("add `{caller}` to the `allow-from` of `{name}`"))
    })
}

/// Keys that two groups give different values, unless the service itself says which.
fn check_groups(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    let groups = resolved.groups(at.model);
    if groups.len() < 2 {
        return;
    }
    let own: BTreeSet<&str> = resolved.own_keys().collect();
    let mut seen: BTreeMap<&str, (&str, &Spanned<Setting<VarValue>>)> = BTreeMap::new();
    for (name, group) in groups {
        for (key, value) in resolve::group(group, at.environment) {
            let Setting::Set(new) = &value.value else {
                continue;
            };
            let earlier = seen.insert(key, (name.as_str(), value));
            if let (Some((other, first)), false) = (earlier, own.contains(key))
                && let Setting::Set(old) = &first.value
                && !old.means(new)
            {
                let title =
                    format!("`{key}` differs between the var-groups `{other}` and `{name}`");
                let diagnostic = Diagnostic::new(codes::GROUPS_DIFFER, value.span, title)
                    .label("this one wins, because its group is used later")
                    .also(first.span, "this one is hidden")
                    .help(format!("say which is meant in the service's own `vars`, or drop `{key}` from one group"));
                at.report(resolved.service, diagnostic);
            }
        }
    }
}
