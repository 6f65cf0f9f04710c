//! `report.html` in a real browser: it sorts, filters and searches, can be used by keyboard and without its script, asks
//! nobody for anything, and shows hostile texts as texts.

mod devtools;

use crate::site::{AS_OF, Site, repository};
use devtools::Tab;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The demo's report of its only run.
fn demo() -> (Site, PathBuf) {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let page = site.runs()[0].join("report/report.html");
    (site, page)
}

/// The sort keys of the rows of a section's first table, in the order shown; `column` counts from 0.
fn column(tab: &mut Tab, section: &str, column: usize) -> Vec<String> {
    tab.texts(&format!(
        "[...document.querySelectorAll('#{section} tbody tr')].filter((row) => !row.hidden)
          .map((row) => row.cells[{column}].dataset.v ?? row.cells[{column}].textContent.trim().toLowerCase())"
    ))
}

fn numbers(texts: &[String]) -> Vec<f64> {
    texts.iter().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect()
}

#[test]
#[ignore = "needs a browser: Debian's chromium, which .ci/run installs"]
fn browser_tables_sort_filter_and_search_by_keyboard() {
    let (_site, page) = demo();
    let mut tab = Tab::open(&page, true);
    assert_eq!(tab.disturbances(), Vec::<String>::new());

    // Sorting: a heading is a button, the largest first, and once more the smallest.
    let heads = tab.texts("[...document.querySelectorAll('#creation_disabled thead th')].map((th) => th.textContent)");
    let desired = heads.iter().position(|head| head == "MRR per sources").unwrap();
    let before = column(&mut tab, "creation_disabled", desired);
    assert!(before.len() > 50);
    let head = format!("document.querySelectorAll('#creation_disabled thead th')[{desired}]");
    tab.evaluate(&format!("{head}.querySelector('button').focus()"));
    for (direction, sorted) in [
        ("descending", (|a, b| a >= b) as fn(f64, f64) -> bool),
        ("ascending", |a, b| a <= b),
        ("descending", |a, b| a >= b),
    ] {
        tab.press("Enter");
        assert_eq!(tab.evaluate(&format!("{head}.getAttribute('aria-sort')")), direction);
        let shown = column(&mut tab, "creation_disabled", desired);
        assert!(numbers(&shown).windows(2).all(|pair| sorted(pair[0], pair[1])), "{direction}: {shown:?}");
        let all = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!((shown.len(), all(&shown)), (before.len(), all(&before)));
    }
    tab.evaluate("document.querySelector('#creation_disabled thead button').click()");
    let names = column(&mut tab, "creation_disabled", 0);
    assert!(names.is_sorted(), "{names:?}");

    // Searching: every word, anywhere in the row; the count is said.
    tab.evaluate("document.querySelector('#creation_disabled .tools input').focus()");
    tab.write("NORTHGATE example.com");
    let found = column(&mut tab, "creation_disabled", 0);
    assert!(found.len() == 1 && found[0].contains("northgate"), "{found:?}");
    let said = tab.evaluate("document.querySelector('#creation_disabled output').textContent");
    assert_eq!(said, format!("1 of {} rows", before.len()));

    // Filtering by what a column holds.
    let rows = column(&mut tab, "conflict", 1);
    let wanted = rows.iter().filter(|product| *product == "academy").count();
    assert!(wanted > 0 && wanted < rows.len());
    tab.evaluate(
        "{ const pick = document.querySelector('#conflict .tools select');
           pick.value = 'academy'; pick.dispatchEvent(new Event('change')); }",
    );
    assert_eq!(column(&mut tab, "conflict", 1), vec!["academy"; wanted]);

    // A link that speaks of one product shows that product's rows.
    let link =
        |product: &str| format!("document.querySelector('#person a[href=\"#conflict\"][data-only={product}]').click()");
    tab.evaluate(&link("core"));
    assert_eq!(column(&mut tab, "conflict", 1), vec!["core"; rows.len() - wanted]);

    // Who churned is found by a filter.
    tab.evaluate(
        "{ const pick = document.querySelector('#updated [data-of=Movement]');
           pick.value = 'churn'; pick.dispatchEvent(new Event('change')); }",
    );
    let said = tab.evaluate("document.querySelector('#updated output').textContent");
    assert!(said.as_str().unwrap().starts_with("2 of "), "{said}");

    // What the page asks for can be copied.
    tab.evaluate("document.querySelector('.copy').click()");
    let request = tab.evaluate("getSelection().toString()");
    assert!(request.as_str().unwrap().contains("58 customers are waiting"), "{request}");
    assert_eq!(tab.disturbances(), Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser: Debian's chromium, which .ci/run installs"]
fn browser_shows_the_same_tables_without_the_script() {
    let (_site, page) = demo();
    let rows = "document.querySelectorAll('tbody tr:not([hidden])').length";
    let with = Tab::open(&page, true).evaluate(rows);
    let mut tab = Tab::open(&page, false);
    assert_eq!(tab.evaluate(rows), with);
    assert_eq!(tab.evaluate("document.querySelectorAll('.tools, button').length"), 0);
    assert_eq!(tab.disturbances(), Vec::<String>::new());
}

#[test]
#[ignore = "needs a browser: Debian's chromium, which .ci/run installs"]
fn browser_page_can_be_walked_by_headings_tables_and_keyboard() {
    let (_site, page) = demo();
    let mut tab = Tab::open(&page, true);

    let levels = tab.texts("[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((head) => head.tagName[1])");
    let levels: Vec<u32> = levels.iter().map(|level| level.parse().unwrap()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels[0] == 1 && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");

    for (none, selector) in [
        ("heading cell without a scope", "th:not([scope])"),
        ("table without a caption or heading cells", "table:not(:has(caption)), table:not(:has(thead th))"),
        ("row without a heading cell", "table:has(tbody th) tbody tr:not(.rest):not(:has(th))"),
        ("picture neither told nor hidden", "svg:not([aria-hidden=true]):not(:has(title + desc))"),
        ("control without a name", "input:not([aria-label]), select:not([aria-label]), button:empty"),
        ("region without a name", "[role=region]:not([aria-label])"),
    ] {
        let found =
            tab.texts(&format!("[...document.querySelectorAll('{selector}')].map((e) => e.outerHTML.slice(0, 200))"));
        assert_eq!(found, Vec::<String>::new(), "{none}");
    }
    let lost = tab.texts(
        "[...document.querySelectorAll('[href^=\"#\"]')].map((a) => a.hash.slice(1))
          .concat([...document.querySelectorAll('[aria-labelledby]')].flatMap((e) => e.getAttribute('aria-labelledby').split(' ')))
          .filter((id) => !document.getElementById(id))",
    );
    assert_eq!(lost, Vec::<String>::new(), "references to nothing");
    let twice = tab.texts(
        "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, at, all) => all.indexOf(id) !== at)",
    );
    assert_eq!(twice, Vec::<String>::new(), "ids that stand twice");

    // Every control and every scrolling list is reached by the Tab key alone, the way past the menu first.
    tab.evaluate(
        "window.left = new Set([...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]
           .filter((e) => e.checkVisibility()));
         window.first = null;
         addEventListener('focusin', (e) => { window.first ??= e.target; window.left.delete(e.target); });",
    );
    let steps = tab.evaluate("window.left.size").as_u64().unwrap();
    assert!(steps > 50, "{steps}");
    // A box that scrolls is a stop of its own.
    let boxes = tab.evaluate("document.querySelectorAll('.box, .beside, pre').length").as_u64().unwrap();
    for _ in 0..steps + boxes {
        tab.press("Tab");
    }
    assert_eq!(tab.evaluate("window.first.className"), "skip");
    let left = tab.texts("[...window.left].map((e) => e.outerHTML.slice(0, 200))");
    assert_eq!(left, Vec::<String>::new(), "never reached");

    // Nothing is wider than the window, down to a phone's.
    for width in [1440_u64, 1000, 480] {
        let metrics = serde_json::json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        tab.call("Emulation.setDeviceMetricsOverride", &metrics);
        let needed = tab.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(needed <= width, "{needed} at {width}");
    }
    assert_eq!(tab.disturbances(), Vec::<String>::new());
}

/// Texts that have broken pages elsewhere: the published list where it is there, and always some of our own.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "</td></tr></table><script>document.title='taken'</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "{{ self }} {% for %} &lt;b&gt; &amp;",
        "</style></title></textarea><iframe src=https://example.com></iframe>",
        "<!-- <a href=\"javascript:alert(1)\">here</a>",
        "=HYPERLINK(\"https://example.com\")",
    ]
    .map(str::to_owned)
    .into();
    if let Ok(list) = std::fs::read_to_string(repository().join("../shared/corpora/naughty-strings/blns.json")) {
        texts.extend(serde_json::from_str::<Vec<String>>(&list).unwrap());
    }
    texts
}

