//! Whether a plan needs an approval: what `protect` of an environment asks for.
//!
//! Pure. Always holds: a plan that destroys, deletes, replaces or widens anything of a protected
//! environment needs one, and so does one that takes `protect` away; the accepted and the proposed word
//! count alike, so no change unprotects itself. Which approval a plan has, only the caller knows: see
//! [`crate::accept`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use starform_contract::{
    EffectId, EnvironmentBundle, EnvironmentName, Object, ObjectKey, ProjectBundle,
};

use crate::{
    accepted::AcceptedProject,
    closing, codes,
    document::{Finding, FindingSeverity, ObjectChange, Plan, Risk, ServiceChange},
    opening::{Openings, openings},
    view::values,
};

/// Whether somebody who may has approved the effect of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    Given,
    Missing,
}

/// An approval that holds, as it stands beside a plan; never part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approved {
    /// Who: the name of a person, or the id of an administrator's token.
    pub by: String,
    /// When (RFC 3339).
    pub at: String,
}

/// Those that hold, by what they approve.
pub type Approvals = BTreeMap<EffectId, Approved>;

/// Why a plan needs an approval; printed, it is the title of the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Whose `protect` asks for it: the plan's environment, or another one of the project that the
    /// project's own objects serve too.
    pub protected: EnvironmentName,
    /// How many objects are at each risk.
    pub risks: BTreeMap<Risk, usize>,
    pub opens: Openings,
    /// How many hosts nothing answers any more, and how many services stay and stop.
    pub closes: usize,
    pub stops: usize,
    /// `protect` would be taken away.
    pub unprotects: bool,
}

/// `None`: the plan, of which this project and this environment come out, may be applied without
/// anybody's approval.
pub(crate) fn need(
    accepted: &AcceptedProject,
    plan: &Plan,
    project: &ProjectBundle,
    next: &EnvironmentBundle,
) -> Option<Need> {
    let before = accepted.environment(&next.environment);
    let was = before.is_some_and(|environment| environment.protect);
    let need = if was || next.protect {
        Need {
            protected: next.environment.clone(),
            risks: risks(plan.objects.iter(), &plan.services),
            opens: openings(plan.objects.iter()),
            closes: closing::hosts(plan).len(),
            stops: closing::stopped(plan).count(),
            unprotects: was && !next.protect,
        }
    } else {
        let shared = shared(accepted, project);
        let objects = plan.objects.iter();
        let objects = objects.filter(|object| shared.contains(&object.key));
        Need {
            protected: other_protected(accepted)?,
            risks: risks(objects.clone(), &[]),
            opens: openings(objects),
            closes: 0,
            stops: 0,
            unprotects: false,
        }
    };
    let ends = need.closes > 0 || need.stops > 0;
    (need.unprotects || ends || !need.risks.is_empty()).then_some(need)
}

/// Says of the plan that it needs one, if it does.
pub(crate) fn note(
    plan: &mut Plan,
    accepted: &AcceptedProject,
    project: &ProjectBundle,
    next: &EnvironmentBundle,
) {
    let need = need(accepted, plan, project, next);
    plan.findings.extend(need.map(|need| need.finding()));
}

impl Need {
    /// As a finding of the plan.
    pub(crate) fn finding(&self) -> Finding {
        Finding {
            code: codes::APPROVAL_NEEDED.code.to_owned(),
            severity: FindingSeverity::Approval,
            title: self.to_string(),
            at: None,
        }
    }
}

impl Plan {
    /// That it needs an approval, and why. What was accepted since may be another reason.
    pub fn approval_needed(&self) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|finding| finding.severity == FindingSeverity::Approval)
    }
}

/// What nobody does to a protected environment alone.
fn is_grave(risk: Risk) -> bool {
    match risk {
        Risk::Widen | Risk::Replace | Risk::Delete | Risk::Destroy => true,
        Risk::None | Risk::Create | Risk::Update | Risk::Rollout => false,
    }
}

fn risks<'a>(
    objects: impl Iterator<Item = &'a ObjectChange>,
    services: &[ServiceChange],
) -> BTreeMap<Risk, usize> {
    let mut risks = BTreeMap::new();
    for object in objects.filter(|object| is_grave(object.risk)) {
        *risks.entry(object.risk).or_default() += 1;
    }
    // A service has the risk of its objects; one without any that is deleted counts as one.
    for service in services.iter().filter(|service| is_grave(service.risk)) {
        risks.entry(service.risk).or_insert(1);
    }
    risks
}

/// The objects that serve all environments of the project.
fn shared(accepted: &AcceptedProject, next: &ProjectBundle) -> BTreeSet<ObjectKey> {
    let before = accepted.project().into_iter();
    let before = before.flat_map(|project| &project.objects);
    let all = before.chain(&next.objects);
    all.filter_map(Object::key).collect()
}

fn other_protected(accepted: &AcceptedProject) -> Option<EnvironmentName> {
    let mut others = accepted.environments().into_iter();
    let protected = others.find(|(_, other)| other.protect && !other.is_empty());
    protected.map(|(name, _)| name.clone())
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let risks = self.risks.iter().rev();
        let mut does: Vec<String> = risks
            .filter_map(|(risk, number)| {
                let objects = values::count(*number, "object");
                match risk {
                    Risk::Destroy => Some(format!("destroys the data of {objects}")),
                    Risk::Delete => Some(format!("deletes {objects}")),
                    Risk::Replace => Some(format!("replaces {objects}")),
                    // Said by what they open.
                    Risk::Widen => None,
                    Risk::None | Risk::Create | Risk::Update | Risk::Rollout => {
                        Some(format!("changes {objects}"))
                    }
                }
            })
            .chain(self.opens.words())
            .collect();
        let ends = [
            (self.closes, "closes", "host"),
            (self.stops, "stops", "service"),
        ];
        let ends = ends.into_iter().filter(|(number, _, _)| *number > 0);
        does.extend(
            ends.map(|(number, verb, what)| format!("{verb} {}", values::count(number, what))),
        );
        does.extend(self.unprotects.then(|| "takes `protect` away".to_owned()));
        let name = &self.protected;
        let does = values::list(&does);
        write!(
            f,
            "{name} is protected and the plan {does}, so it needs an approval"
        )
    }
}
