//! How much of a plan is not told.
//!
//! Pure.

use crate::{document::Plan, view::values};

/// What is not told; counted, so that the reader knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub(crate) values: usize,
    pub(crate) objects: usize,
    pub(crate) fields: usize,
    /// Long values, of which a part is told.
    pub(crate) texts: usize,
}

impl Hidden {
    pub(super) fn all(plan: &Plan) -> Self {
        let services = plan.services.iter();
        let values: usize = services.map(|service| service.changes.len()).sum();
        Self {
            values: plan.settings.len() + values,
            objects: plan.objects.len(),
            fields: plan.objects.iter().map(|object| object.fields.len()).sum(),
            texts: 0,
        }
    }

    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            values: self.values + other.values,
            objects: self.objects + other.objects,
            fields: self.fields + other.fields,
            texts: self.texts + other.texts,
        }
    }

    #[must_use]
    pub(crate) const fn less(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_sub(other.values),
            objects: self.objects.saturating_sub(other.objects),
            fields: self.fields.saturating_sub(other.fields),
            texts: self.texts.saturating_sub(other.texts),
        }
    }

    /// In each of so many environments.
    #[must_use]
    pub(crate) const fn times(self, environments: usize) -> Self {
        Self {
            values: self.values * environments,
            objects: self.objects * environments,
            fields: self.fields * environments,
            texts: self.texts * environments,
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// `2 values, 13 fields of 5 objects, the rest of 1 long text`
    pub(crate) fn count(self) -> String {
        let mut parts = Vec::new();
        if self.values > 0 {
            parts.push(values::count(self.values, "value"));
        }
        if self.objects > 0 {
            parts.push(format!(
                "{} of {}",
                values::count(self.fields, "field"),
                values::count(self.objects, "object")
            ));
        }
        if self.texts > 0 {
            let texts = values::count(self.texts, "long text");
            parts.push(format!("the rest of {texts}"));
        }
        parts.join(", ")
    }
}
