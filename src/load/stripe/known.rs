//! What a Stripe file of rows and columns is: known by its headings, never by its name.

use crate::load::headings::find;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Customers, of the dashboard or a warehouse.
    Customers,
    /// Subscriptions of the dashboard, each with its one price.
    PricedSubscriptions,
    /// Subscriptions of a warehouse, whose items and prices stand in other tables.
    Subscriptions,
    Items,
    Prices,
    Plans,
    Tiers,
    Coupons,
    Discounts,
    CustomerMetadata,
    /// A table that nothing is taken from, and that comes along with those that are: its source.
    Beside(&'static str),
    /// Another table of Stripe, of no use here: its source.
    NotUsed(&'static str),
}

/// Where a file comes from, which its shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Dashboard,
    Tables,
    Elsewhere,
}

/// A kind of file and the headings it is known by, lower-case.
#[derive(Debug)]
pub(super) struct Known {
    /// In words.
    name: &'static str,
    /// `None`: it is no export of customers and what they pay, so it is refused.
    pub kind: Option<Kind>,
    from: From,
    /// Of each group one heading must be there.
    all: &'static [&'static [&'static str]],
    /// None of these may be there.
    none: &'static [&'static str],
}

const ID: &[&str] = &["id"];

/// What Fivetran adds to every table.
const FIVETRAN: &[&str] = &["_fivetran_synced"];

