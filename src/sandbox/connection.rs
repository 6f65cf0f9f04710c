//! Connections that can be cut from inside a handler, so that a client really sees a reply that never comes, and a door
//! that can be shut, so that it really cannot connect.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const RESET: u8 = 2;
const HALF: u8 = 3;
/// How long a listener that cannot accept or listen waits before it tries again.
const AGAIN: Duration = Duration::from_millis(20);

/// Until when nobody can connect.
pub(super) struct Door(watch::Sender<Option<Instant>>);

impl Door {
    /// An open one.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Shuts it for `wait` from now.
    pub(super) fn shut(&self, wait: Duration) {
        self.0.send_replace(Some(Instant::now() + wait));
    }

    /// Whether it is shut: then what comes by an older connection is turned away too.
    pub(super) fn is_shut(&self) -> bool {
        self.0.borrow().is_some_and(|until| until > Instant::now())
    }
}

/// A handler's hold on the connection that its request came by.
#[derive(Clone)]
pub(super) struct Line(Arc<AtomicU8>);

impl Line {
    /// Nothing more is written: the client sees the end of the connection.
    pub(super) fn close(&self) {
        self.0.store(CLOSED, Ordering::Release);
    }

    /// Of what is written next only the head and half of the body leave; then the connection ends.
    pub(super) fn halve(&self) {
        self.0.store(HALF, Ordering::Release);
    }

    /// Nothing more is written and the connection is reset.
    pub(super) fn reset(&self) {
        self.0.store(RESET, Ordering::Release);
    }
}

/// A TCP listener whose connections obey their [`Line`], and which does not listen while the [`Door`] is shut.
pub(super) struct CuttableListener {
    listener: Option<TcpListener>,
    address: SocketAddr,
    door: watch::Receiver<Option<Instant>>,
}

impl CuttableListener {
    /// Listens on `listener`, whose address is `address`, as the door allows.
    pub(super) fn new(listener: TcpListener, address: SocketAddr, door: &Door) -> Self {
        Self { listener: Some(listener), address, door: door.0.subscribe() }
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CuttableStream, SocketAddr) {
        loop {
            let shut_until = self.door.borrow_and_update().filter(|until| *until > Instant::now());
            if let Some(until) = shut_until {
                // Only a port that nobody listens on refuses a connection.
                self.listener = None;
                tokio::time::sleep_until(until).await;
                continue;
            }
            let Some(listener) = &self.listener else {
                match TcpListener::bind(self.address).await {
                    Ok(listener) => self.listener = Some(listener),
                    Err(_) => tokio::time::sleep(AGAIN).await,
                }
                continue;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Ok(()) = self.door.changed() => continue,
            };
            match accepted {
                Ok((stream, address)) => {
                    // Only a matter of speed: without it the sandbox is slower, not wrong.
                    let _ = stream.set_nodelay(true);
                    return (CuttableStream { stream, state: Line(Arc::new(AtomicU8::new(OPEN))) }, address);
                }
                // Out of file descriptors, or a client that left while it waited: later ones may do better.
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().state.clone()
    }
}

/// One connection.
pub(super) struct CuttableStream {
    stream: TcpStream,
    state: Line,
}

impl CuttableStream {
    /// Refuses to write once the line was cut; the server then drops the connection.
    fn check(&self) -> io::Result<()> {
        match self.state.0.load(Ordering::Acquire) {
            OPEN | HALF => Ok(()),
            how => {
                if how == RESET {
                    // Without it the client still sees the connection end, only more politely.
                    let _ = self.stream.set_zero_linger();
                }
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut on demand"))
            }
        }
    }
}

impl CuttableStream {
    /// Whether only half of what is written next may leave.
    fn is_halved(&self) -> bool {
        self.state.0.load(Ordering::Acquire) == HALF
    }

    /// Writes a reply's head and half of its body, and nothing ever after.
    fn write_half(&mut self, cx: &mut Context<'_>, reply: &[u8]) -> Poll<io::Result<usize>> {
        let head = reply.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4);
        let half = head + (reply.len() - head) / 2;
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, &reply[..half]))?;
        self.state.close();
        Poll::Ready(Ok(written))
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        if self.is_halved() {
            return self.write_half(cx, bytes);
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        if self.is_halved() {
            let whole = slices.iter().map(|slice| &**slice).collect::<Vec<&[u8]>>().concat();
            return self.write_half(cx, &whole);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
