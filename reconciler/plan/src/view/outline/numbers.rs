//! The numbers of a plan, and its last line.
//!
//! Pure. Always holds: everything that a plan changes is in one of the numbers, or the plan is empty; the
//! line is the same in every view.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{EnvironmentName, ObjectKey};

use crate::{
    document::{Action, ObjectCounts, Plan},
    standing::Word,
    summary,
    view::values,
};

/// The last line of a plan; [`super::obstacle`] may follow.
pub fn summary(plan: &Plan, word: Option<Word>) -> String {
    match (plan.is_empty(), plan.source.until) {
        (true, None) => unchanged(plan, word),
        (true, Some(until)) => {
            let (name, from) = (&plan.environment, plan.source.parent_generation);
            format!(
                "No difference. {}/{name} is the same at generations {from} and {until}.",
                plan.project
            )
        }
        (false, None) => counts("Plan", Numbers::of(plan)),
        (false, Some(_)) => counts("Difference", Numbers::of(plan)),
    }
}

fn unchanged(plan: &Plan, word: Option<Word>) -> String {
    let name = format!("{}/{}", plan.project, plan.environment);
    let held = held(plan);
    let services = values::count(held, "service");
    match (word, held) {
        (None | Some(Word::AsAccepted), 0) => format!("No changes. {name} matches."),
        (None | Some(Word::AsAccepted), _) => {
            format!("Nothing to apply. {name} matches but for {services} left as accepted.")
        }
        (Some(Word::Unknown), _) => {
            format!("No changes. {name} is accepted so; whether the cluster has it is not known.")
        }
        (Some(Word::NotAsAccepted), _) => {
            format!("No changes. {name} is accepted so, but the cluster differs.")
        }
    }
}

/// Services that differ and stay as they are.
pub(super) fn held(plan: &Plan) -> usize {
    let services = plan.services.iter();
    services.filter(|service| service.held).count()
}

/// What a summary counts, of one plan or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) objects: ObjectCounts,
    pub(crate) rollouts: u32,
    pub(crate) settings: u32,
}

impl Numbers {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            objects: plan.summary.objects,
            rollouts: plan.summary.rollouts,
            settings: plan.summary.settings,
        }
    }

    /// Of several plans together: an object of the project stands in each of them and is counted once.
    pub(crate) fn total(plans: &[Plan]) -> Self {
        let mut seen = BTreeSet::new();
        let objects = plans.iter().flat_map(|plan| &plan.objects);
        let objects = objects.filter(|change| seen.insert((&change.key, change.action)));
        let sum = |number: fn(&Plan) -> u32| {
            let numbers = plans.iter().map(number);
            numbers.fold(0_u32, u32::saturating_add)
        };
        Self {
            objects: summary::objects(objects),
            rollouts: sum(|plan| plan.summary.rollouts),
            settings: sum(|plan| plan.summary.settings),
        }
    }
}

/// `Plan: 0 to create, 5 to update, 0 to replace, 0 to delete · 1 rollout · 1 setting`
pub(crate) fn counts(title: &str, numbers: Numbers) -> String {
    let Numbers {
        objects,
        rollouts,
        settings,
    } = numbers;
    let mut parts = vec![
        format!("{} to create", objects.create),
        format!("{} to update", objects.update),
        format!("{} to replace", objects.replace),
        format!("{} to delete", objects.delete),
    ];
    for (number, verb) in [(objects.retain, "to retain"), (objects.adopt, "to adopt")] {
        if number > 0 {
            parts.push(format!("{number} {verb}"));
        }
    }
    let count = |number: u32, noun| {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        format!(" · {}", values::count(number, noun))
    };
    let settings = match settings {
        0 => String::new(),
        some => count(some, "setting"),
    };
    format!(
        "{title}: {}{}{settings}",
        parts.join(", "),
        count(rollouts, "rollout")
    )
}

/// What the plans before change, each with the first environment that it was counted for.
pub(super) type Counted<'a> = BTreeMap<(&'a ObjectKey, Action), &'a EnvironmentName>;

/// `Counted for production too: 5 objects of the project`: of plans that are told as one, and with those before.
pub(super) fn shared<'a>(plans: &[&'a Plan], counted: &mut Counted<'a>) -> Option<String> {
    let mut again = 0;
    let mut first = None;
    for &plan in plans {
        again = 0;
        for object in &plan.objects {
            let own = &plan.environment;
            let by = *counted.entry((&object.key, object.action)).or_insert(own);
            if by != own {
                again += 1;
                first.get_or_insert(by);
            }
        }
    }
    let first = first.filter(|_| again > 0)?;
    let is_told = plans.iter().any(|plan| plan.environment == *first);
    let place = if is_told {
        "in each environment".to_owned()
    } else {
        format!("for {first} too")
    };
    let objects = values::count(again, "object");
    Some(format!("Counted {place}: {objects} of the project"))
}
