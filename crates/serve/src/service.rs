//! The way of one request, top to bottom: guard, body, scan, door, answer or hand over, reply.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::{Method, Request, Response, Version};
use hyper::body::Incoming;
use thirdrail_codec::{Envelope, Kind, field, flag, scan};

use crate::calls::{First, StreamBody, hold};
use crate::connection::{Conn, Phase};
use crate::door::{Verdict, decide};
use crate::guard::{Refusal, check_body, check_head};
use crate::handoff::{Job, Task, Up};
use crate::head::Head;
use crate::reply::{self, Out};
use crate::stats::Stat;
use crate::thread::Io;

/// Answers one request. Never fails: what goes wrong is an answer, or the end of the connection.
pub(crate) async fn serve(io: Rc<Io>, conn: Rc<Conn>, request: Request<Incoming>) -> Result<Response<Out>, Infallible> {
    let started = Instant::now();
    conn.enter(Phase::Busy, started);
    io.stats().add(Stat::Requests, 1);
    let response = run(&io, &conn, request, started).await.unwrap_or_else(|(refusal, id)| {
        io.stats().add(
            if refusal.status == 503 {
                Stat::Overloaded
            } else {
                Stat::Refused
            },
            1,
        );
        reply::refusal(&refusal, &id)
    });
    if !matches!(response.body(), Out::Stream(_)) {
        conn.enter(Phase::Idle, Instant::now());
    }
    Ok(response)
}

type Refused = (Refusal, Bytes);

async fn run(
    io: &Rc<Io>,
    conn: &Rc<Conn>,
    request: Request<Incoming>,
    started: Instant,
) -> Result<Response<Out>, Refused> {
    let config = &io.shared.config;
    let (parts, body) = request.into_parts();
    #[cfg(test)]
    assert_ne!(parts.uri.path(), "/panic", "a test asked for a panic");
    let head = Head::read(&parts.headers);
    let unread = |body: Incoming| crate::body::refuse(config, body, &head);
    if let Err(refusal) = check_head(config, parts.uri.path(), parts.version >= Version::HTTP_11, &head) {
        return Err(bare(if unread(body) { refusal } else { refusal.closing() }));
    }
    if parts.method != Method::POST {
        unread(body);
        let job = Unsent {
            task: Task::Message(parts.method),
            body: Bytes::new(),
            envelope: Envelope::default(),
        };
        return hand_over(io, conn, job, parts.headers, None, started).await;
    }
    if let Err(refusal) = check_body(config, &head) {
        return Err(bare(if unread(body) { refusal } else { refusal.closing() }));
    }
    let body = match crate::body::read(config, &io.buffers, body).await.map_err(bare)? {
        Some(body) => body,
        None => {
            // The client left in the middle of its message: nobody is there to be answered.
            conn.cut();
            return Ok(Response::new(Out::one(Bytes::new())));
        }
    };
    let mut envelope = Envelope::default();
    let kind = scan(&body, config.max_depth, &mut envelope).map_err(|refusal| {
        let error = refusal.error();
        bare(Refusal::new(error.status, error.code, error.message))
    })?;
    if kind != Kind::Request {
        // Only a request has an id to answer to and metadata to ask for; only the hint for decoding stays.
        let hint = if kind == Kind::Notification {
            envelope.flags() & flag::ASCII
        } else {
            0
        };
        envelope = Envelope::default();
        envelope.fields[field::FLAGS] = hint as i32;
    }
    let (task, entry) = {
        let snapshot = io.snapshot();
        let known = |id: &str| io.shared.sessions.has(id);
        match decide(config, &snapshot, kind, &envelope, &body, &head, known) {
            Verdict::Answer(entry, bytes) => {
                io.stats().add(Stat::Answered, 1);
                let response = reply::answer(&body[envelope.id().unwrap_or(0..0)], bytes);
                entry.stats.record(false, started.elapsed().as_nanos() as u64);
                return Ok(response);
            }
            Verdict::Call(entry, handler, flags) => (Task::Call(handler, flags), Some(entry.clone())),
            Verdict::Up => (Task::Message(Method::POST), None),
        }
    };
    hand_over(io, conn, Unsent { task, body, envelope }, parts.headers, entry, started).await
}

fn bare(refusal: Refusal) -> Refused {
    (refusal, Bytes::new())
}

struct Unsent {
    task: Task,
    body: Bytes,
    envelope: Envelope,
}

/// Takes a slot, joins the batch, and waits: for a reply, or for events that open a stream.
async fn hand_over(
    io: &Rc<Io>,
    conn: &Rc<Conn>,
    unsent: Unsent,
    headers: http::HeaderMap,
    entry: Option<std::sync::Arc<thirdrail_registry::Entry>>,
    started: Instant,
) -> Result<Response<Out>, Refused> {
    let id = unsent
        .envelope
        .id()
        .map_or(Bytes::new(), |range| unsent.body.slice(range));
    let full = |id| (Refusal::new(503, -32000, "Server overloaded"), id);
    if !io.shared.enter() {
        return Err(full(id));
    }
    let Some(mut held) = hold(io, conn, entry, started) else {
        io.shared.leave();
        return Err(full(id));
    };
    let called = matches!(unsent.task, Task::Call(..));
    io.stats().add(if called { Stat::Calls } else { Stat::Messages }, 1);
    let Unsent { task, body, envelope } = unsent;
    io.push(Up::Job(Box::new(Job {
        slot: held.slot(),
        task,
        body,
        envelope,
        headers,
    })));
    match held.first().await {
        First::Reply(done) => Ok(reply::reply(done.status, done.shape, &id, &done.headers, done.text)),
        First::Stream => Ok(reply::stream(StreamBody::new(held, id, conn.clone()))),
    }
}
