//! Run folders: `<state>/runs/<run id>/`, what stands in them, and how files appear there whole or not at all.
//!
//! In: what the rooms before produced. Out: files that a later command, or a person, can read. Never: rules.

mod manifest;

pub use manifest::{
    Exact, GuardFinding, MANIFEST_FORMAT, Manifest, Mode, ProductTotals, RunProduct, RunStatus, SourceTotals,
};
