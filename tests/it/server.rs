//! The binary's own `sandbox` as the Tether of a test: another process, with its own log of what it did.

use crate::files::json_lines;
use crate::site::{KEY_VARIABLE, Site, ended, signal};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

/// A running sandbox.
pub struct Server {
    child: Child,
    /// Kept open: the sandbox's last words must find a reader.
    stdout: BufReader<ChildStdout>,
    pub url: String,
}

impl Server {
    /// Starts a sandbox for the site's product, which begins with the site's existing customers and plays `faults`.
    pub fn start(site: &Site, faults: &str) -> Self {
        Self::with_gate(site, faults, true)
    }

    /// The same, with its creation gate open or closed.
    pub fn with_gate(site: &Site, faults: &str, creation: bool) -> Self {
        let gate = if creation { ",creation=on" } else { "" };
        let product = format!("core={KEY_VARIABLE}{gate}");
        Self::of(site, faults, &["--product", &product, "--seed", "core=in/core.jsonl"])
    }

    /// The same for the products of the site's configuration, `p00` and so on.
    pub fn of_configuration(site: &Site, faults: &str, products: usize) -> Self {
        let seeds: Vec<String> =
            (0..products).flat_map(|index| ["--seed".to_owned(), format!("p{index:02}=in/core.jsonl")]).collect();
        Self::of(site, faults, &seeds.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn of(site: &Site, faults: &str, arguments: &[&str]) -> Self {
        site.write("faults.toml", faults);
        let mut child = site
            .command(["sandbox", "--listen", "127.0.0.1:0", "--faults", "faults.toml"])
            .args(arguments)
            .args(["--state", "tether.jsonl", "--log", "calls.jsonl"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect(&line).to_owned();
        Self { child, stdout, url }
    }

    /// Stops it; what it was asked, in the order in which that took effect, and the customers that it then holds.
    pub fn stop(self, site: &Site) -> (Vec<Value>, Vec<Value>) {
        let calls = self.end(site);
        let export = site
            .command(["sandbox", "--product", &format!("core={KEY_VARIABLE}"), "--state", "tether.jsonl"])
            .args(["--export", "core=held.jsonl"])
            .output()
            .unwrap();
        assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
        (calls, json_lines(&site.read("held.jsonl")))
    }

    /// Stops it; what it was asked.
    pub fn end(mut self, site: &Site) -> Vec<Value> {
        signal(&self.child, "TERM");
        assert_eq!(ended(&mut self.child), 0);
        let mut last = String::new();
        self.stdout.read_line(&mut last).unwrap();
        let calls = if site.path("calls.jsonl").exists() { json_lines(&site.read("calls.jsonl")) } else { vec![] };
        assert!(last.starts_with(&format!("{} calls", calls.len())), "{last}");
        calls
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
