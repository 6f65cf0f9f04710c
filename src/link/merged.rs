//! Records that a CRM merged into another: the survivor stands, and what they claim passes to it.

use super::LinkError;
use super::claims::Claimants;
use crate::model::{Break, BreakKind, InputFile};
use crate::table::{beside, look_up};
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the merged records of one CRM.
#[derive(Debug, Clone)]
pub struct Merges {
    /// `ord`, `survivor` u32: rows that another one stands for. Several survivors: nobody knows which, each takes over.
    pub passed: DataFrame,
    /// `ord`, `group` u32, `stands` bool: rows whose survivor cannot be told. Those merged into one another stand, all
    /// of a group being one record; one with several survivors does not.
    pub unclear: DataFrame,
    /// What a reviewer must see.
    pub breaks: Vec<Break>,
}

/// Finds the records of one CRM that were merged. `rows`: `ord`, `file`, `line`, `id` (each once), `merged_ids` (list),
/// `merged_into`, `deleted`.
pub fn resolve(rows: &DataFrame, crm: &str, files: &[InputFile]) -> Result<Merges, LinkError> {
    let none = rows.column("merged_into")?.null_count() == rows.height()
        && rows.column("merged_ids")?.list()?.lst_lengths().iter().flatten().all(|length| length == 0);
    if none {
        return merges(&BTreeMap::new(), &BTreeMap::new(), vec![]);
    }
    let ids = || rows.clone().lazy().select([col("id").alias("other_id"), col("ord").alias("other")]);
    let told = rows
        .clone()
        .lazy()
        .filter(col("merged_into").is_not_null().and(col("merged_into").neq(col("id"))))
        .select([col("ord"), col("id"), col("file"), col("line"), col("merged_into"), col("deleted")])
        .left_join(ids(), col("merged_into"), col("other_id"))
        .sort(["ord"], SortMultipleOptions::default())
        .collect()?;
    let listed = rows
        .clone()
        .lazy()
        .filter(col("merged_ids").list().len().gt(lit(0)))
        .select([col("ord").alias("survivor"), col("id"), col("file"), col("line"), col("merged_ids").alias("merged")])
        .explode(by_name(["merged"], true, false), ExplodeOptions { empty_as_null: true, keep_nulls: true })
        .filter(col("merged").is_not_null().and(col("merged").neq(col("id"))))
        .left_join(ids(), col("merged"), col("other_id"))
        .sort(["merged", "survivor"], SortMultipleOptions::default())
        .collect()?;

    // Rows, because a chain is followed record by record; only merged ones come here.
    let mut into: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let (from, to) = (told.column("ord")?.u32()?, told.column("other")?.u32()?);
    for (from, to) in from.iter().zip(to.iter()) {
        if let (Some(from), Some(to)) = (from, to) {
            into.entry(from).or_default().insert(to);
        }
    }
    let (to, from) = (listed.column("survivor")?.u32()?, listed.column("other")?.u32()?);
    for (from, to) in from.iter().zip(to.iter()) {
        if let (Some(from), Some(to)) = (from, to) {
            into.entry(from).or_default().insert(to);
        }
    }
    let roots = roots(&into);
    let places = Places::of(rows, &into, crm, files)?;
    let mut breaks = missing(&told, &into, crm, files)?;
    breaks.extend(claimed_twice(&listed, crm, files)?);
    for (ord, found) in &into {
        let what = match roots.get(ord) {
            None => "was merged into a record that was merged into it in turn: which of them stands cannot be told",
            Some(roots) if roots.len() > 1 => "was merged into several records: which of them stands cannot be told",
            Some(_) => continue,
        };
        let named = found.iter().map(|other| places.named(*other)).collect::<Vec<_>>().join(", ");
        let (key, file, line) = places.of_row(*ord);
        let detail = format!("{crm}:{key} {what} ({named}); correct the merge in {crm}, and export again");
        breaks.push(Break::new(BreakKind::MergeUnresolved, crm, key, detail).at(file, line));
    }
    merges(&into, &roots, breaks)
}

