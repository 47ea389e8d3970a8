//! What may stand in a block: the rows of a place, inside services those of the kind of service around it.
//! Pure. Whoever checks, completes, describes or suggests asks here, so that all of them say the same.
//! Read on in `super::Place` for the places.

use starform_contract::ServiceKind;

use super::{Block, NodeSpec, Place, ProjectNode, nodes};

/// What a node stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    pub place: Place,
    /// Of the service around it, where that decides; `None` in a partial, which is for every kind.
    pub kind: Option<ServiceKind>,
}

impl Scope {
    pub const fn of(place: Place) -> Scope {
        Scope { place, kind: None }
    }

    pub const fn of_service(place: Place, kind: ServiceKind) -> Scope {
        let kind = Some(kind);
        Scope { place, kind }
    }

    /// Whether a node of the row belongs here.
    pub fn admits(self, spec: &NodeSpec) -> bool {
        spec.places.contains(&self.place) && self.kind.is_none_or(|kind| spec.kinds.contains(&kind))
    }

    /// The rows of what belongs here, words of later versions among them, in the order of the table.
    pub fn rows(self) -> impl Iterator<Item = &'static NodeSpec> {
        nodes().filter(move |spec| self.admits(spec))
    }

    /// The rows of what may be written here.
    pub fn usable(self) -> impl Iterator<Item = &'static NodeSpec> {
        self.rows().filter(|spec| spec.availability.is_usable())
    }

    /// What the children of a node stand in that stands here; `None` where no row is about them.
    pub fn inside(self, spec: &NodeSpec) -> Option<Scope> {
        match spec.block {
            Block::None => None,
            Block::Variables => {
                let group = spec.node == ProjectNode::VarGroup.node();
                group.then_some(Scope::of(Place::Group))
            }
            Block::Of(place) => Some(Scope {
                place,
                kind: match place {
                    Place::Service => spec.kinds.first().copied(),
                    Place::ServiceIn => self.kind,
                    Place::Root
                    | Place::Project
                    | Place::Environment
                    | Place::Group
                    | Place::Partial
                    | Place::Health
                    | Place::Domain
                    | Place::Build => None,
                },
            }),
        }
    }
}
