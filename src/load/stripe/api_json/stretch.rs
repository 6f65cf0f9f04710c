//! Large files in stretches, read side by side.

use super::{JsonContext, gathered::Gathered, lines::Lines, walk::Walk};
use serde_json::value::RawValue;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A stretch has about this many bytes: enough that handing it on costs nothing, few enough that its rows are soon columns.
/// In tests, less than two objects.
pub(super) const STRETCH: usize = if cfg!(test) { 500 } else { 8 << 20 };

/// The event that carries an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    /// Milliseconds since 1970.
    pub created: i64,
    /// It says that its object is gone.
    pub gone: bool,
}

/// Where reading stands: the lines of the text, the event that carries what is read, how deep it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub lines: Lines<'a>,
    pub event: Option<Event>,
    pub depth: u8,
}

impl<'a> Place<'a> {
    pub fn start(text: &'a str) -> Self {
        Self { lines: Lines::new(text), event: None, depth: 0 }
    }
}

/// What a stretch consists of.
#[derive(Debug)]
pub(super) enum Parts<'a> {
    /// Lines of text, one object each.
    Lines(&'a str),
    /// Elements of a list.
    Elements(Vec<&'a RawValue>),
}

impl<'a> Parts<'a> {
    fn start(&self) -> &'a str {
        match self {
            Self::Lines(text) => text,
            Self::Elements(elements) => elements.first().map_or("", |first| first.get()),
        }
    }

    /// The same in stretches.
    fn cut(self) -> Vec<Self> {
        let mut cut = Vec::new();
        match self {
            Self::Lines(mut text) => {
                while text.len() > STRETCH {
                    let end = memchr::memchr(b'\n', &text.as_bytes()[STRETCH..]).map(|feed| STRETCH + feed + 1);
                    let (stretch, rest) = text.split_at(end.unwrap_or(text.len()));
                    cut.push(Self::Lines(stretch));
                    text = rest;
                }
                cut.push(Self::Lines(text));
            }
            Self::Elements(elements) => {
                let mut stretch = Vec::new();
                let mut bytes = 0;
                for element in elements {
                    bytes += element.get().len();
                    stretch.push(element);
                    if bytes > STRETCH {
                        cut.push(Self::Elements(std::mem::take(&mut stretch)));
                        bytes = 0;
                    }
                }
                // Without an element it would begin nowhere.
                if !stretch.is_empty() {
                    cut.push(Self::Elements(stretch));
                }
            }
        }
        cut
    }
}

/// Reads `parts` from `place` on, on two threads; what each stretch gave, in their order.
///
/// # Errors
/// A table that came out wrong, a bug of this program.
pub(super) fn side_by_side<'a>(
    context: &'a JsonContext<'a>,
    place: &mut Place<'a>,
    parts: Vec<Parts<'a>>,
) -> Result<Vec<Gathered>, String> {
    let mut stretches = Vec::new();
    for parts in parts.into_iter().flat_map(Parts::cut) {
        place.lines.of(parts.start());
        stretches.push((*place, parts));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((index, (place, parts))) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            stretches.get(index).map(|stretch| (index, stretch))
        } {
            done.push((index, read(context, *place, parts)));
        }
        done
    };
    let mut done = if stretches.len() < 2 {
        work()
    } else {
        std::thread::scope(|scope| {
            let other = scope.spawn(work);
            let mut done = work();
            match other.join() {
                Ok(others) => done.extend(others),
                Err(panic) => std::panic::resume_unwind(panic),
            }
            done
        })
    };
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, gathered)| gathered).collect()
}

fn read<'a>(context: &'a JsonContext<'a>, place: Place<'a>, parts: &Parts<'a>) -> Result<Gathered, String> {
    let depth = place.depth;
    let mut walk = Walk::new(context, place);
    match parts {
        Parts::Lines(text) => {
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                walk.value(line, depth)?;
            }
        }
        Parts::Elements(elements) => {
            for element in elements {
                walk.value(element.get(), depth)?;
            }
        }
    }
    walk.finish()
}
