//! A plan onto what is accepted now: merged service by service into the next generation, or refused.
//!
//! Pure: the caller stores what comes out, only if the index is still the current one, and repeats
//! with the newer one otherwise. Always holds: nothing that the plan does not touch changes; what may
//! be deleted is exactly what the plan said. Read on in `sound`, [`crate::stale`] and
//! [`crate::crosscheck`].

use std::collections::BTreeSet;

use starform_contract::{
    Accepted, Consent, Deletion, EnvironmentBundle, EnvironmentName, Generation, Index, Object,
    ObjectKey, Origins, PlanId, ProjectBundle, ProjectEntry, bundle::Written, digest::Measured,
};

use crate::{
    accepted::AcceptedProject,
    approval::{self, Approval},
    crosscheck,
    document::{Action, Finding, FindingSeverity, Plan},
    ending::ends_with_project,
    merge,
    pairs::Compared,
    propose::Proposal,
    size::{self, Sizes},
    sound,
    stale::{self, Stale},
    view::values,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// The next generation of the cluster, and the two bundles that it names anew; it names none of an
    /// environment of which nothing is left.
    Accepted(Box<Next>),
    /// Everything is already accepted as the plan wants it.
    NothingToDo,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Unsigned.
    pub index: Index,
    pub project: ProjectBundle,
    pub environment: EnvironmentBundle,
}

/// Why a plan is not accepted; the text names what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the plan is stale; make it again and look at what changed:\n{}", lines(.0))]
    Stale(Vec<Stale>),
    #[error("the plan does not go together with what was accepted since:\n{}", titles(.0))]
    CrossCheck(Vec<Finding>),
    #[error("the plan has findings that forbid applying it:\n{}", titles(.0))]
    Blocked(Vec<Finding>),
    #[error("the plan is not approved: {}", .0.title)]
    Unapproved(Box<Finding>),
    /// The index still lists the plan's consents. Once they are cleared nothing here remembers the
    /// plan: that it is used once is kept by the server, which notes what each stored plan became. A
    /// plan file without a server may be accepted again if its *before* and *after* fit again.
    #[error("plan {0} is already accepted, and was undone since; make the plan again")]
    Used(PlanId),
    #[error(
        "the project's own objects, its Namespace among them, would be gone while {} stands; delete that first, or make the plan again", names(.0)
    )]
    Standing(Vec<EnvironmentName>),
    #[error(
        "{0} is the last environment of the project; delete the project itself with `starform project delete`"
    )]
    LastEnvironment(EnvironmentName),
    #[error("the plan cannot be trusted: {0}; make it again")]
    Unsound(&'static str),
}

/// Accepts `proposal` on top of `accepted`, which is what `index` says about the project. `approval`:
/// of its effect; asked for only where the plan, or what is accepted by now, needs one.
pub fn accept(
    index: &Index,
    accepted: &AcceptedProject,
    proposal: &Proposal,
    approval: Approval,
) -> Result<AcceptOutcome, Refusal> {
    let plan = &proposal.plan;
    let accepted = &*accepted.as_planned(plan);
    sound::sound(index, accepted, proposal)?;
    let blocking: Vec<Finding> = plan.blocking_findings().cloned().collect();
    if !blocking.is_empty() {
        return Err(Refusal::Blocked(blocking));
    }
    let (stale, done) = stale::compare(accepted, proposal);
    if !stale.is_empty() {
        return Err(Refusal::Stale(stale));
    }
    if done {
        return Ok(AcceptOutcome::NothingToDo);
    }
    let earlier = index.projects.get(&proposal.project.project_id);
    let history = earlier.map_or(&[] as &[_], |entry| entry.accepted.as_slice());
    if history
        .iter()
        .any(|accepted| accepted.plan_id == plan.plan_id)
    {
        return Err(Refusal::Used(plan.plan_id.clone()));
    }
    let merged = merge::merge(accepted, plan, &proposal.project, &proposal.environment);
    let now = accepted.environment(&plan.environment);
    let sides = crosscheck::Sides {
        project: &merged.project,
        before: &accepted.environments(),
        after: &merge::with(accepted, &merged.environment),
        compared: &Compared::new(now, Some(&merged.environment)),
        secrets: &accepted.secrets,
        others: &accepted.others,
        sizes: Sizes {
            project: Measured::of(&merged.project).bytes,
            environment: &Written::new(&merged.environment, |_| false),
        },
    };
    let mut findings = crosscheck::findings(&plan.environment, sides, &Origins::default());
    findings.retain(|finding| finding.severity == FindingSeverity::Blocking);
    if !findings.is_empty() {
        return Err(Refusal::CrossCheck(findings));
    }
    whole(accepted, plan, &merged)?;
    sound::lists_all(accepted, plan, &merged)?;
    if approval == Approval::Missing
        && let Some(finding) = unapproved(accepted, plan, &merged)
    {
        return Err(Refusal::Unapproved(Box::new(finding)));
    }
    let successor = successor(index, accepted, plan, &merged.project, &merged.environment);
    if let Some(finding) = size::of_index(&successor) {
        return Err(Refusal::CrossCheck(vec![finding]));
    }
    let next = Next {
        index: successor,
        project: merged.project,
        environment: merged.environment,
    };
    Ok(AcceptOutcome::Accepted(Box::new(next)))
}

