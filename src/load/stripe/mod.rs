//! Stripe exports: a file is recognised by its content and read by the reader of its shape.
//!
//! In: one file's bytes. Out: a [`StripePart`]. Never: sizes of numbers to guess a format from, names of files.
//!
//! [`api_json`] reads objects; everything else is a sheet of rows and columns (`sheet`), CSV or Parquet alike, whose
//! headings tell what it is ([`known`]): rows that carry everything ([`customers`], [`dashboard`]) or tables that name one another by id
//! ([`warehouse`]), which [`relate`] joins when all files were read.

mod api_json;
mod customers;
mod dashboard;
pub(super) mod expanded;
mod interval;
mod known;
pub(super) mod pages;
mod part;
pub(super) mod relate;
pub(super) mod related;
mod warehouse;

pub use part::StripePart;

use super::error::TableError;
use super::fault::{Origin, truncated};
use super::headings::{find, missing, sample};
use super::look::{FileKind, Shown};
use super::sheet::{FieldHeadings, Opened, Sheet};
use super::survey::{Claim, What};
use super::text::Decoded;
use super::{LoadError, csv_read, parquet, text};
use crate::config::{Settings, StripeSettings};
use crate::model::{STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use known::{Kind, recognise};
use std::collections::BTreeMap;

/// What the configuration says that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Whatever it is.
    Anything,
    /// Customers.
    Customers,
    /// Subscriptions.
    Subscriptions,
}

/// Reads one Stripe file. `key` names the configuration key it was found by. Also gives the text's encoding in words,
/// where the file is text.
pub(super) fn read(
    bytes: Vec<u8>,
    origin: &Origin<'_>,
    settings: &Settings,
    expected: Expected,
    key: &str,
) -> Result<(StripePart, Option<&'static str>), LoadError> {
    if bytes.starts_with(parquet::MAGIC) {
        let headings = parquet::headings(&bytes, origin)?;
        let opened = Opened::Parquet { bytes: &bytes, headings };
        let (kind, shape) = of_use(&opened, origin, expected, key)?;
        let sheet = sheet(opened, kind, origin, settings)?;
        of_stripe(&sheet, kind, expected, origin)?;
        drop(bytes);
        return Ok((part(sheet, kind, shape, origin, settings)?, None));
    }
    let decoded = text::decode(&bytes, settings.stripe.encoding);
    let encoding = decoded.encoding;
    if decoded.is_json() {
        return Ok((json(&decoded, origin, settings, expected, key)?, Some(encoding)));
    }
    let checked = csv_read::open(&decoded, origin, &is_known)?;
    let opened = Opened::Csv(Box::new(checked));
    let (kind, shape) = of_use(&opened, origin, expected, key)?;
    let cut_short = opened.truncated();
    let sheet = sheet(opened, kind, origin, settings)?;
    of_stripe(&sheet, kind, expected, origin)?;
    drop(decoded);
    // The tables hold copies: the file must not stand beside them in memory.
    drop(bytes);
    let mut part = part(sheet, kind, shape, origin, settings)?;
    if cut_short {
        part.breaks.push(truncated(Reader::of(kind).source, origin.file));
    }
    Ok((part, Some(encoding)))
}

/// Whether a line of headings is one of Stripe's, or one that is known to be none of them.
pub(super) fn is_known(headings: &[String]) -> bool {
    recognise(headings).is_some()
}

/// What the headings of a file are of Stripe's; `None`: nothing.
pub(super) fn claim(headings: &[String]) -> Option<Claim> {
    let known = recognise(headings)?;
    let kind = known.kind?;
    let fields = Reader::of(kind).fields.iter().flat_map(|(_, names)| names.iter());
    let columns = known.headings().chain(fields).filter_map(|name| find(headings, &[name])).collect();
    let what = match kind {
        Kind::Customers => What::Customers,
        Kind::PricedSubscriptions | Kind::Subscriptions => What::Subscriptions,
        _ => What::Stripe,
    };
    let unused = matches!(kind, Kind::NotUsed(_) | Kind::Beside(_));
    Some(Claim { what, shape: known.words(headings), columns, unused })
}

