//! What is written is its owner's alone, what is secret stays secret, and nothing goes a way that nobody chose.

use crate::hooks::{Answer, Hooks};
use crate::server::Server;
use crate::site::{KEY, KEY_VARIABLE, Site, contents, ended, signal, wait_until};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the words of `line` with a umask that forbids nothing.
fn openly(site: &Site, line: &str) -> i32 {
    let program = format!("umask 000; exec \"{}\" --config recon.toml {line}", env!("CARGO_BIN_EXE_tether-recon"));
    let mut command = Command::new("sh");
    command.current_dir(site.path("")).env_clear().env(KEY_VARIABLE, KEY).args(["-c", &program]);
    command.output().unwrap().status.code().unwrap_or(-1)
}

/// Everything below `folder` with its mode, folders too.
fn modes(folder: &Path, found: &mut Vec<(PathBuf, u32)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = std::fs::metadata(&path).unwrap();
        found.push((path.clone(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            modes(&path, found);
        }
    }
}

#[test]
fn whatever_the_umask_only_the_owner_can_read_what_is_written() {
    let site = Site::new(9);
    let before = modes_of(&site);
    site.configure("sandbox", "[notify]\nmetrics = \"recon.prom\"\n[guards]\nmax_changed_percent = 90\n");
    assert_eq!(openly(&site, "plan"), 0);
    assert_eq!(openly(&site, "run"), 0);
    // Interrupted, resumed, refused, reported elsewhere.
    let server = Server::start(&site, "unauthorized_after = 1\n");
    site.configure(&server.url, "");
    site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replace(".00,", ".50,"));
    assert_eq!(openly(&site, "run"), 6);
    server.end(&site);
    site.configure("sandbox", "");
    assert_eq!(openly(&site, "resume"), 0);
    site.configure("sandbox", "[guards]\nmax_changed_percent = 1\n");
    site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replace(".50,", ".75,"));
    assert_eq!(openly(&site, "run"), 4);
    assert_eq!(openly(&site, "report latest --output elsewhere"), 0);
    let export = "sandbox --product core=TETHER_CORE_KEY --state state/sandbox.jsonl --export core=held.jsonl";
    assert_eq!(openly(&site, export), 0);

    let mut checked = 0;
    for (path, mode) in modes_of(&site).into_iter().filter(|(path, _)| !before.iter().any(|(old, _)| old == path)) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected = match name.as_str() {
            "recon.prom" => 0o644,
            // The test's own, and the server's that it started under its own umask.
            "faults.toml" | "tether.jsonl" => continue,
            _ if path.is_dir() => 0o700,
            _ => 0o600,
        };
        assert_eq!(mode, expected, "{}: {mode:o}", path.display());
        checked += 1;
    }
    assert!(checked > 60, "only {checked}");
}

