//! A local server that takes notices, writes them down, and answers as it is told: well, badly, or not at all.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request.
#[derive(Debug, Clone)]
pub struct Notice {
    pub line: String,
    pub headers: Vec<String>,
    pub body: String,
}

impl Notice {
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// How requests below a path are answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Status(&'static str),
    Never,
}

/// Ends with the test's process.
pub struct Hooks {
    pub url: String,
    notices: Arc<Mutex<Vec<Notice>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Hooks {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let answer = Arc::new(Mutex::new(Answer::Status("200 OK")));
        let (seen, says) = (notices.clone(), answer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, says) = (seen.clone(), says.clone());
                std::thread::spawn(move || take(&stream, &seen, &says));
            }
        });
        Self { url, notices, answer }
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// What came since the last look.
    pub fn came(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.notices.lock().unwrap())
    }

    /// The paths of what came since the last look, in their order.
    pub fn paths(&self) -> Vec<String> {
        self.came().iter().map(|notice| notice.path().to_owned()).collect()
    }
}

fn take(stream: &TcpStream, seen: &Mutex<Vec<Notice>>, says: &Mutex<Answer>) {
    let mut reader = BufReader::new(stream);
    let mut lines = vec![];
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    if lines.is_empty() {
        return;
    }
    let length = lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    // A client that is gone has said what it had to say.
    let _ = reader.read_exact(&mut body);
    let body = String::from_utf8(body).unwrap();
    let line = lines.remove(0);
    // Before the answer: who has it finds the notice written down.
    seen.lock().unwrap().push(Notice { line, headers: lines, body });
    let answer = *says.lock().unwrap();
    match answer {
        Answer::Status(status) => {
            let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = (&*stream).write_all(reply.as_bytes());
        }
        Answer::Never => {
            // Until the other side gives up.
            let _ = reader.read(&mut [0]);
        }
    }
}