/// What the objects of a JSON text are, and how many; `None`: it holds nothing that is read.
///
/// # Errors
/// It is no JSON, or nothing of Stripe's.
pub(super) fn objects(text: &str, origin: &Origin<'_>) -> Result<Option<(What, String, u64)>, String> {
    let settings = StripeSettings::default();
    let context = api_json::JsonContext {
        file: origin.index,
        path: origin.file,
        settings: &settings,
        digits: &BTreeMap::new(),
        longest: origin.reading.limits.field_bytes,
    };
    let part = api_json::read(text, &context)?;
    let what = match (part.customer_rows, part.subscription_rows, part.other_rows.is_empty()) {
        (0, 0, true) => return Ok(None),
        (_, 0, true) => What::Customers,
        (0, _, true) => What::Subscriptions,
        _ => What::Stripe,
    };
    let rows = part.rows();
    Ok(Some((what, part.shape, rows)))
}

/// What the headings of a file that is read for `expected` show, and where each of its fields stands.
pub(super) fn show(
    opened: &Opened<'_>,
    origin: &Origin<'_>,
    settings: &Settings,
    expected: Expected,
    key: &str,
) -> Result<Shown, LoadError> {
    let (kind, shape) = of_use(opened, origin, expected, key)?;
    needed(opened, kind, origin)?;
    let Reader { source, fields, .. } = Reader::of(kind);
    let headings = opened.headings();
    let own_id = own_id(kind, settings);
    let fields = fields.iter().map(|(field, names)| (*field, find(headings, names).into_iter().collect()));
    let more = own_id.iter().map(|own| ("external_id", find(headings, &[own]).into_iter().collect()));
    let kind = match kind {
        Kind::Customers => FileKind::Customers,
        Kind::PricedSubscriptions => FileKind::PricedSubscriptions,
        _ => FileKind::Table,
    };
    Ok(Shown { kind, source: source.to_owned(), shape, fields: fields.chain(more).collect() })
}

/// Reads API JSON.
fn json(
    decoded: &Decoded<'_>,
    origin: &Origin<'_>,
    settings: &Settings,
    expected: Expected,
    key: &str,
) -> Result<StripePart, LoadError> {
    let broken = |detail: String| LoadError::Broken { file: origin.file.to_owned(), detail };
    if decoded.lossy {
        return Err(broken("it holds bytes that are no text in its own encoding; export it again".to_owned()));
    }
    let context = api_json::JsonContext {
        file: origin.index,
        path: origin.file,
        settings: &settings.stripe,
        digits: &settings.mrr.currency_digits,
        longest: origin.reading.limits.field_bytes,
    };
    let part = api_json::read(&decoded.text, &context).map_err(broken)?;
    let (wanted, others) = match expected {
        Expected::Anything => return Ok(part),
        Expected::Customers => (part.customer_rows, part.subscription_rows),
        Expected::Subscriptions => (part.subscription_rows, part.customer_rows),
    };
    if wanted == 0 && others + part.other_objects > 0 {
        return Err(wrong(expected, origin.file, key, part.shape));
    }
    Ok(part)
}

/// A file of one kind stands where another is `expected`.
pub(super) fn wrong(expected: Expected, file: &str, key: &str, found: String) -> LoadError {
    let expected = match expected {
        Expected::Anything => "Stripe customers or subscriptions",
        Expected::Customers => "Stripe customers",
        Expected::Subscriptions => "Stripe subscriptions",
    };
    LoadError::WrongShape { file: file.to_owned(), key: key.to_owned(), expected, found }
}

