//! Who says what about one child or variable of a service, from the layer that wins down to the lowest.
//! Pure. The order is that of `super::service` and `Resolved::merge`: what comes first here is what holds there.
//! Read on in `crate::explain`, which tells it to people.

use starform_contract::EnvironmentName;

use super::{LayerName, Resolved, blocks};
use crate::project::{Model, Setting, Spanned};
use crate::source::Span;
use crate::table::NodeName;
use crate::vars::VarValue;

/// What one layer says.
#[derive(Clone, Debug)]
pub(crate) struct Said<'m, T> {
    pub(crate) by: LayerName<'m>,
    pub(crate) what: T,
}

impl<'m> Resolved<'m> {
    /// The nodes by which each layer speaks of what a node fills, high first.
    pub(crate) fn said_of_child(&self, node: NodeName) -> Vec<Said<'m, Vec<Span>>> {
        self.layers
            .iter()
            .map(|named| Said {
                by: named.name,
                what: named
                    .layer
                    .children
                    .iter()
                    .filter(|child| child.node.slot() == node.slot())
                    .map(|child| child.span)
                    .collect(),
            })
            .filter(|said: &Said<'_, Vec<Span>>| !said.what.is_empty())
            .collect()
    }

    /// What each layer and group says of a variable, high first.
    pub(crate) fn said_of_variable(
        &self,
        model: &'m Model,
        environment: &EnvironmentName,
        key: &str,
    ) -> Vec<Said<'m, &'m Spanned<Setting<VarValue>>>> {
        let own = self.layers.iter().filter_map(|named| {
            let what = named.layer.vars.get(key)?;
            Some(Said {
                by: named.name,
                what,
            })
        });
        let groups = self.groups(model).into_iter().rev();
        own.chain(
            groups.flat_map(|(name, _)| said_in_group(model, name.as_str(), environment, key)),
        )
        .collect()
    }

    /// The children that some layer holds, in the order in which they are met.
    pub(crate) fn children(&self) -> Vec<NodeName> {
        let mut nodes = Vec::new();
        for child in self
            .layers
            .iter()
            .rev()
            .flat_map(|named| &named.layer.children)
        {
            if !nodes.contains(&child.node) {
                nodes.push(child.node);
            }
        }
        nodes
    }
}

/// What a group says of a key, its `in` blocks before its own values.
pub(crate) fn said_in_group<'m>(
    model: &'m Model,
    name: &str,
    environment: &EnvironmentName,
    key: &str,
) -> Vec<Said<'m, &'m Spanned<Setting<VarValue>>>> {
    let Some((name, group)) = model.group(name) else {
        return Vec::new();
    };
    let inner = blocks(&group.overrides, environment).filter_map(|block| {
        let by = LayerName::GroupIn(name, &block.environments);
        Some((by, block.content.get(key)?))
    });
    let base = group
        .base
        .get(key)
        .map(|what| (LayerName::Group(name), what));
    inner
        .chain(base)
        .map(|(by, what)| Said { by, what })
        .collect()
}
