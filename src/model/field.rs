//! The fields of a customer that the product may send, and the places a value may come from.

use super::vocabulary::vocabulary;

vocabulary! {
    /// A field of the upsert's body, in the order of the vendor's page.
    Field, "fields" {
        /// Text, lower-case.
        Email = "email",
        /// Text.
        ExternalId = "external_id",
        /// Text.
        Name = "name",
        /// Text.
        CompanyName = "company_name",
        /// A decimal in the account's currency.
        Mrr = "mrr",
        /// One of [`super::SubscriptionStatus`], or what Tether holds.
        SubscriptionStatus = "subscription_status",
        /// Yes or no.
        AutoRenew = "auto_renew",
        /// An instant.
        PeriodEnd = "period_end",
        /// An instant; only moves forward.
        LastActivity = "last_activity",
    }
}

vocabulary! {
    /// A place that `[fields]` may name for a field.
    Place, "places" {
        /// The contact's column.
        Crm = "crm",
        /// The configured metadata key of the billing account.
        Metadata = "metadata",
        /// The billing account's column, or what its subscriptions say.
        Stripe = "stripe",
        /// The billing account's id.
        StripeId = "stripe_id",
    }
}
