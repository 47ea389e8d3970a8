//! Whether a project fits its tier: what all of its environments need at the most, against its quota.
//!
//! Pure. Volumes that services have left behind count as long as they are there: the cluster counts them. Always holds: what is compared with is the ResourceQuota and LimitRange that the cluster would
//! hold the project to, from the same bundle. A plan that asks for no more than is accepted already is
//! never blocked: an operator's smaller quota must not keep a project from shrinking. Read on in `needs`.

mod largest;
mod needs;
mod schedule;

use std::{cell::LazyCell, rc::Rc};

use serde_json::Value;
use starform_contract::{
    EnvironmentBundle, EnvironmentName, Origins, ProjectBundle, ServiceName, VolumeName,
};

use crate::{
    accepted::Environments,
    codes::{self, FindingCode},
    crosscheck::Sides,
    document::{Finding, FindingSeverity},
    words::Services,
};
use needs::{Needs, RESOURCES, Resource};

/// What does not fit, seen from the plan of `environment`.
pub(crate) fn findings(
    environment: &EnvironmentName,
    sides: Sides<'_>,
    services: (&Services<'_>, &Services<'_>),
    origins: &Origins,
) -> Vec<Finding> {
    let mut findings = sums(environment, sides, services, origins);
    findings.extend(largest::findings(
        environment,
        sides.project,
        services,
        origins,
    ));
    findings
}

/// What takes up a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder<'a> {
    Service(&'a ServiceName),
    /// A volume that stays, under the name that its service had.
    LeftBehind(&'a ServiceName, &'a VolumeName),
}

/// A holder in an environment, and how much of one resource it needs.
type Share<'a> = (u64, &'a EnvironmentName, Holder<'a>);

/// A holder in an environment, and what it needs.
type Needed<'a> = (Needs, &'a EnvironmentName, Holder<'a>);

fn sums(
    environment: &EnvironmentName,
    sides: Sides<'_>,
    (before, after): (&Services<'_>, &Services<'_>),
    origins: &Origins,
) -> Vec<Finding> {
    let Some(hard) = limit_of(sides.project, "ResourceQuota", "/spec/hard") else {
        return Vec::new();
    };
    let after = needed(sides.after, after);
    let before = LazyCell::new(|| needed(sides.before, before));
    let exceeded = RESOURCES.into_iter().filter_map(|resource| {
        let limit = hard.get(resource.quota_name()).and_then(Value::as_str);
        let limit = resource.parse(limit?)?;
        let need = total(&after, resource);
        if need <= limit {
            return None;
        }
        let shares = shares(&after, resource);
        let text = |amount| resource.text(amount);
        let title = format!(
            "{} may need {} {}, and its tier {} has {}: {}; {}, or ask the platform's operator for a larger tier",
            sides.project.project,
            text(need),
            resource.noun(),
            sides.project.tier,
            text(limit),
            main_part(&shares, resource),
            remedy(&shares, resource),
        );
        let mut ours = shares.iter().filter(|share| share.1 == environment);
        let at = ours.find_map(|share| match share.2 {
            Holder::Service(name) => origins.at(name, resource.path()),
            Holder::LeftBehind(..) => None,
        });
        let grows = need > total(&before, resource);
        Some(finding(&codes::OVER_QUOTA, grows, title, at))
    });
    exceeded.collect()
}

fn needed<'a>(environments: &Environments<'a>, services: &Services<'a>) -> Vec<Needed<'a>> {
    let of_environment = |(&name, bundle): (&&'a EnvironmentName, &&'a EnvironmentBundle)| {
        let services = services.get(name).map_or(&[] as &[_], Rc::as_ref);
        let services = services.iter();
        let services =
            services.map(|service| (Needs::of(service), Holder::Service(&service.entry.name)));
        let kept = bundle.kept.iter().map(|kept| {
            let holder = Holder::LeftBehind(&kept.service, &kept.volume);
            (Needs::of_kept(kept), holder)
        });
        let both = services.chain(kept);
        both.map(|(needs, holder)| (needs, name, holder))
            .collect::<Vec<_>>()
    };
    environments.iter().flat_map(of_environment).collect()
}

fn total(needed: &[Needed<'_>], resource: Resource) -> u64 {
    let amounts = needed.iter().map(|(needs, ..)| needs.of_resource(resource));
    amounts.fold(0, u64::saturating_add)
}

/// Largest first; what needs nothing of it is left out.
fn shares<'a>(needed: &[Needed<'a>], resource: Resource) -> Vec<Share<'a>> {
    let shares = needed
        .iter()
        .map(|(needs, name, holder)| (needs.of_resource(resource), *name, *holder));
    let mut shares: Vec<Share<'a>> = shares.filter(|share| share.0 > 0).collect();
    shares.sort_by(|a, b| (b.0, a.1, a.2).cmp(&(a.0, b.1, b.2)));
    shares
}

fn sum(shares: &[Share<'_>]) -> u64 {
    shares
        .iter()
        .fold(0, |sum, share| sum.saturating_add(share.0))
}

/// As many as people read.
const SHOWN: usize = 3;

fn main_part(shares: &[Share<'_>], resource: Resource) -> String {
    let shown = shares.iter().take(SHOWN);
    let mut words: Vec<String> = shown
        .map(|(amount, environment, holder)| {
            let amount = resource.text(*amount);
            match holder {
                Holder::Service(service) => format!("{service} in {environment} {amount}"),
                Holder::LeftBehind(service, volume) => {
                    format!("{service}.{volume} left behind in {environment} {amount}")
                }
            }
        })
        .collect();
    if let Some(rest) = shares.get(SHOWN..).filter(|rest| !rest.is_empty()) {
        words.push(format!("{} more {}", rest.len(), resource.text(sum(rest))));
    }
    words.join(", ")
}

fn remedy(shares: &[Share<'_>], resource: Resource) -> String {
    let left = |share: &&Share<'_>| matches!(share.2, Holder::LeftBehind(..));
    let own = resource.remedy();
    match shares.iter().find(left).map(|share| share.2) {
        Some(Holder::LeftBehind(service, volume)) => {
            format!("{own}, write `removed volume {service}.{volume} data=destroy`")
        }
        Some(Holder::Service(_)) | None => own.to_owned(),
    }
}

fn finding(code: &FindingCode, grows: bool, title: String, at: Option<&str>) -> Finding {
    let severity = if grows {
        FindingSeverity::Blocking
    } else {
        FindingSeverity::Warning
    };
    Finding {
        code: code.code.to_owned(),
        severity,
        title,
        at: at.map(str::to_owned),
    }
}

/// What the project's own object of this kind says at `pointer`.
fn limit_of<'a>(project: &'a ProjectBundle, kind: &str, pointer: &str) -> Option<&'a Value> {
    let mut objects = project.objects.iter().map(|object| &object.manifest);
    let found = objects.find(|manifest| manifest.get("kind").and_then(Value::as_str) == Some(kind));
    found?.pointer(pointer)
}
