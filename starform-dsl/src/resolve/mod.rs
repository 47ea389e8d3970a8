//! What a service is in one environment, by one rule: a child replaces all of its name in the layer below, whole.
//! Pure. Layers from low to high: `like` partial, the service's own children, `in` of the environment; for a preview
//! `in` of the environment it is from, then `in preview`.
//! Variables alone merge key by key: groups in the order of `use`, then the layers.
//! Read on in `said` for who says what, in `crate::check` for what must hold of the result and in `crate::emit` for the defaults.

mod said;

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{EnvironmentName, GroupName};

pub(crate) use said::said_in_group;

use crate::project::{
    Child, Group, ImageDecl, In, Layer, Model, NamedEnvironments, Service, Setting, Slot, Spanned,
    Vars,
};
use crate::source::Span;
use crate::vars::VarValue;

/// A service in one environment.
pub(crate) struct Resolved<'m> {
    pub(crate) service: &'m Service,
    /// High first.
    layers: Vec<NamedLayer<'m>>,
    /// By key; unset and broken ones are left out.
    pub(crate) vars: BTreeMap<&'m str, ResolvedVar<'m>>,
    /// There are more variables than fit, so none were merged.
    pub(crate) crowded: bool,
}

#[derive(Clone, Copy, Debug)]
struct NamedLayer<'m> {
    name: LayerName<'m>,
    layer: &'m Layer,
}

/// Who says something about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerName<'m> {
    Group(&'m GroupName),
    /// `in ENV…` of a var-group.
    GroupIn(&'m GroupName, &'m NamedEnvironments),
    Partial(&'m str),
    /// The service's own children.
    Own,
    /// `in ENV…` of the service.
    In(&'m NamedEnvironments),
}

/// Variables of a service, counted as often as groups and layers speak of them.
pub(crate) const MOST_VARIABLES: usize = 1_000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolvedVar<'m> {
    pub(crate) value: &'m VarValue,
    pub(crate) span: Span,
    /// The group that brings it; `None`: the service's own layers do.
    pub(crate) group: Option<&'m GroupName>,
}

/// What the layers say about one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'m, T> {
    Set(&'m T, Span),
    /// Nothing, or that it is unset.
    Default,
    /// Reported already.
    Broken,
}

impl<'m, T> Found<'m, T> {
    pub(crate) fn value(self) -> Option<&'m T> {
        match self {
            Found::Set(value, _) => Some(value),
            Found::Default | Found::Broken => None,
        }
    }
}

/// The service as it is in `environment`, where it must exist.
pub(crate) fn service<'m>(
    model: &'m Model,
    service: &'m Service,
    environment: &EnvironmentName,
) -> Resolved<'m> {
    let mut resolved = Resolved {
        service,
        layers: layers(model, service, environment).collect(),
        vars: BTreeMap::new(),
        crowded: false,
    };
    resolved.crowded = resolved.said(model) > MOST_VARIABLES;
    if !resolved.crowded {
        resolved.vars = resolved.merge(model, environment);
    }
    resolved
}

/// Where the image of a service comes from, without looking at anything else of it.
pub(crate) fn image<'m>(
    model: &'m Model,
    service: &'m Service,
    environment: &EnvironmentName,
) -> Found<'m, ImageDecl> {
    highest(layers(model, service, environment), |layer| &layer.image)
}

/// Whom a service lets in, without looking at anything else of it; `None`: all of its environment, or it is not known.
pub(crate) fn let_in<'m>(
    model: &'m Model,
    service: &'m Service,
    environment: &EnvironmentName,
) -> Option<&'m Vec<Spanned<String>>> {
    highest(layers(model, service, environment), |layer| {
        &layer.allow_from
    })
    .value()
}

/// High first.
fn layers<'m>(
    model: &'m Model,
    service: &'m Service,
    environment: &EnvironmentName,
) -> impl Iterator<Item = NamedLayer<'m>> {
    let named = |name, layer| NamedLayer { name, layer };
    let partial = service.like.as_ref().and_then(|like| {
        let layer = model.partial(&like.value)?;
        Some(named(LayerName::Partial(&like.value), layer))
    });
    blocks(&service.overrides, environment)
        .map(move |block| named(LayerName::In(&block.environments), &block.content))
        .chain([named(LayerName::Own, &service.own)])
        .chain(partial)
}

/// What the highest layer that speaks of a child says.
fn highest<'m, T>(
    layers: impl Iterator<Item = NamedLayer<'m>>,
    slot: impl Fn(&'m Layer) -> &'m Slot<T>,
) -> Found<'m, T> {
    let mut said = layers.filter_map(|named| slot(named.layer).as_ref());
    match said.next() {
        None => Found::Default,
        Some(spanned) => match &spanned.value {
            Setting::Set(value) => Found::Set(value, spanned.span),
            Setting::Unset => Found::Default,
            Setting::Broken => Found::Broken,
        },
    }
}

