//! The way of one request, top to bottom: guard, body, scan, door, answer or hand over, reply.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderValue, ORIGIN, VARY};
use http::{Method, Request, Response, Uri, Version};
use hyper::body::Incoming;
use thirdrail_codec::{Envelope, Kind, field, flag, scan};

use crate::calls::{First, hold};
use crate::compress::accepts_gzip;
use crate::connection::{Conn, Running};
use crate::cors;
use crate::door::{Verdict, decide};
use crate::guard::{Refusal, check_body, check_head, check_length};
use crate::handoff::{Job, Task, Up};
use crate::head::Head;
use crate::reply::{self, Out};
use crate::stats::Stat;
use crate::stream::StreamBody;
use crate::thread::Io;

/// Answers one request. Never fails: what goes wrong is an answer, or the end of the connection.
pub(crate) async fn serve(io: Rc<Io>, conn: Rc<Conn>, request: Request<Incoming>) -> Result<Response<Out>, Infallible> {
    let started = Instant::now();
    io.stats().add(Stat::Requests, 1);
    let reader = io.shared.config.cors_origins.as_ref().map(|origins| {
        let origin = request.headers().get(ORIGIN);
        origin.filter(|origin| cors::allowed(origins, origin)).cloned()
    });
    let over = if conn.speaks_http2() { io.entered.take() } else { None };
    let running = Running::begin(conn, over.clone(), started);
    let mut response = run(&io, running, request, started)
        .await
        .unwrap_or_else(|(refusal, id)| {
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
    if let Some(origin) = reader {
        cors::add(response.headers_mut(), origin);
    }
    response.body_mut().over(over);
    Ok(response)
}

type Refused = (Refusal, Bytes);

async fn run(
    io: &Rc<Io>,
    running: Running,
    request: Request<Incoming>,
    started: Instant,
) -> Result<Response<Out>, Refused> {
    let config = &io.shared.config;
    let (mut parts, body) = request.into_parts();
    #[cfg(test)]
    assert_ne!(parts.uri.path(), "/panic", "a test asked for a panic");
    let mut headers = std::mem::take(&mut parts.headers);
    if parts.version == Version::HTTP_2 {
        host_of_authority(&mut headers, &parts.uri);
    }
    let head = Head::read(&headers);
    let unread = |body: Incoming| crate::body::refuse(config, &running.conn, body, &head);
    let bare_unread = |body: Incoming, refusal: Refusal| bare(if unread(body) { refusal } else { refusal.closing() });
    let path = parts.uri.path();
    if let Err(refusal) = check_head(config, path, parts.version >= Version::HTTP_11, &head) {
        return Err(bare_unread(body, refusal));
    }
    let target = (path != config.path || parts.uri.query().is_some())
        .then(|| parts.uri.path_and_query().map_or(path, |target| target.as_str()).into());
    let principal = match head.authorization {
        Some(value) if config.authorize && !head.two_authorizations => {
            io.shared.tokens.of(value, &running.conn.memo, started)
        }
        _ => 0,
    };
    let zip = config.compression_threshold > 0 && accepts_gzip(&headers);
    let asked = |task, body, envelope| Asked {
        task,
        body,
        envelope,
        target,
        principal,
        zip,
        started,
    };
    let elsewhere = path != config.path;
    if parts.method != Method::POST && !elsewhere {
        unread(body);
        let asked = asked(Task::Message(parts.method), Bytes::new(), Envelope::default());
        return hand_over(io, running, asked, headers, None).await;
    }
    let checked = if elsewhere {
        check_length(config, &head)
    } else {
        check_body(config, &head)
    };
    if let Err(refusal) = checked {
        return Err(bare_unread(body, refusal));
    }
    let body = match crate::body::read(config, &io.buffers, &running.conn, body)
        .await
        .map_err(bare)?
    {
        Some(body) => body,
        None => {
            // The client left in the middle of its message: nobody is there to be answered.
            if running.over.is_none() {
                running.conn.cut();
            }
            return Ok(Response::new(Out::one(Bytes::new())));
        }
    };
    if elsewhere {
        // What is asked for there, and in which form, only the side above knows.
        let asked = asked(Task::Message(parts.method), body, Envelope::default());
        return hand_over(io, running, asked, headers, None).await;
    }
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
        let verdict = if config.authorize && principal == 0 {
            Verdict::Up
        } else {
            decide(config, &snapshot, kind, &envelope, &body, &head, known)
        };
        match verdict {
            Verdict::Answer(entry, bytes) => {
                io.stats().add(Stat::Answered, 1);
                let response = answer(
                    io,
                    &body[envelope.id().unwrap_or(0..0)],
                    bytes,
                    snapshot.generation(),
                    zip,
                );
                entry.stats.record(false, started.elapsed().as_nanos() as u64);
                return Ok(response);
            }
            Verdict::Call(entry, handler, flags) => (Task::Call(handler, flags), Some(entry.clone())),
            Verdict::Up => (Task::Message(Method::POST), None),
        }
    };
    hand_over(io, running, asked(task, body, envelope), headers, entry).await
}

fn bare(refusal: Refusal) -> Refused {
    (refusal, Bytes::new())
}

/// A request for the side above, before it has a slot.
struct Asked {
    task: Task,
    body: Bytes,
    envelope: Envelope,
    target: Option<Box<str>>,
    principal: u64,
    /// The client takes gzip, and answers may be compressed.
    zip: bool,
    started: Instant,
}

/// `:authority` stands for Host (RFC 9113, 8.3.1); where they differ there are two of them, which is refused.
fn host_of_authority(headers: &mut HeaderMap, uri: &Uri) {
    let authority = uri
        .authority()
        .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(authority) = authority
        && headers.get(HOST) != Some(&authority)
    {
        headers.append(HOST, authority);
    }
}

/// What the registry has ready, compressed when it is worth it.
fn answer(io: &Io, id: &[u8], bytes: &Bytes, generation: u32, zip: bool) -> Response<Out> {
    let threshold = io.shared.config.compression_threshold;
    if threshold == 0 || reply::answer_length(id, bytes) < threshold {
        return reply::answer(id, bytes);
    }
    let mut response = if zip {
        reply::answer_zipped(id, &io.kept.borrow_mut().get(generation, bytes))
    } else {
        reply::answer(id, bytes)
    };
    response
        .headers_mut()
        .append(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// Takes a slot, joins the batch, and waits: for a reply, or for a stream to begin.
async fn hand_over(
    io: &Rc<Io>,
    running: Running,
    asked: Asked,
    headers: HeaderMap,
    entry: Option<std::sync::Arc<thirdrail_registry::Entry>>,
) -> Result<Response<Out>, Refused> {
    let id = asked
        .envelope
        .id()
        .map_or(Bytes::new(), |range| asked.body.slice(range));
    let full = |id| (Refusal::new(503, -32000, "Server overloaded"), id);
    if !io.shared.enter() {
        return Err(full(id));
    }
    let Some(mut held) = hold(io, &running, entry, asked.started) else {
        io.shared.leave();
        return Err(full(id));
    };
    let called = matches!(asked.task, Task::Call(..));
    io.stats().add(if called { Stat::Calls } else { Stat::Messages }, 1);
    io.push(Up::Job(Box::new(Job {
        slot: held.slot(),
        task: asked.task,
        body: asked.body,
        envelope: asked.envelope,
        headers,
        target: asked.target,
        principal: asked.principal,
    })));
    match held.first().await {
        First::Reply(done) => {
            let mut response = reply::reply(done.status, done.shape, &id, &done.headers, done.text);
            let threshold = io.shared.config.compression_threshold;
            if threshold > 0 {
                reply::compress(&mut response, threshold, asked.zip).await;
            }
            Ok(response)
        }
        First::Events => Ok(reply::events(StreamBody::new(held, id, running))),
        First::Opened(status, headers) => Ok(reply::opened(status, &headers, StreamBody::new(held, id, running))),
    }
}
