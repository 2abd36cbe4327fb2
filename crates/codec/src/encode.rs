//! Answers by splice: what is ready as bytes is copied, never parsed.
//!
//! The pieces are public so that a server can write them around a large result without copying it.

/// What stands before the id.
pub const HEAD: &[u8] = br#"{"jsonrpc":"2.0","id":"#;
/// What stands between the id and a result.
pub const RESULT_HEAD: &[u8] = br#","result":"#;
/// What stands between the id and an error.
pub const ERROR_HEAD: &[u8] = br#","error":"#;
/// What ends either.
pub const TAIL: &[u8] = b"}";
/// What an error has for an id when the request had none that could be read.
pub const NULL_ID: &[u8] = b"null";
/// What begins an event, after its id.
pub const EVENT_HEAD: &[u8] = b"event: message\n";
/// What begins a line of data.
pub const EVENT_DATA: &[u8] = b"data: ";
/// What ends an event after its last line of data: the end of that line and a blank line.
pub const EVENT_TAIL: &[u8] = b"\n\n";

/// Appends `{"jsonrpc":"2.0","id":<id>,"result":<result>}`; both are raw JSON, copied as they are.
pub fn encode_result(out: &mut Vec<u8>, id: &[u8], result: &[u8]) {
    splice(out, id, RESULT_HEAD, result);
}

/// Appends `{"jsonrpc":"2.0","id":<id>,"error":<error>}`; an empty id becomes `null`.
pub fn encode_error(out: &mut Vec<u8>, id: &[u8], error: &[u8]) {
    splice(out, if id.is_empty() { NULL_ID } else { id }, ERROR_HEAD, error);
}

/// Bytes that [`encode_result`] appends.
pub const fn result_length(id: usize, result: usize) -> usize {
    HEAD.len() + id + RESULT_HEAD.len() + result + TAIL.len()
}

/// Appends the error object of a refusal, `{"code":...,"message":"..."}`.
pub fn encode_refusal(out: &mut Vec<u8>, refusal: crate::Refusal) {
    let error = refusal.error();
    // The messages need no escaping, which a test of theirs guards.
    out.extend_from_slice(format!(r#"{{"code":{},"message":"{}"}}"#, error.code, error.message).as_bytes());
}

/// Appends one server-sent event: its id unless empty, `event: message`, a `data: ` line per line of data, a blank line.
///
/// `\r\n` and `\r` in data end a line as `\n` does, because a reader takes them so. An id with a line end or NUL in it is
/// left out: it would be another field, or ignored.
pub fn encode_event(out: &mut Vec<u8>, id: &str, data: &[u8]) {
    out.reserve(data.len() + id.len() + 64);
    if !id.is_empty() && !id.contains(['\r', '\n', '\0']) {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(EVENT_HEAD);
    let mut rest = data;
    loop {
        out.extend_from_slice(EVENT_DATA);
        let Some(stop) = memchr::memchr2(b'\n', b'\r', rest) else {
            break;
        };
        out.extend_from_slice(&rest[..stop]);
        out.push(b'\n');
        rest = if rest[stop..].starts_with(b"\r\n") {
            &rest[stop + 2..]
        } else {
            &rest[stop + 1..]
        };
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(EVENT_TAIL);
}

fn splice(out: &mut Vec<u8>, id: &[u8], member: &[u8], body: &[u8]) {
    out.reserve(HEAD.len() + id.len() + member.len() + body.len() + TAIL.len());
    for piece in [HEAD, id, member, body, TAIL] {
        out.extend_from_slice(piece);
    }
}
