//! Connections that can be cut from inside a handler, so that a client really sees a reply that never comes.

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

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const RESET: u8 = 2;

/// A handler's hold on the connection that its request came by.
#[derive(Clone)]
pub(super) struct Line(Arc<AtomicU8>);

impl Line {
    /// Nothing more is written: the client sees the end of the connection.
    pub(super) fn close(&self) {
        self.0.store(CLOSED, Ordering::Release);
    }

    /// Nothing more is written and the connection is reset.
    pub(super) fn reset(&self) {
        self.0.store(RESET, Ordering::Release);
    }
}

/// A TCP listener whose connections obey their [`Line`].
pub(super) struct CuttableListener(pub(super) TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CuttableStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Only a matter of speed: without it the sandbox is slower, not wrong.
                    let _ = stream.set_nodelay(true);
                    return (CuttableStream { stream, state: Line(Arc::new(AtomicU8::new(OPEN))) }, address);
                }
                // Out of file descriptors, or a client that left while it waited: later ones may do better.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
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
            OPEN => Ok(()),
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

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
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
