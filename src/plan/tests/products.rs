//! Several products: whose rows are whose, and that nothing is lost or counted twice unsaid.

use super::messes::{Mess, mess, planned_for, the_law_holds, told};
use super::scenario::{AS_OF, plan, settings, settings_with};
use super::{accounting, rows};
use crate::config::Settings;
use crate::model::{Break, BreakKind, Disposition, Instant, Reason};
use crate::plan::Planned;
use crate::report::{Outcomes, ReportModel, RunData};
use crate::runs::{MANIFEST_FORMAT, Manifest, Mode, Part, Proof, RunStatus};
use polars::prelude::*;
use proptest::prelude::*;

const CORE: (&str, &str) = ("core", "stripe_subscriptions.product = 'p_core'");
const ACADEMY: (&str, &str) = ("academy", "stripe_subscriptions.product = 'p_academy'");

/// Two products, an account of both, one of each, and one of neither.
const SOURCES: &str = "account cus_a email=a@example.com\naccount cus_b email=b@example.com\n\
    account cus_c email=c@example.com\naccount cus_n email=n@example.com\n\
    sub sub_a cus_a active 10 product=p_core\nsub sub_a2 cus_a active 7 product=p_academy\n\
    sub sub_b cus_b active 20 product=p_core\nsub sub_c cus_c active 40 product=p_academy\n\
    sub sub_n cus_n active 80 product=p_other\nsub sub_x cus_gone active 160 product=p_core\n\
    contact 1 email=a@example.com name=Ann\ncontact 2 email=n@example.com";

/// Every control total that the report of a plan would hold, and does not tie.
fn untied(plan: &Planned, settings: &Settings) -> Vec<String> {
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        run_id: "r".into(),
        tool_version: String::new(),
        mode: Mode::Plan,
        status: RunStatus::Planned,
        exit_code: None,
        as_of: Instant::parse(AS_OF).unwrap(),
        started_at: Instant::parse(AS_OF).unwrap(),
        finished_at: None,
        config_hash: String::new(),
        configuration: serde_json::Value::Null,
        plan_hash: String::new(),
        baseline_hash: String::new(),
        selection: None,
        waiting_hash: None,
        currency: settings.run.currency,
        currency_digits: 2,
        mrr_definition: vec![],
        products: plan.products.clone(),
        inputs: vec![],
        sources: plan.sources.clone(),
        division: plan.division.clone(),
        mix: None,
        overrides: vec![],
        guards: vec![],
        exit_on_creation_disabled: false,
        approval: None,
        redacted: false,
        proof: Proof::default(),
    };
    let model = ReportModel::build(RunData {
        manifest: &manifest,
        plan: &plan.rows,
        accounting: &plan.accounting,
        breaks: &plan.breaks,
        outcomes: Outcomes::NotSent(Reason::PlanOnly),
        waiting: None,
        salt: None,
    });
    let ties = model.unwrap().tie_outs;
    ties.iter().filter(|tie| !tie.ties()).map(crate::report::TieOut::sentence).collect()
}

/// `product key mrr` of every row.
fn amounts(plan: &Planned) -> Vec<String> {
    let rows = plan.rows.frame().sort(["product", "key"], SortMultipleOptions::default()).unwrap();
    let text = |name: &str| rows.column(name).unwrap().str().unwrap().clone();
    let (product, key, mrr) = (text("product"), text("key"), rows.column("mrr").unwrap().i64().unwrap().clone());
    (0..rows.height())
        .map(|row| format!("{} {} {}", product.get(row).unwrap(), key.get(row).unwrap(), mrr.get(row).unwrap()))
        .collect()
}

fn minor(part: &Part) -> (u64, Option<&str>) {
    (part.rows, part.mrr.as_ref().map(|mrr| mrr.num.as_str()))
}

