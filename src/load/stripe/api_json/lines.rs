//! Where a part of the text stands.

/// Physical lines of positions that only move forward: whoever needs a line again keeps it, as a step back counts from the
/// start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line, from 1, on which `part` (a slice of the text) begins.
    pub fn of(&mut self, part: &str) -> u64 {
        let position = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len());
        debug_assert!(position >= self.at, "a step back, from byte {} to {position}", self.at);
        if position < self.at {
            (self.at, self.line) = (0, 1);
        }
        let passed = &self.text.as_bytes()[self.at..position];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = position;
        self.line
    }
}
