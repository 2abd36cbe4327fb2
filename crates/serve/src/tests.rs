//! The listener over real sockets, with a plain thread in the place of JavaScript.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use thirdrail_registry::Registry;

use crate::{Config, Down, Job, Listener, Shape, Stat, Up};

fn config() -> Config {
    Config {
        host: "127.0.0.1".into(),
        port: 0,
        path: "/mcp".into(),
        threads: 1,
        modern_versions: vec!["2026-07-28".into()],
        legacy_versions: vec!["2025-11-25".into()],
        allowed_hosts: Some(vec!["localhost".into()]),
        allowed_origins: Some(vec!["localhost".into()]),
        max_body: 1 << 20,
        max_header: 16 << 10,
        max_depth: 64,
        max_in_flight: 64,
        max_connections: 128,
        max_stream: 1 << 20,
        header_timeout: Duration::from_secs(10),
        body_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(10),
    }
}

/// What the side above does with a job; `None` keeps it.
type Answerer = dyn Fn(&Job) -> Option<Down> + Send + Sync;

/// A listener and the thread that plays the side above.
struct Served {
    listener: Arc<Listener>,
    stop: Arc<AtomicBool>,
    bell: Arc<(Mutex<bool>, Condvar)>,
    above: Option<JoinHandle<Vec<u64>>>,
}

impl Served {
    fn start(config: Config, answerer: Box<Answerer>) -> Served {
        let registry = Arc::new(Registry::new());
        registry.answer("tools/list", "", None, Some(br#"{"tools":[]}"#));
        registry.handler("tools/call", "echo", 7);
        registry.publish();
        let bell = Arc::new((Mutex::new(false), Condvar::new()));
        let ring = bell.clone();
        let listener = Arc::new(
            Listener::bind(config, &registry, move || {
                *ring.0.lock().unwrap() = true;
                ring.1.notify_one();
            })
            .unwrap(),
        );
        let stop = Arc::new(AtomicBool::new(false));
        let above = std::thread::spawn({
            let (listener, stop, bell) = (listener.clone(), stop.clone(), bell.clone());
            move || above(&listener, &stop, &bell, &answerer)
        });
        Served {
            listener,
            stop,
            bell,
            above: Some(above),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.listener.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn stat(&self, stat: Stat) -> f64 {
        self.listener.stats()[stat as usize]
    }

    /// Ends the side above; returns the slots that it was told were aborted.
    fn end(mut self) -> Vec<u64> {
        self.stop.store(true, Ordering::SeqCst);
        *self.bell.0.lock().unwrap() = true;
        self.bell.1.notify_one();
        self.above.take().unwrap().join().unwrap()
    }
}

fn above(listener: &Listener, stop: &AtomicBool, bell: &(Mutex<bool>, Condvar), answerer: &Answerer) -> Vec<u64> {
    let (mut aborted, mut batches) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let mut rung = bell.0.lock().unwrap();
        while !*rung {
            rung = bell.1.wait(rung).unwrap();
        }
        *rung = false;
        drop(rung);
        listener.looking();
        let mut downs = Vec::new();
        while let Some(up) = listener.pop() {
            match up {
                Up::Abort(slot) => {
                    aborted.push(slot);
                    listener.leave();
                }
                Up::Job(job) => {
                    if let Some(down) = answerer(&job) {
                        listener.leave();
                        downs.push(down);
                    }
                }
            }
        }
        listener.complete(downs.into_iter(), &mut batches);
    }
    aborted
}

fn echo(job: &Job) -> Option<Down> {
    Some(Down::Reply {
        slot: job.slot,
        status: 200,
        shape: Shape::Result,
        failed: false,
        headers: String::new(),
        text: Bytes::copy_from_slice(job.range(job.envelope.arguments())),
    })
}

fn post(body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn call(id: u32, text: &str) -> String {
    post(&format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"{text}"}}}}}}"#
    ))
}

/// One response with a content-length: status line and body.
fn receive(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|l| l.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head.lines().next().unwrap().into(), String::from_utf8(body).unwrap())
}

fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never happened: {what}");
}

#[test]
fn answers_from_the_registry_without_the_side_above() {
    let served = Served::start(config(), Box::new(|_| panic!("nothing is handed up")));
    let mut client = served.connect();
    client
        .write_all(post(r#"{"jsonrpc":"2.0","id":"a\u0001","method":"tools/list"}"#).as_bytes())
        .unwrap();
    let (status, body) = receive(&mut client);
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert_eq!(body, r#"{"jsonrpc":"2.0","id":"a\u0001","result":{"tools":[]}}"#);
    assert_eq!(served.stat(Stat::Answered), 1.0);
    served.end();
}

#[test]
fn calls_of_many_connections_and_threads_get_their_own_answers() {
    let served = Served::start(Config { threads: 3, ..config() }, Box::new(echo));
    std::thread::scope(|scope| {
        for client in 0..24 {
            let mut stream = served.connect();
            scope.spawn(move || {
                for n in 0..50 {
                    let id = client * 1000 + n;
                    stream.write_all(call(id, &format!("m{id}")).as_bytes()).unwrap();
                    let expected = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"message":"m{id}"}}}}"#);
                    assert_eq!(receive(&mut stream).1, expected);
                }
            });
        }
    });
    assert_eq!(served.stat(Stat::Calls), 1200.0);
    assert!(served.stat(Stat::Wakes) <= 1201.0);
    assert_eq!(served.stat(Stat::InFlight), 0.0);
    assert!(served.end().is_empty());
}