#[test]
fn each_product_has_the_rows_of_its_filter_and_nobody_s_rows_are_counted() {
    let settings = settings_with(&[CORE, ACADEMY]);
    let plan = plan(SOURCES, &settings);
    assert_eq!(
        amounts(&plan),
        ["academy cus_c 4000", "academy hubspot:1 700", "core cus_b 2000", "core hubspot:1 1000"]
    );
    assert_eq!(
        accounting(&plan),
        [
            "stripe_customers:cus_a contributed -",
            "stripe_customers:cus_b contributed -",
            "stripe_customers:cus_c contributed -",
            "stripe_customers:cus_n excluded no_product",
            "stripe_subscriptions:sub_a contributed -",
            "stripe_subscriptions:sub_a2 contributed -",
            "stripe_subscriptions:sub_b contributed -",
            "stripe_subscriptions:sub_c contributed -",
            "stripe_subscriptions:sub_n excluded no_product",
            "stripe_subscriptions:sub_x unattached subscription_without_customer",
            "hubspot:1 contributed -",
            "hubspot:2 excluded no_billing_account",
        ]
    );
    let subscriptions = plan.division.iter().find(|part| part.name == "stripe_subscriptions").unwrap();
    assert_eq!(minor(&subscriptions.none), (1, Some("8000")));
    assert_eq!(minor(&subscriptions.one), (5, Some("23700")));
    assert_eq!(minor(&subscriptions.several), (0, Some("0")));
    let taken = |product: usize| {
        let totals = plan.products[product].taken.iter().find(|source| source.name == "stripe_subscriptions").unwrap();
        (totals.rows_read, totals.mrr_total.as_ref().unwrap().num.clone())
    };
    assert_eq!(taken(0), (3, "19000".to_owned()));
    assert_eq!(taken(1), (2, "4700".to_owned()));
    assert_eq!(untied(&plan, &settings), Vec::<String>::new());
}

#[test]
fn a_filter_that_takes_nothing_needs_a_person_and_says_what_there_is() {
    let settings = settings_with(&[CORE, ("typo", "stripe_subscriptions.product = 'p_acadmey'"), ("all", "")]);
    let found = |text: &str| -> Vec<Break> {
        let plan = plan(text, &settings);
        plan.breaks.into_iter().filter(|found| found.kind == BreakKind::FilterTakesNothing).collect()
    };
    let breaks = found(SOURCES);
    assert_eq!(breaks.len(), 1, "{breaks:?}");
    assert_eq!((breaks[0].scope.as_str(), breaks[0].key.as_str()), ("typo", "stripe_subscriptions"));
    assert_eq!(
        breaks[0].detail,
        "the filter of typo takes none of the 6 rows of stripe_subscriptions; `product` holds `p_core`, `p_academy`, \
         `p_other`; correct the filter, or the source"
    );
    // Of what is empty nothing can be taken.
    assert_eq!(found("account cus_a email=a@example.com"), []);
}

#[test]
fn what_the_filters_of_several_products_take_counts_in_each_and_is_a_break() {
    let settings = settings_with(&[("all", ""), CORE, ("paying", "stripe_subscriptions.status = 'active'")]);
    let plan = plan(SOURCES, &settings);
    let found: Vec<_> = plan.breaks.iter().filter(|found| found.kind == BreakKind::SeveralProducts).collect();
    let keys: Vec<&str> = found.iter().map(|found| found.key.as_str()).collect();
    assert_eq!(keys, ["sub_a", "sub_b", "sub_x"]);
    assert!(found[0].detail.contains("the filters of core, paying take this subscription"), "{}", found[0].detail);
    assert_eq!((found[0].file.as_deref(), found[0].line), (Some("stripe_subscriptions"), Some(5)));
    let subscriptions = plan.division.iter().find(|part| part.name == "stripe_subscriptions").unwrap();
    // All of the six are taken by two, three by the third as well.
    assert_eq!(minor(&subscriptions.several), (6, Some("31700")));
    assert_eq!(minor(&subscriptions.again), (9, Some("50700")));
    assert_eq!(untied(&plan, &settings), Vec::<String>::new());
}

