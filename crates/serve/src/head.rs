//! The request head, read in one pass: the headers that are acted on, and whether any of them stands twice.

use http::HeaderMap;

/// Views of the headers that guard and door look at; `None` when absent.
#[derive(Default, Debug)]
#[allow(missing_docs)]
pub struct Head<'a> {
    pub host: Option<&'a [u8]>,
    /// How many Host lines there are.
    pub hosts: u32,
    pub origin: Option<&'a [u8]>,
    pub content_type: Option<&'a [u8]>,
    pub content_encoding: Option<&'a [u8]>,
    pub content_length: Option<u64>,
    /// The client waits for `100 Continue` before it sends its body.
    pub expects: bool,
    pub accept: Option<&'a [u8]>,
    pub protocol_version: Option<&'a [u8]>,
    pub method: Option<&'a [u8]>,
    pub name: Option<&'a [u8]>,
    pub session: Option<&'a [u8]>,
    pub authorization: Option<&'a [u8]>,
    /// Authorization stands more than once: nobody can say which is meant.
    pub two_authorizations: bool,
    /// One of the four MCP headers stands more than once.
    pub ambiguous: bool,
}

impl<'a> Head<'a> {
    /// One walk over the headers: cheaper than a hashed look-up for each of ten names.
    pub fn read(headers: &'a HeaderMap) -> Self {
        let mut head = Head::default();
        for (name, value) in headers {
            let value = value.as_bytes();
            match name.as_str() {
                "host" => {
                    head.host = Some(value);
                    head.hosts += 1;
                }
                "origin" => head.origin = Some(value),
                "content-type" => head.content_type = Some(value),
                "content-encoding" => head.content_encoding = Some(value),
                "content-length" => {
                    head.content_length = std::str::from_utf8(value).ok().and_then(|v| v.trim().parse().ok());
                }
                "expect" => head.expects = true,
                "accept" => head.accept = Some(value),
                "mcp-protocol-version" => once(&mut head.protocol_version, value, &mut head.ambiguous),
                "mcp-method" => once(&mut head.method, value, &mut head.ambiguous),
                "mcp-name" => once(&mut head.name, value, &mut head.ambiguous),
                "authorization" => once(&mut head.authorization, value, &mut head.two_authorizations),
                "mcp-session-id" => once(&mut head.session, value, &mut head.ambiguous),
                _ => {}
            }
        }
        head
    }

    /// Whether JSON may be sent back. An absent Accept accepts everything (RFC 9110, 12.5.1).
    pub fn accepts_json(&self) -> bool {
        self.accept
            .is_none_or(|accept| holds(accept, b"application/json") || holds(accept, b"*/*"))
    }

    /// Whether an SSE stream may be sent back.
    pub fn accepts_stream(&self) -> bool {
        self.accept
            .is_none_or(|accept| holds(accept, b"text/event-stream") || holds(accept, b"*/*"))
    }
}

/// `name: value\r\n` lines for the side above, names in lower case as the map has them; `:path` first when it is given.
pub(crate) fn render(target: Option<&str>, headers: &HeaderMap) -> String {
    let mut out = String::with_capacity(headers.len() * 40);
    if let Some(target) = target {
        out.extend([":path: ", target, "\r\n"]);
    }
    for (name, value) in headers {
        out.push_str(name.as_str());
        out.push_str(": ");
        // Header bytes above ASCII are opaque (RFC 9110, 5.5); latin1 keeps every byte, as node:http does.
        out.extend(value.as_bytes().iter().map(|&b| b as char));
        out.push_str("\r\n");
    }
    out
}

/// Blanks around a field value are not part of it (RFC 9110, 5.5).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |i| i + 1);
    &value[start..end]
}

fn once<'a>(place: &mut Option<&'a [u8]>, value: &'a [u8], ambiguous: &mut bool) {
    if place.replace(trim(value)).is_some() {
        *ambiguous = true;
    }
}

fn holds(value: &[u8], part: &[u8]) -> bool {
    value.len() >= part.len() && value.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part))
}