/// First hit wins.
const KNOWN: &[Known] = &[
    Known {
        name: "Stripe dashboard payments",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Dashboard,
        all: &[ID, &["amount"], &["captured", "amount refunded", "converted amount"]],
        none: &["customer_id", "amount_refunded", "customer"],
    },
    Known {
        name: "Stripe dashboard subscriptions",
        kind: Some(Kind::PricedSubscriptions),
        from: From::Dashboard,
        all: &[
            ID,
            &["customer id"],
            &["interval", "plan", "product", "cancel at period end", "current period end (utc)", "current period end"],
        ],
        none: &[],
    },
    Known { name: "CRM contacts", kind: None, from: From::Elsewhere, all: &[&["record id"]], none: &[] },
    Known { name: "existing Tether customers", kind: None, from: From::Elsewhere, all: &[&["tether_id"]], none: &[] },
    Known {
        name: "Stripe customers_metadata",
        kind: Some(Kind::CustomerMetadata),
        from: From::Tables,
        all: &[&["customer_id"], &["key"], &["value"]],
        none: &[],
    },
    Known {
        name: "Stripe metadata of other objects",
        kind: Some(Kind::Beside("stripe_metadata")),
        from: From::Tables,
        all: &[
            &["key"],
            &["value"],
            &[
                "subscription_id",
                "subscription_item_id",
                "product_id",
                "price_id",
                "plan_id",
                "coupon_id",
                "invoice_id",
            ],
        ],
        none: &[],
    },
    Known {
        name: "Stripe connected accounts",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[
            ID,
            &["business_name", "charges_enabled", "payouts_enabled", "details_submitted"],
            &["country", "charges_enabled", "payouts_enabled", "details_submitted"],
        ],
        none: &["delinquent", "account_balance", "invoice_prefix", "tax_exempt"],
    },
    Known {
        name: "Stripe prices or coupons in further currencies",
        kind: Some(Kind::Beside("stripe_other")),
        from: From::Tables,
        all: &[&["price_id", "coupon_id", "plan_id"], &["currency"], &["unit_amount", "amount_off"]],
        none: &["id", "duration", "up_to", "upto", "recurring_interval"],
    },
    Known {
        name: "Stripe invoices or invoice lines",
        kind: Some(Kind::NotUsed("stripe_invoices")),
        from: From::Tables,
        all: &[ID, &["amount_due", "proration", "proration_details", "discountable", "amount_remaining"]],
        none: &["cancel_at_period_end"],
    },
    Known {
        name: "Stripe price_tiers",
        kind: Some(Kind::Tiers),
        from: From::Tables,
        all: &[
            &["up_to", "upto"],
            &["price_id", "plan_id", "id"],
            &["amount", "unit_amount", "unit_amount_decimal", "amount_decimal", "flat_amount"],
        ],
        none: &["currency"],
    },
    Known {
        name: "Stripe coupons",
        kind: Some(Kind::Coupons),
        from: From::Tables,
        all: &[ID, &["percent_off", "amount_off"], &["duration"]],
        none: &[],
    },
    Known {
        name: "Stripe discounts",
        kind: Some(Kind::Discounts),
        from: From::Tables,
        all: &[
            ID,
            &["coupon_id", "coupon"],
            &["customer_id", "customer", "subscription_id", "subscription", "type_id"],
            &["end", "start", "promotion_code_id", "promotion_code", "checkout_session_id", "type_id"],
        ],
        none: &["status"],
    },
    Known {
        name: "Stripe subscription_items",
        kind: Some(Kind::Items),
        from: From::Tables,
        all: &[ID, &["subscription_id", "subscription"], &["price_id", "plan_id", "price", "plan"], &["quantity"]],
        none: &["invoice_id", "status"],
    },
    Known {
        name: "Stripe prices",
        kind: Some(Kind::Prices),
        from: From::Tables,
        all: &[
            ID,
            &["unit_amount", "unit_amount_decimal"],
            &["currency"],
            &["recurring_interval", "recurring_interval_count", "recurring_usage_type"],
        ],
        none: &["invoice_id", "subscription_id"],
    },
    Known {
        name: "Stripe plans",
        kind: Some(Kind::Plans),
        from: From::Tables,
        all: &[ID, &["amount", "unit_amount", "unit_amount_decimal", "amount_decimal"], &["interval"], &["currency"]],
        none: &["invoice_id", "subscription_id", "customer id", "customer_id", "status", "quantity"],
    },
    Known {
        name: "Stripe products (in part)",
        kind: Some(Kind::Beside("stripe_products")),
        from: From::Tables,
        all: &[ID, &["name"], &["active"]],
        none: &["email", "customer_id", "customer id", "amount", "status"],
    },
    Known {
        name: "Stripe products",
        kind: Some(Kind::Beside("stripe_products")),
        from: From::Tables,
        all: &[ID, &["unit_label", "statement_descriptor", "package_dimensions_height", "shippable"]],
        none: &["email", "customer_id", "amount"],
    },
    Known {
        name: "Stripe subscriptions",
        kind: Some(Kind::Subscriptions),
        from: From::Tables,
        all: &[
            ID,
            &["customer_id", "customer"],
            &["status"],
            &[
                "cancel_at_period_end",
                "billing_cycle_anchor",
                "current_period_end",
                "current_period_start",
                "start_date",
                "price_id",
                "plan_id",
                "cancel_at",
                "canceled_at",
                "ended_at",
                "trial_end",
                "discount_coupon_id",
            ],
        ],
        none: &[
            "invoice_id",
            "subscription_id",
            "payment_intent_id",
            "amount",
            "amount_received",
            "capture_method",
            "end_behavior",
            "released_at",
        ],
    },
    Known {
        name: "Stripe customers",
        kind: Some(Kind::Customers),
        from: From::Tables,
        all: &[
            ID,
            &["email", "delinquent", "account_balance", "invoice_prefix", "tax_exempt"],
            &[
                "_fivetran_synced",
                "batch_timestamp",
                "merchant_id",
                "is_deleted",
                "deleted",
                "discount_coupon_id",
                "account_balance",
                "invoice_prefix",
                "tax_exempt",
                "preferred_locales",
            ],
        ],
        none: &["customer_id", "amount", "currency_options", "duration"],
    },
    Known {
        name: "Stripe balance transactions",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[ID, &["available_on"], &["net", "fee"]],
        none: &[],
    },
    Known {
        name: "Stripe charges, refunds or disputes",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[ID, &["amount"], &["charge_id", "amount_refunded", "captured", "receipt_email"]],
        none: &["amount refunded"],
    },
    Known {
        name: "Stripe payment methods or intents",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[
            ID,
            &["customer_id", "customer"],
            &["card_brand", "card_fingerprint", "capture_method", "amount_received"],
        ],
        none: &[],
    },
    Known {
        name: "Stripe promotion codes",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[ID, &["code"], &["coupon_id"]],
        none: &[],
    },
    Known {
        name: "Stripe tax rates",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[ID, &["percentage"], &["inclusive"]],
        none: &[],
    },
    Known {
        name: "Stripe usage records",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[ID, &["subscription_item", "subscription_item_id"], &["timestamp"]],
        none: &[],
    },
    Known {
        name: "Stripe subscription schedules",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[ID, &["end_behavior", "schedule_id"], &["released_at", "end_date"]],
        none: &[],
    },
    Known {
        name: "Stripe changes of MRR",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[&["mrr_change"], &["event_timestamp"]],
        none: &[],
    },
    Known {
        name: "a Stripe table that nothing is taken from",
        kind: Some(Kind::NotUsed("stripe_other")),
        from: From::Tables,
        all: &[&["_fivetran_synced", "batch_timestamp", "merchant_id"]],
        none: &[],
    },
    Known {
        name: "Stripe dashboard customers",
        kind: Some(Kind::Customers),
        from: From::Dashboard,
        all: &[ID, &["email", "delinquent", "card id", "total spend"]],
        none: &["customer_id", "amount_due"],
    },
];

/// What a file with these headings would be but for one of them: its name, and the heading that it lacks. Only of kinds
/// that `wanted` takes, and the one of which it shows most.
pub(super) fn nearly(headings: &[String], wanted: impl Fn(Kind) -> bool) -> Option<(&'static str, &'static str)> {
    let lacks = |known: &Known| -> Vec<&'static str> {
        known.all.iter().filter(|group| find(headings, group).is_none()).map(|group| group[0]).collect()
    };
    KNOWN
        .iter()
        .filter(|known| known.kind.is_some_and(&wanted) && find(headings, known.none).is_none())
        .filter_map(|known| match lacks(known)[..] {
            // Of a table that needs two headings, one alone says nothing.
            [heading] if known.all.len() > 2 || heading != ID[0] => Some((known, heading)),
            _ => None,
        })
        .max_by_key(|(known, _)| known.all.len())
        .map(|(known, heading)| (known.name, heading))
}

