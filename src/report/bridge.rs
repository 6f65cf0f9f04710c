//! The MRR bridge: from what Tether held to what it holds, by the kind of movement.

use super::customers::minor;
use super::tally::Cell;
use crate::model::{MatchRule, Outcome, Prediction};
use polars::prelude::*;

/// How one customer's MRR in Tether moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Movement {
    /// Not at all.
    None,
    /// A customer that Tether did not know now has MRR.
    New,
    /// A customer that Tether knew without MRR now has some.
    Reactivation,
    /// More than before.
    Expansion,
    /// Less than before.
    Contraction,
    /// None any more.
    Churn,
}

impl Movement {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::None, Self::New, Self::Reactivation, Self::Expansion, Self::Contraction, Self::Churn];

    /// The word in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::New => "new",
            Self::Reactivation => "reactivation",
            Self::Expansion => "expansion",
            Self::Contraction => "contraction",
            Self::Churn => "churn",
        }
    }
}

impl std::str::FromStr for Movement {
    type Err = crate::model::UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let unknown = || crate::model::UnknownWord { vocabulary: "movements", word: word.to_owned() };
        Self::ALL.into_iter().find(|known| known.as_str() == word).ok_or_else(unknown)
    }
}

/// Whether Tether knew the customer when the run began, as far as plan and reply tell.
pub(super) fn existed() -> Expr {
    let is = |column: &str, word: &str| col(column).eq(lit(word)).fill_null(lit(false));
    let unmatched = is("match_rule", MatchRule::None.as_str()).or(col("match_rule").is_null());
    unmatched
        .not()
        .or(col("mrr_before").is_not_null())
        .or(is("outcome", Outcome::Updated.as_str()))
        .or(is("predicted", Prediction::Orphan.as_str()))
}

/// The movement of every row, as a word.
pub(super) fn movement() -> Expr {
    let (before, after) = (minor("mrr_before"), minor("mrr_after"));
    let zero = || lit(0_i64).cast(DataType::Int128);
    let word = |movement: Movement| lit(movement.as_str());
    let gained = before.clone().eq(zero()).and(after.clone().gt(zero()));
    when(before.clone().eq(after.clone()))
        .then(word(Movement::None))
        .when(gained.clone().and(existed()))
        .then(word(Movement::Reactivation))
        .when(gained)
        .then(word(Movement::New))
        .when(before.clone().gt(zero()).and(after.clone().eq(zero())))
        .then(word(Movement::Churn))
        .when(after.gt(before))
        .then(word(Movement::Expansion))
        .otherwise(word(Movement::Contraction))
}

/// One product's bridge in minor units: opening + new + reactivation + expansion − contraction − churn = closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bridge {
    /// What Tether held, orphans included.
    pub opening: i128,
    /// Gained with customers that Tether did not know.
    pub new: i128,
    /// Gained with customers that Tether knew without MRR.
    pub reactivation: i128,
    /// Gained with customers that had MRR.
    pub expansion: i128,
    /// Lost with customers that keep some; positive.
    pub contraction: i128,
    /// Lost with customers that keep none; positive.
    pub churn: i128,
    /// What Tether holds, summed apart from the movements.
    pub closing: i128,
    /// Customers behind each movement, in the order of [`Movement::ALL`].
    pub customers: [u64; 6],
    /// Customers that Tether knew though nothing tells what it held of them: their MRR is in the gains.
    pub opening_unknown: u64,
    /// What those hold now; already part of new, reactivation or expansion.
    pub opening_unknown_mrr: i128,
}

impl Bridge {
    /// The bridge of one product's cells.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut bridge = Self::default();
        for cell in cells {
            let delta = cell.tally.after - cell.tally.before;
            bridge.opening += cell.tally.before;
            bridge.closing += cell.tally.after;
            bridge.customers[cell.movement as usize] += cell.tally.customers;
            bridge.opening_unknown += cell.opening_unknown;
            bridge.opening_unknown_mrr += cell.opening_unknown_after;
            match cell.movement {
                Movement::None => {}
                Movement::New => bridge.new += delta,
                Movement::Reactivation => bridge.reactivation += delta,
                Movement::Expansion => bridge.expansion += delta,
                Movement::Contraction => bridge.contraction -= delta,
                Movement::Churn => bridge.churn -= delta,
            }
        }
        bridge
    }

    /// What the movements do not explain: 0, or a bug.
    pub fn residual(&self) -> i128 {
        self.closing - (self.opening + self.new + self.reactivation + self.expansion - self.contraction - self.churn)
    }

    /// The movements with their signs, in the order of the page.
    pub fn steps(&self) -> [(Movement, i128, u64); 5] {
        let step = |movement: Movement, amount: i128| (movement, amount, self.customers[movement as usize]);
        [
            step(Movement::New, self.new),
            step(Movement::Reactivation, self.reactivation),
            step(Movement::Expansion, self.expansion),
            step(Movement::Contraction, -self.contraction),
            step(Movement::Churn, -self.churn),
        ]
    }
}
