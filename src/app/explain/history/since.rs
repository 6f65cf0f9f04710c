//! What is otherwise than in the run before.

use super::{RunOfCustomer, Since, SinceChange};
use crate::model::{Field, LinkRule, MatchRule, Outcome};

/// Compares a customer's row with that of an earlier run of the same product.
pub fn since(later: &RunOfCustomer, earlier: &RunOfCustomer) -> Since {
    let of = |run: &RunOfCustomer| -> Vec<(String, Option<String>)> {
        let plan = &run.plan;
        let fields = Field::ALL.iter().map(|field| (field.as_str().to_owned(), plan.desired.get(field).cloned()));
        let word = |name: &str, word: Option<&'static str>| (name.to_owned(), word.map(str::to_owned));
        let others = [
            word("outcome", run.outcome.map(Outcome::as_str)),
            ("key".to_owned(), Some(plan.key.clone())),
            word("link_rule", plan.link_rule.map(LinkRule::as_str)),
            word("match_rule", plan.match_rule.map(MatchRule::as_str)),
            ("stripe_customer_ids".to_owned(), plan.stripe_customer_ids.clone()),
            ("mrr_after".to_owned(), run.mrr_after.clone()),
        ];
        fields.chain(others).collect()
    };
    let changes = of(earlier)
        .into_iter()
        .zip(of(later))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((what, before), (_, after))| SinceChange { what, before, after })
        .collect();
    Since { run_id: earlier.run_id.clone(), changes }
}
