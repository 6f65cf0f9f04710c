//! Why a row went where it went, and what a reviewer must see.

use super::vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// Why an input row, a desired customer or a call ended as it did.
    Reason, "reasons" {
        // Input rows left out.
        /// The record was deleted where it comes from.
        Deleted = "deleted",
        /// The object is of Stripe's test mode.
        TestMode = "test_mode",
        /// The billing account has no id.
        Guest = "guest",
        /// No product's filter takes the row.
        NoProduct = "no_product",
        /// The contact owns no billing account.
        NoBillingAccount = "no_billing_account",
        /// The record was merged into another of its CRM, which stands for it.
        MergedRecord = "merged_record",
        /// The contact's account, external id or address is that of a contact of another CRM.
        OwnedByOtherCrm = "owned_by_other_crm",
        /// An override gives what the contact claims to another record.
        DecidedByOverride = "decided_by_override",
        /// The override names a record that does not stand, or decides what the rules decide anyway.
        NoLongerApplies = "no_longer_applies",
        /// The rules do what the override says by themselves.
        NotNeeded = "not_needed",
        /// The subscription's customer is in no customers file.
        SubscriptionWithoutCustomer = "subscription_without_customer",
        /// What the row names as its owner (a subscription, a customer) is in no file.
        OwnerMissing = "owner_missing",
        /// Nothing in the exports refers to the row, or it says nothing that is needed.
        NotUsed = "not_used",
        /// A discount of a single invoice, which never counts.
        OfInvoice = "of_invoice",
        /// An earlier version of an object, kept as history beside the current one.
        OldVersion = "old_version",
        /// The baseline holds a later state of this existing customer.
        NewerReply = "newer_reply",

        // Input rows rejected.
        /// The row has fewer fields than the heading.
        ShortRow = "short_row",
        /// The row has more fields than the heading.
        LongRow = "long_row",
        /// The row holds a NUL byte.
        NulByte = "nul_byte",
        /// A quoted field is never closed.
        UnclosedQuote = "unclosed_quote",
        /// A field is longer than `[limits] field_bytes`.
        FieldTooLong = "field_too_long",
        /// The bytes are not text in the file's encoding.
        BadEncoding = "bad_encoding",
        /// The value is not the JSON object that was expected.
        BadJson = "bad_json",
        /// The row lacks the id that its kind must have.
        MissingId = "missing_id",
        /// The row's id was damaged on its way.
        BadId = "bad_id",
        /// A date or time cannot be read.
        BadInstant = "bad_instant",
        /// An amount or a quantity cannot be read.
        BadNumber = "bad_number",
        /// A yes-or-no value cannot be read.
        BadBoolean = "bad_boolean",
        /// An amount overflows or is not finite.
        AmountOutOfRange = "amount_out_of_range",

        // Identity: the desired customer is a conflict.
        /// A billing account is claimed by several contacts under one rule.
        AmbiguousAccount = "ambiguous_account",
        /// Records of a CRM were merged into one another, or one into several.
        AmbiguousMerge = "ambiguous_merge",
        /// One external id stands on several contacts or accounts that differ.
        AmbiguousExternalId = "ambiguous_external_id",
        /// One e-mail would stand on several desired customers.
        AmbiguousEmail = "ambiguous_email",
        /// Several existing customers carry the external id or the e-mail.
        AmbiguousExisting = "ambiguous_existing",
        /// External id and e-mail belong to different existing customers.
        IdentityConflict = "identity_conflict",
        /// The e-mail's owner already carries another external id.
        ExternalIdMismatch = "external_id_mismatch",

        // Validation: the desired customer is invalid.
        /// Nobody matches and there is no e-mail to create with.
        EmailRequiredToCreate = "email_required_to_create",
        /// The e-mail is none.
        EmailInvalid = "email_invalid",
        /// A coupon that no file and no configuration defines.
        CouponUnknown = "coupon_unknown",
        /// A tiered price whose tiers are not in the export.
        TiersMissing = "tiers_missing",
        /// A subscription that counts, with an item whose price is in no file.
        PriceMissing = "price_missing",
        /// A subscription that counts, of which no file holds the items.
        ItemsMissing = "items_missing",
        /// A currency without a configured rate.
        CurrencyWithoutRate = "currency_without_rate",
        /// A quantity is blank where only the quantity tells the amount.
        QuantityMissing = "quantity_missing",
        /// A billing interval that is none of day, week, month, year.
        IntervalUnknown = "interval_unknown",

        // Calls.
        /// 401 or 403: the key was refused.
        Auth = "auth",
        /// The service failed too often in a row.
        Unavailable = "unavailable",
        /// The run's deadline came first.
        Deadline = "deadline",
        /// The run was asked to stop.
        Interrupted = "interrupted",
        /// A guard refused the run.
        Guard = "guard",
        /// A redirect, 404 or 405: the address or method is wrong.
        Configuration = "configuration",
        /// Left to a later run by `--limit` or `--only`.
        Limit = "limit",
        /// The run only planned.
        PlanOnly = "plan_only",
        /// The product's creation gate is closed.
        CreationDisabled = "creation_disabled",
        /// A reply showed that another row is this orphan; its MRR is counted there.
        MatchedByReply = "matched_by_reply",
    }
}

