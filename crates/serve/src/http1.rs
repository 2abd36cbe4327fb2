//! HTTP/1.1 on one connection, and the time between two requests, in which it holds no buffer.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper::service::service_fn;

use crate::connection::{Conn, Order};
use crate::service;
use crate::socket::Socket;
use crate::stats::Stat;
use crate::thread::Io;

/// Largest buffer of a connection, for reading and for writing; a head must fit in it.
const BUFFER: usize = 64 * 1024;
/// Most header lines of a request.
const MAX_HEADERS: usize = 128;

/// Who speaks HTTP/2 where it is not spoken is told so; hyper would just leave.
const NO_HTTP2: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

pub(crate) async fn serve(io: Rc<Io>, conn: Rc<Conn>, mut socket: Socket) {
    loop {
        conn.set_parked(true);
        let heard = conn.unless_told(|cx| socket.poll_first(cx)).await;
        conn.set_parked(false);
        if !matches!(heard, Some(Ok(true))) {
            socket.say_late();
            return;
        }
        if socket.announces_http2() {
            socket.say(NO_HTTP2);
            io.stats().add(Stat::Refused, 1);
            return;
        }
        // In a box of its own: it is the larger part of a busy connection, and an idle one has none.
        match Box::pin(awake(&io, &conn, socket)).await {
            Some(idle) => {
                socket = idle;
                io.parked();
            }
            None => return,
        }
    }
}

/// Serves requests until the connection ends, or has been idle for a while: then its socket comes back.
async fn awake(io: &Rc<Io>, conn: &Rc<Conn>, socket: Socket) -> Option<Socket> {
    let config = &io.shared.config;
    let (service_io, service_conn) = (io.clone(), conn.clone());
    let service = service_fn(move |request| service::serve(service_io.clone(), service_conn.clone(), request));
    let mut builder = http1::Builder::new();
    builder
        .timer(crate::timer::Timer)
        // The sweep does it, see connection.rs; hyper's own counts idle time as header time.
        .header_read_timeout(None)
        .max_buf_size(BUFFER.max(config.max_header))
        .max_header_size(config.max_header)
        .max_headers(MAX_HEADERS);
    let mut driven = builder.serve_connection(socket, service);
    // What woke it is not read yet: it must be before the connection is taken for idle.
    let mut read = false;
    let mut told = false;
    let parked = poll_fn(|cx| {
        loop {
            match conn.order(cx) {
                Order::Cut => return Poll::Ready(false),
                Order::Close if !told && read && conn.may_close() => {
                    told = true;
                    Pin::new(&mut driven).graceful_shutdown();
                }
                Order::Park if conn.may_park() => return Poll::Ready(true),
                _ => {}
            }
            // A panic in one connection must not take the thread, and with it every other connection.
            match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut driven).poll(cx))) {
                Ok(Poll::Ready(_)) => return Poll::Ready(false),
                Ok(Poll::Pending) => {}
                Err(_) => {
                    io.stats().add(Stat::Panics, 1);
                    return Poll::Ready(false);
                }
            }
            read = true;
            // A request that was read just now is the last one, which its answer says.
            if told || !conn.is_closing() || !conn.may_close() {
                return Poll::Pending;
            }
        }
    })
    .await;
    parked.then(|| {
        let parts = driven.into_parts();
        let mut socket = parts.io;
        socket.put_back(parts.read_buf);
        socket
    })
}
