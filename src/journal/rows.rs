//! A set of plan rows, one bit each: ten million rows take 1.25 MB.

/// Rows of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowSet {
    bits: Vec<u64>,
    len: usize,
}

impl RowSet {
    /// Adds `row`; false if it was in the set.
    pub fn insert(&mut self, row: u32) -> bool {
        let (word, bit) = Self::place(row);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.len += usize::from(new);
        new
    }

    /// Whether `row` is in the set.
    pub fn contains(&self, row: u32) -> bool {
        let (word, bit) = Self::place(row);
        self.bits.get(word).is_some_and(|w| w & bit != 0)
    }

    /// How many rows are in the set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn place(row: u32) -> (usize, u64) {
        (row as usize / 64, 1 << (row % 64))
    }
}
