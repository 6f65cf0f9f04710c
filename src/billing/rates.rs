//! Currencies: from minor units of one to minor units of the account's.

use super::exact::Number;
use crate::{
    config::{Fx, MrrSettings},
    model::Currency,
};

/// The configured rates, seen from the account's currency.
pub(super) struct Rates<'a> {
    pub fx: &'a Fx,
    pub mrr: &'a MrrSettings,
    pub account: Currency,
}

impl Rates<'_> {
    /// Minor units of the account's currency per minor unit of `code`; `None` without a rate. A rate is between major
    /// units, so currencies with other digits shift it.
    pub fn factor(&self, code: &str) -> Option<Number> {
        let currency = Currency::parse(code).ok()?;
        if currency == self.account {
            return Some(Number::whole(1));
        }
        let rate = Number::decimal(self.fx.rates.get(&currency)?.rate);
        let minor = |currency: Currency| Number::whole(10_i128.pow(self.digits(currency)));
        rate.mul(&minor(self.account)).div(&minor(currency))
    }

    /// Digits after the point of `currency`.
    pub fn digits(&self, currency: Currency) -> u32 {
        u32::from(currency.digits(&self.mrr.currency_digits).min(9))
    }
}
