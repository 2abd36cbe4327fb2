//! What is refused before the body is looked at: wrong host, origin, path or content type, too much announced.
//!
//! The order is part of the contract with the JavaScript twin (`ts/engine/js/serve/guard.ts`) and its case file.

use crate::config::Config;
use crate::head::{Head, trim};

/// A refusal made by the engine itself, without anyone above knowing.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// JSON-RPC error code.
    pub code: i32,
    /// JSON-RPC error message.
    pub message: String,
    /// Whether the connection ends with this answer: its unread body is not worth reading.
    pub close: bool,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: i32, message: impl Into<String>) -> Self {
        Refusal {
            status,
            code,
            message: message.into(),
            close: false,
        }
    }

    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Refusal::new(413, -32000, format!("Request body exceeds {limit} bytes")).closing()
    }
}

/// Checks that hold for every HTTP method, in order: Host, path, allowed host, allowed origin.
pub fn check_head(config: &Config, path: &str, http11: bool, head: &Head<'_>) -> Result<(), Refusal> {
    if head.hosts > 1 || (http11 && head.hosts == 0) {
        return Err(Refusal::new(400, -32600, "Exactly one Host header is required"));
    }
    if path != config.path && !config.other_paths.iter().any(|one| one == path) {
        return Err(Refusal::new(404, -32000, "Not found"));
    }
    if let Some(allowed) = &config.allowed_hosts {
        let named = head.host.map(|host| host_name(trim(host)));
        if !named.is_some_and(|name| listed(allowed, name)) {
            return Err(Refusal::new(403, -32000, "Host not allowed"));
        }
    }
    if let (Some(allowed), Some(origin)) = (&config.allowed_origins, head.origin)
        && !origin_name(trim(origin)).is_some_and(|name| listed(allowed, name))
    {
        return Err(Refusal::new(403, -32000, "Origin not allowed"));
    }
    Ok(())
}

/// Checks of a POST before its body is read: type, encoding, announced length.
pub fn check_body(config: &Config, head: &Head<'_>) -> Result<(), Refusal> {
    if !head.content_type.is_some_and(is_json) {
        return Err(Refusal::new(415, -32000, "Content-Type must be application/json"));
    }
    if head
        .content_encoding
        .is_some_and(|e| !trim(e).eq_ignore_ascii_case(b"identity"))
    {
        return Err(Refusal::new(415, -32000, "Content-Encoding is not supported"));
    }
    check_length(config, head)
}

/// The announced length alone.
pub fn check_length(config: &Config, head: &Head<'_>) -> Result<(), Refusal> {
    if head
        .content_length
        .is_some_and(|length| length > config.max_body as u64)
    {
        return Err(Refusal::too_large(config.max_body));
    }
    Ok(())
}

fn is_json(value: &[u8]) -> bool {
    let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
    trim(&value[..end]).eq_ignore_ascii_case(b"application/json")
}

/// The name in `name:port`, `[v6]:port` or either without a port; brackets stay.
fn host_name(host: &[u8]) -> &[u8] {
    if host.first() == Some(&b'[') {
        let end = host.iter().position(|&b| b == b']').map_or(host.len(), |i| i + 1);
        return &host[..end];
    }
    &host[..host.iter().position(|&b| b == b':').unwrap_or(host.len())]
}

/// The host of a serialised origin (`scheme://host[:port]`, RFC 6454, 6.2); `None` for `null` and anything else.
fn origin_name(origin: &[u8]) -> Option<&[u8]> {
    let at = origin.windows(3).position(|w| w == b"://")?;
    let scheme = &origin[..at];
    let rest = &origin[at + 3..];
    let plain = !rest.is_empty() && !rest.iter().any(|b| matches!(b, b'/' | b'@' | b'?' | b'#' | b' '));
    (!scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphanumeric) && plain).then(|| host_name(rest))
}

fn listed(allowed: &[String], name: &[u8]) -> bool {
    allowed.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name))
}