#[test]
#[ignore = "needs a browser: Debian's chromium, which .ci/run installs"]
fn browser_hostile_texts_in_every_field_stay_texts() {
    let texts = hostile();
    let site = Site::new(0);
    let file = |name: &str, rows: Vec<Vec<String>>| {
        let mut writer = csv::Writer::from_path(site.path(name)).unwrap();
        for row in rows {
            writer.write_record(row).unwrap();
        }
        writer.flush().unwrap();
    };
    let heading = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut customers = vec![heading("id,Email,Name,Created (UTC)")];
    let mut contacts =
        vec![heading("Record ID,First Name,Last Name,Email,Company Name,Customer ID,Stripe Customer ID")];
    let mut existing = String::new();
    for (n, text) in texts.iter().enumerate() {
        let (id, email) = (format!("cus_{n}"), format!("c{n}@example.com"));
        let owned = |text: &str| text.to_owned();
        customers.push(vec![id.clone(), email.clone(), text.clone(), owned("2025-01-01 00:00")]);
        // Of each four, one has the text for its external id, and one for its e-mail.
        let external = if n % 4 == 1 { text.clone() } else { format!("E-{n}") };
        let email = if n % 4 == 2 { text.clone() } else { email };
        contacts.push(vec![n.to_string(), text.clone(), owned(""), email.clone(), text.clone(), external, id]);
        if n % 4 == 3 {
            let held = serde_json::json!({"tether_id": text, "external_id": format!("E-{n}"), "email": email,
                "name": format!("{text} before"), "company_name": text, "mrr": 7});
            writeln!(existing, "{held}").unwrap();
        }
        let orphan = serde_json::json!({"tether_id": format!("o{n}"), "name": text, "mrr": n});
        writeln!(existing, "{orphan}").unwrap();
        // Accounts that are nothing but the text: a few, since a list holds 500 customers.
        if n % 8 == 0 {
            customers.push(vec![text.clone(), format!("o{n}@example.com"), text.clone(), text.clone()]);
        }
    }
    file("in/customers.csv", customers);
    file("in/contacts.csv", contacts);
    site.write("in/core.jsonl", existing);
    let configuration = site.read("recon.toml");
    site.write("recon.toml", configuration.replace("\"on\"", "\"off\""));
    let ran = site.ran(&format!("run --as-of {AS_OF}"));
    assert!(matches!(ran.code, 0 | 3), "{}{}", ran.stdout, ran.stderr);

    let mut tab = Tab::open(&site.runs()[0].join("report/report.html"), true);
    assert_eq!(tab.disturbances(), Vec::<String>::new());
    // Nothing in the page but what the templates put there.
    let tags: BTreeSet<String> =
        tab.texts("[...document.querySelectorAll('*')].map((e) => e.localName)").into_iter().collect();
    let ours = "html head meta title style script body a header p span b code section h1 h2 h3 h4 dl div dt dd nav ul li \
                main table caption thead tbody tfoot tr th td i s em details summary figure figcaption svg desc text path rect \
                polygon pre footer input output select option button";
    let ours: BTreeSet<String> = ours.split_whitespace().map(str::to_owned).collect();
    assert_eq!(tags.difference(&ours).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(tab.evaluate("document.scripts.length"), 1);
    let handlers = tab.texts(
        "[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((name) => name.startsWith('on') || name === 'src' || name === 'style')",
    );
    assert_eq!(handlers, Vec::<String>::new());
    let links: BTreeSet<String> = tab
        .texts("[...document.links].map((a) => a.getAttribute('href')).filter((href) => !href.startsWith('#'))")
        .into_iter()
        .collect();
    let files = ["accounting.csv", "changes.csv", "customers.csv", "report.xlsx", "summary.json"];
    assert!(links.iter().all(|link| files.contains(&link.as_str())), "{links:?}");
    assert!(tab.evaluate("document.title").as_str().unwrap().contains("tether-recon"));

    // What is plain enough to pass every rule of normalising stands there letter by letter.
    let shown: BTreeSet<String> = tab
        .texts("[...document.querySelectorAll('.who b, .who span, .changes em, td')].map((e) => e.textContent)")
        .into_iter()
        .collect();
    let plain = |text: &&String| {
        let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
        !text.is_empty() && **text == spaced && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    let missing: Vec<&String> = texts.iter().filter(plain).filter(|text| !shown.contains(*text)).collect();
    assert_eq!(missing, Vec::<&String>::new());

    // Sorting and searching what is hostile does nothing else either.
    tab.evaluate("for (const button of document.querySelectorAll('thead button')) button.click()");
    tab.evaluate("document.querySelector('.tools input').focus()");
    tab.write("<script>");
    assert_eq!(tab.disturbances(), Vec::<String>::new());
}