#[test]
fn tells_once_that_a_client_left_and_ignores_the_late_reply() {
    let late = Arc::new(Mutex::new(None));
    let kept = late.clone();
    let served = Served::start(
        config(),
        Box::new(move |job| {
            *kept.lock().unwrap() = echo(job);
            None
        }),
    );
    let mut client = served.connect();
    client.write_all(call(1, "x").as_bytes()).unwrap();
    until("the call is up", || late.lock().unwrap().is_some());
    drop(client);
    until("the abort is counted", || served.stat(Stat::Aborted) == 1.0);
    let reply = late.lock().unwrap().take();
    served.listener.complete(reply.into_iter(), &mut Vec::new());
    until("the late reply is counted", || served.stat(Stat::StaleReplies) == 1.0);
    until("nothing is in flight", || served.stat(Stat::InFlight) == 0.0);
    assert_eq!(served.end().len(), 1);
}

#[test]
fn a_panic_ends_its_connection_and_no_other() {
    let served = Served::start(config(), Box::new(echo));
    let mut good = served.connect();
    good.write_all(call(1, "before").as_bytes()).unwrap();
    receive(&mut good);
    let mut bad = served.connect();
    bad.write_all(b"GET /panic HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut nothing = Vec::new();
    bad.read_to_end(&mut nothing).unwrap();
    assert!(nothing.is_empty());
    good.write_all(call(2, "after").as_bytes()).unwrap();
    assert!(receive(&mut good).1.contains("after"));
    assert_eq!(served.stat(Stat::Panics), 1.0);
    served.end();
}

#[test]
fn over_the_limit_the_answer_is_503_with_the_id() {
    let served = Served::start(
        Config {
            max_in_flight: 1,
            ..config()
        },
        Box::new(|_| None),
    );
    let mut first = served.connect();
    first.write_all(call(1, "x").as_bytes()).unwrap();
    until("the call is in flight", || served.stat(Stat::InFlight) == 1.0);
    let mut second = served.connect();
    second.write_all(call(2, "x").as_bytes()).unwrap();
    let (status, body) = receive(&mut second);
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert!(body.contains(r#""id":2,"error":{"code":-32000"#), "{body}");
    // What the registry answers is answered even then.
    second
        .write_all(post(r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#).as_bytes())
        .unwrap();
    assert_eq!(receive(&mut second).0, "HTTP/1.1 200 OK");
    assert_eq!(served.stat(Stat::Overloaded), 1.0);
    drop(first);
    served.end();
}

#[test]
fn close_lets_the_running_call_end_and_then_ends_the_threads() {
    let go = Arc::new(AtomicBool::new(false));
    let gate = go.clone();
    let served = Served::start(
        config(),
        Box::new(move |job| {
            while !gate.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            echo(job)
        }),
    );
    let mut client = served.connect();
    client.write_all(call(1, "last").as_bytes()).unwrap();
    until("the call is up", || served.stat(Stat::Calls) == 1.0);
    let address = served.listener.address();
    served.listener.close();
    until("nobody is accepted", || TcpStream::connect(address).is_err());
    go.store(true, Ordering::SeqCst);
    assert!(receive(&mut client).1.contains("last"));
    until("the threads have ended", || served.listener.ended());
    served.end();
}

#[test]
fn a_late_head_and_an_idle_connection_are_ended() {
    let quick = Duration::from_millis(40);
    let served = Served::start(
        Config {
            header_timeout: quick,
            idle_timeout: quick,
            ..config()
        },
        Box::new(echo),
    );
    let mut slow = served.connect();
    slow.write_all(b"POST /mcp HTT").unwrap();
    let mut idle = served.connect();
    idle.write_all(call(1, "x").as_bytes()).unwrap();
    receive(&mut idle);
    let mut rest = Vec::new();
    assert_eq!(idle.read_to_end(&mut rest).unwrap(), 0);
    slow.read_to_end(&mut rest).unwrap();
    assert!(rest.starts_with(b"HTTP/1.1 408 "));
    until("both are gone", || served.stat(Stat::Connections) == 0.0);
    served.end();
}
