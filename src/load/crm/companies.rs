//! A CRM's companies: they give a name to the company of contacts that only carry its id.

use crate::config::Settings;
use crate::load::assemble::{renumbered, stacked};
use crate::load::error::TableError;
use crate::load::ordered;
use crate::load::settle::SettledRows;
use crate::load::settle::{Settled, dispositions, marked};
use crate::model::{Break, Disposition, InputFile, Reason};
use crate::table::{Contacts, look_up};
use polars::prelude::*;

/// The columns of a file of companies: index of the file, line, the company's id (never null), its name, ids of companies
/// that were merged into it, and whether it is deleted or archived (never null).
pub(super) const COLUMNS: [&str; 6] = ["file", "line", "id", "company_name", "merged_ids", "deleted"];

/// Puts the contacts of all files together, names their companies, and settles the companies' rows. `contacts`: the columns
/// of [`Contacts`] and `company_id`; `companies`: [`COLUMNS`], by CRM; `old`: rows that are done with already.
pub(in crate::load) fn join(
    contacts: Vec<DataFrame>,
    companies: Vec<Vec<DataFrame>>,
    old: Vec<SettledRows>,
    files: &[InputFile],
    settings: &Settings,
) -> Result<(Contacts, SettledRows, Vec<Break>), TableError> {
    let old = stacked(old.into_iter().map(SettledRows::into_frame).collect(), SettledRows::empty().into_frame())?;
    let mut settled = Settled::new(files, SettledRows::new(old)?);
    let nobody =
        Contacts::empty().into_frame().lazy().with_column(lit(NULL).cast(DataType::String).alias("company_id"));
    let mut contacts = stacked(renumbered(contacts)?, nobody.collect()?)?;
    for ((index, crm), frames) in (0_u32..).zip(&settings.crms).zip(companies) {
        let Some(empty) = frames.first().map(DataFrame::clear) else { continue };
        let source = crm.companies_source();
        let rows = ordered(stacked(frames, empty)?)?;
        let rows = rows.lazy().with_column(col("merged_ids").list().join(lit(";"), true).alias("merged")).collect()?;
        let standing = settled.standing(&source, &rows, &["company_name", "merged", "deleted"])?;
        let wanting = contacts
            .clone()
            .lazy()
            .filter(col("crm").eq(lit(index)).and(col("company_name").is_null()).and(col("company_id").is_not_null()))
            .select([col("ord"), col("company_id"), col("deleted")]);
        let found = look_up(wanting, by_id(&standing)?, "company_id", "id").filter(col("company").is_not_null());
        let found = found.collect()?;
        // A deleted contact is no reason to have a company.
        let used = marked(found.clone().lazy().filter(col("deleted").not()), "company", "used");
        let [disposition, reason] = dispositions(&[
            (col("deleted"), Disposition::Excluded, Some(Reason::Deleted)),
            (col("used").is_null(), Disposition::Excluded, Some(Reason::NotUsed)),
        ]);
        settled.add(&source, look_up(standing.lazy(), used, "id", "company").with_columns([disposition, reason]))?;
        let names = found.lazy().select([col("ord"), col("found_name")]);
        let names = look_up(contacts.clone().lazy().select([col("ord"), col("company_name")]), names, "ord", "ord")
            .select([coalesce(&[col("company_name"), col("found_name")]).alias("company_name")])
            .collect()?;
        contacts.with_column(names.columns()[0].clone())?;
    }
    let (settled, breaks) = settled.finish()?;
    Ok((Contacts::new(contacts)?, settled, breaks))
}

/// `id`, `company` (the id of its row), `found_name`: every id by which a company with a name is known, its merged ones
/// included, each once.
fn by_id(standing: &DataFrame) -> Result<LazyFrame, TableError> {
    let named = standing.clone().lazy().filter(col("deleted").not().and(col("company_name").is_not_null()));
    let own = named.clone().select([col("id"), col("id").alias("company"), col("company_name").alias("found_name")]);
    let merged = named
        .select([col("merged_ids").alias("id"), col("id").alias("company"), col("company_name").alias("found_name")])
        .explode(by_name(["id"], true, false), ExplodeOptions { empty_as_null: true, keep_nulls: true })
        .filter(col("id").is_not_null())
        .anti_join(standing.clone().lazy().select([col("id")]), col("id"), col("id"))
        // Merged into two companies: nobody knows which one is meant.
        .filter(col("id").is_duplicated().not());
    Ok(concat([own, merged], UnionArgs::default())?)
}
