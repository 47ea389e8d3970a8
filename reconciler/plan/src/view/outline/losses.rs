//! What a plan loses or opens, a line each: what must be seen even where nothing else is read.
//!
//! Pure. Always holds: every object that is deleted, replaced, kept behind or adopted has its line, and every
//! widening; the gravest stand first, so that a view that has no room for all leaves out the least. Read on
//! in [`super::objects`].

use crate::{
    closing,
    document::{Action, Plan, Risk},
    view::{
        outline::{Object, Part},
        values,
    },
};

/// One line of it.
pub(crate) struct Loss {
    /// `None` where it opens to more.
    pub(crate) sign: Option<Action>,
    pub(crate) risk: Risk,
    /// Ends what guards all the rest.
    is_guard: bool,
    pub(crate) text: String,
}

impl Part {
    /// By risk, then in the order of the plan.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        let mut losses = Vec::new();
        let of_services = self
            .services
            .iter()
            .flat_map(|service| &service.own.objects);
        let of_sections = self.sections.iter().flat_map(|section| &section.objects);
        for object in of_services.chain(of_sections) {
            losses.extend(object.widens.iter().map(|line| opens(line.clone())));
            if is_lost(object.sign) {
                losses.push(Loss {
                    sign: Some(object.sign),
                    risk: object.risk,
                    is_guard: false,
                    text: object.title(),
                });
            }
        }
        let opened = self.services.iter().flat_map(|service| {
            let name = service.names.join(", ");
            let widens = service.own.widens.iter();
            widens.map(move |line| opens(format!("{name} {line}")))
        });
        losses.extend(opened);
        let stopped = self.stopped.iter().map(|name| format!("{name} stops"));
        let closed = self.closed.iter().cloned();
        losses.extend(closed.chain(stopped).map(ends));
        losses.extend(self.unguarded.iter().map(|line| Loss {
            is_guard: true,
            ..ends(line.clone())
        }));
        gravest_first(&mut losses);
        losses
    }
}

/// Those of several parts as those of one; of equal risk, what guards all the rest stands first.
pub(crate) fn gravest_first(losses: &mut [Loss]) {
    losses.sort_by_key(|loss| std::cmp::Reverse((loss.risk, loss.is_guard)));
}

/// How many there are that nobody sees, if any: `and 5 more that are lost, kept or opened, 2 of them destroyed, with
/// all their data`.
pub(crate) fn more(unseen: &[Loss]) -> Option<String> {
    let destroyed = unseen.iter().filter(|loss| loss.risk == Risk::Destroy);
    let gravest = match destroyed.count() {
        0 => String::new(),
        number => format!(", {number} of them destroyed, with all their data"),
    };
    let all = unseen.len();
    (all > 0).then(|| format!("and {all} more that are lost, kept or opened{gravest}"))
}

impl Object {
    /// `Deployment api--production, worker--production  the same in 2 objects`
    pub(crate) fn title(&self) -> String {
        let places = self.places.iter();
        let places: Vec<String> = places
            .map(|place| format!("{} {}", place.kind, place.names.join(", ")))
            .collect();
        let mut title = places.join("; ");
        if !self.is_one() {
            title.push_str(&format!("  the same in {} objects", self.count()));
        }
        if let Some(remark) = self.remark {
            title.push_str("  ");
            title.push_str(remark);
        }
        title
    }
}

/// `api no longer answers https://shop.example`
pub(super) fn closed(plan: &Plan) -> Vec<String> {
    let hosts = closing::hosts(plan).into_iter();
    hosts
        .map(|(change, host)| {
            let owner = values::visible(closing::owner(change));
            format!(
                "{owner} no longer answers https://{}",
                values::visible(&host)
            )
        })
        .collect()
}

/// `production: drift is reported and not corrected any more`
pub(super) fn unguarded(plan: &Plan) -> Vec<String> {
    closing::guards(plan)
        .map(|guard| format!("{}: {}", plan.environment, guard.end()))
        .collect()
}

fn ends(text: String) -> Loss {
    Loss {
        sign: Some(Action::Delete),
        risk: Risk::Delete,
        is_guard: false,
        text,
    }
}

fn opens(text: String) -> Loss {
    Loss {
        sign: None,
        risk: Risk::Widen,
        is_guard: false,
        text,
    }
}

fn is_lost(action: Action) -> bool {
    match action {
        Action::Delete | Action::Replace | Action::Retain | Action::Forget | Action::Adopt => true,
        Action::Create | Action::Update | Action::None => false,
    }
}
