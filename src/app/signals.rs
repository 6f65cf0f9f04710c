//! SIGTERM and SIGINT: the first asks the run to stop, a second leaves at once with exit code 5.

use super::exit::ExitCode;
use tokio::signal;
use tokio::sync::watch;

/// Begins to listen; the receiver becomes true at the first signal. Must be called inside a tokio runtime.
pub fn listen() -> std::io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signals()?;
    tokio::spawn(async move {
        terminate.next().await;
        // Nobody may listen any more; the second signal is heard all the same.
        let _ = stop.send(true);
        terminate.next().await;
        std::process::exit(i32::from(ExitCode::Incomplete.code()));
    });
    Ok(stopped)
}

/// From here on a file that grows beyond the limit on sizes (`ulimit -f`) is an error that is told, and not a signal that
/// ends the process without a word.
#[cfg(target_os = "linux")]
pub fn outlive_the_limit_on_file_sizes() -> std::io::Result<()> {
    /// SIGXFSZ on every machine that Linux runs on but MIPS.
    const FILE_TOO_LARGE: i32 = 25;
    // The handler outlives the runtime that it is set in.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    signal::unix::signal(signal::unix::SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}

/// Elsewhere the process ends, as the system has it.
#[cfg(not(target_os = "linux"))]
pub fn outlive_the_limit_on_file_sizes() -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
struct Signals {
    terminate: signal::unix::Signal,
    interrupt: signal::unix::Signal,
}

#[cfg(unix)]
fn signals() -> std::io::Result<Signals> {
    use signal::unix::{SignalKind, signal};
    Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
}

#[cfg(unix)]
impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
fn signals() -> std::io::Result<Signals> {
    Ok(Signals)
}

#[cfg(not(unix))]
impl Signals {
    async fn next(&mut self) {
        // Without a handler nothing can be heard, so nothing stops the run this way.
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