#[test]
fn a_row_that_several_products_take_has_the_strongest_of_its_dispositions_and_all_its_customers() {
    // In core two contacts claim the account; in academy, which leaves one of them out, the other has it.
    let sources = "account cus_a email=a@example.com\nsub sub_a cus_a active 10 product=p_core\n\
        sub sub_b cus_a active 10 product=p_academy\n\
        contact 1 stripe=cus_a name=Ann\ncontact 2 stripe=cus_a name=Ben";
    let settings = settings_with(&[
        ("core", "stripe_subscriptions.product = 'p_core'"),
        ("academy", "stripe_subscriptions.product = 'p_academy' AND hubspot.name <> 'Ben'"),
    ]);
    let plan = plan(sources, &settings);
    let frame = plan.accounting.frame();
    let customers = frame.column("customer").unwrap().str().unwrap();
    let told: Vec<_> = accounting(&plan).into_iter().zip(customers.iter().map(Option::unwrap_or_default)).collect();
    assert_eq!(told[0], ("stripe_customers:cus_a contributed -".to_owned(), "hubspot:1"));
    assert_eq!(told[1].0, "stripe_subscriptions:sub_a ambiguous ambiguous_account");
    assert_eq!(told[2], ("stripe_subscriptions:sub_b contributed -".to_owned(), "hubspot:1"));
    assert_eq!(untied(&plan, &settings), Vec::<String>::new());

    let both = "account cus_a email=a@example.com\naccount cus_b email=a@example.com\n\
        sub sub_a cus_a active 10 product=p_core\nsub sub_b cus_b active 10 product=p_academy\nsub sub_c cus_b active 1 product=p_core";
    let plan = super::plan(both, &settings_with(&[CORE, ACADEMY]));
    let frame = plan.accounting.frame();
    // In academy the second account stands alone, in core it is one customer with the first.
    assert_eq!(frame.column("customer").unwrap().str().unwrap().get(1), Some("cus_a;cus_b"));
}

#[test]
fn the_newest_row_of_a_subscription_says_whose_it_is() {
    let sources = "account cus_a email=a@example.com\nsub sub_a cus_a active 11 product=p_academy\nsub sub_a cus_a active 10 product=p_core";
    let settings = settings_with(&[CORE, ACADEMY]);
    let plan = plan(sources, &settings);
    assert_eq!(amounts(&plan), ["core cus_a 1000"]);
    assert_eq!(accounting(&plan)[1], "stripe_subscriptions:sub_a superseded -");
    assert_eq!(untied(&plan, &settings), Vec::<String>::new());
}

#[test]
fn an_override_that_decides_for_one_product_is_used_whatever_the_other_knows() {
    let sources = format!("{SOURCES}\nlink cus_b hubspot:2\nlink cus_n hubspot:1");
    let plan = plan(&sources, &settings_with(&[CORE, ACADEMY]));
    let states: Vec<&str> = plan.overrides.iter().map(|used| used.state.as_str()).collect();
    assert_eq!(states, ["used", "no_longer_applies"]);
    let breaks: Vec<&str> =
        plan.breaks.iter().filter(|found| found.scope == "overrides").map(|found| found.key.as_str()).collect();
    assert_eq!(breaks, ["cus_n,hubspot:1"]);
}

#[test]
fn without_a_filter_every_product_has_every_row_as_before() {
    let one = plan(SOURCES, &settings());
    let two = plan(SOURCES, &settings_with(&[("core", ""), ("academy", "")]));
    assert_eq!(format!("{:?}", one.sources), format!("{:?}", two.sources));
    assert_eq!(told(one.accounting.frame(), &[]), told(two.accounting.frame(), &[]));
    assert_eq!(rows(&one).len() * 2, rows(&two).len());
    assert!(two.division.is_empty() && two.products.iter().all(|product| product.taken.is_empty()));
}

