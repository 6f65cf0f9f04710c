//! CSV that a spreadsheet may open: no cell of text is taken for a formula.

use super::ReportError;
use polars::prelude::*;
use std::io::Write;
use std::num::NonZeroUsize;

/// Rows that one thread turns into text at a time.
const BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8191);

/// What a spreadsheet would take for a formula, or would not show as it is: a text that begins with `=`, `+`, `-`, `@`, a
/// wide, small or typographic form of one of them, a tab or a line's end, also behind blanks, invisible characters and
/// quotes.
const FORMULA: &str = r#"^[\p{Z}\p{Cc}\p{Cf}"'`]*[\t\r\n=+\-@＝＋－＠﹦﹢﹣﹫−]"#;

/// A plain decimal, which is a number and nothing else.
const NUMBER: &str = r"^-?[0-9]+(?:\.[0-9]+)?$";

/// Writes what `shape` makes of each `slice` rows of `frame`, guarded; the heading once, also when there is no row.
pub(super) fn write(
    frame: &DataFrame,
    slice: usize,
    out: &mut dyn Write,
    shape: impl Fn(&DataFrame) -> PolarsResult<DataFrame>,
) -> Result<(), ReportError> {
    let mut offset = 0;
    loop {
        let part = frame.slice(i64::try_from(offset).unwrap_or(i64::MAX), slice);
        let mut rows = guarded(shape(&part)?)?;
        CsvWriter::new(&mut *out).include_header(offset == 0).with_batch_size(BATCH).finish(&mut rows)?;
        offset += slice;
        if offset >= frame.height() {
            return Ok(());
        }
    }
}

/// `frame` with an apostrophe before every text that [`FORMULA`] describes and that is no [`NUMBER`]. Taking one
/// apostrophe away from what still looks like a formula behind it gives the text back.
fn guarded(frame: DataFrame) -> PolarsResult<DataFrame> {
    let text = frame.columns().iter().filter(|column| column.dtype() == &DataType::String);
    let guards: Vec<Expr> = text
        .map(|column| {
            let cell = || col(column.name().clone());
            let looks_like = |pattern: &str| cell().str().contains(lit(pattern), true);
            when(looks_like(FORMULA).and(looks_like(NUMBER).not()))
                .then(concat_str([lit("'"), cell()], "", false))
                .otherwise(cell())
                .alias(column.name().clone())
        })
        .collect();
    frame.lazy().with_columns(guards).collect()
}

#[cfg(test)]
mod tests {
    use super::guarded;
    use polars::prelude::*;
    use proptest::prelude::*;

    fn guard(texts: &[&str]) -> Vec<String> {
        let frame = DataFrame::new_infer_height(vec![Column::new("a".into(), texts)]).unwrap();
        let guarded = guarded(frame).unwrap();
        guarded.column("a").unwrap().str().unwrap().iter().map(|cell| cell.unwrap().to_owned()).collect()
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_guarded_and_nothing_else() {
        let formulas = [
            "=1+1",
            "+1",
            "-A1",
            "@SUM(A1)",
            "\t=1",
            "\tx",
            "\rx",
            "\nx",
            " =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\"=1\"",
            "'=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            "−1",
            "﹦1",
            "=",
            "-",
            "--1",
            "-1-1",
            "+49 30 1234",
            "-1,5",
            "\u{202e}=1",
        ];
        for (formula, guarded) in formulas.iter().zip(guard(&formulas)) {
            assert_eq!(guarded, format!("'{formula}"), "{formula:?}");
        }
        let plain = [
            "",
            "a=1",
            "1+1",
            "-12.50",
            "-7",
            "12",
            "O'Brien",
            "'quoted'",
            "a@example.com",
            "1-2",
            "2026-11-01T00:00:00Z",
            "«=1»",
            "\u{1f600}",
            "cus_1;cus_2",
        ];
        assert_eq!(guard(&plain), plain);
    }

    #[test]
    fn numbers_instants_and_absent_cells_are_left_alone() {
        let frame = DataFrame::new_infer_height(vec![
            Column::new("number".into(), [-1_i64, 2]),
            Column::new("text".into(), [None, Some("=1")]),
        ])
        .unwrap();
        let guarded = guarded(frame).unwrap();
        assert_eq!(guarded.column("number").unwrap().i64().unwrap().get(0), Some(-1));
        let text = guarded.column("text").unwrap().str().unwrap().clone();
        assert_eq!((text.get(0), text.get(1)), (None, Some("'=1")));
    }

    /// What a reader does who wants the text back.
    fn taken_back(cell: &str) -> &str {
        match cell.strip_prefix('\'') {
            Some(rest) if guard(&[rest])[0] != rest => rest,
            _ => cell,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn taking_the_apostrophe_away_gives_the_text_back(text in "['\"=+\\-@ \t1a.]{0,6}") {
            let cell = guard(&[&text]).remove(0);
            prop_assert_eq!(taken_back(&cell), text);
        }
    }
}
