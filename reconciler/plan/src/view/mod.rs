//! A plan for people and for machines; every view is a function of the document and nothing else.
//!
//! Pure. What stands beside a document, its approval, what its cluster says and how it stands, is joined here and in no document. The JSON view is the document itself ([`crate::document::Plans`]).
//!
//! | module | what it makes |
//! |---|---|
//! | `outline` | what is told, in which order, without a layout |
//! | `fold` | equal changes together, over objects, services and environments |
//! | [`values`] | one value, path or piece of user text, so that nothing in it can deceive |
//! | `terminal` | the outline on a terminal |
//! | `markdown` | the outline as a comment on a forge |
//! | `html` | the outline as a page |
//! | `findings` | the findings as SARIF and as workflow commands of GitHub |
//! | `events` | the document as NDJSON |
//! | [`progress`] | an apply as NDJSON |

mod events;
mod findings;
mod fold;
mod html;
mod markdown;
mod outline;
pub mod progress;
mod terminal;
pub mod values;

use starform_contract::EnvironmentName;

use crate::{
    approval::Approvals,
    document::{Plan, Plans},
    standing::{Standing, Standings, Word},
    verified::Verifications,
};

pub use events::{PlanEvent, PlanEventSchema, What, ndjson};
pub use findings::{github, sarif};
pub use html::html;
pub use markdown::{MarkdownOptions, TooFew, markdown};
use outline::Form;
pub use outline::{Obstacle, obstacle, summary, told};

/// Plans, and what stands beside them: a document never changes, what becomes of it does.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub plans: &'a [Plan],
    pub approvals: &'a Approvals,
    pub verifications: &'a Verifications,
    pub standings: &'a Standings,
}

impl<'a> Shown<'a> {
    /// How the cluster stands to what the plan was made against, where that is known.
    fn standing(&self, plan: &Plan) -> Option<&'a Standing> {
        self.standings.get(&plan.plan_id)
    }

    fn word(&self, plan: &Plan) -> Option<Word> {
        self.standing(plan).map(Standing::word)
    }
}

/// Nothing stands beside the plans.
static NONE: Approvals = Approvals::new();
static UNASKED: Verifications = Verifications::new();
static NOWHERE: Standings = Standings::new();

impl<'a> From<&'a Plans> for Shown<'a> {
    fn from(plans: &'a Plans) -> Self {
        Self {
            plans: &plans.plans,
            approvals: &plans.approvals,
            verifications: &plans.verifications,
            standings: &plans.standings,
        }
    }
}

impl<'a> From<&'a [Plan]> for Shown<'a> {
    fn from(plans: &'a [Plan]) -> Self {
        Self {
            plans,
            approvals: &NONE,
            verifications: &UNASKED,
            standings: &NOWHERE,
        }
    }
}

impl<'a> From<&'a Vec<Plan>> for Shown<'a> {
    fn from(plans: &'a Vec<Plan>) -> Self {
        plans.as_slice().into()
    }
}

impl<'a, const N: usize> From<&'a [Plan; N]> for Shown<'a> {
    fn from(plans: &'a [Plan; N]) -> Self {
        plans.as_slice().into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns; at least 40 are taken.
    pub width: usize,
    pub color: bool,
    /// Every value and every field.
    pub full: bool,
}

/// How a cluster stands to what is accepted for an environment, without a plan: a line each, objects with
/// their mark in front.
pub fn standing(environment: &EnvironmentName, standing: &Standing) -> Vec<(String, Vec<String>)> {
    let all = outline::of_one(environment, standing, Form::Short).into_iter();
    all.map(|one| {
        let objects = one.objects.iter();
        let objects = objects.map(|one| format!("{} {}", outline::mark(one.sign), one.text));
        (one.title, objects.chain(one.more.clone()).collect())
    })
    .collect()
}

/// Several plans under each other, as a terminal shows them. Ends with a line break.
pub fn text<'a>(plans: impl Into<Shown<'a>>, options: &TextOptions) -> String {
    let form = if options.full {
        Form::Full
    } else {
        Form::Short
    };
    terminal::text(&outline::outline(plans.into(), form), options)
}