/// Filters over the messes, each with what it is about.
const FILTERS: [&str; 10] = [
    "",
    "stripe_subscriptions.interval = 'month'",
    "stripe_subscriptions.interval <> 'month'",
    "stripe_subscriptions.currency IN ('usd', 'eur')",
    "stripe_subscriptions.status = 'active' OR stripe_subscriptions.id > 'sub_4'",
    "stripe_customers.email LIKE '%@example.com'",
    "stripe_customers.email IS NULL",
    "stripe_customers.created < '2025-01-15' AND stripe_subscriptions.interval IN ('month', 'year')",
    "first.\"First Name\" = 'Ann'",
    "(first.\"First Name\" IS DISTINCT FROM 'Ann') AND second.email IS NOT NULL AND stripe_customers.id <> 'cus_3'",
];

fn sections(products: &[(usize, usize)]) -> String {
    let section = |&(name, filter): &(usize, usize)| {
        let filter =
            if FILTERS[filter].is_empty() { String::new() } else { format!("filter = '''{}'''\n", FILTERS[filter]) };
        format!("[[product]]\nname = \"p{name}\"\nkey = {{ env = \"K{name}\" }}\n{filter}")
    };
    products.iter().map(section).collect()
}

/// The mess without existing customers, which belong to one product.
fn given(mut mess: Mess) -> Mess {
    mess[4].clear();
    mess
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_filters_rows_and_money_tie_and_products_do_not_touch_one_another(
        mess in mess(),
        filters in prop::collection::vec(0..FILTERS.len(), 1..4),
    ) {
        let mess = given(mess);
        let products: Vec<(usize, usize)> = filters.iter().copied().enumerate().collect();
        let (plan, settings) = planned_for(&mess, 1, &sections(&products));
        the_law_holds(&mess, &plan)?;
        prop_assert_eq!(untied(&plan, &settings), Vec::<String>::new());

        let mut turned = products.clone();
        turned.reverse();
        let (other, _) = planned_for(&mess, 1, &sections(&turned));
        let (rows, of_sending) = (|plan: &Planned| told(plan.rows.frame(), &["row"]), |plan: &Planned| format!("{:?}", plan.division));
        prop_assert_eq!(rows(&plan), rows(&other));
        prop_assert_eq!(told(plan.accounting.frame(), &[]), told(other.accounting.frame(), &[]));
        prop_assert_eq!(format!("{:?}", plan.sources), format!("{:?}", other.sources));
        prop_assert_eq!(of_sending(&plan), of_sending(&other));

        for product in &products {
            let (alone, _) = planned_for(&mess, 1, &sections(&[*product]));
            let name = format!("p{}", product.0);
            let own = plan.rows.lazy().filter(col("product").eq(lit(name.as_str()))).collect().unwrap();
            prop_assert_eq!(told(&own, &["row"]), told(alone.rows.frame(), &["row"]), "{}", name);
            let totals = |plan: &Planned| {
                let product = plan.products.iter().find(|product| product.name == name).unwrap();
                format!("{:?}", product.totals)
            };
            prop_assert_eq!(totals(&plan), totals(&alone));
        }
    }

    #[test]
    fn a_condition_and_its_opposite_share_out_what_can_be_judged(mess in mess()) {
        let (plan, _) = planned_for(&given(mess), 1, &sections(&[(0, 1), (1, 2)]));
        let part = plan.division.iter().find(|part| part.name == "stripe_subscriptions").unwrap();
        prop_assert_eq!(minor(&part.several), (0, Some("0")));
        prop_assert!(plan.breaks.iter().all(|found| found.kind != BreakKind::SeveralProducts));
        let unattached = plan.sources.iter().find(|source| source.name == "stripe_subscriptions").unwrap();
        prop_assert!(!unattached.dispositions.contains_key(&Disposition::Contributed) || part.one.rows > 0);
    }
}
