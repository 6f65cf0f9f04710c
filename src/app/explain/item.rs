//! The lines of one item: from its price to what it brings a month.

use super::lines::{Page, number};
use crate::billing::explain::{DiscountWorking, ItemWorking, TierWorking};

/// Writes the item's lines; `items` is how many its subscription has.
pub(super) fn lines(item: &ItemWorking, items: usize, discounts: &[DiscountWorking], page: &mut Page<'_>) {
    page.say(4, &heading(item, items));
    if item.metered {
        page.say(6, "Metered: billed by usage, which counts 0.");
        return;
    }
    let period = period(item);
    if let Some(units) = &item.transform_quantity {
        let quantity = item.quantity.unwrap_or(1);
        let round = units.round.as_deref().unwrap_or("not said how");
        let packages = units.units.map_or("which cannot be applied".to_owned(), |units| units.to_string());
        page.say(6, &format!("Quantity {quantity} ÷ {}, rounded {round}: {packages}", units.divide_by));
    }
    if let Some(mode) = &item.tiers_mode {
        page.say(6, &format!("Price in {mode} tiers, quantity {}", quantity(item)));
        for (place, tier) in item.tiers.iter().enumerate() {
            let which = match (mode.as_str(), place) {
                ("graduated", 0) => "first",
                ("graduated", _) => "next",
                _ => "all",
            };
            let label = tier_label(tier, which, page);
            page.amount(8, &label, &tier.cost);
        }
        if let Some(price) = &item.per_period {
            page.amount(6, &format!("Price {period}"), price);
        }
    } else {
        match (&item.unit_amount, &item.per_period) {
            (Some(unit), Some(price)) if item.amount_is_total => {
                page.amount(
                    6,
                    &format!("Amount {period}, which holds the quantity"),
                    if price == unit { unit } else { price },
                );
            }
            (Some(unit), price) => {
                page.amount(6, &format!("Unit amount {period}"), unit);
                if let Some(price) = price.as_ref().filter(|price| *price != unit || item.quantity != Some(1)) {
                    page.amount(6, &format!("× quantity {}", quantity(item)), price);
                }
            }
            (None, _) => page.say(6, "No unit amount in the export."),
        }
    }
    if let Some(monthly) = item.monthly.as_ref().filter(|_| !item.monthly_factor_words.is_empty()) {
        page.amount(6, &format!("{}: a month", item.monthly_factor_words), monthly);
    }
    let mut changed = false;
    for discount in discounts {
        for taken in discount.taken.iter().filter(|taken| taken.item == item.number) {
            let mut label = format!("Less {}", name(discount, page));
            if let Some(off) = discount.monthly_off.as_ref().filter(|off| **off != taken.amount) {
                let how = if discount.taken.len() > 1 { "its share of" } else { "never below 0, of" };
                label = format!("{label}: {how} {} a month", page.inline(off));
            }
            page.taken(6, &label, &taken.amount);
            changed = true;
        }
    }
    if let Some(tax) = &item.tax {
        page.taken(6, &format!("Less inclusive tax of {} %", number(&tax.percent)), &tax.taken);
        changed = true;
    }
    if let Some(mrr) = item.mrr.as_ref().filter(|_| changed) {
        page.amount(6, "The item brings a month", mrr);
    }
}

fn heading(item: &ItemWorking, items: usize) -> String {
    let mut said = if items > 1 { format!("Item {}", item.number) } else { "Item".to_owned() };
    for (word, known) in [("", &item.id), ("price ", &item.price), ("product ", &item.product)] {
        if let Some(known) = known {
            said = format!("{said} · {word}{known}");
        }
    }
    said
}

fn period(item: &ItemWorking) -> String {
    let interval = item.interval.as_deref().unwrap_or("unknown interval");
    match item.interval_count {
        1 => format!("a {interval}"),
        count => format!("every {count} {interval}s"),
    }
}

fn quantity(item: &ItemWorking) -> String {
    match (item.transform_quantity.as_ref().and_then(|transform| transform.units), item.quantity) {
        (Some(units), _) => units.to_string(),
        (None, Some(quantity)) => format!("{quantity}"),
        (None, None) => "1 (the export shows no quantity)".to_owned(),
    }
}

fn tier_label(tier: &TierWorking, which: &str, page: &Page<'_>) -> String {
    let end = tier.up_to.map_or("without end".to_owned(), |end| format!("up to {end}"));
    let unit = page.inline(&tier.unit);
    let flat = if tier.flat.minor.num == "0" { String::new() } else { format!(" + {} flat", page.inline(&tier.flat)) };
    format!("tier {end}: {which} {} × {unit}{flat}", tier.units)
}

/// What a discount is called: its coupon, what it takes off, and for how long.
fn name(discount: &DiscountWorking, page: &Page<'_>) -> String {
    let coupon = discount.coupon.as_ref().map_or_else(
        || format!("discount {}", discount.id.as_deref().unwrap_or("without an id")),
        |coupon| format!("coupon {coupon}"),
    );
    let off = match (&discount.percent_off, &discount.amount_off) {
        (Some(percent), _) => format!(" ({} % off", number(percent)),
        (None, Some(amount)) => format!(" ({} off", page.inline(amount)),
        (None, None) => return coupon,
    };
    let lasts = match (discount.duration, discount.duration_in_months) {
        (Some("repeating"), Some(months)) => format!(" for {months} months"),
        (Some(duration), _) => format!(" {duration}"),
        (None, _) => String::new(),
    };
    format!("{coupon}{off}{lasts})")
}

/// One line on a discount that took nothing off.
pub(super) fn not_applied(discount: &DiscountWorking, page: &Page<'_>) -> String {
    let on = match discount.item {
        Some(item) => format!("item {item}"),
        None => format!("the {}", discount.level),
    };
    format!("Not taken off: {} on {on}: {}", name(discount, page), discount.why)
}
