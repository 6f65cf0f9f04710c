//! The configuration: one TOML file that a finance person can read.
//!
//! In: the file's text. Out: [`Settings`], validated, with every default filled in; or every problem at once, each with
//! its line, its column and what to write instead. Never: the network, the exports. Keys of products are read only when
//! [`read_key`] is asked for one.

mod document;
mod filter;
mod fingerprint;
mod json_schema;
mod key;
mod mrr;
mod notify;
mod pace;
mod places;
mod problem;
mod reading;
pub mod schema;
mod sections;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use filter::{Comparison, Condition, Filter, FilterColumn, FilterSource, Kind, Operand, Term, Test};
pub use json_schema::json_schema;
pub use key::{KeyError, key_is_present, open_mode, place, read_key, read_proxy};
pub use pace::{KeyPace, Pace, Rate, two_paces_of_one_key};
pub use problem::{ConfigErrors, Problem};
pub use reading::{Reading, TextEncoding};
pub use sections::MOST_HEADINGS;
pub use settings::{
    AmountMeaning, CountedCoupons, CrmPreset, CrmSettings, DefinedCoupon, Fx, FxRate, Guards, IdentitySettings,
    KeySource, Limits, LinkSettings, MrrSettings, NotifySettings, PausedCollection, ProductSettings, Proxy, Rounding,
    RunSettings, Settings, StripeSettings, TetherSettings, TetherUrl, UnknownCoupon, When,
};

pub use value::{is_loopback, parse_duration};

use document::Document;
use problem::Problems;
use std::collections::BTreeMap;
use std::path::Path;
use toml::de::DeTable;

/// Reads and validates a configuration file; its paths start at the file's folder.
pub fn load(path: &Path) -> Result<Settings, ConfigErrors> {
    let unreadable = |source| ConfigErrors::Unreadable { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    let text = std::fs::read_to_string(&absolute).map_err(unreadable)?;
    let base = absolute.parent().unwrap_or(&absolute);
    let mut settings = parse(&text, base).map_err(|errors| errors.in_file(path))?;
    settings.file = Some(path.to_owned());
    Ok(settings)
}

/// Validates the text of a configuration; its paths start at `base`, an absolute folder. Opens no file.
pub fn parse(text: &str, base: &Path) -> Result<Settings, ConfigErrors> {
    let mut problems = Problems::of(text);
    let (root, syntax) = DeTable::parse_recoverable(text);
    for error in syntax {
        problems.at(error.span().map_or(0, |span| span.start), "", error.message());
    }
    if !problems.is_empty() {
        // What stands around a syntax error may have been taken for something else: judging it would mislead.
        return Err(problems.into_errors());
    }
    if base.to_str().is_none() {
        problems.at(0, "", "the folder of the configuration has a name that is not UTF-8; move it");
    }
    let settings = validate(&Document::open(root.get_ref(), &mut problems), base, &mut problems);
    let Some(mut settings) = settings.filter(|_| problems.is_empty()) else { return Err(problems.into_errors()) };
    settings.places = places::places(text, root.get_ref(), base);
    match fingerprint::fingerprint(&settings) {
        Ok((text, hash)) => (settings.portable, settings.hash) = (text, hash),
        Err(error) => {
            problems.at(0, "", format!("the settings cannot be written down to be hashed: {error}"));
            return Err(problems.into_errors());
        }
    }
    Ok(settings)
}

/// Reads every section, so that every problem is found; `None` where a value without a default is missing.
fn validate(document: &Document<'_>, base: &Path, problems: &mut Problems<'_>) -> Option<Settings> {
    let run = sections::run(&document.section("run", problems), base, problems);
    let stripe = sections::stripe(&document.section("stripe", problems), base, problems);
    let crms = sections::crms(&document.repeated("crm", problems), base, problems);
    let metadata = stripe.external_id_metadata.is_some();
    let fields = sections::fields(&document.section("fields", problems), metadata, problems);
    let link = sections::link(&document.section("link", problems), problems);
    let identity = sections::identity(&document.section("identity", problems), base, problems);
    let mrr = mrr::mrr(&document.section("mrr", problems), problems);
    let fx = mrr::fx(document, run.as_ref().map(|run| run.currency), problems);
    let limits = sections::limits(&document.section("limits", problems), problems);
    let guards = sections::guards(&document.section("guards", problems), problems);
    let tether = sections::tether(&document.section("tether", problems), base, problems);
    let notify = notify::notify(&document.section("notify", problems), base, problems);
    let products = sections::products(document, base, &crms, tether.as_ref(), problems);
    Some(Settings {
        base: base.to_owned(),
        run: run?,
        stripe,
        crms,
        fields,
        link,
        identity,
        mrr,
        fx,
        limits,
        guards,
        tether: tether?,
        notify,
        products,
        file: None,
        places: BTreeMap::new(),
        portable: String::new(),
        hash: String::new(),
    })
}
