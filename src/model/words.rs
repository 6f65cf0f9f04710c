//! The vocabularies of `design/product.md`: what rows and customers can be said to be.

use super::vocabulary::vocabulary;

vocabulary! {
    /// What became of a desired customer. Exactly one per desired customer and product.
    Outcome, "outcomes" {
        /// Tether answered 201.
        Created = "created",
        /// Tether answered 200 and no earlier try of this row was ambiguous.
        Updated = "updated",
        /// Tether answered 200 after an ambiguous try: it is there, whether created or updated cannot be known.
        Applied = "applied",
        /// Nothing differed, no call was made.
        Unchanged = "unchanged",
        /// Tether answered 422 `CREATION_DISABLED`, or that was foreseen and not sent.
        CreationDisabled = "creation_disabled",
        /// Tether answered another 4xx about this row.
        Rejected = "rejected",
        /// The identity is contradictory or ambiguous; not sent.
        Conflict = "conflict",
        /// The row fails local validation; not sent.
        Invalid = "invalid",
        /// Retries are used up and the last reply is known.
        Failed = "failed",
        /// Retries are used up and the last try was ambiguous.
        Unknown = "unknown",
        /// The run stopped before this row.
        NotAttempted = "not_attempted",
        /// An existing customer that no desired customer matched; never touched.
        Orphan = "orphan",
    }
}

impl Outcome {
    /// Whether a person has to look at a row that ended so (exit code 3). `creation_disabled` joins by configuration.
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::Failed | Self::Unknown | Self::Rejected | Self::Conflict | Self::Invalid)
    }

    /// Whether Tether holds what was desired.
    pub const fn is_in_tether(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Applied | Self::Unchanged)
    }
}

vocabulary! {
    /// What the plan foretells for a desired customer, or for an orphan.
    Prediction, "predictions" {
        /// Nobody in Tether matches: the call will create.
        Create = "create",
        /// Somebody matches and a field differs: the call will update.
        Update = "update",
        /// Somebody matches and nothing differs: no call.
        Unchanged = "unchanged",
        /// Nobody matches and the product's creation gate is configured as closed.
        CreationDisabled = "creation_disabled",
        /// Contradictory or ambiguous identity: no call.
        Conflict = "conflict",
        /// Fails local validation: no call.
        Invalid = "invalid",
        /// Nothing is known of what Tether holds: sent.
        Unknown = "unknown",
        /// Tether holds it, no desired customer matches it.
        Orphan = "orphan",
    }
}

impl Prediction {
    /// Whether a row predicted so is sent.
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::CreationDisabled | Self::Unknown)
    }
}

vocabulary! {
    /// Where an input row went. Exactly one per input row.
    Disposition, "dispositions" {
        /// Part of a desired customer, or (existing customers) of what is compared with.
        Contributed = "contributed",
        /// The same id and the same content as another row.
        MergedDuplicate = "merged_duplicate",
        /// The same id as a row read later that differs.
        Superseded = "superseded",
        /// Left out by a rule or by configuration; the reason says which.
        Excluded = "excluded",
        /// Unreadable or absurd; the reason and line say why.
        Rejected = "rejected",
        /// Claimed by several owners: nobody wins.
        Ambiguous = "ambiguous",
        /// Its owner is in no file.
        Unattached = "unattached",
    }
}

vocabulary! {
    /// What linked a contact and a billing account.
    LinkRule, "link rules" {
        /// A person decided it, in the overrides file.
        Override = "override",
        /// The contact names the account's Stripe id.
        StripeCustomerId = "stripe_customer_id",
        /// A metadata key of the account holds the contact's external id.
        Metadata = "metadata",
        /// The account's e-mail is one of the contact's.
        Email = "email",
        /// No contact and account were linked.
        None = "none",
    }
}

vocabulary! {
    /// What a person decides about two records.
    OverrideDecision, "decisions" {
        /// The two are one customer.
        Link = "link",
        /// The two are never linked, under any rule.
        Never = "never",
    }
}

vocabulary! {
    /// What became of an override.
    OverrideState, "override states" {
        /// It decided.
        Used = "used",
        /// The rules decide the same without it.
        NotNeeded = "not_needed",
        /// It names a record that is in no file or does not stand.
        NoLongerApplies = "no_longer_applies",
    }
}

vocabulary! {
    /// What matched a desired customer with one that Tether holds.
    MatchRule, "match rules" {
        /// By external id.
        ExternalId = "external_id",
        /// By e-mail, the desired customer having no external id.
        Email = "email",
        /// By e-mail after the external id found nobody.
        EmailFallback = "email_fallback",
        /// Nobody.
        None = "none",
    }
}

vocabulary! {
    /// Stripe's subscription statuses, highest in precedence first (`design/mrr.md`).
    SubscriptionStatus, "subscription statuses" {
        /// Paid up.
        Active = "active",
        /// A payment failed, Stripe is still trying.
        PastDue = "past_due",
        /// In its trial.
        Trialing = "trialing",
        /// Stripe gave up on the payment.
        Unpaid = "unpaid",
        /// A trial ended without a payment method.
        Paused = "paused",
        /// The first payment is open.
        Incomplete = "incomplete",
        /// Ended.
        Canceled = "canceled",
        /// The first payment never came.
        IncompleteExpired = "incomplete_expired",
    }
}

impl SubscriptionStatus {
    /// Whether a subscription in this status can renew (`auto_renew`, `period_end`).
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::PastDue | Self::Trialing)
    }
}
