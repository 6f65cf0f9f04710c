//! The gap to Stripe: what Stripe's MRR exceeds Tether's by, explained to the last fraction of a minor unit.

use super::ReportError;
use super::amount::{grouped_exact, rational, whole};
use super::tally::Cell;
use crate::model::{Currency, Disposition, Outcome, Prediction, Reason, STRIPE_SUBSCRIPTIONS};
use crate::runs::{Exact, RunProduct, SourceTotals};
use num_rational::BigRational;
use num_traits::Zero;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One reason for which Tether's MRR is not Stripe's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The word: an outcome, a disposition, `not_applied`, `unpriced`, `rounding` or `orphans`.
    pub name: &'static str,
    /// Minor units; positive where Stripe has more. Orphans are negative.
    pub amount: BigRational,
    /// Customers behind it, where it is made of customers.
    pub customers: Option<u64>,
}

/// One product's gap: Stripe's MRR − Tether's closing MRR = the sum of the components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// MRR of all subscriptions, each once, as computed apart from their dispositions; minor units.
    pub stripe: BigRational,
    /// What Tether holds when the run ends; in a plan: would hold.
    pub tether: i128,
    /// Every reason, in the order of the page; those of 0 too.
    pub components: Vec<Component>,
    /// MRR in currencies without a rate, in their own minor units: in no sum above.
    pub without_rate: BTreeMap<Currency, BigRational>,
}

/// Outcomes that leave a gap. The rest stands under `not_applied`.
const OUTCOMES: [Outcome; 7] = [
    Outcome::CreationDisabled,
    Outcome::Conflict,
    Outcome::Invalid,
    Outcome::Rejected,
    Outcome::Failed,
    Outcome::Unknown,
    Outcome::NotAttempted,
];

/// Dispositions of subscription rows that take MRR out before it reaches a customer, and their names here.
const DISPOSITIONS: [(Disposition, &str); 4] = [
    (Disposition::Ambiguous, "ambiguous"),
    (Disposition::Unattached, "unattached"),
    (Disposition::Excluded, "excluded"),
    (Disposition::Rejected, "rejected_rows"),
];

