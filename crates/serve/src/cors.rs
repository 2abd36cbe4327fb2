//! The CORS lines of an answer: which page may read it (Fetch standard, 3.3). Off unless origins are configured.
//!
//! Not a guard: a request of a foreign page is refused by guard.rs or not at all. What a preflight may do is said above.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, VARY};
use http::{HeaderMap, HeaderValue};

/// Whether answers to this Origin may be read; the value is what stands in the answer.
pub(crate) fn allowed(origins: &[String], origin: &HeaderValue) -> bool {
    origins
        .iter()
        .any(|one| one == "*" || one.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}

/// Adds the lines. `origin`: the allowed one. Without Vary a cache could hand one page's answer to another.
pub(crate) fn add(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(origin);
        headers.append(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Mcp-Session-Id, WWW-Authenticate"),
        );
    }
}
