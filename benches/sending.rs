//! How fast rows are sent: the real binary against a sandbox of its own process, beside a plain load generator that makes
//! the same number of calls to such a sandbox and keeps nothing.
//!
//!     cargo bench --bench sending                 all cases
//!     cargo bench --bench sending -- unlimited    one of them
//!
//! `ROWS` and `ROUNDS` change the first case; `TETHER_RECON` names another binary to measure. CPU is user and system time of the process that sends, per thousand calls.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Case = fn() -> Fallible<()>;
type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const KEY: &str = "tk_bench_4711";
const IN_FLIGHT: usize = 64;
const NO_LIMIT: &str = "1000000/s";

fn main() -> Fallible<()> {
    // cargo passes `--bench`.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let cases: [(&str, Case); 3] = [("unlimited", unlimited), ("latency", latency), ("limited", limited)];
    for (name, case) in cases {
        if wanted.as_deref().is_none_or(|wanted| wanted == name) {
            println!("{name}");
            case()?;
        }
    }
    Ok(())
}

/// No limit binds: the ratio to the generator, round by round, so that what else the machine does hits both.
fn unlimited() -> Fallible<()> {
    let (rows, rounds) = (from_env("ROWS", 100_000)?, from_env("ROUNDS", 3)?);
    for _ in 0..rounds {
        let plain = generate(rows)?;
        let sent = send(rows, NO_LIMIT, 1000, "")?;
        println!("  generator    {plain}");
        println!("  tether-recon {sent}");
        println!("  ratio        {:.2}", sent.per_second() / plain.per_second());
    }
    Ok(())
}

/// Replies take 50 ms: 64 at a time make 1,280 calls a second.
fn latency() -> Fallible<()> {
    let sent = send(20_000, NO_LIMIT, 1000, "slow = { every = 1, millis = 50 }\n")?;
    println!("  tether-recon {sent}, {:.1} % of 64 / 0.05 s", sent.per_second() / 1280.0 * 100.0);
    Ok(())
}

/// Under a limit the time follows from it.
fn limited() -> Fallible<()> {
    for (rows, rate, burst) in
        [(300, 10, 1), (2_000, 100, 1), (10_000, 500, 1), (20_000, 1000, 1), (40_000, 2000, 1), (20_000, 1000, 20)]
    {
        let sent = send(rows, &format!("{rate}/s"), burst, "")?;
        let least = f64::from(u32::try_from(rows)?) / f64::from(rate);
        let over = (sent.wall.as_secs_f64() / least - 1.0) * 100.0;
        println!("  {rate}/s, burst {burst}: {sent}, {over:+.1} % of rows / rate");
    }
    Ok(())
}

fn binary() -> std::ffi::OsString {
    std::env::var_os("TETHER_RECON").unwrap_or_else(|| env!("CARGO_BIN_EXE_tether-recon").into())
}

fn from_env(name: &str, default: usize) -> Fallible<usize> {
    Ok(std::env::var(name).map_or(Ok(default), |text| text.parse())?)
}

/// What one case took.
struct Taken {
    calls: usize,
    wall: Duration,
    cpu: Duration,
}

impl Taken {
    fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.calls).unwrap_or(u32::MAX)) / self.wall.as_secs_f64()
    }
}

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (calls, rate, wall) = (self.calls, self.per_second(), self.wall.as_secs_f64());
        let cpu = self.cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(self.calls).unwrap_or(u32::MAX));
        write!(f, "{calls} calls in {wall:.2} s: {rate:.0} a second, {cpu:.0} ms CPU per thousand")
    }
}

/// User and system time of a process up to now.
fn cpu_of(pid: u32) -> Fallible<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no process")?.1;
    let ticks = |field: usize| -> Fallible<u64> {
        Ok(after_name.split_whitespace().nth(field).ok_or("a short stat")?.parse()?)
    };
    // Linux counts in hundredths of a second.
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// A sandbox in a process of its own.
struct Sandbox {
    process: Child,
    address: SocketAddr,
}

