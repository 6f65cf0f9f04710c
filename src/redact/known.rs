//! What is known of a run's values: names that an id may be, and ids that a sentence may hold.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// The names and the ids of a run.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Names by their hash in this process: a million of them take little room so.
    names: HashSet<u64>,
    hasher: RandomState,
    /// Ids that hold blanks, by their first word: a sentence does not show where such a one ends.
    ids: HashMap<String, Vec<String>>,
}

impl Known {
    /// Knows these names, and of these ids those that hold blanks; what stands before an id's first colon may be a source.
    pub fn new<'v>(names: impl Iterator<Item = &'v str>, ids: impl Iterator<Item = &'v str>) -> Self {
        let mut known = Self::default();
        known.names.extend(names.map(|name| known.hasher.hash_one(name.trim())));
        for id in ids.filter(|id| id.contains(char::is_whitespace)) {
            let bare = id.split_once(':').map(|(_, bare)| bare);
            for id in [Some(id), bare].into_iter().flatten() {
                let Some(first) = id.split_whitespace().next() else { continue };
                let others = known.ids.entry(first.to_owned()).or_default();
                if !others.iter().any(|other| other == id) {
                    others.push(id.to_owned());
                }
            }
        }
        // The longest that fits is the one that is meant.
        known.ids.values_mut().for_each(|ids| ids.sort_by_key(|id| std::cmp::Reverse(id.len())));
        known
    }

    pub(super) fn is_name(&self, id: &str) -> bool {
        !self.names.is_empty() && self.names.contains(&self.hasher.hash_one(id.trim()))
    }

    pub(super) fn has_ids(&self) -> bool {
        !self.ids.is_empty()
    }

    /// The id with blanks that `rest` begins with.
    pub(super) fn id_at<'t>(&self, rest: &'t str) -> Option<&'t str> {
        let first = rest.split_whitespace().next()?;
        let found = self.ids.get(first)?.iter().find(|id| rest.starts_with(id.as_str()))?;
        rest.get(..found.len())
    }
}