/// Gives the survivors what their merged records claim: their addresses join the survivor's, their Stripe ids and external
/// ids claim for it. `rows`: of one CRM; `standing`: those of them that stand; `passed`: `ord`, `survivor`.
pub fn take_over(
    rows: &DataFrame,
    standing: DataFrame,
    passed: &DataFrame,
) -> Result<(DataFrame, Claimants), LinkError> {
    let keys = || [col("stripe_customer_id"), col("external_id"), col("emails")];
    let own = |rows: &DataFrame| rows.clone().lazy().with_column(col("ord").alias("contact"));
    let select = |rows: LazyFrame| rows.select([&[col("contact")][..], &keys()[..]].concat());
    if passed.height() == 0 {
        let claimants = Claimants { keys: select(own(&standing)).collect()?, repeat: false };
        return Ok((standing, claimants));
    }
    let heirs = rows
        .clone()
        .lazy()
        .inner_join(passed.clone().lazy().rename(["survivor"], ["contact"], true), col("ord"), col("ord"))
        .semi_join(standing.clone().lazy(), col("contact"), col("ord"))
        // By id, so that the order of rows decides nothing.
        .sort(["contact", "id", "ord"], SortMultipleOptions::default())
        .collect()?;
    let survivors = own(&standing).semi_join(heirs.clone().lazy(), col("contact"), col("contact"));
    let addresses = concat(
        [
            survivors.select([col("contact"), col("emails")]),
            heirs.clone().lazy().select([col("contact"), col("emails")]),
        ],
        UnionArgs::default(),
    )?
    .explode(by_name(["emails"], true, false), ExplodeOptions { empty_as_null: true, keep_nulls: true })
    .filter(col("emails").is_not_null())
    .unique_stable(None, UniqueKeepStrategy::First)
    .group_by_stable([col("contact")])
    .agg([col("emails").alias("all_emails")]);
    let found = look_up(standing.clone().lazy().select([col("ord"), col("emails")]), addresses, "ord", "contact")
        .select([coalesce(&[col("all_emails"), col("emails")]).alias("emails")])
        .collect()?;
    let standing = beside(&standing, found)?;
    let claims = concat([select(own(&standing)), select(heirs.lazy())], UnionArgs::default())?.collect()?;
    Ok((standing, Claimants { keys: claims, repeat: true }))
}

/// The records without a survivor of their own at the end of each chain. A record that leads into a circle has no entry.
fn roots(into: &BTreeMap<u32, BTreeSet<u32>>) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut waits: BTreeMap<u32, usize> = BTreeMap::new();
    let mut asked_by: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut found: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut ready = vec![];
    for (from, targets) in into {
        waits.insert(*from, targets.len());
        for to in targets {
            asked_by.entry(*to).or_default().push(*from);
            if !into.contains_key(to) && found.insert(*to, BTreeSet::from([*to])).is_none() {
                ready.push(*to);
            }
        }
    }
    while let Some(known) = ready.pop() {
        let ends = found.get(&known).cloned().unwrap_or_default();
        for from in asked_by.get(&known).into_iter().flatten() {
            found.entry(*from).or_default().extend(&ends);
            if let Some(open) = waits.get_mut(from) {
                *open -= 1;
                if *open == 0 {
                    ready.push(*from);
                }
            }
        }
    }
    // Part of the targets is known of those that still wait: not enough.
    found.retain(|ord, _| waits.get(ord).is_none_or(|open| *open == 0));
    found
}

fn merges(
    into: &BTreeMap<u32, BTreeSet<u32>>,
    roots: &BTreeMap<u32, BTreeSet<u32>>,
    breaks: Vec<Break>,
) -> Result<Merges, LinkError> {
    let mut passed = (vec![], vec![]);
    let mut unclear = (vec![], vec![], vec![]);
    let groups = circles(into, roots);
    for ord in into.keys() {
        for root in roots.get(ord).into_iter().flatten() {
            passed.0.push(*ord);
            passed.1.push(*root);
        }
        if let Some(group) = groups.get(ord) {
            unclear.0.push(*ord);
            unclear.1.push(*group);
            unclear.2.push(true);
        } else if roots.get(ord).is_some_and(|roots| roots.len() > 1) {
            unclear.0.push(*ord);
            unclear.1.push(*ord);
            unclear.2.push(false);
        }
    }
    Ok(Merges {
        passed: df!("ord" => passed.0, "survivor" => passed.1)?,
        unclear: df!("ord" => unclear.0, "group" => unclear.1, "stands" => unclear.2)?,
        breaks,
    })
}

/// The records that lead into a circle, by the least of those they hang together with.
fn circles(into: &BTreeMap<u32, BTreeSet<u32>>, roots: &BTreeMap<u32, BTreeSet<u32>>) -> BTreeMap<u32, u32> {
    let mut beside: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (from, targets) in into.iter().filter(|(from, _)| !roots.contains_key(from)) {
        beside.entry(*from).or_default();
        for to in targets.iter().filter(|to| into.contains_key(to) && !roots.contains_key(to)) {
            beside.entry(*from).or_default().push(*to);
            beside.entry(*to).or_default().push(*from);
        }
    }
    let mut groups = BTreeMap::new();
    for first in beside.keys() {
        let mut open = if groups.contains_key(first) { vec![] } else { vec![*first] };
        while let Some(ord) = open.pop() {
            if groups.insert(ord, *first).is_none() {
                open.extend(beside.get(&ord).into_iter().flatten().filter(|other| !groups.contains_key(other)));
            }
        }
    }
    groups
}

