//! Nanoseconds per envelope scan: ranges only and with all of the message proven. Prints the minimum of many rounds,
//! because anything above the minimum is the machine's other work.

use std::hint::black_box;
use std::time::Instant;
use thirdrail_codec::{Envelope, Kind, Refusal, scan, scan_ranges, simd_level};

type Scanner = fn(&[u8], u32, &mut Envelope) -> Result<Kind, Refusal>;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A tools/call of exactly `size` bytes: structured arguments, the last one filled up with text.
fn call(size: usize, structured: bool) -> Vec<u8> {
    let mut text =
        String::from(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search","arguments":{"#);
    let tail = r#""}}}"#;
    let mut row = 0;
    while structured && text.len() + 160 < size {
        text += &format!(r#""row{row}":{{"id":{row},"tags":["a","b\n"],"price":{row}.25,"ok":true,"note":null}},"#);
        row += 1;
    }
    text += r#""message":""#;
    text.extend(std::iter::repeat_n('x', size.saturating_sub(text.len() + tail.len())));
    text += tail;
    text.into_bytes()
}

fn measure(scanner: Scanner, message: &[u8]) -> f64 {
    let mut out = Envelope::new();
    let rounds = (2_000_000 / message.len()).clamp(20, 5_000);
    let mut best = f64::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(scanner(black_box(message), 64, &mut out)).expect("the message is fine");
        }
        best = best.min(start.elapsed().as_nanos() as f64 / rounds as f64);
    }
    best
}

fn main() {
    let modern = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"hello there 1234567890"}},{META}}}}}"#
    );
    println!("level {}", simd_level());
    println!("{:<24}{:>8}{:>12}{:>12}", "message", "bytes", "ranges ns", "proven ns");
    for (name, message) in [
        ("call", call(178, true)),
        ("echo, modern _meta", modern.into_bytes()),
        ("call, structured", call(1_000, true)),
        ("call, structured", call(10_000, true)),
        ("call, structured", call(100_000, true)),
        ("call, one text", call(100_000, false)),
    ] {
        let (ranges, proven) = (measure(scan_ranges, &message), measure(scan, &message));
        println!("{name:<24}{:>8}{ranges:>12.0}{proven:>12.0}", message.len());
    }
}
