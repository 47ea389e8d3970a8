//! What a plan opens, counted by what it is: as many as the lines that say it one by one.
//!
//! Pure. Reads only the document. Read on in [`crate::diff`] for what counts as opening.

use crate::{
    document::{ObjectChange, Opening, Risk},
    view::values,
};

/// How much of each kind is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Openings {
    pub hosts: usize,
    pub paths: usize,
    /// What a pod may do that it might not.
    pub rights: usize,
    /// Who gets a role.
    pub subjects: usize,
    /// Policies that admit more.
    pub policies: usize,
    /// Objects of a plan of an earlier version, which says no more of them.
    pub others: usize,
}

pub(crate) fn openings<'a>(objects: impl Iterator<Item = &'a ObjectChange>) -> Openings {
    let mut all = Openings::default();
    for object in objects {
        for opening in &object.opens {
            let count = match opening {
                Opening::Host(_) => &mut all.hosts,
                Opening::Path(_) => &mut all.paths,
                Opening::Right(_) => &mut all.rights,
                Opening::Subject(_) => &mut all.subjects,
                Opening::Traffic => &mut all.policies,
            };
            *count += 1;
        }
        all.others += usize::from(object.opens.is_empty() && object.risk == Risk::Widen);
    }
    all
}

impl Openings {
    /// `opens 3 hosts`, `gives pods 1 right`
    pub(crate) fn words(&self) -> Vec<String> {
        let Self {
            hosts,
            paths,
            rights,
            subjects,
            policies,
            others,
        } = self;
        let counts = [
            (*hosts, "opens", "host", ""),
            (*paths, "opens", "path", ""),
            (*rights, "gives pods", "right", ""),
            (*subjects, "gives a role to", "subject", ""),
            (*policies, "admits more traffic by", "object", ""),
            (*others, "opens", "object", " to more"),
        ];
        let some = counts.into_iter().filter(|(number, ..)| *number > 0);
        some.map(|(number, verb, noun, rest)| {
            format!("{verb} {}{rest}", values::count(number, noun))
        })
        .collect()
    }
}