/// What a file with these headings is.
pub(super) fn recognise(headings: &[String]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        known.all.iter().all(|group| find(headings, group).is_some()) && find(headings, known.none).is_none()
    })
}

impl Known {
    /// The headings that it is known by.
    pub fn headings(&self) -> impl Iterator<Item = &&'static str> {
        self.all.iter().flat_map(|group| group.iter())
    }

    /// What it is, in words.
    pub fn words(&self, headings: &[String]) -> String {
        match self.from {
            From::Tables if self.all.len() == 1 => {
                "a warehouse's table that is none of customers or what they pay".to_owned()
            }
            From::Tables if find(headings, FIVETRAN).is_some() => format!("{}, Fivetran table", self.name),
            From::Tables => format!("{}, warehouse table", self.name),
            From::Dashboard | From::Elsewhere => self.name.to_owned(),
        }
    }

    /// What it is, in words, `format` included.
    pub fn shape(&self, headings: &[String], format: &str) -> String {
        let name = self.name;
        match self.from {
            From::Tables if find(headings, FIVETRAN).is_some() => {
                format!("{name} (Fivetran table, {format})")
            }
            From::Tables => format!("{name} (warehouse table, {format})"),
            From::Dashboard | From::Elsewhere => format!("{name} ({format})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, recognise};

    #[test]
    fn a_file_is_what_its_headings_say_whatever_part_of_the_columns_is_there() {
        use Kind::{
            Beside, Coupons, CustomerMetadata, Customers, Discounts, Items, NotUsed, Plans, PricedSubscriptions,
            Prices, Subscriptions, Tiers,
        };
        let other = Some(Some(NotUsed("stripe_other")));
        for (headings, expected) in [
            ("id,Email", Some(Some(Customers))),
            ("id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend", Some(Some(Customers))),
            ("ID,EMAIL,DELINQUENT,DELETED,BATCH_TIMESTAMP", Some(Some(Customers))),
            ("id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status", Some(Some(PricedSubscriptions))),
            ("customer_id,id,status,price_id", Some(Some(Subscriptions))),
            ("id,customer_id,status,current_period_end,schedule_id", Some(Some(Subscriptions))),
            ("id,price_id,quantity,subscription_id", Some(Some(Items))),
            ("id,plan,quantity,subscription", Some(Some(Items))),
            ("id,unit_amount,currency,recurring_interval", Some(Some(Prices))),
            ("id,amount,currency,interval", Some(Some(Plans))),
            ("amount,price_id,upto", Some(Some(Tiers))),
            ("id,index,up_to,unit_amount,_fivetran_synced", Some(Some(Tiers))),
            ("id,percent_off,duration", Some(Some(Coupons))),
            ("id,coupon_id,customer_id,end", Some(Some(Discounts))),
            ("id,type,type_id,coupon_id,start,_fivetran_synced", Some(Some(Discounts))),
            ("customer_id,key,value", Some(Some(CustomerMetadata))),
            ("subscription_id,key,value", Some(Some(Beside("stripe_metadata")))),
            ("id,name,unit_label", Some(Some(Beside("stripe_products")))),
            ("id,name,is_deleted,_fivetran_synced", other),
            ("business_name,country,created,email,id", other),
            ("id,amount,fee,net,available_on,merchant_id", other),
            ("amount,amount_refunded,captured,created,currency,customer_id,id", other),
            ("amount,charge_id,id", other),
            ("id,quantity,subscription_item,timestamp", other),
            ("currency,event_timestamp,event_type,mrr_change,price_id,subscription_id", other),
            ("active,code,coupon_id,created,customer_id,expires_at,id", other),
            ("id,inclusive,percentage", other),
            ("coupon_id,currency,end_date,id,schedule_id,start_date", other),
            ("currency,price_id,unit_amount", Some(Some(Beside("stripe_other")))),
            ("id,amount_due,customer_id,status,subscription_id", Some(Some(NotUsed("stripe_invoices")))),
            ("id,invoice_id,amount,plan_id,quantity,subscription_id,proration", Some(Some(NotUsed("stripe_invoices")))),
            ("id,Amount,Captured", other),
            ("id,name,active", Some(Some(Beside("stripe_products")))),
            ("Record ID,Email", Some(None)),
            ("tether_id,email", Some(None)),
            ("a,b", None),
            ("id,customer_id,status,price_id,quantity,timestamp", Some(Some(Subscriptions))),
            ("id,customer_id,status,canceled_at,amount,capture_method,_fivetran_synced", other),
            ("id,customer,status,canceled_at,end_behavior,released_at", other),
            ("id,email,name,business_name,delinquent", Some(Some(Customers))),
            ("id,timestamp,percentage", None),
            ("id,name", None),
        ] {
            let headings: Vec<String> = headings.split(',').map(str::to_owned).collect();
            assert_eq!(recognise(&headings).map(|known| known.kind), expected, "{headings:?}");
        }
    }
}