impl Sandbox {
    fn start(folder: &Path, faults: &str) -> Fallible<Self> {
        let table = folder.join("faults.toml");
        std::fs::write(&table, faults)?;
        let mut process = Command::new(binary())
            .args(["sandbox", "--listen", "127.0.0.1:0", "--product", "core=TETHER_KEY,creation=on", "--faults"])
            .arg(&table)
            .env("TETHER_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).ok_or("no address")?;
        Ok(Self { address: address.parse()?, process })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It keeps nothing that anybody needs.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A night's run of `rows` new customers: the time between the first and the last call.
fn send(rows: usize, rate: &str, burst: u32, faults: &str) -> Fallible<Taken> {
    let folder = tempfile::tempdir()?;
    let sandbox = Sandbox::start(folder.path(), faults)?;
    let config = exports(folder.path(), rows, sandbox.address, rate, burst)?;
    let mut run = Command::new(binary())
        .arg("--config")
        .arg(config)
        .args(["run", "--as-of", "2026-11-01", "--log-format", "json", "--no-progress"])
        .env("TETHER_KEY", KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let (mut began, mut ended) = (None, None);
    let mut log = String::new();
    for line in BufReader::new(run.stderr.take().ok_or("no log")?).lines() {
        let line = line?;
        if line.contains(r#""stage":"sending""#) {
            let moment = Some((Instant::now(), cpu_of(run.id())?));
            let place = if line.contains("stage_started") { &mut began } else { &mut ended };
            *place = moment;
        }
        log.push_str(&line);
        log.push('\n');
    }
    let status = run.wait()?;
    let (Some((began, cpu_before)), Some((ended, cpu_after)), true) = (began, ended, status.success()) else {
        return Err(format!("{status}\n{log}").into());
    };
    Ok(Taken { calls: rows, wall: ended - began, cpu: cpu_after.saturating_sub(cpu_before) })
}

/// Exports of `rows` customers whom Tether does not know, and the configuration of a run over them.
fn exports(folder: &Path, rows: usize, server: SocketAddr, rate: &str, burst: u32) -> Fallible<PathBuf> {
    let mut customers = String::from("id,Description,Email,Name,Created (UTC),Delinquent\n");
    let mut subscriptions = String::from(
        "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Created (UTC),Start (UTC),Current Period Start \
         (UTC),Current Period End (UTC),Trial Start (UTC),Trial End (UTC),Canceled At (UTC),Ended At (UTC),Cancel At \
         Period End\n",
    );
    for n in 0..rows {
        use std::fmt::Write as _;
        writeln!(customers, "cus_{n:08},,customer{n}@example.com,Customer {n},2025-01-01 10:00,false")?;
        writeln!(
            subscriptions,
            "sub_{n:08},cus_{n:08},pro,1,usd,month,{}.00,active,2025-01-01 10:00,2025-01-01 10:00,2026-10-05 10:00,\
             2026-11-05 10:00,,,,,false",
            10 + n % 90
        )?;
    }
    std::fs::write(folder.join("customers.csv"), customers)?;
    std::fs::write(folder.join("subscriptions.csv"), subscriptions)?;
    std::fs::write(folder.join("existing.csv"), "tether_id,external_id,email,name,mrr\n")?;
    let config = folder.join("tether-recon.toml");
    let mut file = std::fs::File::create(&config)?;
    write!(
        file,
        "[run]\nstate = 'state'\ncurrency = 'usd'\n\
         [stripe]\ncustomers = 'customers.csv'\nsubscriptions = 'subscriptions.csv'\namount = 'unit'\n\
         [guards]\nmax_created = 100000000\n\
         [tether]\nurl = 'http://{server}'\nrate = '{rate}'\nburst = {burst}\nin_flight = {IN_FLIGHT}\n\
         [[product]]\nname = 'core'\nkey = {{ env = 'TETHER_KEY' }}\nexisting = 'existing.csv'\ncreation = 'on'\n"
    )?;
    Ok(config)
}

/// The same number of calls from a client that only reads each reply to its end.
fn generate(rows: usize) -> Fallible<Taken> {
    let folder = tempfile::tempdir()?;
    let sandbox = Sandbox::start(folder.path(), "")?;
    let address = sandbox.address;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (began, cpu_before) = (Instant::now(), cpu_of(std::process::id())?);
    runtime.block_on(async move {
        let mut connections = tokio::task::JoinSet::new();
        for connection in 0..IN_FLIGHT {
            connections
                .spawn(async move { call_again_and_again(address, (connection..rows).step_by(IN_FLIGHT)).await });
        }
        connections.join_all().await.into_iter().collect::<Fallible<()>>()
    })?;
    let (wall, cpu) = (began.elapsed(), cpu_of(std::process::id())?.saturating_sub(cpu_before));
    Ok(Taken { calls: rows, wall, cpu })
}

async fn call_again_and_again(address: SocketAddr, numbers: impl Iterator<Item = usize>) -> Fallible<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut reply = vec![0; 16 << 10];
    for n in numbers {
        let body = format!(
            r#"{{"email":"customer{n}@example.com","name":"Customer {n}","stripe_customer_id":"cus_{n:08}","mrr":{}.00,"subscription_status":"active"}}"#,
            10 + n % 90
        );
        let request = format!(
            "POST /api/v1/customers HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\ncontent-type: \
             application/json\r\nx-customer-id-type: email\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut reply[filled..]).await?;
            if read == 0 {
                return Err("the sandbox closed the connection".into());
            }
            filled += read;
            if is_whole(&reply[..filled])? {
                break;
            }
        }
    }
    Ok(())
}

/// Whether `reply` has come to its end; an error, where it is no 201.
fn is_whole(reply: &[u8]) -> Fallible<bool> {
    let text = std::str::from_utf8(reply)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(false) };
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .ok_or("a reply without a length")?
        .parse()?;
    if head.starts_with("HTTP/1.1 201") { Ok(body.len() >= length) } else { Err(head.to_owned().into()) }
}
