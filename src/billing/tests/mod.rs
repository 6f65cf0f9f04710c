mod behaviour;
mod builder;
mod defined;
mod explained;
mod known_answers;
mod known_coupons;
mod properties;

use crate::{
    billing::{Billed, Path, bill, bill_by, summarise},
    config::{Fx, FxRate, MrrSettings},
    model::{Currency, Instant},
};
use builder::{Sub, tables};
use polars::prelude::*;

const AS_OF: &str = "2026-11-01T00:00:00Z";

fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn rates() -> Fx {
    let rate = |code: &str, rate: &str| {
        let date = Instant::parse("2026-10-31").unwrap();
        (Currency::parse(code).unwrap(), FxRate { rate: rate.parse().unwrap(), date })
    };
    let rates = [("eur", "1.0842"), ("jpy", "0.0066"), ("kwd", "3.25"), ("isk", "0.0072"), ("ugx", "0.00027")];
    Fx { rates: rates.into_iter().map(|(code, value)| rate(code, value)).collect() }
}

fn billed(subs: &[Sub], mrr: &MrrSettings) -> Billed {
    bill(&tables(subs), mrr, &rates(), usd(), Instant::parse(AS_OF).unwrap()).unwrap()
}

/// The same, each subscription priced by the rules for rows.
fn billed_by_rows(subs: &[Sub], mrr: &MrrSettings) -> Billed {
    bill_by(Path::Rows, &tables(subs), mrr, &rates(), usd(), Instant::parse(AS_OF).unwrap()).unwrap()
}

/// One row per customer, of an account in another currency.
fn summary_in(currency: &str, subs: &[Sub]) -> DataFrame {
    let (mrr, account) = (MrrSettings::default(), Currency::parse(currency).unwrap());
    let billed = bill(&tables(subs), &mrr, &rates(), account, Instant::parse(AS_OF).unwrap()).unwrap();
    by_customer(&billed, &mrr)
}

/// One row per customer.
fn summary(subs: &[Sub], mrr: &MrrSettings) -> DataFrame {
    by_customer(&billed(subs, mrr), mrr)
}

fn by_customer(billed: &Billed, mrr: &MrrSettings) -> DataFrame {
    summarise(billed.subscriptions.clone().lazy(), "customer", billed, mrr.rounding)
        .unwrap()
        .sort(["customer"], SortMultipleOptions::default())
        .collect()
        .unwrap()
}

fn text<'a>(frame: &'a DataFrame, column: &str) -> Option<&'a str> {
    frame.column(column).unwrap().str().unwrap().get(0)
}
