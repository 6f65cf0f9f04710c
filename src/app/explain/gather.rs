//! The customers that a key means, with their accounts and subscriptions, and the sums over both.

use super::explanation::{
    AccountWorking, CustomerWorking, Identity, KnownFrom, Line, PlacedSubscription, RejectedRow, Replaced,
};
use super::key::{Hits, Identities, by_text, numbers};
use super::row::{is_number, is_text};
use crate::app::exit::AppError;
use crate::billing::explain::{Amount, Problem, SubscriptionWorking, agree, explain};
use crate::billing::{BillingError, exact};
use crate::config::{Rounding, Settings};
use crate::link::Linked;
use crate::load::Loaded;
use crate::model::{Disposition, Instant, Reason, UnknownWord};
use crate::runs::Exact;
use num_bigint::BigInt;
use num_rational::BigRational;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What a run knows.
pub(super) struct Known<'a> {
    pub loaded: &'a Loaded,
    pub linked: &'a Linked,
    /// Exact amounts of `linked` are counts of `1 / scale` minor units.
    pub scale: i128,
    pub settings: &'a Settings,
    pub as_of: Instant,
}

/// Why the customers cannot be put together: a bug, not bad data.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// A query failed.
    #[error("failed to look up the customer: {0}")]
    Polars(#[from] PolarsError),
    /// The working of a subscription failed.
    #[error(transparent)]
    Billing(#[from] BillingError),
    /// A column holds a word that is none.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// The parts do not lead to the customer's MRR.
    #[error(
        "failed to explain customer {customer}: its MRR is {mrr} minor units, its subscriptions add up to {parts}; please report this with the export"
    )]
    Disagrees {
        /// The customer's key.
        customer: String,
        /// What the plan holds.
        mrr: String,
        /// What the parts add up to.
        parts: String,
    },
}

