//! HTTP/2 on one connection: how it is recognised, its limits, and where its streams run.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use tokio::io::{AsyncRead, ReadBuf};

use crate::connection::{Conn, Order};
use crate::service;
use crate::socket::{Plain, Socket};
use crate::stats::Stat;
use crate::thread::Io;

/// Requests at a time on one connection; the JavaScript engine has the same number.
pub(crate) const MAX_STREAMS: u32 = 200;
/// Bytes of one request body, and of all of a connection, that a client may send before they are read.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of one answer that wait inside of the protocol.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that a client has reset before they were looked at; with more of them it is cut off (rapid reset).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that we have reset for a client's errors in the protocol; as above.
const MAX_ERROR_RESETS: usize = 1024;

/// What a client that knows sends first (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Looks whether a connection in clear text begins with HTTP/2. Gives what was read; `None`: it has ended.
pub(crate) async fn announced(conn: &Conn, plain: &mut Plain) -> Option<(bool, Bytes)> {
    let mut read = [0; PREFACE.len()];
    let mut length = 0;
    while length < PREFACE.len() && read[..length] == PREFACE[..length] {
        let mut buffer = ReadBuf::new(&mut read[length..]);
        let got = conn
            .unless_told(|cx| Pin::new(&mut *plain).poll_read(cx, &mut buffer))
            .await;
        let filled = buffer.filled().len();
        if !matches!(got, Some(Ok(()))) || filled == 0 {
            return None;
        }
        length += filled;
    }
    let is_http2 = read[..length] == PREFACE[..];
    Some((is_http2, Bytes::copy_from_slice(&read[..length])))
}

pub(crate) async fn serve(io: Rc<Io>, conn: Rc<Conn>, socket: Socket) {
    conn.speak_http2();
    let (service_io, service_conn) = (io.clone(), conn.clone());
    let service = service_fn(move |request| service::serve(service_io.clone(), service_conn.clone(), request));
    let mut builder = http2::Builder::new(Streams {
        io: io.clone(),
        conn: conn.clone(),
    });
    builder
        .timer(crate::timer::Timer)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .max_header_list_size(u32::try_from(io.shared.config.max_header).unwrap_or(u32::MAX));
    let mut driven = pin!(builder.serve_connection(socket, service));
    let mut told = false;
    poll_fn(|cx| {
        match conn.order(cx) {
            Order::Cut => return Poll::Ready(()),
            Order::Close if !told => {
                told = true;
                driven.as_mut().graceful_shutdown();
            }
            _ => {}
        }
        match catch_unwind(AssertUnwindSafe(|| driven.as_mut().poll(cx))) {
            Ok(poll) => poll.map(|_| ()),
            Err(_) => {
                io.stats().add(Stat::Panics, 1);
                Poll::Ready(())
            }
        }
    })
    .await;
}

/// Runs every stream as a task of the connection's thread. tokio keeps a panic inside of its task; it is counted here.
#[derive(Clone)]
struct Streams {
    io: Rc<Io>,
    conn: Rc<Conn>,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + 'static,
{
    fn execute(&self, stream: F) {
        let (io, ours) = (self.io.clone(), self.conn.stream());
        tokio::task::spawn_local(async move {
            let panics = Panics(io);
            let mut stream = pin!(stream);
            poll_fn(|cx| {
                if ours.is_cut(cx) {
                    return Poll::Ready(()); // dropping it resets the stream
                }
                panics.0.entered.set(Some(ours.clone()));
                let polled = stream.as_mut().poll(cx);
                panics.0.entered.take();
                polled.map(|_| ())
            })
            .await;
        });
    }
}

struct Panics(Rc<Io>);

impl Drop for Panics {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stats().add(Stat::Panics, 1);
        }
    }
}
