//! A folder with exports, a configuration and a state folder, and the binary run over it.

use crate::files::Report;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The run's clock in every test.
pub const AS_OF: &str = "2026-11-01T00:00:00Z";
/// The variable that holds the key, and a key that would be recognised anywhere.
pub const KEY_VARIABLE: &str = "TETHER_CORE_KEY";
pub const KEY: &str = "tk_live_do_not_print_me_4242";

/// How long anything may take before a test gives up: generous, since machines are slow when tests run in parallel.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with exports and a configuration.
pub struct Site {
    folder: TempDir,
    key: Option<String>,
}

/// What a command ended with.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Site {
    /// Exports of `accounts` customers. Of each three, the first is in Tether as it should be, the second with an older
    /// MRR, the third is unknown there. The configuration names the sandbox inside the process.
    pub fn new(accounts: usize) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), key: Some(KEY.to_owned()) };
        std::fs::create_dir(site.path("in")).unwrap();
        let mut customers = "id,Email,Name,Created (UTC)\n".to_owned();
        let mut subscriptions =
            "id,Customer ID,Quantity,Currency,Interval,Amount,Status,Cancel At Period End,Created (UTC),Current Period End (UTC)\n"
                .to_owned();
        let mut contacts = "Record ID,First Name,Last Name,Email,Customer ID,Stripe Customer ID\n".to_owned();
        let mut existing = String::new();
        for n in 0..accounts {
            writeln!(customers, "cus_{n},c{n}@example.com,Customer {n},2025-01-01 00:00").unwrap();
            writeln!(
                subscriptions,
                "sub_{n},cus_{n},1,usd,month,{}.00,active,false,2025-01-01 00:00,2026-11-20 00:00",
                100 + n
            )
            .unwrap();
            writeln!(contacts, "{n},Customer,{n},c{n}@example.com,E-{n},cus_{n}").unwrap();
            if n % 3 < 2 {
                let mrr = 100 + n - 7 * (n % 3);
                writeln!(
                    existing,
                    r#"{{"tether_id":"t-{n}","external_id":"E-{n}","email":"c{n}@example.com","name":"Customer {n}","mrr":{mrr},"subscription_status":"active","auto_renew":true,"period_end":"2026-11-20T00:00:00Z"}}"#
                )
                .unwrap();
            }
        }
        site.write("in/customers.csv", customers);
        site.write("in/subscriptions.csv", subscriptions);
        site.write("in/contacts.csv", contacts);
        site.write("in/core.jsonl", existing);
        site.configure("sandbox", "");
        site
    }

    /// A copy of the repository's `config` and `sample_data`; no key is set, since its sandbox needs none.
    pub fn demo() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), key: None };
        for folder in ["config", "sample_data"] {
            std::fs::create_dir(site.path(folder)).unwrap();
            for entry in std::fs::read_dir(repository().join(folder)).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), site.path(folder).join(entry.file_name())).unwrap();
            }
        }
        std::fs::copy(site.path("config/demo.toml"), site.path("recon.toml")).unwrap();
        let moved = site.read("recon.toml").replace("\"../", "\"").replace("\"demo_faults", "\"config/demo_faults");
        site.write("recon.toml", moved.replace("state/demo", "state"));
        site
    }

    /// A copy of the folder `exports` in `in`, with all that is below it; there is no configuration, and no key.
    pub fn over(exports: &Path) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), key: None };
        for (name, bytes) in contents(exports) {
            let path = site.path("in").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        site
    }

    /// Writes the configuration: where Tether is, and further lines, of which those before a line `[tether]` are tables of
    /// their own and those after it join that table.
    pub fn configure(&self, url: &str, further: &str) {
        let (tables, tether) = further.split_once("[tether]").unwrap_or((further, ""));
        self.write(
            "recon.toml",
            format!(
                r#"
[run]
state = "state"
currency = "usd"
[stripe]
customers = "in/customers.csv"
subscriptions = "in/subscriptions.csv"
[[crm]]
name = "hubspot"
preset = "hubspot"
contacts = "in/contacts.csv"
columns = {{ external_id = "Customer ID", stripe_customer_id = "Stripe Customer ID" }}
{tables}
[tether]
url = "{url}"
rate = "1000/s"
deadline = "5m"
{tether}
[[product]]
name = "core"
key = {{ env = "{KEY_VARIABLE}" }}
existing = "in/core.jsonl"
creation = "on"
"#
            ),
        );
    }

    /// The key that the environment holds from here on.
    pub fn set_key(&mut self, key: Option<&str>) {
        self.key = key.map(str::to_owned);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Adds lines at the end of a file.
    pub fn append(&self, name: &str, lines: impl AsRef<[u8]>) {
        let mut content = std::fs::read(self.path(name)).unwrap();
        content.extend_from_slice(lines.as_ref());
        self.write(name, content);
    }

    /// The binary, about to be run in this folder with nothing in its environment but the key.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tether-recon"));
        command.current_dir(self.folder.path()).env_clear().args(["--config", "recon.toml"]).args(arguments);
        if let Some(key) = &self.key {
            command.env(KEY_VARIABLE, key);
        }
        command
    }

    /// Runs the binary with the words of `line` to its end.
    pub fn ran(&self, line: &str) -> Ran {
        let output = assert_cmd::Command::from_std(self.command(line.split_whitespace()))
            .timeout(PATIENCE)
            .output()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the binary and holds it to its exit code.
    pub fn expect(&self, line: &str, code: i32) -> Ran {
        let ran = self.ran(line);
        assert_eq!(ran.code, code, "{line}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    /// Starts the binary; its output goes to the files `stdout` and `stderr` of this folder.
    pub fn start(&self, line: &str) -> Child {
        let file = |name| Stdio::from(std::fs::File::create(self.path(name)).unwrap());
        self.command(line.split_whitespace()).stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap()
    }

    /// What who approves the newest plan hands back, as its report shows it.
    pub fn approval(&self) -> String {
        let page = std::fs::read_to_string(self.runs().pop().unwrap().join("report/summary.md")).unwrap();
        let (_, after) = page.split_once(" --approve ").expect(&page);
        after.split('`').next().unwrap().to_owned()
    }

    /// The run folders, the oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path("state/runs")) else { return vec![] };
        let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        // Two runs may begin in one second; the manifest's change tells them apart, the name does not.
        runs.sort_by_key(|run| {
            (std::fs::metadata(run.join("plan.parquet")).and_then(|m| m.modified()).ok(), run.clone())
        });
        runs
    }

    /// The newest run's report.
    pub fn report(&self) -> Report {
        Report::read(&self.runs().pop().expect("a run"))
    }
}

/// Where this package stands.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, by its path relative to it, with its content.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                files.push((path.strip_prefix(folder).unwrap().to_owned(), bytes));
            }
        }
    }
    files.sort();
    files
}

/// Looks until `condition` holds; a test that waits in vain says for what.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The exit code of a process, waited for; -1 for one that a signal ended.
pub fn ended(child: &mut Child) -> i32 {
    let mut status = None;
    wait_until("the process ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.and_then(|status| status.code()).unwrap_or(-1)
}

/// Asks the process to end: `TERM` as a scheduler does, `INT` as Ctrl-C does.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success(), "no signal could be sent");
}