/// What a file is, and that in words, if it may stand where it stands. Tables that belong to customers and subscriptions
/// may stand beside both.
fn of_use(
    opened: &Opened<'_>,
    origin: &Origin<'_>,
    expected: Expected,
    key: &str,
) -> Result<(Kind, String), LoadError> {
    let headings = opened.headings();
    let Some(known) = recognise(headings) else {
        let asked_for = |kind| match expected {
            Expected::Anything => false,
            Expected::Customers => kind == Kind::Customers,
            Expected::Subscriptions => matches!(kind, Kind::Subscriptions | Kind::PricedSubscriptions),
        };
        if let Some((name, heading)) = known::nearly(headings, asked_for) {
            let advice = format!("it would be {name} otherwise: give the column its name back, or correct {key}");
            return Err(missing(headings, opened.heading_line(), origin.file, heading, heading, &advice));
        }
        let at = match opened {
            Opened::Csv(checked) => format!("line {} is headed", checked.heading_line),
            Opened::Parquet { .. } => "its columns are".to_owned(),
        };
        let detail = format!(
            "{at} {}; expected are Stripe's customers (id, Email, …), its subscriptions (id, Customer ID, …), a table of \
             Sigma, Data Pipeline or Fivetran, or API JSON",
            sample(headings)
        );
        return Err(LoadError::Unrecognised { file: origin.file.to_owned(), detail });
    };
    let shape = known.shape(headings, opened.format());
    let fits = |kind: &Kind| match kind {
        Kind::Customers => expected != Expected::Subscriptions,
        Kind::Subscriptions | Kind::PricedSubscriptions => expected != Expected::Customers,
        Kind::NotUsed(_) => expected == Expected::Anything,
        _ => true,
    };
    match known.kind.filter(fits) {
        Some(kind) => Ok((kind, shape)),
        None => Err(wrong(expected, origin.file, key, shape)),
    }
}

/// Refuses a file of people of some other system, which nothing but an id and an address made look like customers; one that
/// `[stripe] customers` names is taken at its word.
fn of_stripe(sheet: &Sheet, kind: Kind, expected: Expected, origin: &Origin<'_>) -> Result<(), LoadError> {
    if kind != Kind::Customers || expected != Expected::Anything {
        return Ok(());
    }
    let ids = sheet.text("id").map_err(|error| LoadError::internal(origin.file, error))?;
    if ids.null_count() == ids.len() || ids.iter().flatten().any(|id| id.starts_with("cus_")) {
        return Ok(());
    }
    let detail =
        "it looks like customers, but none of its ids is a Stripe customer's (cus_…); take it out of [stripe] \
                  files, or name it under [stripe] customers if these are your customers' ids in Stripe"
            .to_owned();
    Err(LoadError::Unrecognised { file: origin.file.to_owned(), detail })
}

/// How files of one kind are read.
struct Reader {
    /// The source of their rows.
    source: &'static str,
    /// The columns they are read for.
    fields: &'static [FieldHeadings],
    /// The field that names whose MRR cannot be told without a row.
    owner: &'static str,
    rows: Box<ReadRows>,
}