/// The `in` blocks that speak of an environment. For a preview, those that name `preview` come before
/// those that only name the environment it is from.
fn blocks<'m, T>(
    overrides: &'m [In<T>],
    environment: &EnvironmentName,
) -> impl Iterator<Item = &'m In<T>> {
    let own = |block: &&In<T>| !environment.is_reserved() || block.environments.names_preview();
    let found = overrides
        .iter()
        .filter(|block| block.environments.contains(environment));
    let inherited = found.clone().filter(move |block| !own(block));
    found.filter(own).chain(inherited)
}

/// The variables of a group in an environment; broken and unset ones included.
pub(crate) fn group<'m>(
    group: &'m Group,
    environment: &EnvironmentName,
) -> BTreeMap<&'m str, &'m Spanned<Setting<VarValue>>> {
    let own = |vars: &'m Vars| vars.iter().map(|(key, value)| (key.as_str(), value));
    let mut merged: BTreeMap<_, _> = own(&group.base).collect();
    let low_first: Vec<&In<Vars>> = blocks(&group.overrides, environment).collect();
    for block in low_first.into_iter().rev() {
        merged.extend(own(&block.content));
    }
    merged
}

impl<'m> Resolved<'m> {
    /// What the highest layer that speaks of a child says.
    pub(crate) fn find<T>(&self, slot: impl Fn(&'m Layer) -> &'m Slot<T>) -> Found<'m, T> {
        highest(self.layers.iter().copied(), slot)
    }

    /// Whether some layer holds what could not be understood.
    pub(crate) fn incomplete(&self) -> bool {
        self.layers.iter().any(|named| named.layer.incomplete)
    }

    /// The children that hold: of each slot those of the highest layer that has some.
    pub(crate) fn holding(&self) -> Vec<Child> {
        let mut seen = BTreeSet::new();
        let mut holding = Vec::new();
        for named in &self.layers {
            let here = named.layer.children.iter();
            holding.extend(
                here.clone()
                    .filter(|child| !seen.contains(&child.node.slot())),
            );
            seen.extend(here.map(|child| child.node.slot()));
        }
        holding
    }

    /// The groups that it uses, in order; those that do not exist are left out.
    pub(crate) fn groups(&self, model: &'m Model) -> Vec<(&'m GroupName, &'m Group)> {
        let names: &[Spanned<String>] = self
            .find(|layer| &layer.uses)
            .value()
            .map_or(&[], Vec::as_slice);
        names
            .iter()
            .filter_map(|name| model.group(&name.value))
            .collect()
    }

    /// Keys that the service's own layers speak of.
    pub(crate) fn own_keys(&self) -> impl Iterator<Item = &'m str> {
        self.layers
            .iter()
            .flat_map(|named| named.layer.vars.keys().map(String::as_str))
    }

    /// How often its groups and layers speak of a variable.
    fn said(&self, model: &Model) -> usize {
        let in_group = |group: &Group| {
            let overrides = group.overrides.iter().map(|block| block.content.len());
            group.base.len() + overrides.sum::<usize>()
        };
        let uses: &[Spanned<String>] = self
            .find(|layer| &layer.uses)
            .value()
            .map_or(&[], Vec::as_slice);
        let groups = uses.iter().filter_map(|name| model.group(&name.value));
        let own = self
            .layers
            .iter()
            .map(|named| named.layer.vars.len())
            .sum::<usize>();
        own + groups.map(|(_, group)| in_group(group)).sum::<usize>()
    }

    fn merge(
        &self,
        model: &'m Model,
        environment: &EnvironmentName,
    ) -> BTreeMap<&'m str, ResolvedVar<'m>> {
        let mut merged = BTreeMap::new();
        for (name, found) in self.groups(model) {
            for (key, value) in group(found, environment) {
                // A group that unsets a key of its own brings nothing; only the service takes back
                // what other groups bring.
                if value.value != Setting::Unset {
                    put(&mut merged, key, value, Some(name));
                }
            }
        }
        for named in self.layers.iter().rev() {
            for (key, value) in &named.layer.vars {
                put(&mut merged, key, value, None);
            }
        }
        merged
    }
}

fn put<'m>(
    merged: &mut BTreeMap<&'m str, ResolvedVar<'m>>,
    key: &'m str,
    value: &'m Spanned<Setting<VarValue>>,
    group: Option<&'m GroupName>,
) {
    match &value.value {
        Setting::Set(set) => {
            let var = ResolvedVar {
                value: set,
                span: value.span,
                group,
            };
            merged.insert(key, var);
        }
        Setting::Unset | Setting::Broken => {
            merged.remove(key);
        }
    }
}
