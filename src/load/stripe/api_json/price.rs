//! What a price or plan says, of every API version.

use super::{
    object,
    rows::{CostRow, TierRow},
    value::{Raw, Read, amount, id_of, integer, is_object, lower, parsed, sent_per_minor, text},
};
use crate::model::Currency;
use std::collections::{BTreeMap, HashMap};

/// What a price or plan costs in the currency that it is billed in.
pub(super) struct Cost<'a> {
    pub row: CostRow,
    pub tiers: Raw<'a>,
    /// How many of what Stripe sends make one minor unit.
    pub sent: i128,
    /// The currency that the amounts are in, where it is another and what they are in the right one is not told.
    pub only_in: Option<String>,
}

/// Reads `price`, and from `plan` what it leaves out, for what is billed in the currency `billed` (`None`: in its own).
pub(super) fn cost<'a>(
    price: &object::Price<'a>,
    plan: &object::Price<'a>,
    billed: Option<&str>,
    digits: &BTreeMap<Currency, u8>,
) -> Read<Cost<'a>> {
    let recurring: object::Recurring<'a> = parsed(price.recurring, "price.recurring")?.unwrap_or_default();
    let transform = price.transform_quantity.or(price.transform_usage);
    let transform: object::Transform<'a> = parsed(transform, "transform_quantity")?.unwrap_or_default();
    let mut currency = lower(text(price.currency, "currency")?);
    let mut whole = price.unit_amount.or(price.amount);
    let mut precise = price.unit_amount_decimal.or(price.amount_decimal);
    let mut tiers = price.tiers.or(plan.tiers);
    let mut only_in = None;
    if let (Some(billed), Some(known)) = (billed, currency.as_deref())
        && billed != known
    {
        // The amounts of a price are in its first currency; what is paid in another stands in another place.
        let option = currency_option(price, billed)?;
        only_in = option.is_none().then(|| known.to_owned());
        let option = option.unwrap_or_default();
        (whole, precise, tiers) = (option.unit_amount, option.unit_amount_decimal, option.tiers);
        currency = Some(billed.to_owned());
    }
    let sent = sent_per_minor(currency.as_deref(), digits);
    let scheme = text(price.billing_scheme, "billing_scheme")?;
    let tiers_mode = text(price.tiers_mode.or(plan.tiers_mode), "tiers_mode")?;
    let count = integer(recurring.interval_count.or(price.interval_count).or(plan.interval_count), "interval_count")?;
    let row = CostRow {
        product: id_of(price.product, "product")?,
        amount: amount(precise, whole, "unit_amount", sent)?,
        interval: lower(text(recurring.interval.or(price.interval).or(plan.interval), "interval")?),
        interval_count: count.unwrap_or(1),
        usage_type: text(recurring.usage_type.or(price.usage_type).or(plan.usage_type), "usage_type")?,
        tiered: scheme.as_deref() == Some("tiered") || tiers_mode.is_some(),
        tiers_mode,
        divide_by: integer(transform.divide_by, "transform_quantity.divide_by")?,
        divide_round: text(transform.round, "transform_quantity.round")?,
        currency,
    };
    Ok(Cost { row, tiers, sent, only_in })
}

/// The price of an item, and what of it only the plan beside it says. A price or plan may stand there as its id only, or
/// as a deleted one's stub; the other one then tells.
pub(super) fn priced<'a>(item: &object::Item<'a>) -> Read<(object::Price<'a>, object::Price<'a>)> {
    let read = |raw: Raw<'a>, name: &str| -> Read<Option<object::Price<'a>>> {
        let price: Option<object::Price<'a>> = parsed(raw.filter(|raw| is_object(raw)), name)?;
        Ok(price.filter(|price| price.currency.is_some() || price.deleted.is_none()))
    };
    let Some(price) = read(item.price, "price")? else {
        return Ok((read(item.plan, "plan")?.unwrap_or_default(), object::Price::default()));
    };
    let whole = price.recurring.is_some() && (price.unit_amount.is_some() || price.unit_amount_decimal.is_some());
    let plan = if whole { None } else { read(item.plan, "plan")? };
    Ok((price, plan.unwrap_or_default()))
}

/// What `price` costs in `currency`, where the export holds it.
fn currency_option<'a>(price: &object::Price<'a>, currency: &str) -> Read<Option<object::CurrencyOption<'a>>> {
    let options: Option<HashMap<String, Raw<'a>>> = parsed(price.currency_options, "currency_options")?;
    let option = options.and_then(|options| options.into_iter().find(|(code, _)| code.eq_ignore_ascii_case(currency)));
    parsed(option.and_then(|(_, option)| option), "currency_options")
}

/// Tiers of the list numbered `list`, of which `sent` make one minor unit.
pub(super) fn tiers(raw: Raw<'_>, sent: i128, list: u32) -> Read<Vec<TierRow>> {
    let tiers: Vec<object::Tier<'_>> = parsed(raw, "tiers")?.unwrap_or_default();
    let mut rows = Vec::with_capacity(tiers.len());
    for tier in tiers {
        rows.push(TierRow {
            tiers: list,
            up_to: match tier.up_to {
                Some(end) if end.get() == "\"inf\"" => None,
                end => integer(end, "tiers.up_to")?,
            },
            unit: amount(tier.unit_amount_decimal, tier.unit_amount.or(tier.amount), "tiers.unit_amount", sent)?
                .unwrap_or((0, 1)),
            flat: amount(tier.flat_amount_decimal, tier.flat_amount, "tiers.flat_amount", sent)?.unwrap_or((0, 1)),
        });
    }
    Ok(rows)
}
