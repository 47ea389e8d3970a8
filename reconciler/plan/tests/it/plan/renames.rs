//! Two environments of which services go on under other names, losing and gaining what they have on the way.
//!
//! Pure. Always holds: at least one service is renamed where both sides have any; what is renamed is of any kind
//! before and after, so that most of its objects go or come. Read on in [`super::laws`].

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection, prelude::*};
use starform_contract::{EnvironmentState, ServiceName};
use starform_plan::document::{Owner, Plan};

use super::{
    laws::{self, shop},
    world::{World, sound},
};
use crate::sample::service_name;

/// A world that has the first, and says which services of the second were which.
#[derive(Debug, Clone)]
pub(crate) struct Renaming {
    pub(crate) before: EnvironmentState,
    pub(crate) after: EnvironmentState,
    pub(crate) former: BTreeMap<ServiceName, ServiceName>,
}

impl Renaming {
    pub(crate) fn world(&self) -> World {
        World {
            former: self.former.clone(),
            ..World::having(&self.before)
        }
    }
}

pub(crate) fn renaming() -> BoxedStrategy<Renaming> {
    let stays = collection::vec(any::<bool>(), 5);
    (shop(), shop(), stays)
        .prop_map(|(before, mut after, stays)| {
            let (gone, new) = (without(&before, &after), without(&after, &before));
            let mut pairs: Vec<_> = new.into_iter().zip(gone).collect();
            if pairs.is_empty()
                && let (Some(was), Some(is)) = (before.services.first(), after.services.first_mut())
            {
                is.name = service_name("zz");
                pairs.push((is.name.clone(), was.name.clone()));
                after.services.retain(|one| one.name != was.name);
            }
            let former = pairs.into_iter().enumerate();
            let former = former.filter(|(place, _)| *place == 0 || stays[place % 5]);
            let former = former.map(|(_, pair)| pair).collect();
            let after = sound(after);
            Renaming {
                before,
                after,
                former,
            }
        })
        .boxed()
}

/// The names of the one that the other has not.
fn without(one: &EnvironmentState, other: &EnvironmentState) -> Vec<ServiceName> {
    let names = |state: &EnvironmentState| -> BTreeSet<ServiceName> {
        state.services.iter().map(|one| one.name.clone()).collect()
    };
    names(one).difference(&names(other)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_rename_is_one_change_with_all_that_it_loses(renaming in renaming(), order in any::<u64>()) {
        let Renaming { after, former, .. } = &renaming;
        let mut world = renaming.world();
        let proposal = world.propose(after);
        laws::fields_turn_before_into_after(&world, &proposal)?;
        prop_assert_eq!(&proposal, &laws::propose_turned(&world, after, order));
        laws::levels_agree(&proposal.plan)?;
        for (name, was) in former {
            is_one_change(&proposal.plan, name, was)?;
        }
        if let Some(did) = laws::accepted_unless_blocked(&mut world, &proposal)? {
            prop_assert_eq!(did, !proposal.plan.is_empty());
            prop_assert!(world.propose(after).plan.is_empty());
        }
    }
}

fn is_one_change(plan: &Plan, name: &ServiceName, was: &ServiceName) -> Result<(), TestCaseError> {
    let mut changes = plan.services.iter();
    let change = changes.find(|change| change.name == *name);
    let change = change.expect("a renamed service changes at least its name");
    prop_assert_eq!(change.was.as_ref(), Some(was));
    prop_assert!(plan.services.iter().all(|change| change.name != *was));
    let objects = plan.objects.iter();
    let own = objects.filter(|object| change.objects.contains(&object.key));
    let highest = own.map(|object| object.risk).max();
    prop_assert!(Some(change.risk) >= highest);
    for object in &plan.objects {
        prop_assert_ne!(
            &object.owner,
            &Owner::Service(was.clone()),
            "{}",
            object.key
        );
    }
    Ok(())
}