impl From<GatherError> for AppError {
    fn from(error: GatherError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl Known<'_> {
    /// The desired customers that `hits` are part of, whole, with their numbers; then the Stripe customers that are part of none.
    pub fn customers(
        &self,
        identities: &Identities,
        hits: &Hits,
    ) -> Result<Vec<(Option<u32>, CustomerWorking)>, GatherError> {
        let rows = self.account_rows(identities, hits)?;
        let mut ids: BTreeSet<&str> = rows.iter().filter_map(|row| row.account.id.as_deref()).collect();
        ids.extend(hits.stripe_ids.iter().map(String::as_str));
        let mut subscriptions = self.subscriptions(identities, &ids)?;

        let mut groups: BTreeMap<u32, Vec<AccountWorking>> =
            hits.customers.iter().map(|customer| (*customer, vec![])).collect();
        let mut apart = vec![];
        let mut replaced: BTreeMap<String, Vec<Replaced>> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for AccountRow { account, customer } in rows {
            if is_replaced(account.disposition) {
                if let (Some(id), Some(place)) = (account.id, account.place) {
                    replaced.entry(id).or_default().push(Replaced { place, disposition: account.disposition });
                }
                continue;
            }
            seen.extend(account.id.clone());
            match customer {
                Some(customer) => groups.entry(customer).or_default().push(account),
                None => apart.push(account),
            }
        }
        // Subscriptions whose customer no file holds.
        for id in hits.stripe_ids.iter().filter(|id| !seen.contains(*id)) {
            apart.push(AccountWorking::nowhere(id));
        }
        let mut complete = |account: AccountWorking| {
            let id = account.id.clone().unwrap_or_default();
            let own = subscriptions.remove(&id).unwrap_or_default();
            self.complete(account, own, replaced.remove(&id).unwrap_or_default())
        };
        let mut customers = vec![];
        for (customer, accounts) in groups {
            let accounts = accounts.into_iter().map(&mut complete).collect();
            customers.push((Some(customer), self.desired(customer, accounts)?));
        }
        for account in apart {
            let account = complete(account);
            let exact = account.exact.clone();
            let rounding = rounding(self.settings);
            let part_of_none = CustomerWorking::empty(KnownFrom::Exports, rounding);
            customers.push((None, CustomerWorking { exact, accounts: vec![account], ..part_of_none }));
        }
        Ok(customers)
    }

    /// Every row of the Stripe customers at hand, replaced ones included, in the order of reading.
    fn account_rows(&self, identities: &Identities, hits: &Hits) -> Result<Vec<AccountRow>, GatherError> {
        let accounts = &identities.accounts;
        let any = |column: &str, numbers: &BTreeSet<u32>| is_number(column, numbers.iter().copied());
        let texts = |ids: Vec<&str>| is_text("id", ids);
        let ids: Vec<&str> = hits.stripe_ids.iter().map(String::as_str).collect();
        let asked = accounts.clone().lazy().filter(any("ord", &hits.accounts).or(texts(ids))).collect()?;
        let mut customers = numbers(&asked, "customer")?;
        customers.extend(&hits.customers);
        let theirs = accounts
            .clone()
            .lazy()
            .filter(any("ord", &numbers(&asked, "ord")?).or(any("customer", &customers)))
            .collect()?;
        let by_id = by_text(&theirs, "id")?;
        let same = texts(by_id.keys().map(String::as_str).collect());
        let rows = accounts.clone().lazy().filter(any("ord", &numbers(&theirs, "ord")?).or(same)).collect()?;
        let text = |column: &str| rows.column(column).and_then(Column::str);
        let (stripe_ids, names, emails) = (text("id")?, text("name")?, text("email")?);
        let (dispositions, reasons) = (text("disposition")?, text("reason")?);
        let (files, lines) = (rows.column("file")?.u32()?, rows.column("line")?.u32()?);
        let owners = rows.column("customer")?.u32()?;
        let own = |text: Option<&str>| text.map(str::to_owned);
        (0..rows.height())
            .map(|row| {
                let account = AccountWorking {
                    id: own(stripe_ids.get(row)),
                    name: own(names.get(row)),
                    email: own(emails.get(row)),
                    place: Some(self.line(files.get(row), lines.get(row))),
                    disposition: dispositions.get(row).unwrap_or_default().parse()?,
                    reason: reasons.get(row).map(str::parse).transpose()?,
                    ..AccountWorking::nowhere("")
                };
                Ok(AccountRow { account, customer: owners.get(row) })
            })
            .collect()
    }

    /// The subscriptions that name `ids`, by the id they name.
    fn subscriptions(
        &self,
        identities: &Identities,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, Vec<PlacedSubscription>>, GatherError> {
        let ids: Vec<&str> = ids.iter().copied().collect();
        let Settings { mrr, fx, run, .. } = self.settings;
        let workings = explain(&self.loaded.stripe, &ids, mrr, fx, run.currency, self.as_of)?;
        let rows = &identities.subscriptions;
        let wanted = Series::new("".into(), workings.iter().map(|working| working.ord).collect::<Vec<_>>());
        let rows = rows.clone().lazy().filter(col("ord").is_in(lit(wanted).implode(false), false)).collect()?;
        let ords = rows.column("ord")?.u32()?;
        let (files, lines) = (rows.column("file")?.u32()?, rows.column("line")?.u32()?);
        let (dispositions, reasons) = (rows.column("disposition")?.str()?, rows.column("reason")?.str()?);
        let mut workings: BTreeMap<u32, SubscriptionWorking> =
            workings.into_iter().map(|working| (working.ord, working)).collect();
        let mut found: BTreeMap<String, Vec<PlacedSubscription>> = BTreeMap::new();
        for row in 0..rows.height() {
            let Some(working) = ords.get(row).and_then(|ord| workings.remove(&ord)) else { continue };
            let disposition: Disposition = dispositions.get(row).unwrap_or_default().parse()?;
            let reason: Option<Reason> = reasons.get(row).map(str::parse).transpose()?;
            found.entry(working.customer.clone()).or_default().push(PlacedSubscription {
                place: self.line(files.get(row), lines.get(row)),
                disposition,
                reason,
                stands: !is_replaced(disposition) && !matches!(reason, Some(Reason::TestMode | Reason::NoProduct)),
                working,
            });
        }
        Ok(found)
    }

    fn complete(
        &self,
        mut account: AccountWorking,
        subscriptions: Vec<PlacedSubscription>,
        replaced: Vec<Replaced>,
    ) -> AccountWorking {
        let rejections = self.loaded.rejections.iter();
        account.rejected = rejections
            .clone()
            .filter(|row| account.id.is_some() && (row.customer == account.id || row.id == account.id))
            .map(|row| RejectedRow {
                place: Line { file: row.file.clone(), line: row.line },
                reason: row.reason,
                detail: row.detail.clone(),
            })
            .collect();
        let standing = subscriptions.iter().filter(|subscription| subscription.stands);
        // Without a row that could not be read nobody knows the sum.
        let whole = !rejections.clone().any(|row| account.id.is_some() && row.customer == account.id);
        account.exact = self.sum(standing.map(|subscription| subscription.working.mrr.as_ref())).filter(|_| whole);
        account.subscriptions = subscriptions;
        account.replaced = replaced;
        account
    }

    /// A desired customer as the plan holds it; its accounts must add up to its MRR.
    fn desired(&self, customer: u32, accounts: Vec<AccountWorking>) -> Result<CustomerWorking, GatherError> {
        let row = self.linked.desired.clone().lazy().filter(col("customer").eq(lit(customer))).collect()?;
        let text =
            |column: &str| -> PolarsResult<Option<String>> { Ok(row.column(column)?.str()?.get(0).map(str::to_owned)) };
        let found = |reason: &str, detail: &str| -> Result<Option<Problem>, GatherError> {
            let Some(reason) = text(reason)? else { return Ok(None) };
            Ok(Some(Problem { reason: reason.parse()?, detail: text(detail)?.unwrap_or_default() }))
        };
        let key = text("key")?.unwrap_or_default();
        let planned = row.column("mrr_exact")?.i128()?.get(0).map(|sum| self.amount(exact(sum, self.scale)));
        let parts = self.sum(accounts.iter().map(|account| account.exact.as_ref()));
        let agreed = match (&planned, &parts) {
            (Some(planned), Some(parts)) => agree(&planned.minor, &parts.minor),
            (Some(_), None) => false,
            (None, _) => true,
        };
        if !agreed {
            let shown = |amount: Option<Amount>| {
                amount.map_or("nothing".to_owned(), |amount| format!("{}/{}", amount.minor.num, amount.minor.den))
            };
            return Err(GatherError::Disagrees { customer: key, mrr: shown(planned), parts: shown(parts) });
        }
        let mrr = row.column("mrr")?.i64()?.get(0);
        Ok(CustomerWorking {
            customer: Some(Identity {
                key,
                external_id: text("external_id")?,
                email: text("email")?,
                name: text("name")?,
                company_name: text("company_name")?,
            }),
            accounts,
            exact: planned.and(parts),
            mrr: mrr.map(|mrr| self.amount(exact(i128::from(mrr), 1))),
            rounding: rounding(self.settings),
            problem: found("problem", "problem_detail")?,
            conflict: found("ambiguity", "ambiguity_detail")?,
            ..CustomerWorking::empty(KnownFrom::Exports, "")
        })
    }

    fn amount(&self, minor: Exact) -> Amount {
        Amount { currency: self.settings.run.currency.to_string(), minor }
    }

    /// The sum; `None` as soon as one part is not known.
    fn sum<'p>(&self, parts: impl Iterator<Item = Option<&'p Amount>>) -> Option<Amount> {
        let mut sum = BigRational::from_integer(BigInt::from(0));
        for part in parts {
            let Exact { num, den } = &part?.minor;
            sum += BigRational::new(num.parse().ok()?, den.parse().ok()?);
        }
        Some(self.amount(Exact { num: sum.numer().to_string(), den: sum.denom().to_string() }))
    }

    fn line(&self, file: Option<u32>, line: Option<u32>) -> Line {
        let known = file.and_then(|file| self.loaded.files.get(file as usize));
        Line { file: known.map_or("?", |file| &file.path).to_owned(), line: u64::from(line.unwrap_or_default()) }
    }
}

/// A row of a Stripe customer, and the desired customer it is part of.
struct AccountRow {
    account: AccountWorking,
    customer: Option<u32>,
}

impl CustomerWorking {
    /// Nothing is known of it yet.
    pub(super) fn empty(known_from: KnownFrom, rounding: &'static str) -> Self {
        Self {
            known_from,
            customer: None,
            fields: vec![],
            links: super::links::Links::default(),
            accounts: vec![],
            exact: None,
            mrr: None,
            rounding,
            problem: None,
            conflict: None,
            tether: vec![],
            breaks: vec![],
            sources: vec![],
            history: super::history::History::default(),
        }
    }
}

impl AccountWorking {
    /// A Stripe customer that subscriptions name and no file holds.
    fn nowhere(id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            name: None,
            email: None,
            place: None,
            disposition: Disposition::Unattached,
            reason: Some(Reason::SubscriptionWithoutCustomer),
            replaced: vec![],
            rejected: vec![],
            subscriptions: vec![],
            exact: None,
        }
    }
}

fn is_replaced(disposition: Disposition) -> bool {
    matches!(disposition, Disposition::MergedDuplicate | Disposition::Superseded)
}

pub(super) fn rounding(settings: &Settings) -> &'static str {
    match settings.mrr.rounding {
        Rounding::HalfEven => "half_even",
        Rounding::HalfUp => "half_up",
    }
}
