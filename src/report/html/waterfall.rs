//! Waterfalls: each step hangs on the one before, with its amount as text beside it.
//!
//! A step too small to see is drawn two units wide; its amount says how small it is.

use super::super::amount::{count, grouped, grouped_exact, signed, whole};
use super::super::bridge::Bridge;
use super::super::gap::Gap;
use super::super::words;
use super::scale::{LEFT, Scale, Tick};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// The least width of a bar that stands for something.
const VISIBLE: i128 = 2;
/// The height of a line, and of the ticks' labels above the first.
const LINE: i128 = 28;

/// A waterfall, ready to be placed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waterfall {
    /// What it shows, for those who cannot see it.
    pub told: String,
    pub height: i128,
    pub ticks: Vec<Tick>,
    /// Where a broken scale begins, as text.
    pub broken: Option<String>,
    pub steps: Vec<Step>,
}

/// One line of a waterfall.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub label: String,
    pub customers: String,
    pub amount: String,
    /// `total`, `up`, `down`, `none`.
    pub kind: &'static str,
    /// The line's upper edge.
    pub y: i128,
    pub x: i128,
    pub width: i128,
    /// Where the running total stands after it: the next step hangs there.
    pub at: i128,
    /// Whether the bar goes on below the scale's beginning.
    pub cut: bool,
}

impl Step {
    /// The words' line.
    pub fn base(&self) -> i128 {
        self.y + 18
    }

    /// The upper edge of the bar.
    pub fn top(&self) -> i128 {
        self.y + 5
    }

    /// From the bar's lower edge to the next one's upper.
    pub fn next(&self) -> i128 {
        self.y + LINE + 5
    }

    /// The mark across a bar that is cut.
    pub fn mark(&self) -> String {
        let (x, top) = (LEFT + 12, self.top() - 1);
        format!("{},{top} {},{top} {},{bottom} {x},{bottom}", x + 5, x + 10, x + 5, bottom = top + 20)
    }
}

/// What a waterfall is drawn from.
struct Line {
    label: String,
    customers: String,
    text: String,
    amount: i128,
    level: bool,
}

impl Line {
    fn level(label: &str, text: String, amount: i128) -> Self {
        Self { label: label.to_owned(), customers: String::new(), text, amount, level: true }
    }

    fn unexplained(text: String, amount: i128) -> Self {
        Self { level: false, ..Self::level("unexplained", text, amount) }
    }
}

/// Opening, movements, what they leave unexplained, closing.
pub(super) fn bridge(bridge: &Bridge, digits: u8) -> Waterfall {
    let mut lines = vec![Line::level("opening", grouped(bridge.opening, digits), bridge.opening)];
    lines.extend(bridge.steps().into_iter().map(|(movement, amount, customers)| Line {
        label: movement.as_str().to_owned(),
        customers: count(customers),
        text: signed(amount, digits),
        amount,
        level: false,
    }));
    lines.push(Line::unexplained(signed(bridge.residual(), digits), bridge.residual()));
    lines.push(Line::level("closing", grouped(bridge.closing, digits), bridge.closing));
    draw(lines, digits)
}

/// From Tether's MRR to Stripe's, as the gap is counted in every other file: leaving out the components of 0, and what they
/// leave unexplained.
pub(super) fn gap(gap: &Gap, digits: u8) -> Waterfall {
    let mut lines = vec![Line::level("Tether", grouped(gap.tether, digits), gap.tether)];
    let step = |amount: &BigRational| {
        let text = grouped_exact(amount, digits);
        (if *amount > whole(0) { format!("+{text}") } else { text }, minor(amount))
    };
    for part in gap.components.iter().filter(|part| !part.amount.is_zero()) {
        let (text, amount) = step(&part.amount);
        lines.push(Line {
            label: words::component(part.name).to_owned(),
            customers: part.customers.map(count).unwrap_or_default(),
            text,
            amount,
            level: false,
        });
    }
    let (text, amount) = step(&gap.residual());
    lines.push(Line::unexplained(text, amount));
    lines.push(Line::level("Stripe", grouped_exact(&gap.stripe, digits), minor(&gap.stripe)));
    draw(lines, digits)
}

/// The nearest whole minor unit: the text beside the bar is exact.
fn minor(amount: &BigRational) -> i128 {
    let number: BigInt = amount.round().to_integer();
    i128::try_from(number).unwrap_or_default()
}