/// Merged into a record that is in no file: the row stands, unless it is deleted, as Salesforce marks what was merged.
fn missing(
    told: &DataFrame,
    into: &BTreeMap<u32, BTreeSet<u32>>,
    crm: &str,
    files: &[InputFile],
) -> Result<Vec<Break>, LinkError> {
    let (ord, other, id) = (told.column("ord")?.u32()?, told.column("other")?.u32()?, told.column("id")?.str()?);
    let (file, line) = (told.column("file")?.u32()?, told.column("line")?.u32()?);
    let target = told.column("merged_into")?.str()?;
    let deleted = told.column("deleted")?.bool()?;
    let lost = |row: &usize| {
        let stands = deleted.get(*row) != Some(true);
        stands && other.get(*row).is_none() && ord.get(*row).is_some_and(|ord| !into.contains_key(&ord))
    };
    Ok((0..told.height())
        .filter(lost)
        .map(|row| {
            let detail = format!(
                "{crm}:{} was merged into {crm}:{}, which is in no file; the row stands by itself. Export the survivor too",
                id.get(row).unwrap_or_default(),
                target.get(row).unwrap_or_default(),
            );
            Break::new(BreakKind::MergeUnresolved, crm, id.get(row).unwrap_or_default(), detail)
                .at(super::path(files, file.get(row)), u64::from(line.get(row).unwrap_or_default()))
        })
        .collect())
}

/// A merged id that is in no file itself, and that several records say was merged into them.
fn claimed_twice(listed: &DataFrame, crm: &str, files: &[InputFile]) -> Result<Vec<Break>, LinkError> {
    let rows = listed.clone().lazy().filter(col("other").is_null().and(col("merged").is_duplicated())).collect()?;
    let (merged, id) = (rows.column("merged")?.str()?, rows.column("id")?.str()?);
    let (file, line) = (rows.column("file")?.u32()?, rows.column("line")?.u32()?);
    Ok((0..rows.height())
        .map(|row| {
            let detail = format!(
                "{crm}:{} says that {crm}:{} was merged into it, and so does another record; it is in no file, so that nothing \
                 hangs on it",
                id.get(row).unwrap_or_default(),
                merged.get(row).unwrap_or_default(),
            );
            Break::new(BreakKind::MergeUnresolved, crm, id.get(row).unwrap_or_default(), detail)
                .at(super::path(files, file.get(row)), u64::from(line.get(row).unwrap_or_default()))
        })
        .collect())
}

/// Ids and places of the rows that have to do with merges.
struct Places<'a> {
    rows: BTreeMap<u32, (String, &'a str, u64)>,
    crm: &'a str,
}

impl<'a> Places<'a> {
    fn of(
        rows: &DataFrame,
        into: &BTreeMap<u32, BTreeSet<u32>>,
        crm: &'a str,
        files: &'a [InputFile],
    ) -> Result<Self, LinkError> {
        let wanted: BTreeSet<u32> = into.iter().flat_map(|(from, to)| to.iter().chain([from])).copied().collect();
        let wanted = Series::new("ord".into(), wanted.into_iter().collect::<Vec<_>>());
        let found = rows
            .clone()
            .lazy()
            .filter(col("ord").is_in(lit(wanted).implode(false), false))
            .select([col("ord"), col("id"), col("file"), col("line")])
            .collect()?;
        let (ord, id) = (found.column("ord")?.u32()?, found.column("id")?.str()?);
        let (file, line) = (found.column("file")?.u32()?, found.column("line")?.u32()?);
        let rows = (0..found.height()).map(|row| {
            let place = (super::path(files, file.get(row)), u64::from(line.get(row).unwrap_or_default()));
            (ord.get(row).unwrap_or_default(), (id.get(row).unwrap_or_default().to_owned(), place.0, place.1))
        });
        Ok(Self { rows: rows.collect(), crm })
    }

    fn of_row(&self, ord: u32) -> (&str, &'a str, u64) {
        self.rows.get(&ord).map_or(("?", "?", 0), |(id, file, line)| (id, file, *line))
    }

    fn named(&self, ord: u32) -> String {
        let (id, file, line) = self.of_row(ord);
        format!("{}:{id} ({file}:{line})", self.crm)
    }
}