type ReadRows = dyn Fn(Sheet, &Origin<'_>, &Settings) -> Result<StripePart, TableError>;

impl Reader {
    fn new(
        source: &'static str,
        fields: &'static [FieldHeadings],
        rows: impl Fn(Sheet, &Origin<'_>, &Settings) -> Result<StripePart, TableError> + 'static,
    ) -> Self {
        Self { source, fields, owner: "customer", rows: Box::new(rows) }
    }

    /// The reader of `kind`.
    fn of(kind: Kind) -> Self {
        use {customers as c, dashboard as d, warehouse as w};
        let own_id = |settings: &Settings| settings.stripe.external_id_metadata.clone();
        match kind {
            Kind::Customers => Self::new(STRIPE_CUSTOMERS, c::CUSTOMER_FIELDS, move |sheet, origin, settings| {
                c::customers(sheet, own_id(settings).as_deref(), origin)
            }),
            Kind::PricedSubscriptions => Self::new(STRIPE_SUBSCRIPTIONS, d::SUBSCRIPTION_FIELDS, d::subscriptions),
            Kind::Subscriptions => Self::new(STRIPE_SUBSCRIPTIONS, w::SUBSCRIPTION_FIELDS, |sheet, origin, _| {
                w::subscriptions(sheet, origin)
            }),
            Kind::Items => {
                let rows = |sheet: Sheet, origin: &Origin<'_>, _: &Settings| w::items(sheet, origin);
                Self { owner: "subscription", ..Self::new(relate::ITEMS, w::ITEM_FIELDS, rows) }
            }
            Kind::Prices => Self::new(relate::PRICES, w::PRICE_FIELDS, |sheet, origin, settings| {
                w::prices(sheet, false, origin, &settings.mrr.currency_digits)
            }),
            Kind::Plans => Self::new(relate::PLANS, w::PRICE_FIELDS, |sheet, origin, settings| {
                w::prices(sheet, true, origin, &settings.mrr.currency_digits)
            }),
            Kind::Tiers => {
                let rows = |sheet: Sheet, origin: &Origin<'_>, _: &Settings| w::tiers(sheet, origin);
                Self { owner: "price", ..Self::new(relate::TIERS, w::TIER_FIELDS, rows) }
            }
            Kind::Coupons => Self::new(relate::COUPONS, w::COUPON_FIELDS, |sheet, origin, settings| {
                w::coupons(sheet, origin, &settings.mrr.currency_digits)
            }),
            Kind::Discounts => {
                Self::new(relate::DISCOUNTS, w::DISCOUNT_FIELDS, |sheet, origin, _| w::discounts(sheet, origin))
            }
            Kind::CustomerMetadata => {
                Self::new(relate::METADATA, w::METADATA_FIELDS, move |sheet, origin, settings| {
                    w::metadata(sheet, own_id(settings).as_deref(), origin)
                })
            }
            Kind::Beside(source) | Kind::NotUsed(source) => {
                Self::new(source, w::OTHER_FIELDS, move |sheet, origin, _| w::not_used(sheet, source, origin.index))
            }
        }
    }
}

/// The heading of your own id in a file of this kind.
fn own_id(kind: Kind, settings: &Settings) -> Option<String> {
    let key = settings.stripe.external_id_metadata.as_ref().filter(|_| kind == Kind::Customers);
    key.map(|key| format!("{key} (metadata)"))
}

/// Refuses a file without a column that no MRR can be told without.
fn needed(opened: &Opened<'_>, kind: Kind, origin: &Origin<'_>) -> Result<(), LoadError> {
    if kind != Kind::PricedSubscriptions {
        return Ok(());
    }
    for field in dashboard::SUBSCRIPTIONS_NEED {
        let fields = dashboard::SUBSCRIPTION_FIELDS;
        let names = fields.iter().find(|(name, _)| name == field).map_or(&[][..], |(_, names)| *names);
        if find(opened.headings(), names).is_none() {
            let wanted = names.first().copied().unwrap_or(field);
            let advice = "export the subscriptions again with all columns";
            return Err(missing(opened.headings(), opened.heading_line(), origin.file, field, wanted, advice));
        }
    }
    Ok(())
}

/// The columns that a file of this kind is read for.
fn sheet(opened: Opened<'_>, kind: Kind, origin: &Origin<'_>, settings: &Settings) -> Result<Sheet, LoadError> {
    let Reader { source, fields, owner, .. } = Reader::of(kind);
    needed(&opened, kind, origin)?;
    let more = [("external_id", own_id(kind, settings))];
    Sheet::read(opened, fields, &more, ("id", owner), &Origin { source, ..*origin })
}

/// The rows of a file in their tables.
fn part(
    sheet: Sheet,
    kind: Kind,
    shape: String,
    origin: &Origin<'_>,
    settings: &Settings,
) -> Result<StripePart, LoadError> {
    let Reader { source, rows, .. } = Reader::of(kind);
    let dialect = sheet.dialect.clone();
    let part = rows(sheet, &Origin { source, ..*origin }, settings);
    let mut part = part.map_err(|error| LoadError::internal(origin.file, error))?;
    part.shape = shape;
    part.dialect = dialect;
    Ok(part)
}