/// Pads the amounts with spaces as wide as digits, so that their points stand one below the other.
fn align(steps: &mut [Step]) {
    let places = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len() + 1);
    let most = steps.iter().map(|step| places(&step.amount)).max().unwrap_or_default();
    for step in steps {
        let missing = most - places(&step.amount);
        if missing == most && missing > 0 {
            step.amount.push('\u{2008}');
        }
        let digits = if missing == most { missing.saturating_sub(1) } else { missing };
        step.amount.extend(std::iter::repeat_n('\u{2007}', digits));
    }
}

fn draw(lines: Vec<Line>, digits: u8) -> Waterfall {
    let mut at = 0;
    let ends: Vec<(i128, i128)> = lines
        .iter()
        .map(|line| {
            let from = if line.level { 0 } else { at };
            at = from + line.amount;
            (from, at)
        })
        .collect();
    let spans: Vec<(i128, i128)> = ends.iter().map(|(from, to)| (*from.min(to), *from.max(to))).collect();
    let levels: Vec<i128> = lines.iter().filter(|line| line.level).map(|line| line.amount).collect();
    let largest = lines.iter().filter(|line| !line.level).map(|line| line.amount.abs()).max().unwrap_or_default();
    let scale = Scale::of(&spans, &levels, largest);
    let told: Vec<String> = lines.iter().map(|line| format!("{} {}", line.label, line.text)).collect();
    let mut steps: Vec<Step> = (1..)
        .zip(lines)
        .zip(spans.iter().zip(&ends))
        .map(|((number, line), ((low, high), (_, end)))| {
            let x = scale.x(*low);
            let width = if line.amount == 0 { 0 } else { (scale.x(*high) - x).max(VISIBLE) };
            Step {
                kind: match (line.level, line.amount) {
                    (_, 0) => "none",
                    (true, _) => "total",
                    (false, amount) if amount > 0 => "up",
                    _ => "down",
                },
                label: line.label,
                customers: line.customers,
                amount: line.text,
                y: number * LINE,
                x,
                width,
                at: scale.x(*end),
                cut: scale.is_broken() && line.level,
            }
        })
        .collect();
    align(&mut steps);
    Waterfall {
        told: told.join(", "),
        height: (i128::try_from(steps.len()).unwrap_or_default() + 1) * LINE + 4,
        ticks: scale.ticks(digits),
        broken: scale.is_broken().then(|| grouped(scale.from(), digits)),
        steps,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::bridge::Bridge;
    use super::super::scale::LEFT;
    use super::bridge;

    #[test]
    fn a_waterfall_hangs_each_step_on_the_one_before() {
        let drawn =
            bridge(&Bridge { opening: 100, new: 50, contraction: 30, churn: 20, closing: 100, ..Bridge::default() }, 2);
        let steps: Vec<_> =
            drawn.steps.iter().map(|step| (step.label.as_str(), step.kind, step.x - LEFT, step.width)).collect();
        assert_eq!(
            steps,
            [
                ("opening", "total", 0, 248),
                ("new", "up", 248, 124),
                ("reactivation", "none", 372, 0),
                ("expansion", "none", 372, 0),
                ("contraction", "down", 297, 75),
                ("churn", "down", 248, 49),
                ("unexplained", "none", 248, 0),
                ("closing", "total", 0, 248),
            ]
        );
        assert!(drawn.broken.is_none() && drawn.steps.iter().all(|step| !step.cut));
        assert!(drawn.told.ends_with("churn \u{2212}0.20, unexplained 0.00, closing 1.00"), "{}", drawn.told);
    }

    #[test]
    fn amounts_of_different_length_stand_below_one_another_at_their_points() {
        let mut drawn = bridge(&Bridge::default(), 2);
        for (step, text) in drawn.steps.iter_mut().zip(["1.00", "0.333333", "7"]) {
            text.clone_into(&mut step.amount);
        }
        super::align(&mut drawn.steps[..3]);
        let places = |text: &str| text.chars().skip_while(char::is_ascii_digit).count();
        assert!(drawn.steps[..3].iter().all(|step| places(&step.amount) == 7), "{:?}", drawn.steps);
    }

    #[test]
    fn a_broken_scale_says_where_it_begins_and_cuts_the_levels_alone() {
        let drawn = bridge(&Bridge { opening: 1_000_000, new: 5_000, closing: 1_005_000, ..Bridge::default() }, 2);
        assert!(drawn.broken.is_some());
        let cut: Vec<_> = drawn.steps.iter().filter(|step| step.cut).map(|step| step.label.as_str()).collect();
        assert_eq!(cut, ["opening", "closing"]);
    }
}
