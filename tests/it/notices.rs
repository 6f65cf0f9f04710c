//! Being told: who hears of which end, once, and what happens when nobody listens.

use crate::hooks::{Answer, Hooks};
use crate::prometheus;
use crate::server::Server;
use crate::site::{Ran, Site, contents, ended, signal, wait_until};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// What makes an address a secret: it must stand nowhere but in the file that holds it.
const TOKEN: &str = "t0ken-do-not-print-me-4711";

/// A place where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A site whose notices go to `hooks`; `further` lines join `[notify]`.
struct Night {
    site: Site,
    hooks: Hooks,
}

impl Night {
    fn new(accounts: usize, further: &str) -> Self {
        let night = Self { site: Site::new(accounts), hooks: Hooks::start() };
        for name in ["slack", "webhook", "ping"] {
            night.site.write(name, format!("{}/{name}/{TOKEN}\n", night.hooks.url));
            std::fs::set_permissions(night.site.path(name), PermissionsExt::from_mode(0o600)).unwrap();
        }
        night.configure("sandbox", further, "");
        night
    }

    /// `further` joins `[notify]`; `tables` come before it, and what follows `[tether]` in them joins that.
    fn configure(&self, url: &str, further: &str, tables: &str) {
        let (tables, tether) = tables.split_once("[tether]").unwrap_or((tables, ""));
        let notify = format!(
            "[notify]\nslack = {{ file = \"slack\" }}\nwebhook = {{ file = \"webhook\" }}\nping = {{ file = \"ping\" }}\n\
             metrics = \"recon.prom\"\n{further}\n{tables}\n[tether]\n{tether}"
        );
        self.site.configure(url, &notify);
    }

    fn run(&self, code: i32) -> Ran {
        self.site.expect("run", code)
    }

    /// The kinds of what came since the last look: `ping/start`, `slack`.
    fn came(&self) -> Vec<String> {
        self.hooks.paths().iter().map(|path| kind(path)).collect()
    }

    fn metrics(&self) -> prometheus::Samples {
        prometheus::read(&self.site.read("recon.prom"))
    }
}

/// A path without its token.
fn kind(path: &str) -> String {
    path.trim_start_matches('/').replace(&format!("/{TOKEN}"), "")
}

/// The value of the only sample of `metric`.
fn single(samples: &prometheus::Samples, metric: &str) -> Option<f64> {
    samples.iter().find(|((name, _), _)| name == metric).map(|(_, value)| *value)
}

/// A customer that cannot be created: it has no e-mail.
fn needs_a_person(site: &Site) {
    site.append("in/customers.csv", "cus_x,,Nobody,2025-01-01 00:00\n");
}

/// An exit code, what brings it about, and who is told.
type End<'e> = (i32, &'e dyn Fn(&mut Night), &'e [&'e str]);