vocabulary! {
    /// The kinds of difference that a reviewer must see.
    BreakKind, "kinds of break" {
        /// Two rows with one id differ; the one read last stands.
        Superseded = "superseded",
        /// A value that is not needed to bill or link could not be read; the row stands without it.
        UnreadableValue = "unreadable_value",
        /// A row was rejected while reading.
        RejectedRow = "rejected_row",
        /// A subscription's customer is in no customers file.
        SubscriptionWithoutCustomer = "subscription_without_customer",
        /// The filters of several products take one subscription: it counts in each.
        SeveralProducts = "several_products",
        /// Contact and account were linked by an id while their addresses differ.
        EmailDiffers = "email_differs",
        /// Linked by another rule while their external ids differ.
        ExternalIdDiffers = "external_id_differs",
        /// A merged record's survivor is in no file, or cannot be told.
        MergeUnresolved = "merge_unresolved",
        /// An override names a record that does not stand, or decides what the rules decide anyway.
        OverrideNotUsed = "override_not_used",
        /// Two ids differ in nothing but case; they are two ids, and most likely a slip.
        IdCaseDiffers = "id_case_differs",
        /// Matched by external id while e-mail and name both differ: the id may have been given to somebody else.
        IdentitySuspect = "identity_suspect",
        /// Tether shows another Stripe customer than the sources.
        StripeIdDiffers = "stripe_id_differs",
        /// Tether shows a live status for a customer without any subscription.
        LiveWithoutSubscription = "live_without_subscription",
        /// A subscription status that Stripe does not document.
        StatusUnknown = "status_unknown",
        /// A paused subscription that still counts.
        PausedCollection = "paused_collection",
        /// Several contacts, accounts or existing customers claim one identity.
        Ambiguous = "ambiguous",
        /// Tether's reply lacks or contradicts a field that was sent.
        NotApplied = "not_applied",
        /// What happened is not what the plan foretold.
        PredictionMissed = "prediction_missed",
        /// Tether's last activity is later than the sources'.
        LastActivityBehind = "last_activity_behind",
        /// An export may be cut off.
        TruncatedExport = "truncated_export",
        /// An export holds no row at all: what it should hold counts as missing.
        EmptyExport = "empty_export",
        /// A product's filter takes no row of a source that it speaks of.
        FilterTakesNothing = "filter_takes_nothing",
        /// An override names a record that is in no file: a decision that decides nothing.
        OverrideUnknown = "override_unknown",
        /// An export holds exactly as many rows as a page of the API can; it may be cut off.
        ExactlyOnePage = "exactly_one_page",
    }
}

/// A difference a reviewer must see, as `summary.json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// What kind of difference.
    pub kind: BreakKind,
    /// The source it was found in, or the product.
    pub scope: String,
    /// The id of the row or customer.
    pub key: String,
    /// The input file, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// The field in question.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The one side: the earlier row, Tether's value, what was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<String>,
    /// The other side: the later row, the sources' value, what Tether shows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// One sentence for a person.
    pub detail: String,
}

impl BreakKind {
    /// Whether such a break needs a person, beside the customers that do.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::NotApplied
                | Self::RejectedRow
                | Self::TruncatedExport
                | Self::EmptyExport
                | Self::FilterTakesNothing
                | Self::OverrideUnknown
        )
    }
}

impl Break {
    /// A break of `kind` about `key` in `scope`, explained by `detail`; the other parts are absent.
    pub fn new(kind: BreakKind, scope: impl Into<String>, key: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            scope: scope.into(),
            key: key.into(),
            file: None,
            line: None,
            field: None,
            before: None,
            after: None,
            detail: detail.into(),
        }
    }

    /// The same break, found at `line` of `file`.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: u64) -> Self {
        self.file = Some(file.into());
        self.line = Some(line);
        self
    }
}
