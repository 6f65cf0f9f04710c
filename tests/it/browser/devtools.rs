//! A headless browser, spoken to through a pipe: one JSON message at a time, each ended by a NUL byte.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// How long one answer may take: a browser's start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The browser reads from descriptor 3 and writes to 4; a shell puts them there. A container has neither its sandbox's
/// namespaces nor much shared memory, and every name resolves to nowhere.
const START: &str = r#"
browser="$(command -v chromium || command -v chromium-browser || command -v google-chrome)" || exit 127
exec "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
  --disable-background-networking --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$1" \
  --remote-debugging-pipe about:blank 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null
"#;

/// One tab of a headless browser.
pub struct Tab {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    last: u64,
    page: String,
    /// What the browser told without being asked, in order.
    pub events: Vec<Value>,
    _profile: TempDir,
}

impl Tab {
    /// Opens `page` and waits until it has loaded. `scripts`: whether its script may run.
    pub fn open(page: &Path, scripts: bool) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", START, "sh"])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, mut out) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let (send, from) = channel();
        std::thread::spawn(move || {
            let mut message = vec![];
            while out.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let told = serde_json::from_slice(&message).unwrap_or(Value::Null);
                message.clear();
                if send.send(told).is_err() {
                    return;
                }
            }
        });
        let mut tab = Self {
            process,
            to,
            from,
            session: None,
            last: 0,
            page: format!("file://{}", page.display()),
            events: vec![],
            _profile: profile,
        };
        let targets = tab.call("Target.getTargets", &json!({}));
        let target = targets["targetInfos"].as_array().unwrap().iter().find(|target| target["type"] == "page");
        let target = target.expect("a page")["targetId"].clone();
        let attached = tab.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            tab.call(domain, &json!({}));
        }
        tab.call("Emulation.setScriptExecutionDisabled", &json!({"value": !scripts}));
        let metrics = json!({"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        tab.call("Emulation.setDeviceMetricsOverride", &metrics);
        tab.events.clear();
        tab.call("Page.navigate", &json!({"url": tab.page}));
        while !tab.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = tab.next();
            tab.events.push(event);
        }
        tab
    }

    fn next(&self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("the browser answers; is chromium installed?")
    }

    /// Asks for `method` and returns its result.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser listens; is chromium installed?");
        loop {
            let told = self.next();
            if told["id"] != self.last {
                self.events.push(told);
                continue;
            }
            assert!(told["error"].is_null(), "{method}: {}", told["error"]);
            return told["result"].clone();
        }
    }

    /// What the expression comes to in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let found = self.call("Runtime.evaluate", &json!({"expression": expression, "returnByValue": true}));
        assert!(found["exceptionDetails"].is_null(), "{expression}: {}", found["exceptionDetails"]);
        found["result"]["value"].clone()
    }

    /// The texts that the expression, an array of strings, comes to.
    pub fn texts(&mut self, expression: &str) -> Vec<String> {
        let found = self.evaluate(expression);
        let texts = found.as_array().unwrap_or_else(|| panic!("{expression}: {found}"));
        texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Presses and releases a key, as a keyboard does.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            _ => panic!("no key {key}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Types a text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Everything that a page which only shows itself does not do: further requests, messages in the console, violations
    /// of its policy, exceptions, dialogues.
    pub fn disturbances(&self) -> Vec<String> {
        let told = |event: &Value| match event["method"].as_str()? {
            "Network.requestWillBeSent" if event["params"]["request"]["url"] != self.page.as_str() => {
                Some(event["params"].to_string())
            }
            "Runtime.consoleAPICalled"
            | "Runtime.exceptionThrown"
            | "Log.entryAdded"
            | "Page.javascriptDialogOpening"
            | "Page.windowOpen"
            | "Page.frameAttached"
            | "Page.downloadWillBegin" => Some(event.to_string()),
            _ => None,
        };
        self.events.iter().filter_map(told).collect()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