impl Gap {
    /// The gap of one product from its cells, what the plan's sums say, and the subscriptions' control totals.
    pub(super) fn of<'a>(
        product: &RunProduct,
        subscriptions: Option<&SourceTotals>,
        cells: impl Iterator<Item = &'a Cell>,
    ) -> Result<Self, ReportError> {
        // With filters a product starts from what its own takes.
        let own = product.taken.iter().find(|source| source.name == STRIPE_SUBSCRIPTIONS);
        let subscriptions = own.or(subscriptions);
        let exact = |exact: Option<&Exact>| exact.map_or_else(|| Ok(BigRational::zero()), rational);
        let disposed = |disposition| exact(subscriptions.and_then(|totals| totals.mrr.get(&disposition)));

        let mut by_outcome: BTreeMap<Outcome, (i128, u64)> = BTreeMap::new();
        let (mut not_applied, mut orphans, mut tether) = ((0, 0), (0, 0), 0);
        for cell in cells {
            tether += cell.tally.after;
            let missing = cell.tally.desired - cell.tally.after;
            let entry = match class(cell) {
                Outcome::Orphan => &mut orphans,
                outcome if OUTCOMES.contains(&outcome) => by_outcome.entry(outcome).or_default(),
                _ if missing == 0 => continue,
                _ => &mut not_applied,
            };
            entry.0 += missing;
            entry.1 += cell.tally.customers;
        }

        let of_customers = |name, (amount, customers): (i128, u64)| Component {
            name,
            amount: whole(amount),
            customers: Some(customers),
        };
        let mut components: Vec<Component> = OUTCOMES
            .iter()
            .map(|outcome| of_customers(outcome.as_str(), by_outcome.get(outcome).copied().unwrap_or_default()))
            .collect();
        components.push(of_customers("not_applied", not_applied));
        let desired = rational(&product.totals.desired_exact)?;
        // Ambiguous customers stand among the conflicts with what is theirs beyond doubt: it is counted there.
        let of_ambiguous = rational(&product.totals.ambiguous_exact)?;
        for (disposition, name) in DISPOSITIONS {
            let elsewhere =
                if disposition == Disposition::Ambiguous { of_ambiguous.clone() } else { BigRational::zero() };
            components.push(Component { name, amount: disposed(disposition)? - elsewhere, customers: None });
        }
        let unpriced = disposed(Disposition::Contributed)? + of_ambiguous - &desired;
        let rounding = desired - whole(product.totals.desired_rounded.into());
        components.push(Component { name: "unpriced", amount: unpriced, customers: None });
        components.push(Component { name: "rounding", amount: rounding, customers: None });
        components.push(of_customers("orphans", orphans));

        let mut without_rate = BTreeMap::new();
        for (currency, amounts) in subscriptions.iter().flat_map(|totals| &totals.mrr_without_rate) {
            let amounts = amounts.values().map(rational).collect::<Result<Vec<_>, _>>()?;
            without_rate.insert(*currency, amounts.into_iter().sum());
        }
        let stripe = exact(subscriptions.and_then(|totals| totals.mrr_total.as_ref()))?;
        Ok(Self { stripe, tether, components, without_rate })
    }

    /// Stripe's MRR − Tether's, minor units.
    pub fn gap(&self) -> BigRational {
        &self.stripe - whole(self.tether)
    }

    /// What the components do not explain: 0, or a bug.
    pub fn residual(&self) -> BigRational {
        self.components.iter().fold(self.gap(), |rest, component| rest - &component.amount)
    }

    /// What is in no sum for want of a rate, in its own currency: `2,690.00 SEK`. `configuration`: the manifest's, which may
    /// give a currency other digits than Stripe's table does.
    pub(super) fn left_out(&self, configuration: &serde_json::Value) -> Vec<String> {
        let digits = &configuration["mrr"]["currency_digits"];
        let digits = BTreeMap::deserialize(digits).unwrap_or_default();
        let shown = |(currency, mrr): (&Currency, &BigRational)| {
            format!("{} {}", grouped_exact(mrr, currency.digits(&digits)), currency.as_str().to_uppercase())
        };
        self.without_rate.iter().map(shown).collect()
    }

    /// The amount of one component; 0 for a name that is none.
    pub fn component(&self, name: &str) -> BigRational {
        self.components.iter().find(|c| c.name == name).map_or_else(BigRational::zero, |c| c.amount.clone())
    }
}

/// Under which outcome a cell's gap stands: as it ended; a plan's rows that a closed gate would stop, under that.
fn class(cell: &Cell) -> Outcome {
    let planned = cell.outcome == Outcome::NotAttempted && cell.reason == Some(Reason::PlanOnly);
    if planned && cell.predicted == Prediction::CreationDisabled { Outcome::CreationDisabled } else { cell.outcome }
}

#[cfg(test)]
mod tests {
    use super::{Gap, whole};
    use crate::model::Currency;
    use num_traits::Zero;

    #[test]
    fn an_amount_without_a_rate_is_in_its_own_currency_s_digits() {
        let amounts = [("sek", 269_000), ("jpy", 269_000), ("isk", 12_300)];
        let without_rate = amounts.map(|(code, minor)| (Currency::parse(code).unwrap(), whole(minor))).into();
        let gap = Gap { stripe: num_rational::BigRational::zero(), tether: 0, components: vec![], without_rate };
        let as_set = serde_json::json!({"mrr": {"currency_digits": {"isk": 2}}});
        assert_eq!(gap.left_out(&as_set), ["123.00 ISK", "269,000 JPY", "2,690.00 SEK"]);
        assert_eq!(gap.left_out(&serde_json::Value::Null)[2], "2,690.00 SEK");
    }
}