#[test]
fn each_end_reaches_who_is_to_hear_of_it() {
    let ends: [End; 8] = [
        (0, &|_| {}, &["ping/start", "ping"]),
        (2, &|night| night.site.write("state", "in the way"), &["ping/fail", "slack", "webhook"]),
        (3, &|night| needs_a_person(&night.site), &["ping/start", "ping", "slack", "webhook"]),
        (
            4,
            &|night| night.configure("sandbox", "", "[guards]\nmax_created = 1"),
            &["ping/start", "ping/fail", "slack", "webhook"],
        ),
        (
            5,
            &|night| night.configure(NOWHERE, "", "[tether]\nmax_tries = 1"),
            &["ping/start", "ping/fail", "slack", "webhook"],
        ),
        (
            6,
            &|night| {
                night.configure(NOWHERE, "", "");
                night.site.set_key(None);
            },
            &["ping/start", "ping/fail", "slack", "webhook"],
        ),
        (
            7,
            &|night| {
                std::fs::create_dir(night.site.path("state")).unwrap();
                let lock = File::create(night.site.path("state/lock")).unwrap();
                lock.lock().unwrap();
                // Held until the test ends.
                std::mem::forget(lock);
            },
            &[],
        ),
        (
            8,
            &|night| std::fs::remove_file(night.site.path("in/contacts.csv")).unwrap(),
            &["ping/start", "ping/fail", "slack", "webhook"],
        ),
    ];
    for (code, happens, expected) in ends {
        let mut night = Night::new(60, "");
        happens(&mut night);
        let said = night.run(code);
        let came = night.hooks.came();
        let mut kinds: Vec<String> = came.iter().map(|notice| kind(notice.path())).collect();
        assert!(!kinds.contains(&"ping/start".to_owned()) || kinds[0] == "ping/start", "{code}: {kinds:?}");
        kinds.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(kinds, expected, "{code}: {}", said.stderr);
        for notice in &came {
            let content = if kind(notice.path()).starts_with("ping") { "text/plain" } else { "application/json" };
            let has = |header: &str| notice.headers.iter().any(|line| line.to_lowercase().starts_with(header));
            assert!(notice.line.starts_with("POST ") && has(&format!("content-type: {content}")), "{notice:?}");
            assert!(has("user-agent: tether-recon/"), "{notice:?}");
        }
        let last = said.stderr.lines().last().unwrap_or_default();
        let why = match code {
            4 => "error: exit 4: refused by max_created: ",
            5 => "error: exit 5: core: unavailable: ",
            0 | 3 => "",
            _ => "error: ",
        };
        assert!(last.starts_with(why) || matches!(code, 2 | 7), "{code}: {}", said.stderr);
        if code == 7 {
            assert!(!night.site.path("recon.prom").exists(), "the run that holds the lock writes its own");
            continue;
        }
        assert_eq!(single(&night.metrics(), "tether_recon_last_run_exit_code"), Some(f64::from(code)));
        for notice in came.iter().filter(|notice| kind(notice.path()) == "webhook") {
            let body = notice.json();
            assert_eq!((&body["exit_code"], &body["notice"]), (&code.into(), &"trouble".into()), "{body}");
            assert_eq!(body["error"].is_null(), code == 3, "{code}: {body}");
            assert_eq!(body["products"].as_array().unwrap().is_empty(), matches!(code, 2 | 6 | 8), "{code}: {body}");
        }
    }
}

#[test]
fn a_notice_holds_no_cell_of_a_file_and_the_terminal_does() {
    let night = Night::new(9, "");
    night.site.write("in/customers.csv", "cus_0,Zelda Quux,2025-01-01 00:00\n");
    assert!(night.run(8).stderr.contains("Zelda Quux"));
    let came = night.hooks.came();
    assert!(
        came.iter().any(|notice| notice.body.contains("is headed ***; expected are Stripe's customers")),
        "{came:?}"
    );
    assert!(came.iter().all(|notice| !notice.body.contains("Zelda") && !notice.body.contains("cus_0")), "{came:?}");
}

#[test]
fn the_notice_tells_what_the_report_says_and_nothing_of_customers() {
    let night = Night::new(9, "name = \"books\"\nwhen = \"always\"");
    needs_a_person(&night.site);
    night.run(3);
    let report = night.site.report();
    let came = night.hooks.came();
    for notice in &came {
        assert!(!notice.body.contains("@example.com") && !notice.body.contains("Customer 1"), "{}", notice.body);
    }
    let of = |kind: &str| came.iter().find(|notice| notice.path().starts_with(kind)).unwrap();
    let text = of("/slack").json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("*books*: done; some rows need a person (exit 3)\ncore: 3 created 315.00"), "{text}");
    assert!(text.contains("Needs a person: 1 invalid (core)") && text.contains("report.html"), "{text}");
    let body = of("/webhook").json();
    let product = &report.summary["products"][0];
    assert_eq!(body["products"][0]["mrr_before"], product["mrr_bridge"]["opening"]);
    assert_eq!(body["products"][0]["mrr_after"], product["mrr_bridge"]["closing"]);
    assert_eq!(body["products"][0]["calls"], product["calls"]);
    for (outcome, of) in body["products"][0]["outcomes"].as_object().unwrap() {
        assert_eq!(of["customers"], product["outcomes"][outcome], "{outcome}");
    }
    assert_eq!((&body["run_id"], &body["needs_a_person"]), (&report.summary["run_id"], &1.into()));
    let page = std::fs::canonicalize(report.folder.join("report/report.html")).unwrap();
    assert_eq!(body["report"], page.to_str().unwrap());

    let samples = night.metrics();
    let customers: BTreeMap<&str, f64> = samples
        .iter()
        .filter(|((name, _), _)| name == "tether_recon_customers")
        .map(|((_, labels), value)| (labels["outcome"].as_str(), *value))
        .collect();
    assert_eq!((customers["created"], customers["invalid"], customers["orphan"]), (3.0, 1.0, 0.0));
    let closing = product["mrr_bridge"]["closing"].as_f64().unwrap() / 100.0;
    assert!((single(&samples, "tether_recon_mrr_after").unwrap() - closing).abs() < 1e-9);
    assert!(samples.keys().all(|(_, labels)| labels["config"] == "books"));
}

