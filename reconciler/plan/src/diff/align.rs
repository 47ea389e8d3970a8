//! Two lists side by side: what stayed, what came, what went, and whether the order changed.
//!
//! Pure. Always holds: taking the removed ones out of *before*, bringing what stayed into the order of
//! `pairs`, and putting the added ones at their places gives *after*, once each pair is made equal.

use std::collections::BTreeMap;

use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Positions in *before* and *after*.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alignment {
    /// The same element on both sides, ordered by its place in *after*.
    pub pairs: Vec<(usize, usize)>,
    pub removed: Vec<usize>,
    pub added: Vec<usize>,
}

impl Alignment {
    /// Whether what stayed stands in another order.
    pub fn moved(&self) -> bool {
        self.pairs.windows(2).any(|pair| pair[0].0 > pair[1].0)
    }
}

/// Elements are the same when their identities are; identities are distinct on either side.
pub fn by_identity(before: &[Value], after: &[Value]) -> Alignment {
    let mut left: BTreeMap<String, usize> = before
        .iter()
        .enumerate()
        .map(|(position, identity)| (identity.to_string(), position))
        .collect();
    let mut alignment = Alignment::default();
    for (position, identity) in after.iter().enumerate() {
        match left.remove(&identity.to_string()) {
            Some(origin) => alignment.pairs.push((origin, position)),
            None => alignment.added.push(position),
        }
    }
    alignment.removed = left.into_values().collect();
    alignment.removed.sort_unstable();
    alignment
}

/// Equal elements are the same along a longest common subsequence; between them, elements at the
/// same place are taken as one that changed.
pub fn by_sequence(before: &[Value], after: &[Value]) -> Alignment {
    let mut alignment = Alignment::default();
    for op in capture_diff_slices(Algorithm::Myers, before, after) {
        let (old, new) = match op {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } => (old_index..old_index + len, new_index..new_index + len),
            DiffOp::Delete {
                old_index,
                old_len,
                new_index,
            } => (old_index..old_index + old_len, new_index..new_index),
            DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            } => (old_index..old_index, new_index..new_index + new_len),
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => (
                old_index..old_index + old_len,
                new_index..new_index + new_len,
            ),
        };
        let both = old.len().min(new.len());
        alignment
            .pairs
            .extend(old.clone().zip(new.clone()).take(both));
        alignment.removed.extend(old.skip(both));
        alignment.added.extend(new.skip(both));
    }
    alignment
}

/// Whether the lists hold the same elements in another order.
pub fn is_reordered(before: &[Value], after: &[Value]) -> bool {
    let sorted = |list: &[Value]| {
        let mut texts: Vec<String> = list.iter().map(Value::to_string).collect();
        texts.sort_unstable();
        texts
    };
    before.len() == after.len() && before != after && sorted(before) == sorted(after)
}
