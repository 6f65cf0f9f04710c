//! The scale of a picture: from which amount to which, where its ticks stand, and where on the page an amount is.
//!
//! A scale begins at 0, unless the steps would then be too small to see beside the levels: it is broken, and says so.

use super::super::amount::grouped;

/// Where the bars begin, in the picture's own units.
pub(super) const LEFT: i128 = 256;
/// How wide the bars' part is.
const SPAN: i128 = 372;
/// How many ticks a scale has, about.
const TICKS: i128 = 4;
/// The largest step below one part in this many of the whole makes the scale a broken one.
const BREAK_BELOW: i128 = 4;

/// From which amount to which, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    from: i128,
    to: i128,
    tick: i128,
}

/// A line across the picture, and what amount it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub x: i128,
    pub label: String,
}

impl Scale {
    /// A scale for spans of which the largest that is no level is `largest`; `spans` are (low, high).
    pub fn of(spans: &[(i128, i128)], levels: &[i128], largest: i128) -> Self {
        let least = spans.iter().map(|span| span.0).min().unwrap_or_default().min(0);
        let most = spans.iter().map(|span| span.1).max().unwrap_or_default().max(1);
        // What the steps touch, without the levels' way down to 0.
        let touched = || spans.iter().filter(|span| span.0 != 0 || span.1 == 0).map(|span| span.0);
        let low = touched().chain(levels.iter().copied()).min().unwrap_or_default();
        let tick = tick(most - low);
        let from = (low - (most - low) / 8).div_euclid(tick) * tick;
        if largest > 0 && largest * BREAK_BELOW < most - least && from > 0 {
            Self { from, to: most, tick }
        } else {
            Self { from: least, to: most, tick: self::tick(most - least) }
        }
    }

    /// Whether it begins above 0.
    pub fn is_broken(self) -> bool {
        self.from > 0
    }

    /// Its first amount.
    pub fn from(self) -> i128 {
        self.from
    }

    /// Where `amount` stands; what lies below the scale stands at its beginning.
    pub fn x(self, amount: i128) -> i128 {
        LEFT + (amount.max(self.from) - self.from) * SPAN / (self.to - self.from).max(1)
    }

    /// The ticks, the lowest first.
    pub fn ticks(self, digits: u8) -> Vec<Tick> {
        let unit = 10_i128.pow(u32::from(digits));
        let first = self.from.div_euclid(self.tick) + i128::from(self.from.rem_euclid(self.tick) != 0);
        (first..=self.to.div_euclid(self.tick))
            .map(|step| step * self.tick)
            .map(|amount| Tick {
                x: self.x(amount),
                label: if amount % unit == 0 { grouped(amount / unit, 0) } else { grouped(amount, digits) },
            })
            .collect()
    }
}

/// A round distance between ticks: 1, 2 or 5 times a power of ten.
fn tick(range: i128) -> i128 {
    let least = (range / TICKS).max(1);
    let power = 10_i128.pow(least.ilog10());
    [1, 2, 5, 10].into_iter().map(|times| times * power).find(|tick| *tick >= least).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::{LEFT, SPAN, Scale};

    #[test]
    fn a_scale_begins_at_zero_where_its_steps_can_be_seen() {
        let scale = Scale::of(&[(0, 10_000), (10_000, 15_000), (0, 15_000)], &[10_000, 15_000], 5_000);
        assert!(!scale.is_broken());
        assert_eq!((scale.x(0), scale.x(15_000)), (LEFT, LEFT + SPAN));
        let labels: Vec<_> = scale.ticks(2).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["0", "50", "100", "150"]);
    }

    #[test]
    fn a_scale_whose_steps_are_small_is_broken_at_a_round_amount_below_them_all() {
        let scale =
            Scale::of(&[(0, 4_510_700), (4_510_700, 4_653_300), (0, 4_653_300)], &[4_510_700, 4_653_300], 142_600);
        assert!(scale.is_broken());
        assert!(scale.from() < 4_510_700 && scale.from() % 10_000 == 0, "{}", scale.from());
        assert_eq!(scale.ticks(2)[0].x, LEFT);
    }

    #[test]
    fn amounts_below_zero_have_their_place_and_a_run_without_any_has_a_scale() {
        let scale = Scale::of(&[(0, 100), (-50, 100)], &[100], 150);
        assert!(scale.x(-50) == LEFT && scale.x(0) > LEFT);
        assert_eq!(Scale::of(&[], &[], 0).x(0), LEFT);
    }
}
