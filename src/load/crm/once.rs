//! A list without repetitions, however long.

use std::collections::HashSet;
use std::hash::Hash;

/// From so many values on they are looked up: a few are compared sooner than hashed.
const FEW: usize = 32;

/// Values, each once, in the order in which they came.
pub(super) struct Once<T> {
    values: Vec<T>,
    /// All of them, once they are more than a few.
    known: HashSet<T>,
}

impl<T: Clone + Eq + Hash> Once<T> {
    pub fn new() -> Self {
        Self { values: Vec::new(), known: HashSet::new() }
    }

    /// Takes `value`, unless it is there.
    pub fn push(&mut self, value: T) {
        let new = if self.values.len() < FEW {
            !self.values.contains(&value)
        } else {
            if self.known.is_empty() {
                self.known.extend(self.values.iter().cloned());
            }
            self.known.insert(value.clone())
        };
        if new {
            self.values.push(value);
        }
    }

    pub fn clear(&mut self) {
        self.values.clear();
        self.known.clear();
    }

    pub fn values(&self) -> &[T] {
        &self.values
    }
}