#[test]
fn one_notice_per_change_and_one_on_recovery_night_after_night() {
    let night = Night::new(60, "");
    let (customers, subscriptions) = (night.site.read("in/customers.csv"), night.site.read("in/subscriptions.csv"));
    for (place, (code, expected)) in
        [(0, ""), (3, "trouble"), (3, ""), (0, "recovery"), (5, "trouble"), (5, ""), (0, "recovery"), (0, "")]
            .into_iter()
            .enumerate()
    {
        night.site.write("in/customers.csv", &customers);
        night.site.write("in/subscriptions.csv", &subscriptions);
        night.configure("sandbox", "", "");
        match code {
            3 => needs_a_person(&night.site),
            5 => {
                // So that there is something to send.
                night
                    .site
                    .write("in/subscriptions.csv", subscriptions.replace(".00,active", &format!(".{place}1,active")));
                night.configure(NOWHERE, "", "[tether]\nmax_tries = 1");
            }
            _ => {}
        }
        night.run(code);
        let came = night.hooks.came();
        let told: Vec<String> = came
            .iter()
            .filter(|notice| notice.path().starts_with("/webhook"))
            .map(|notice| notice.json()["notice"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(told.concat(), expected, "night {place}");
        let slack = came.iter().filter(|notice| notice.path().starts_with("/slack")).count();
        assert_eq!(slack, told.len(), "night {place}");
        assert_eq!(came.len() - slack - told.len(), 2, "night {place}: pinged at each begin and end");
    }
}

#[test]
fn who_was_not_reached_is_told_the_next_time_and_no_failure_changes_the_run() {
    let night = Night::new(9, "timeout = \"300ms\"");
    needs_a_person(&night.site);
    for (answer, said) in [
        (Answer::Status("500 Internal Server Error"), "was not told: HTTP 500"),
        (Answer::Status("302 Found"), "was not told: HTTP 302: redirects are not followed"),
        (Answer::Never, "was not told: timed out"),
    ] {
        night.hooks.answer(answer);
        let began = Instant::now();
        let ran = night.run(3);
        assert!(began.elapsed() < Duration::from_secs(30), "{answer:?} held up the run");
        for who in
            ["slack at 127.0.0.1:", "webhook at 127.0.0.1:", "ping_start at 127.0.0.1:", "ping_success at 127.0.0.1:"]
        {
            let line = ran.stderr.lines().find(|line| line.contains(who)).unwrap_or_else(|| panic!("{}", ran.stderr));
            assert!(line.contains("WARN") && line.contains(said), "{line}");
        }
        let paths = night.hooks.paths();
        assert_eq!(paths.iter().filter(|path| path.starts_with("/slack")).count(), 1, "one try: {paths:?}");
        assert_eq!(single(&night.metrics(), "tether_recon_last_run_exit_code"), Some(3.0));
    }
    night.hooks.answer(Answer::Status("200 OK"));
    night.run(3);
    assert!(night.hooks.paths().iter().any(|path| path.starts_with("/slack")));
    night.run(3);
    assert!(!night.hooks.paths().iter().any(|path| path.starts_with("/slack")));
    // A memory that cannot be read costs a notice too many.
    night.site.write("state/told.json", "{");
    assert!(night.run(3).stderr.contains("told.json` is damaged"));
    assert!(night.hooks.paths().iter().any(|path| path.starts_with("/slack")));
}

#[test]
fn a_second_signal_leaves_at_once_while_a_notice_hangs() {
    let night = Night::new(9, "timeout = \"10m\"");
    needs_a_person(&night.site);
    // The dead man's switch is quick; it is the webhooks that hang.
    night.site.write("ping", format!("{}/ping/{TOKEN}", Hooks::start().url));
    night.hooks.answer(Answer::Never);
    let mut child = night.site.start("run");
    wait_until("the webhook is told", || !night.hooks.came().is_empty());
    let began = Instant::now();
    wait_until("the process has left", || {
        signal_if_there(&mut child);
        child.try_wait().unwrap().is_some()
    });
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(ended(&mut child), 5);
    // What was done stands.
    assert_eq!(night.site.report().summary["exit_code"], 3);
    assert_eq!(single(&night.metrics(), "tether_recon_last_run_exit_code"), Some(3.0));
}

/// Asks a process to end that may have ended already.
fn signal_if_there(child: &mut std::process::Child) {
    if child.try_wait().unwrap().is_none() {
        signal(child, "TERM");
    }
}

#[test]
fn what_counts_as_success_and_where_pings_go_is_configurable() {
    let night = Night::new(9, "");
    for (name, path) in [("begin", "/up"), ("down", "/down?code={exit_code}")] {
        night.site.write(name, format!("{}{path}\n", night.hooks.url));
        std::fs::set_permissions(night.site.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    needs_a_person(&night.site);
    let further =
        "success = [0]\nwhen = \"problem\"\nping_start = { file = \"begin\" }\nping_failure = { file = \"down\" }";
    night.configure("sandbox", further, "");
    for _ in 0..2 {
        night.run(3);
        let mut came: Vec<String> = night.hooks.paths().iter().map(|path| kind(path)).collect();
        assert_eq!(came.remove(0), "up");
        came.sort();
        assert_eq!(came, ["down?code=3", "slack", "webhook"]);
        assert_eq!(single(&night.metrics(), "tether_recon_last_success_timestamp_seconds"), None);
    }
}

#[test]
fn metrics_stay_sane_when_a_start_fails_and_others_may_read_them() {
    let night = Night::new(9, "");
    let renamed = "bo\"ok\\s.toml";
    std::fs::rename(night.site.path("recon.toml"), night.site.path(renamed)).unwrap();
    let ran = |code: i32| {
        let output = night.site.command(["run"]).args(["--config", renamed]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        night.metrics()
    };
    let good = ran(0);
    let mode = std::fs::metadata(night.site.path("recon.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(good.keys().all(|(_, labels)| labels["config"] == "bo\"ok\\s"));
    assert_eq!(single(&good, "tether_recon_source_rows").map(|rows| rows > 0.0), Some(true));
    std::fs::remove_file(night.site.path("in/contacts.csv")).unwrap();
    let bad = ran(8);
    assert_eq!(single(&bad, "tether_recon_last_run_exit_code"), Some(8.0));
    let success = "tether_recon_last_success_timestamp_seconds";
    assert_eq!(single(&bad, success), single(&good, success));
    assert_eq!(single(&bad, "tether_recon_customers"), None, "nothing is claimed of a run that planned nothing");
    let end = "tether_recon_last_run_end_timestamp_seconds";
    assert!(single(&bad, end) >= single(&good, end));
    let duration = "tether_recon_last_run_duration_seconds";
    let took = single(&good, end).unwrap() - single(&good, "tether_recon_last_run_start_timestamp_seconds").unwrap();
    assert_eq!(single(&good, duration), Some(took));
}

#[test]
fn an_interrupted_run_is_told_and_its_resume_recovers_but_a_resume_of_nothing_is_not_told() {
    let night = Night::new(60, "");
    let server = Server::start(&night.site, "slow = { every = 1, millis = 100 }\n");
    night.configure(&server.url, "", "[tether]\nin_flight = 1\ndeadline = \"1s\"");
    // The key stands twice then.
    let once = night.site.read("recon.toml").replacen("deadline = \"5m\"\n", "", 1);
    night.site.write("recon.toml", once);
    night.run(5);
    assert!(night.came().contains(&"ping/fail".to_owned()));
    night.configure(&server.url, "", "");
    night.site.expect("resume", 0);
    let came = night.hooks.came();
    let webhook = came.iter().find(|notice| notice.path().starts_with("/webhook")).unwrap().json();
    assert_eq!((&webhook["notice"], &webhook["command"]), (&"recovery".into(), &"resume".into()));
    assert_eq!(webhook["run_id"], night.site.report().summary["run_id"]);
    night.site.expect("resume", 0);
    night.site.expect("plan", 0);
    night.site.expect("report latest", 0);
    assert_eq!(night.came(), Vec::<String>::new());
    server.end(&night.site);
}

#[test]
fn config_check_shows_hosts_and_notify_test_tries_them() {
    let night = Night::new(9, "");
    let said = night.site.expect("config check", 0).stdout;
    for who in ["slack", "webhook", "ping_start", "ping_success", "ping_failure"] {
        assert!(said.contains(&format!("  {who} at 127.0.0.1:")), "{said}");
    }
    assert!(night.came().is_empty(), "config check needs no network");
    let said = night.site.expect("notify test", 0).stdout;
    assert_eq!(said.lines().filter(|line| line.ends_with(": told")).count(), 4, "{said}");
    assert_eq!(night.came().len(), 4);
    assert!(!night.site.path("state").exists() && !night.site.path("recon.prom").exists(), "a test is no run");

    night.hooks.answer(Answer::Status("404 Not Found"));
    assert!(night.site.expect("notify test", 5).stdout.contains("NOT TOLD: HTTP 404"));
    std::fs::set_permissions(night.site.path("slack"), PermissionsExt::from_mode(0o644)).unwrap();
    assert!(night.site.expect("notify test", 6).stdout.contains("slack: NOT TOLD: file "));
    assert!(night.site.expect("config check", 0).stdout.contains("slack NOT THERE: file "));
    night.site.write("webhook", format!("http://hooks.example.com/{TOKEN}"));
    assert!(night.site.expect("config check", 0).stdout.contains("would cross the network in the clear"));
    night.site.write("open.key", "0123456789abcdef0123456789abcdef\n");
    std::fs::set_permissions(night.site.path("open.key"), PermissionsExt::from_mode(0o644)).unwrap();
    let text = night.site.read("recon.toml").replace("recon.prom", "nowhere/recon.prom");
    let (before, after) = text.split_once("key = ").unwrap();
    let after = after.split_once('\n').unwrap().1;
    night.site.write("recon.toml", format!("{before}key = {{ file = \"open.key\" }}\n{after}"));
    let said = night.site.expect("config check", 0).stdout;
    assert!(
        said.contains("REFUSED: open to others (mode 644)") && said.contains("whose folder is NOT THERE"),
        "{said}"
    );
    let said = night.site.expect("notify test", 2).stdout;
    assert!(said.contains("metrics: NOT WRITTEN: the folder ") && said.contains("create it"), "{said}");
    night.site.configure("sandbox", "");
    assert!(night.site.expect("notify test", 2).stderr.contains("[notify]"));
}

#[test]
fn no_output_holds_an_address_of_a_notice() {
    let night = Night::new(9, "timeout = \"300ms\"\nwhen = \"always\"");
    let mut said = String::new();
    let mut hear = |line: &str| {
        let ran = night.site.ran(line);
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    };
    for answer in [Answer::Status("200 OK"), Answer::Status("500 Internal Server Error"), Answer::Never] {
        night.hooks.answer(answer);
        for line in ["-vv run", "-vv --log-format json run", "-vv notify test", "config check", "-vv plan"] {
            hear(line);
        }
    }
    for address in [format!("{NOWHERE}/{TOKEN}"), format!("ftp://example.com/{TOKEN}"), format!("{TOKEN} {TOKEN}")] {
        night.site.write("slack", address);
        hear("-vv run");
        hear("config check");
    }
    // Pasted where its place belongs.
    night.site.configure("sandbox", &format!("[notify]\nslack = \"https://hooks.example.com/{TOKEN}\"\n"));
    hear("config check");
    night.site.configure("sandbox", &format!("[notify]\nslack = {{ env = \"https://hooks.example.com/{TOKEN}\" }}\n"));
    hear("run");
    assert!(said.contains("notify.slack"), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
    for (path, bytes) in contents(&night.site.path("")) {
        let found = bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
        let is_its_place = ["slack", "webhook", "ping", "recon.toml"].iter().any(|name| path.as_os_str() == *name);
        assert!(!found || is_its_place, "{} holds it", path.display());
    }
}
