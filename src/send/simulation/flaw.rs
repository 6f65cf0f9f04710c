//! What may be wrong with a sender or its disk: the negative controls of what is held against every life.

use super::judge::Rule;

/// One thing done wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The disk says that it synced, and did not: as if a sync were left out of the writer.
    OnlySaysItSynced,
    /// Each outcome is written twice.
    WritesTwice,
    /// A row of the plan is passed over.
    LosesARow,
    /// It sends twice as fast as it is configured to.
    TooFast,
    /// A new start knows nothing of the calls and waits of the last one.
    ForgetsThePace,
    /// It does not hear what the server says of waiting.
    DeafToWaits,
    /// It takes a lost reply for an acceptance.
    Credulous,
    /// Each request leaves twice.
    SendsTwice,
    /// A lost request is made again at once, again and again, whatever the budget says.
    NeverGivesUp,
    /// What it sends is not what this day's plan says.
    SendsYesterdays,
    /// What it did is undone before it tries again.
    IsUndone,
    /// It makes up a customer that no plan names.
    Invents,
    /// One product's replies reach the other.
    MixesProducts,
    /// It goes on after it was asked to stop.
    IgnoresTheStop,
    /// It takes the deadline for a later one.
    IgnoresTheDeadline,
    /// It goes on sending creates to a closed gate.
    KnocksOn,
    /// Its scrubber does not know the key that the server echoes.
    TellsTheKey,
}

impl Flaw {
    /// Every flaw, and the rule that must find it out.
    pub(super) const FOUND_BY: &[(Self, Rule)] = &[
        (Self::OnlySaysItSynced, Rule::Announced),
        (Self::OnlySaysItSynced, Rule::Attempts),
        (Self::WritesTwice, Rule::OneOutcome),
        (Self::LosesARow, Rule::EveryRow),
        (Self::TooFast, Rule::RateAsLeft),
        (Self::TooFast, Rule::RateAsArrived),
        (Self::ForgetsThePace, Rule::RateAsLeft),
        (Self::ForgetsThePace, Rule::Wait),
        (Self::DeafToWaits, Rule::Wait),
        (Self::Credulous, Rule::Claim),
        (Self::SendsTwice, Rule::Attempts),
        (Self::NeverGivesUp, Rule::Budget),
        (Self::SendsYesterdays, Rule::ServerEqualsPlan),
        (Self::IsUndone, Rule::SecondCreate),
        (Self::Invents, Rule::Spurious),
        (Self::MixesProducts, Rule::StopOfAnother),
        (Self::IgnoresTheStop, Rule::AfterStop),
        (Self::IgnoresTheDeadline, Rule::AfterDeadline),
        (Self::KnocksOn, Rule::Gate),
        (Self::TellsTheKey, Rule::Secret),
    ];
}