fn modes_of(site: &Site) -> Vec<(PathBuf, u32)> {
    let mut found = vec![];
    modes(&site.path(""), &mut found);
    found
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_leaves_a_core_dump() {
    let site = Site::new(30);
    let server = Server::start(&site, "slow = { every = 1, millis = 100 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    let mut child = site.start("run");
    wait_until("the run sends", || site.runs().first().is_some_and(|run| run.join("journal.jsonl").exists()));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = line.split_whitespace().rev().skip(1).take(2).collect();
    // One byte is no dump, and by that number none is given to a program either.
    assert!(words.iter().all(|limit| matches!(*limit, "0" | "1")), "{line}");
    signal(&child, "ABRT");
    assert_eq!(ended(&mut child), -1);
    let left = contents(&site.path("")).into_iter().find(|(path, _)| path.to_string_lossy().starts_with("core"));
    assert!(left.is_none(), "{left:?}");
}

const PASSWORD: &str = "pa55-do-not-print-me-4343";

/// Variables that other programs take for proxies.
const PROXIES: [&str; 6] = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

#[test]
fn proxies_of_the_environment_are_not_heeded() {
    let site = Site::new(9);
    let (proxy, hooks) = (Hooks::start(), Hooks::start());
    let server = Server::start(&site, "");
    site.write("slack", format!("{}/slack", hooks.url));
    std::fs::set_permissions(site.path("slack"), PermissionsExt::from_mode(0o600)).unwrap();
    site.configure(&server.url, "[notify]\nslack = { file = \"slack\" }\nwhen = \"always\"\n");
    let ran = |code: i32| {
        let mut command = site.command(["run"]);
        command.envs(PROXIES.map(|name| (name, proxy.url.as_str())));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    };
    ran(0);
    assert_eq!(hooks.came().len(), 1);
    // An address of which no name server knows: only a proxy could get there.
    site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replace(".00,", ".50,"));
    site.configure("https://tether.invalid", "[tether]\nmax_tries = 1\n");
    ran(3);
    assert!(proxy.came().is_empty());
    server.end(&site);
}

#[test]
fn a_configured_proxy_is_used_for_what_is_not_on_this_machine_and_its_password_is_a_secret() {
    let site = Site::new(9);
    let proxy = Hooks::start();
    proxy.answer(Answer::Status("502 Bad Gateway"));
    let port = proxy.url.rsplit(':').next().unwrap();
    site.write("proxy", format!("http://recon:{PASSWORD}@127.0.0.1:{port}\n"));
    site.write("slack", "https://hooks.slack.example/services/T0");
    for name in ["proxy", "slack"] {
        std::fs::set_permissions(site.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    let secret = "proxy = { file = \"proxy\" }";
    let notify = format!("[notify]\nslack = {{ file = \"slack\" }}\n{secret}\n");
    site.configure("https://tether.example", &format!("{notify}[tether]\nmax_tries = 1\n{secret}\n"));
    let mut said = String::new();
    let mut hear = |line: &str, code: i32| {
        let ran = site.expect(line, code);
        let heard = ran.stdout + &ran.stderr;
        said.push_str(&heard);
        heard
    };
    hear("-vv run", 3);
    // Nothing was sent: whoever is not let through has not spoken to Tether.
    assert!(site.report().outcomes().keys().all(|outcome| matches!(*outcome, "failed" | "unchanged")));
    let came = proxy.came();
    for host in ["tether.example:443", "hooks.slack.example:443"] {
        let asked = came.iter().find(|notice| notice.line == format!("CONNECT {host} HTTP/1.1")).expect(host);
        // recon:pa55-do-not-print-me-4343
        let allowed = "proxy-authorization: basic cmvjb246cge1ns1kby1ub3qtchjpbnqtbwutndm0mw==";
        assert!(asked.headers.iter().any(|line| line.to_lowercase() == allowed), "{asked:?}");
        assert!(asked.headers.iter().all(|line| !line.contains(KEY)), "{asked:?}");
    }
    let checked = hear("config check", 0);
    assert!(checked.contains(&format!("Tether through the proxy 127.0.0.1:{port}")), "{checked}");

    // On this machine a key may go without https; a proxy would carry it elsewhere.
    let server = Server::start(&site, "");
    site.configure(&server.url, &format!("[tether]\n{secret}\n"));
    hear("run", 0);
    assert!(proxy.came().is_empty());
    server.end(&site);

    site.configure("https://tether.example", &format!("[tether]\nproxy = \"http://recon:{PASSWORD}@127.0.0.1\"\n"));
    hear("run", 2);
    site.write("proxy", format!("socks5://{PASSWORD}"));
    site.configure("https://tether.example", &format!("[tether]\n{secret}\n"));
    let refused = hear("run", 6);
    assert!(refused.contains("is malformed: is neither http nor https"), "{refused}");
    assert!(!said.contains(PASSWORD), "{said}");
    for (path, bytes) in contents(&site.path("")) {
        let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(
            !found || path.as_os_str() == "recon.toml" || path.as_os_str() == "proxy",
            "{} holds it",
            path.display()
        );
    }
}

#[test]
fn a_key_of_each_kind_is_used_and_stands_in_no_byte_that_is_written() {
    for (kind, place) in [("env", KEY_VARIABLE), ("file", "secrets/key"), ("credential", "tether-key")] {
        let mut site = Site::new(9);
        let server = Server::start(&site, "server_error = { every = 4, status = 503 }\n");
        site.configure(&server.url, "");
        let config = site
            .read("recon.toml")
            .replace(&format!("{{ env = \"{KEY_VARIABLE}\" }}"), &format!("{{ {kind} = \"{place}\" }}"));
        site.write("recon.toml", config);
        std::fs::create_dir(site.path("secrets")).unwrap();
        for name in ["key", "tether-key"] {
            site.write(&format!("secrets/{name}"), format!("{KEY}\n"));
            std::fs::set_permissions(site.path(&format!("secrets/{name}")), PermissionsExt::from_mode(0o600)).unwrap();
        }
        if kind != "env" {
            site.set_key(None);
        }
        let mut command = site.command(["-vv", "run"]);
        let output = command.env("CREDENTIALS_DIRECTORY", site.path("secrets")).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{kind}: {said}");
        assert!(!said.contains(KEY), "{kind}");
        assert!(!server.end(&site).is_empty());
        for (path, bytes) in contents(&site.path("")) {
            let found = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
            assert!(!found || path.starts_with("secrets"), "{kind}: {} holds the key", path.display());
        }
        if kind == "file" {
            std::fs::set_permissions(site.path(place), PermissionsExt::from_mode(0o640)).unwrap();
            assert!(site.expect("run", 6).stderr.contains("chmod 600"));
        }
    }
}

#[test]
fn a_key_on_the_command_line_or_in_the_configuration_is_refused_without_an_echo() {
    let site = Site::new(1);
    for line in [format!("run --key {KEY}"), format!("run {KEY}"), format!("--log-format json run --api-key={KEY}")] {
        let ran = site.expect(&line, 2);
        assert!(!ran.stderr.contains(KEY) && !ran.stdout.contains(KEY), "{}", ran.stderr);
    }
    for key in [format!("\"{KEY}\""), format!("{{ env = \"{KEY}!\" }}"), format!("{{ value = \"{KEY}\" }}")] {
        let config = site.read("recon.toml");
        site.write("recon.toml", config.replace(&format!("{{ env = \"{KEY_VARIABLE}\" }}"), &key));
        let ran = site.expect("run", 2);
        assert!(!ran.stderr.contains(KEY) && ran.stderr.contains("product.key"), "{}", ran.stderr);
        site.write("recon.toml", config);
    }
}
