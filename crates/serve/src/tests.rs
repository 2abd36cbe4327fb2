//! The listener over real sockets, with a plain thread in the place of JavaScript.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use thirdrail_registry::Registry;

use crate::{Address, Config, Down, Job, Listener, Pem, Shape, Stat, Up};

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
        write_timeout: Duration::from_secs(10),
        stream_high_water: 64 << 10,
        compression_threshold: 0,
        unix_path: None,
        reuse_port: false,
        tls: None,
        http2: false,
        other_paths: vec![],
        cors_origins: None,
        authorize: false,
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
            Listener::bind(
                config,
                &registry,
                move || {
                    *ring.0.lock().unwrap() = true;
                    ring.1.notify_one();
                },
                || {},
            )
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

    fn address(&self) -> SocketAddr {
        match self.listener.address() {
            Address::Tcp(address) => *address,
            Address::Unix(path) => panic!("{path:?} is no port"),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
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
                Up::Flushed(..) => {}
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
    let address = served.address();
    served.listener.close();
    until("nobody is accepted", || TcpStream::connect(address).is_err());
    go.store(true, Ordering::SeqCst);
    assert!(receive(&mut client).1.contains("last"));
    until("the threads have ended", || served.listener.ended());
    served.end();
}

#[test]
fn what_was_sent_before_the_end_is_answered() {
    const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for http2 in [false, true] {
        let served = Served::start(Config { http2, ..config() }, Box::new(echo));
        let mut clients: Vec<TcpStream> = (0..8).map(|_| served.connect()).collect();
        for client in &mut clients {
            client.write_all(post(LIST).as_bytes()).unwrap();
            receive(client);
        }
        // The I/O thread wakes the side above and gets no further: what comes now is with the system when the end is told.
        let held = served.bell.0.lock().unwrap();
        let mut busy = served.connect();
        busy.write_all(call(1, "busy").as_bytes()).unwrap();
        until("the call is up", || served.stat(Stat::Calls) == 1.0);
        clients.extend((0..8).map(|_| served.connect()));
        for client in &mut clients {
            client.write_all(post(LIST).as_bytes()).unwrap();
        }
        served.listener.close();
        drop(held);
        for mut client in clients {
            assert!(receive(&mut client).1.contains(r#""tools":[]"#));
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
        assert!(receive(&mut busy).1.contains("busy"));
        until("the threads have ended", || served.listener.ended());
        served.end();
    }
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

#[test]
fn an_idle_connection_gives_its_buffers_back_and_serves_on() {
    let served = Served::start(
        Config {
            idle_timeout: Duration::from_secs(2),
            header_timeout: Duration::from_millis(200),
            ..config()
        },
        Box::new(echo),
    );
    let mut client = served.connect();
    for id in 0..4 {
        client.write_all(call(id, "x").as_bytes()).unwrap();
        assert!(receive(&mut client).1.contains(&format!(r#""id":{id},"#)));
        // Several turns of the sweep; the time for a head does not run meanwhile.
        std::thread::sleep(Duration::from_millis(300));
    }
    // A refused body that is still coming keeps the connection awake: its rest is no request.
    let hidden = call(9, "smuggled");
    let body = format!("{hidden}{}", " ".repeat(2000));
    let head = "POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    client
        .write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes())
        .unwrap();
    assert_eq!(receive(&mut client).0, "HTTP/1.1 404 Not Found");
    std::thread::sleep(Duration::from_millis(300));
    client.write_all(body.as_bytes()).unwrap();
    client.write_all(call(10, "y").as_bytes()).unwrap();
    assert!(receive(&mut client).1.contains(r#""id":10,"#));
    assert_eq!(served.stat(Stat::Calls), 5.0);
    served.end();
}

#[test]
fn a_body_that_was_given_up_is_no_request_when_it_comes() {
    let served = Served::start(
        Config {
            idle_timeout: Duration::from_secs(4),
            header_timeout: Duration::from_millis(200),
            body_timeout: Duration::from_millis(50),
            ..config()
        },
        Box::new(echo),
    );
    let mut client = served.connect();
    let body = call(1, "smuggled");
    let head = "POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    client
        .write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes())
        .unwrap();
    assert_eq!(receive(&mut client).0, "HTTP/1.1 404 Not Found");
    // Long enough for the body to be late and for the sweep to look at an idle connection.
    std::thread::sleep(Duration::from_millis(400));
    let _ = client.write_all(body.as_bytes());
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert_eq!(String::from_utf8_lossy(&rest), "");
    assert_eq!(served.stat(Stat::Calls), 0.0);
    served.end();
}

#[test]
fn tls_refuses_what_is_no_certificate_and_says_why() {
    let registry = Arc::new(Registry::new());
    let with = |cert: &str, key: &str| {
        let (cert, key) = (cert.to_owned(), key.to_owned());
        let tls = Some(Pem { cert, key });
        let bound = Listener::bind(Config { tls, ..config() }, &registry, || {}, || {});
        bound.map(|_| ()).unwrap_err().to_string()
    };
    let block = |name: &str, text: &str| format!("-----BEGIN {name}-----\n{text}\n-----END {name}-----\n");
    assert!(with("", "").contains("tls.cert holds no certificate"));
    assert!(with("-----BEGIN CERTIFICATE-----\nMA==\n", "").contains("tls.cert is no PEM text: a section has no end"));
    let cert = block("CERTIFICATE", "MA==");
    assert!(with(&cert, "secret").contains("tls.key holds no private key"));
    assert!(with(&cert, &block("ENCRYPTED PRIVATE KEY", "MA==")).contains("tls.key is encrypted"));
    let why = with(&cert, &block("PRIVATE KEY", "c2VjcmV0"));
    assert!(why.contains("is not usable") && !why.contains("secret"), "{why}");
    assert_eq!(
        format!(
            "{:?}",
            Pem {
                cert,
                key: "secret".into()
            }
        ),
        "Pem"
    );
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_taken_over_only_from_the_dead() {
    let path = std::env::temp_dir().join(format!("thirdrail-{}.sock", std::process::id()));
    let registry = Arc::new(Registry::new());
    let bind = || {
        let unix_path = Some(path.clone());
        Listener::bind(
            Config {
                unix_path,
                threads: 2,
                ..config()
            },
            &registry,
            || {},
            || {},
        )
    };
    let first = bind().unwrap();
    assert_eq!(first.address(), &Address::Unix(path.clone()));
    assert_eq!(bind().map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    std::os::unix::net::UnixStream::connect(&path).unwrap();
    // Another one has put its socket there: that is not ours to remove.
    std::fs::remove_file(&path).unwrap();
    let second = bind().unwrap();
    drop(first);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());
    // A dead one, and a file.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    drop(bind().unwrap());
    std::fs::write(&path, "data").unwrap();
    let refused = bind().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("no socket"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"data");
    std::fs::remove_file(&path).unwrap();
}
