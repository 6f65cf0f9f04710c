//! The configuration: one TOML file that a finance person can read.
//!
//! In: the file's text. Out: [`Settings`], validated, with every default filled in. Never: the network, the exports.

mod settings;

pub use settings::{
    AmountMeaning, CountedCoupons, CrmPreset, CrmSettings, DefinedCoupon, Fx, FxRate, Guards, KeySource, LinkSettings,
    MrrSettings, PausedCollection, ProductSettings, Rate, Rounding, RunSettings, Settings, StripeSettings,
    TetherSettings, TetherUrl, UnknownCoupon,
};
