//! The columns of every canonical table. One place, so that a rule's inputs are found by name.

use polars::prelude::*;

/// The type of every instant in a table.
pub const INSTANT: DataType = DataType::Datetime(TimeUnit::Milliseconds, None);

/// A frame that lacks a column of its table or has one of another type: a bug of the loader, not of the data.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The column is not there.
    #[error("table {table} lacks the column {column}")]
    Missing {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The column has another type.
    #[error("table {table}: column {column} is {found}, not {expected}")]
    Type {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// polars could not select the columns.
    #[error(transparent)]
    Polars(#[from] PolarsError),
}

/// Declares a canonical table: its name and its columns with their types.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[doc = $doc:literal])* $column:literal: $dtype:expr, )+ }
    ) => {
        $(#[$meta])*
        ///
        /// | column | meaning |
        /// | --- | --- |
        $( #[doc = concat!("| `", $column, "` |", $($doc,)* " |")] )+
        #[derive(Debug, Clone)]
        pub struct $name(DataFrame);

        impl $name {
            /// The columns and their types, in order.
            pub fn schema() -> Vec<(&'static str, DataType)> {
                vec![$( ($column, $dtype), )+]
            }

            /// Checks `frame` and keeps the table's columns in their order; others are dropped.
            ///
            /// # Errors
            /// A column that is missing or of another type.
            pub fn new(frame: DataFrame) -> Result<Self, SchemaError> {
                for (column, expected) in Self::schema() {
                    let found = frame
                        .column(column)
                        .map_err(|_| SchemaError::Missing { table: stringify!($name), column })?
                        .dtype()
                        .clone();
                    if found != expected {
                        return Err(SchemaError::Type {
                            table: stringify!($name),
                            column,
                            found: found.to_string(),
                            expected: expected.to_string(),
                        });
                    }
                }
                Ok(Self(frame.select([$( $column, )+])?))
            }

            /// The table without rows.
            pub fn empty() -> Self {
                let columns = Self::schema().into_iter().map(|(column, dtype)| Field::new(column.into(), dtype));
                Self(DataFrame::empty_with_schema(&Schema::from_iter(columns)))
            }

            /// The rows.
            pub fn frame(&self) -> &DataFrame {
                &self.0
            }

            /// The rows, for a lazy query.
            pub fn lazy(&self) -> LazyFrame {
                self.0.clone().lazy()
            }

            /// The rows, given away.
            pub fn into_frame(self) -> DataFrame {
                self.0
            }

            /// How many rows.
            pub fn len(&self) -> usize {
                self.0.height()
            }

            /// Whether there are no rows.
            pub fn is_empty(&self) -> bool {
                self.0.height() == 0
            }
        }
    };
}

table! {
    /// Billing accounts: one row per Stripe customer row that could be read, duplicates included.
    Accounts {
        /// order of reading
        "ord": DataType::UInt32,
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// `cus_…`; null for a guest
        "id": DataType::String,
        /// lower-case
        "email": DataType::String,
        /// as Stripe holds it
        "name": DataType::String,
        /// when the customer was created
        "created": INSTANT,
        /// a deleted customer's stub; never null
        "deleted": DataType::Boolean,
        /// false: test mode; null: the shape does not say
        "livemode": DataType::Boolean,
        /// the value of the configured metadata key
        "external_id": DataType::String,
        /// `created` of the webhook event that carried it; null elsewhere
        "event_created": INSTANT,
    }
}

table! {
    /// Subscriptions, one row per subscription row that could be read, duplicates included.
    Subscriptions {
        /// order of reading; items, discounts and tax rates refer to it
        "ord": DataType::UInt32,
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// `sub_…`; never null
        "id": DataType::String,
        /// the customer's id; never null
        "customer": DataType::String,
        /// lower-case with underscores, as Stripe's API spells it; any text
        "status": DataType::String,
        /// never null
        "cancel_at_period_end": DataType::Boolean,
        /// scheduled end
        "cancel_at": INSTANT,
        /// when cancellation was asked for
        "canceled_at": INSTANT,
        /// when it ended
        "ended_at": INSTANT,
        /// when it was created
        "created": INSTANT,
        /// end of the period where it stands on the subscription
        "current_period_end": INSTANT,
        /// `pause_collection.behavior`: `void`, `keep_as_draft`, `mark_uncollectible`; null: not paused
        "pause_behavior": DataType::String,
        /// `pause_collection.resumes_at`
        "pause_resumes_at": INSTANT,
        /// false: test mode; null: the shape does not say
        "livemode": DataType::Boolean,
        /// `created` of the webhook event that carried it; null elsewhere
        "event_created": INSTANT,
        /// a digest of everything in the row that could matter, to tell a repeated row from one that differs
        "content": DataType::String,
        /// a reason (`crate::model::Reason`) for which this row's customer cannot be billed, found while reading; else null
        "problem": DataType::String,
        /// what was found, when `problem` is set
        "problem_detail": DataType::String,
    }
}

table! {
    /// Subscription items: what is billed. A dashboard row is a subscription with exactly one item.
    Items {
        /// order of reading, unique; tiers, discounts and tax rates refer to it
        "ord": DataType::UInt32,
        /// the subscription's `ord`
        "subscription": DataType::UInt32,
        /// `si_…`, where the shape has one
        "id": DataType::String,
        /// the price's (or plan's) id, where known
        "price": DataType::String,
        /// the price's product, for coupons that apply to some products only
        "product": DataType::String,
        /// lower-case ISO code
        "currency": DataType::String,
        /// unit amount in minor units: the numerator; null: the shape gives none (tiered, metered)
        "amount_num": DataType::Int128,
        /// its denominator, at least 1 (`unit_amount_decimal`, dashboard decimals finer than the currency)
        "amount_den": DataType::Int128,
        /// the amount already holds the quantity (`[stripe] amount = "total"`); never null
        "amount_is_total": DataType::Boolean,
        /// null: the shape gives none
        "quantity": DataType::Int64,
        /// a dashboard row without a quantity: `quantity_missing` unless the amount is a total; never null
        "quantity_required": DataType::Boolean,
        /// `day`, `week`, `month`, `year`, as read
        "interval": DataType::String,
        /// at least 1; never null
        "interval_count": DataType::Int64,
        /// `licensed`, `metered`; null: the shape does not say
        "usage_type": DataType::String,
        /// whether the price is tiered; never null
        "tiered": DataType::Boolean,
        /// `graduated`, `volume`; null unless tiered
        "tiers_mode": DataType::String,
        /// the number of its tier list in `Tiers`; null: the export holds none
        "tiers": DataType::UInt32,
        /// `transform_quantity.divide_by`
        "divide_by": DataType::Int64,
        /// `transform_quantity.round`: `up`, `down`
        "divide_round": DataType::String,
        /// end of the item's period, where it stands on the item
        "current_period_end": INSTANT,
    }
}

table! {
    /// Price tiers, one row per tier of a tier list, in whatever order they came. Items of one price share their list.
    Tiers {
        /// the tier list's number, which items refer to
        "tiers": DataType::UInt32,
        /// last unit of the tier; null: no end
        "up_to": DataType::Int64,
        /// price per unit in minor units: numerator; never null
        "unit_num": DataType::Int128,
        /// denominator, at least 1
        "unit_den": DataType::Int128,
        /// flat price of the tier in minor units: numerator; never null
        "flat_num": DataType::Int128,
        /// denominator, at least 1
        "flat_den": DataType::Int128,
    }
}

table! {
    /// Discounts that an export shows in force on an item, a subscription or a customer.
    Discounts {
        /// `item`, `subscription`, `customer`
        "level": DataType::String,
        /// the `ord` of the item, the subscription or the account that carries it; never null
        "owner": DataType::UInt32,
        /// the customer's id, for the level `customer`
        "customer": DataType::String,
        /// `di_…`, where known: one discount named in several tables counts once
        "id": DataType::String,
        /// the coupon's id, with its worth where one id has several; null: the export holds only the discount's id
        /// (`coupon_unknown`)
        "coupon": DataType::String,
        /// when the discount began
        "start": INSTANT,
        /// when it ends; null: no end, or not known
        "end": INSTANT,
        /// position inside its level, from 0
        "position": DataType::UInt32,
    }
}

table! {
    /// Coupons that the exports define (configuration may add others).
    Coupons {
        /// the coupon's id
        "id": DataType::String,
        /// percentage as a decimal text, `12.5`; null for an amount
        "percent_off": DataType::String,
        /// amount in minor units; null for a percentage
        "amount_off": DataType::Int64,
        /// currency of the amount
        "currency": DataType::String,
        /// `forever`, `repeating`, `once`
        "duration": DataType::String,
        /// months of a repeating coupon
        "duration_in_months": DataType::Int64,
        /// products it applies to; null: all
        "applies_to": DataType::List(Box::new(DataType::String)),
    }
}

table! {
    /// Tax rates on items and subscriptions.
    TaxRates {
        /// `item`, `subscription`
        "level": DataType::String,
        /// the item's or the subscription's `ord`
        "owner": DataType::UInt32,
        /// percentage as a decimal text
        "percentage": DataType::String,
        /// whether the price holds it; never null
        "inclusive": DataType::Boolean,
    }
}

table! {
    /// CRM contacts of every configured CRM, duplicates included.
    Contacts {
        /// order of reading, over all CRMs in order of precedence
        "ord": DataType::UInt32,
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// index of the CRM in the configuration, from 0
        "crm": DataType::UInt32,
        /// the record's id in its CRM; never null
        "id": DataType::String,
        /// the primary address, lower-case
        "email": DataType::String,
        /// every address, the primary one included, each once; empty list when there is none
        "emails": DataType::List(Box::new(DataType::String)),
        /// ids of records of its CRM that were merged into this one, each once; empty list when there is none
        "merged_ids": DataType::List(Box::new(DataType::String)),
        /// id of the record of its CRM that this one was merged into; null: none
        "merged_into": DataType::String,
        /// deleted or archived in its CRM; never null
        "deleted": DataType::Boolean,
        /// your own id of this customer
        "external_id": DataType::String,
        /// `cus_…` the contact names
        "stripe_customer_id": DataType::String,
        /// full name (first and last joined by one space)
        "name": DataType::String,
        /// company
        "company_name": DataType::String,
        /// last activity
        "last_activity": INSTANT,
        /// the cells under the headings that filters of products name, in the order of
        /// `Settings::headings_of_filters`; empty list when they name none
        "named": DataType::List(Box::new(DataType::String)),
    }
}

table! {
    /// Customers that Tether holds, of one product: from an export or from the baseline.
    Existing {
        /// order of reading
        "ord": DataType::UInt32,
        /// index of the file; null: from the baseline
        "file": DataType::UInt32,
        /// line in it; null: from the baseline
        "line": DataType::UInt32,
        /// Tether's own id
        "tether_id": DataType::String,
        /// your own id
        "external_id": DataType::String,
        /// lower-case
        "email": DataType::String,
        /// name
        "name": DataType::String,
        /// company
        "company_name": DataType::String,
        /// `cus_…`, set by Tether's own Stripe connection
        "stripe_customer_id": DataType::String,
        /// minor units of the account's currency
        "mrr": DataType::Int64,
        /// any text
        "subscription_status": DataType::String,
        /// renews
        "auto_renew": DataType::Boolean,
        /// end of the period
        "period_end": INSTANT,
        /// last activity
        "last_activity": INSTANT,
        /// when Tether made it
        "created_at": INSTANT,
        /// when Tether last changed it; where the export has none, when the file was written
        "updated_at": INSTANT,
    }
}

table! {
    /// The plan: one row per desired customer and product, and one per orphan. `plan.parquet` holds these columns.
    /// Fields are the desired values; for an orphan, Tether's.
    PlanRows {
        /// number of the row in the plan, from 0: first what is sent, in the order of sending
        "row": DataType::UInt32,
        /// the product's name
        "product": DataType::String,
        /// the customer: `<crm>:<contact id>`, the oldest account's id, or (orphans) `tether:<tether_id>`; unique per product
        "key": DataType::String,
        /// a [`crate::model::Prediction`]
        "predicted": DataType::String,
        /// a [`crate::model::Reason`], for conflict and invalid
        "reason": DataType::String,
        /// a [`crate::model::LinkRule`]
        "link_rule": DataType::String,
        /// a [`crate::model::MatchRule`]
        "match_rule": DataType::String,
        /// desired
        "external_id": DataType::String,
        /// desired
        "email": DataType::String,
        /// desired
        "name": DataType::String,
        /// desired
        "company_name": DataType::String,
        /// the owned accounts' ids, sorted, joined by `;`
        "stripe_customer_ids": DataType::String,
        /// of the matched customer
        "tether_id": DataType::String,
        /// desired
        "subscription_status": DataType::String,
        /// desired
        "auto_renew": DataType::Boolean,
        /// desired
        "period_end": INSTANT,
        /// desired
        "last_activity": INSTANT,
        /// desired, minor units; null for an orphan and where it cannot be known
        "mrr": DataType::Int64,
        /// what Tether holds, minor units; null when it holds none
        "mrr_before": DataType::Int64,
        /// the fields that differ (of a create: every field sent), sorted, joined by `;`
        "changed_fields": DataType::String,
        /// desired fields that are not sent (`last_activity` that would move back), joined by `;`
        "held_back": DataType::String,
        /// one sentence for a person: candidates, coupons, what to do
        "detail": DataType::String,
        /// Tether's value, where the field is in `changed_fields`
        "before_external_id": DataType::String,
        /// as above
        "before_email": DataType::String,
        /// as above
        "before_name": DataType::String,
        /// as above
        "before_company_name": DataType::String,
        /// as above
        "before_subscription_status": DataType::String,
        /// as above
        "before_auto_renew": DataType::Boolean,
        /// as above
        "before_period_end": INSTANT,
        /// as above
        "before_last_activity": INSTANT,
        /// where the desired external id came from: a CRM's name, `metadata`, `stripe_id`
        "from_external_id": DataType::String,
        /// where the e-mail came from: a CRM's name, `stripe`
        "from_email": DataType::String,
        /// as above
        "from_name": DataType::String,
        /// as above
        "from_company_name": DataType::String,
        /// as above
        "from_last_activity": DataType::String,
    }
}

table! {
    /// Where every input row went: `accounting.csv` and `accounting.parquet`.
    Accounting {
        /// the source's name
        "source": DataType::String,
        /// the file's path
        "file": DataType::String,
        /// line in it
        "line": DataType::UInt32,
        /// the row's id
        "id": DataType::String,
        /// a [`crate::model::Disposition`]
        "disposition": DataType::String,
        /// a [`crate::model::Reason`]
        "reason": DataType::String,
        /// the `key` of the desired customer (or orphan) it became part of
        "customer": DataType::String,
    }
}

pub(crate) use table;

#[cfg(test)]
mod tests {
    use super::{Accounts, SchemaError};
    use polars::prelude::*;

    #[test]
    fn the_page_of_formats_describes_every_column_of_plan_and_accounting() {
        use crate::model::format_page::words_under;
        let names =
            |schema: Vec<(&'static str, DataType)>| schema.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(words_under("`plan.parquet`"), names(super::PlanRows::schema()));
        assert_eq!(words_under("`accounting.csv`"), names(super::Accounting::schema()));
    }

    #[test]
    fn a_frame_that_lacks_a_column_or_has_another_type_is_refused() {
        let good = Accounts::empty().into_frame();
        assert!(matches!(
            Accounts::new(good.drop("email").unwrap()),
            Err(SchemaError::Missing { column: "email", .. })
        ));
        let mut wrong = good.clone();
        wrong.with_column(Column::new_empty("email".into(), &DataType::Int64)).unwrap();
        assert!(matches!(Accounts::new(wrong), Err(SchemaError::Type { column: "email", .. })));
        assert!(Accounts::new(good).is_ok());
    }
}
