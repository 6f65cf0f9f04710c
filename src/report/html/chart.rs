//! Waterfalls and bars as plain numbers: where each bar begins and how long it is, in thousandths of the widest.
//!
//! The scale begins at zero, always; a step too small to see is drawn one part in 250 wide, since its amount stands
//! beside it.

use super::super::amount::{count, grouped, grouped_exact, signed, whole};
use super::super::bridge::Bridge;
use super::super::gap::Gap;
use super::super::words;
use num_bigint::BigInt;
use num_traits::Zero;

/// The whole width.
const WIDTH: i128 = 1000;
/// The least width of a bar that stands for something.
const VISIBLE: i128 = 4;

/// One line of a waterfall.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub label: String,
    pub customers: String,
    pub amount: String,
    /// `total`, `up`, `down`, `none`.
    pub kind: &'static str,
    pub x: i128,
    pub width: i128,
}

/// What a waterfall is drawn from: a label, customers, the amount as text and number, and whether it is a level.
struct Line {
    label: String,
    customers: String,
    text: String,
    amount: i128,
    level: bool,
}

/// Opening, movements, closing.
pub(super) fn bridge(bridge: &Bridge, digits: u8) -> Vec<Step> {
    let level = |label: &str, amount: i128| Line {
        label: label.to_owned(),
        customers: String::new(),
        text: grouped(amount, digits),
        amount,
        level: true,
    };
    let mut lines = vec![level("opening", bridge.opening)];
    lines.extend(bridge.steps().into_iter().map(|(movement, amount, customers)| Line {
        label: movement.as_str().to_owned(),
        customers: count(customers),
        text: signed(amount, digits),
        amount,
        level: false,
    }));
    lines.push(level("closing", bridge.closing));
    draw(lines)
}

/// From Stripe's MRR to Tether's, leaving out the components of 0.
pub(super) fn gap(gap: &Gap, digits: u8) -> Vec<Step> {
    let minor = |amount: &num_rational::BigRational| {
        let number: BigInt = amount.round().to_integer();
        i128::try_from(number).unwrap_or_default()
    };
    let level = |label: &str, text: String, amount: i128| Line {
        label: label.to_owned(),
        customers: String::new(),
        text,
        amount,
        level: true,
    };
    let mut lines = vec![level("Stripe", grouped_exact(&gap.stripe, digits), minor(&gap.stripe))];
    for part in gap.components.iter().filter(|part| !part.amount.is_zero()) {
        let amount = whole(0) - &part.amount;
        let text = grouped_exact(&amount, digits);
        lines.push(Line {
            label: words::component(part.name).to_owned(),
            customers: part.customers.map(count).unwrap_or_default(),
            text: if part.amount < whole(0) { format!("+{text}") } else { text },
            amount: minor(&amount),
            level: false,
        });
    }
    lines.push(level("Tether", grouped(gap.tether, digits), gap.tether));
    draw(lines)
}

fn draw(lines: Vec<Line>) -> Vec<Step> {
    let mut at = 0;
    let spans: Vec<(i128, i128)> = lines
        .iter()
        .map(|line| {
            let from = if line.level { 0 } else { at };
            at = from + line.amount;
            (from.min(at), from.max(at))
        })
        .collect();
    let least = spans.iter().map(|span| span.0).min().unwrap_or_default().min(0);
    let most = spans.iter().map(|span| span.1).max().unwrap_or_default();
    let scale = (most - least).max(1);
    lines
        .into_iter()
        .zip(spans)
        .map(|(line, (low, high))| {
            let width = if line.amount == 0 { 0 } else { ((high - low) * WIDTH / scale).max(VISIBLE) };
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
                x: ((low - least) * WIDTH / scale).min(WIDTH - width),
                width,
            }
        })
        .collect()
}

/// How long a bar for `part` is beside the longest, `most`.
pub(super) fn bar(part: u64, most: u64) -> i128 {
    if part == 0 { 0 } else { (i128::from(part) * WIDTH / i128::from(most.max(1))).max(VISIBLE) }
}

#[cfg(test)]
mod tests {
    use super::super::super::bridge::Bridge;
    use super::bridge;

    #[test]
    fn a_waterfall_hangs_each_step_on_the_one_before() {
        let steps =
            bridge(&Bridge { opening: 100, new: 50, contraction: 30, churn: 20, closing: 100, ..Bridge::default() }, 2);
        let drawn: Vec<_> = steps.iter().map(|step| (step.label.as_str(), step.kind, step.x, step.width)).collect();
        assert_eq!(
            drawn,
            [
                ("opening", "total", 0, 666),
                ("new", "up", 666, 333),
                ("reactivation", "none", 1000, 0),
                ("expansion", "none", 1000, 0),
                ("contraction", "down", 800, 200),
                ("churn", "down", 666, 133),
                ("closing", "total", 0, 666),
            ]
        );
    }
}