/// Why the plan needs an approval, as it said itself or as others were accepted since.
fn unapproved(accepted: &AcceptedProject, plan: &Plan, merged: &merge::Merged) -> Option<Finding> {
    let said = plan.approval_needed().cloned();
    said.or_else(|| {
        let need = approval::need(accepted, plan, &merged.project, &merged.environment);
        need.map(|need| need.finding())
    })
}

/// A project's own objects stand exactly as long as an environment of it does.
fn whole(accepted: &AcceptedProject, plan: &Plan, merged: &merge::Merged) -> Result<(), Refusal> {
    let standing: Vec<EnvironmentName> = merge::with(accepted, &merged.environment)
        .into_iter()
        .filter(|(_, environment)| !environment.is_empty())
        .map(|(name, _)| name.clone())
        .collect();
    match (merged.project.objects.is_empty(), standing.is_empty()) {
        (true, false) => Err(Refusal::Standing(standing)),
        (false, true) => Err(Refusal::LastEnvironment(plan.environment.clone())),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Drops what is done in `environment`: `finished` is the last generation whose report was finished and
/// converged. After one that ended in part, what it was allowed to delete may still be there, so its
/// consents are carried on until a later report converges. A Namespace that has to stay for now, because
/// of what it holds, may go whenever nothing keeps it any more; Shuttle looks whether its project stands.
pub fn clear_finished(
    entry: &mut ProjectEntry,
    environment: &EnvironmentName,
    finished: Generation,
) {
    for accepted in &mut entry.accepted {
        if accepted.environment == *environment && accepted.generation <= finished {
            let Consent { delete, .. } = std::mem::take(&mut accepted.consent);
            accepted.consent.delete = delete.into_iter().filter(ends_with_project).collect();
        }
    }
    entry.accepted.retain(|accepted| {
        let done = accepted.environment == *environment && accepted.generation <= finished;
        !done || !accepted.consent.delete.is_empty()
    });
}

/// Exactly what the plan does beyond writing. `result`: the environment that is accepted by it; what is
/// wanted there is not deleted, whatever the plan says that others made good since.
pub fn consent(plan: &Plan, accepted: &AcceptedProject, result: &EnvironmentBundle) -> Consent {
    let now = accepted.environment(&plan.environment);
    let kept = now.into_iter().flat_map(|now| &now.kept);
    let data: BTreeSet<ObjectKey> = now
        .into_iter()
        .flat_map(EnvironmentBundle::all_objects)
        .filter(|object| object.deletion == Deletion::Retain)
        .chain(kept.map(|kept| &kept.object))
        .filter_map(Object::key)
        .collect();
    let wanted: BTreeSet<ObjectKey> = result.all_objects().filter_map(Object::key).collect();
    let mut consent = Consent::default();
    for change in &plan.objects {
        if change.action == Action::Delete && wanted.contains(&change.key) {
            continue;
        }
        let list = match change.action {
            Action::Delete if data.contains(&change.key) => &mut consent.destroy,
            Action::Delete => &mut consent.delete,
            Action::Replace => &mut consent.replace,
            Action::Adopt => &mut consent.adopt,
            Action::Create | Action::Update | Action::Retain | Action::Forget | Action::None => {
                continue;
            }
        };
        list.insert(change.key.clone());
    }
    consent
}

fn successor(
    index: &Index,
    accepted: &AcceptedProject,
    plan: &Plan,
    project: &ProjectBundle,
    environment: &EnvironmentBundle,
) -> Index {
    let mut projects = index.projects.clone();
    let entry = projects
        .entry(project.project_id)
        .or_insert_with(|| ProjectEntry {
            namespace: project.namespace.clone(),
            bundle: project.digest(),
            environments: std::collections::BTreeMap::new(),
            accepted: Vec::new(),
        });
    entry.namespace.clone_from(&project.namespace);
    entry.bundle = project.digest();
    if environment.is_empty() && environment.kept.is_empty() {
        entry.environments.remove(&plan.environment);
    } else {
        entry
            .environments
            .insert(plan.environment.clone(), environment.digest());
    }
    let consent = consent(plan, accepted, environment);
    // What stands (again) or is kept may not go by what was said of it before: until a report
    // converges, the agent may not even have seen the plan that said so. What is said of the Namespace
    // again is said once.
    let stays = stays(project, environment);
    let again = |key: &ObjectKey| ends_with_project(key) && consent.delete.contains(key);
    for accepted in &mut entry.accepted {
        let Consent {
            delete, destroy, ..
        } = &mut accepted.consent;
        delete.retain(|key| !stays.contains(key) && !again(key));
        destroy.retain(|key| !stays.contains(key));
    }
    entry.accepted.push(Accepted {
        plan_id: plan.plan_id.clone(),
        environment: plan.environment.clone(),
        revision: plan.source.revision.clone(),
        generation: index.generation.next(),
        consent,
    });
    index.successor(projects)
}

/// Everything that these bundles want, and the volumes that they keep.
fn stays(project: &ProjectBundle, environment: &EnvironmentBundle) -> BTreeSet<ObjectKey> {
    let kept = environment.kept.iter().map(|kept| &kept.object);
    let wanted = project.objects.iter().chain(environment.all_objects());
    wanted.chain(kept).filter_map(Object::key).collect()
}

fn names(environments: &[EnvironmentName]) -> String {
    values::list(environments.iter().map(EnvironmentName::as_str))
}

fn lines(stale: &[Stale]) -> String {
    let texts: Vec<String> = stale.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

fn titles(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().map(values::finding).collect();
    texts.join("\n")
}
