//! Remembers every event, for tests.

use super::{Event, Monitor};
use std::sync::{Mutex, PoisonError};

/// A monitor that tests ask what was said.
#[derive(Debug, Default)]
pub struct Recording {
    events: Mutex<Vec<Event>>,
}

impl Recording {
    /// Every event so far, in order.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Monitor for Recording {
    fn event(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

#[cfg(test)]
mod tests {
    use super::Recording;
    use crate::monitor::{Event, Monitor};

    #[test]
    fn events_are_kept_in_order() {
        let recording = Recording::default();
        let notes = ["one", "two"].map(|message| Event::Note { message: message.to_owned() });
        for note in &notes {
            recording.event(note.clone());
        }
        assert_eq!(recording.events(), notes);
    }
}
