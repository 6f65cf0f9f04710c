//! How the source rows are divided among the products' filters, in rows and in money.

use super::PlanError;
use super::totals::{Sums, counted};
use crate::billing::{self, Billed};
use crate::config::{FilterSource, Settings};
use crate::filter::{Share, Taken};
use crate::link::{Dispositions, Linked};
use crate::model::{Break, BreakKind, InputFile, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::runs::{Division, Part, SourceTotals};
use polars::prelude::*;

/// A source that filters divide: its name, its rows as a product sees them, those that a filter takes.
type Divided = (String, fn(&Linked) -> &Dispositions, fn(&Taken) -> &DataFrame, Option<u32>);

/// The sources, CRMs by their number.
fn sources(settings: &Settings) -> Vec<Divided> {
    let mut sources: Vec<Divided> = vec![
        (STRIPE_CUSTOMERS.to_owned(), |linked| &linked.accounts, |taken| &taken.accounts, None),
        (STRIPE_SUBSCRIPTIONS.to_owned(), |linked| &linked.subscriptions, |taken| &taken.subscriptions, None),
    ];
    for (number, crm) in (0..).zip(&settings.crms) {
        sources.push((crm.name.clone(), |linked| &linked.contacts, |taken| &taken.contacts, Some(number)));
    }
    sources
}

fn of_crm(rows: LazyFrame, crm: Option<u32>) -> LazyFrame {
    match crm {
        Some(number) => rows.filter(col("crm").eq(lit(number))),
        None => rows,
    }
}

/// For every share the control totals of the rows it takes; nothing where no product has a filter.
pub fn share_totals(
    shares: &[Share],
    linked: &[Linked],
    billed: &Billed,
    settings: &Settings,
) -> Result<Vec<Vec<SourceTotals>>, PlanError> {
    if shares.iter().all(|share| share.taken.is_none()) {
        return Ok(vec![vec![]; shares.len()]);
    }
    let of_share = |(share, linked): (&Share, &Linked)| {
        let totals = sources(settings).into_iter().map(|(name, rows, of, crm)| {
            let rows = of_crm(rows(linked).clone().lazy(), crm);
            let rows = match &share.taken {
                Some(taken) => rows.semi_join(of(taken).clone().lazy(), col("ord"), col("ord")),
                None => rows,
            };
            let rows = rows.select([col("ord"), col("disposition")]).collect()?.lazy();
            let dispositions = counted(rows.clone())?;
            let mut totals = SourceTotals {
                name,
                rows_read: dispositions.values().sum(),
                dispositions,
                mrr: std::collections::BTreeMap::new(),
                mrr_total: None,
                mrr_without_rate: std::collections::BTreeMap::new(),
            };
            if totals.name == STRIPE_SUBSCRIPTIONS {
                let subscriptions = Billed {
                    subscriptions: billed
                        .subscriptions
                        .clone()
                        .lazy()
                        .semi_join(rows.clone(), col("ord"), col("ord"))
                        .collect()?,
                    ..billed.clone()
                };
                let sums = Sums::of(&subscriptions, rows, &linked.replaced_subscriptions)?;
                totals.mrr = sums.by_disposition;
                totals.mrr_total = Some(sums.total);
                totals.mrr_without_rate = sums.without_rate;
            }
            Ok(totals)
        });
        totals.collect()
    };
    shares.iter().zip(linked).map(of_share).collect()
}

/// How the rows of every source that filters speak of are divided; nothing where no product has a filter.
pub fn divide(
    shares: &[Share],
    linked: &[Linked],
    billed: &Billed,
    settings: &Settings,
) -> Result<Vec<Division>, PlanError> {
    let filters = || shares.iter().filter_map(|share| share.filter.as_ref());
    if filters().next().is_none() {
        return Ok(vec![]);
    }
    let Some(first) = linked.first() else { return Ok(vec![]) };
    let mut division = vec![];
    for (name, rows, of, crm) in sources(settings) {
        let named = |number: u32| {
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            filters().any(|filter| filter.about(FilterSource::Crm(index)).next().is_some())
        };
        if crm.is_some_and(|number| !named(number)) {
            continue;
        }
        let counted = takers(of_crm(rows(first).clone().lazy(), crm).select([col("ord")]), shares, of, |_| true);
        let carries_mrr = name == STRIPE_SUBSCRIPTIONS;
        let counted = if carries_mrr {
            let amounts = billed.subscriptions.clone().lazy().select([col("ord"), col("mrr")]).anti_join(
                first.replaced_subscriptions.clone().lazy(),
                col("ord"),
                col("ord"),
            );
            counted.left_join(amounts, col("ord"), col("ord"))
        } else {
            counted.with_column(lit(NULL).cast(DataType::Int128).alias("mrr"))
        };
        let counted = counted.collect()?;
        let part = |which: Expr, times: Expr| -> Result<Part, PlanError> {
            let sums = counted.clone().lazy().filter(which).select([
                times.clone().cast(DataType::UInt64).sum().alias("rows"),
                (col("mrr") * times.cast(DataType::Int128)).sum().alias("mrr"),
            ]);
            let sums = sums.collect()?;
            let mrr = sums.column("mrr")?.i128()?.get(0).unwrap_or(0);
            Ok(Part {
                rows: sums.column("rows")?.u64()?.get(0).unwrap_or(0),
                mrr: carries_mrr.then(|| billing::exact(mrr, billed.scale)),
            })
        };
        let (takers, once) = (|| col("takers"), || lit(1_u32));
        let several = || takers().gt(lit(1_u32));
        // Times one for every row, so that the literal is as long as the rows.
        let each = || takers() * lit(0_u32) + once();
        division.push(Division {
            none: part(takers().eq(lit(0_u32)), each())?,
            one: part(takers().eq(lit(1_u32)), each())?,
            several: part(several(), each())?,
            again: part(several(), takers() - once())?,
            name,
        });
    }
    Ok(division)
}

/// `rows` (with `ord`) and `takers` u32: how many of the shares that `count` take each.
fn takers(
    rows: LazyFrame,
    shares: &[Share],
    of: fn(&Taken) -> &DataFrame,
    count: impl Fn(&Share) -> bool,
) -> LazyFrame {
    let mut all = rows.with_column(lit(0_u32).alias("takers"));
    for share in shares.iter().filter(|share| count(share)) {
        all = match &share.taken {
            Some(taken) => all
                .left_join(of(taken).clone().lazy().with_column(lit(1_u32).alias("takes")), col("ord"), col("ord"))
                .with_column(col("takers") + col("takes").fill_null(lit(0_u32)))
                .drop(by_name(["takes"], true, false)),
            None => all.with_column(col("takers") + lit(1_u32)),
        };
    }
    all
}

/// One break per subscription that the filters of several products take, unless another row replaces it. A product without
/// a filter takes all on purpose.
pub fn taken_by_several(
    shares: &[Share],
    linked: &[Linked],
    settings: &Settings,
    files: &[InputFile],
) -> Result<Vec<Break>, PlanError> {
    let Some(first) = linked.first().filter(|_| shares.iter().filter(|share| share.taken.is_some()).count() > 1) else {
        return Ok(vec![]);
    };
    let standing = first
        .subscriptions
        .clone()
        .lazy()
        .anti_join(first.replaced_subscriptions.clone().lazy(), col("ord"), col("ord"))
        .select([col("ord"), col("file"), col("line"), col("id")]);
    let several = takers(standing, shares, |taken| &taken.subscriptions, |share| share.taken.is_some())
        .filter(col("takers").gt(lit(1_u32)))
        .sort(["ord"], SortMultipleOptions::default())
        .collect()?;
    let ords = several.column("ord")?.u32()?;
    let mut names: Vec<Vec<&str>> = vec![vec![]; several.height()];
    for share in shares {
        let Some(taken) = &share.taken else { continue };
        let taken: std::collections::BTreeSet<u32> =
            taken.subscriptions.column("ord")?.u32()?.iter().flatten().collect();
        for (row, ord) in ords.iter().enumerate() {
            if ord.is_some_and(|ord| taken.contains(&ord)) {
                names[row].extend(share.products.iter().map(|index| settings.products[*index].name.as_str()));
            }
        }
    }
    let (id, file, line) =
        (several.column("id")?.str()?, several.column("file")?.u32()?, several.column("line")?.u32()?);
    // Rows, because each becomes one message.
    let found = names.into_iter().enumerate().map(|(row, mut products)| {
        products.sort_unstable();
        let detail = format!(
            "the filters of {} take this subscription: it counts in each; if that is a mistake, let one of them leave it out",
            products.join(", ")
        );
        let path = file.get(row).and_then(|index| files.get(index as usize)).map_or("?", |file| file.path.as_str());
        Break::new(BreakKind::SeveralProducts, STRIPE_SUBSCRIPTIONS, id.get(row).unwrap_or_default(), detail)
            .at(path, u64::from(line.get(row).unwrap_or_default()))
    });
    Ok(found.collect())
}
