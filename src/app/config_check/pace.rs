//! How fast each product's calls would leave, and how long they would take.

use super::span;
use crate::config::{KeyPace, Pace, ProductSettings, Settings};
use crate::load::{Look, Rows};
use crate::model::STRIPE_CUSTOMERS;
use std::time::Duration;

/// One line where all products go by `[tether]`, else one for each: its own pace where it has one, and how long its calls
/// would take if every customer of Stripe needed one.
pub(super) fn lines(settings: &Settings, look: &Look) -> Vec<String> {
    let has_own = |product: &ProductSettings| product.rate.is_some() || product.burst.is_some();
    let pace = |product: &ProductSettings| product.pace(&settings.tether);
    if !settings.products.iter().any(has_own) {
        let shared = settings.products.first().and_then(|product| forecast(settings, pace(product), look));
        return shared.map(|(words, too_long)| format!("{words} per product{too_long}")).into_iter().collect();
    }
    let of_product = |product: &ProductSettings| {
        let own = has_own(product).then(|| words(pace(product)));
        let takes = forecast(settings, pace(product), look).map(|(words, too_long)| words + too_long);
        let said: Vec<String> = own.into_iter().chain(takes).collect();
        (!said.is_empty()).then(|| format!("{}: {}", product.name, said.join("; ")))
    };
    settings.products.iter().filter_map(of_product).collect()
}

/// `10 calls in 1s, burst 1`.
pub(super) fn words(pace: KeyPace) -> String {
    match pace.rate {
        Pace::Fixed(rate) => format!("{} calls in {}, burst {}", rate.calls, span(rate.per), pace.burst),
        Pace::Auto => "as many calls as the server takes".to_owned(),
    }
}

/// How long the calls would take, and whether that is longer than a run may; `None` without customers, or where the server
/// says how fast they leave.
fn forecast(settings: &Settings, pace: KeyPace, look: &Look) -> Option<(String, &'static str)> {
    let Pace::Fixed(rate) = pace.rate else { return None };
    let of_customers = || look.files.iter().filter(|file| file.source == STRIPE_CUSTOMERS).map(|file| file.rows);
    let customers: u64 = of_customers().map(Rows::count).sum();
    let about = if of_customers().all(|rows| matches!(rows, Rows::Exactly(_))) { "" } else { "about " };
    let millis = rate.per.as_millis().saturating_mul(u128::from(customers)).div_ceil(u128::from(rate.calls.get()));
    // In whole seconds.
    let length = Duration::from_secs(u64::try_from(millis.div_ceil(1000)).ok()?);
    let too_long = if length > settings.tether.deadline { ", longer than a run may" } else { "" };
    let words = format!("one call for each of {about}{customers} Stripe customers would take {}", span(length));
    (customers > 0).then_some((words, too_long))
}
