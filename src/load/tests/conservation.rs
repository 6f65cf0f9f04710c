//! Nothing is lost: whatever a file looks like, its rows are in the table or rejected.

use super::Case;
use proptest::prelude::*;

/// Lines that go wrong in every way, among good ones.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "cus_[0-9]{1,3},[a-z]{1,5}@example\\.com,[A-Z][a-z]{0,5}",
        1 => "cus_[0-9]{1,3},\"[a-z,;]{0,5}\",\"[a-z\"]{0,3}",
        1 => "[a-z,\";\r\t ]{0,12}",
        1 => Just("cus_9,\"two\nlines\",x".to_owned()),
        1 => Just("cus_9,\"a \"\"b\"\" c\",x".to_owned()),
        1 => Just(",,".to_owned()),
        1 => Just(String::new()),
        1 => Just("cus_8,nul\0,x".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_in_the_table_or_rejected(lines in prop::collection::vec(line(), 0..12), crlf: bool) {
        let end = if crlf { "\r\n" } else { "\n" };
        let text = format!("id,Email,Name{end}{}", lines.join(end));
        let loaded = Case::new().file("c.csv", &text).customers("c.csv").load();
        let accounts = loaded.stripe.accounts.frame();
        let tabled = accounts.height() as u64;
        prop_assert_eq!(loaded.files[0].rows, tabled + loaded.rejections.len() as u64);
        // Each row names another line of the file, behind the heading.
        let mut named: Vec<u64> = accounts.column("line").unwrap().u32().unwrap().iter().flatten().map(u64::from).collect();
        named.extend(loaded.rejections.iter().map(|rejection| rejection.line));
        named.sort_unstable();
        let count = named.len();
        named.dedup();
        prop_assert_eq!(count, named.len());
        // Lone carriage returns are line ends only where they end rows.
        let mixed = loaded.files[0].dialect.as_ref().is_some_and(|dialect| dialect.line_ends == "mixed");
        let ends = if mixed { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.clone() };
        let physical = ends.matches('\n').count() as u64 + 1;
        prop_assert!(named.iter().all(|line| (2..=physical).contains(line)));
        // A plain good line is never lost to its neighbours' quotes, unless one of them reaches over it and is well formed.
        if !text.contains('"') && !text.contains('\0') {
            let good = lines.iter().filter(|line| line.starts_with("cus_") && !line.contains('\r')).count();
            prop_assert!(accounts.height() >= good);
        }
    }
}
