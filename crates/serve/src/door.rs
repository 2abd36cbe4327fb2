//! The door: is this message beyond doubt? Then answer it or call its handler; everything else goes up as it is.
//!
//! The door never decides an error. It says yes only when headers, envelope and route agree completely, so a message that
//! merely looks unusual costs a slower path, not a wrong answer.

use thirdrail_codec::{Envelope, Kind, flag};
use thirdrail_registry::{Entry, Route, Snapshot};

use crate::config::Config;
use crate::head::Head;

/// The call belongs to a legacy revision.
pub const CALL_LEGACY: u32 = 1;
/// The client accepts `text/event-stream`.
pub const CALL_STREAM: u32 = 2;
/// `_meta.progressToken` is there.
pub const CALL_PROGRESS: u32 = 4;

/// What to do with a message.
#[derive(Debug)]
pub enum Verdict<'s> {
    /// Ready bytes, ending with the brace that closes the response.
    Answer(&'s std::sync::Arc<Entry>, &'s bytes::Bytes),
    /// A handler above, with its number and the `CALL_` flags.
    Call(&'s std::sync::Arc<Entry>, u32, u32),
    /// The protocol layer above looks at it.
    Up,
}

/// Decides for one scanned POST. `session_known` is asked only when a session id was sent on a legacy request.
pub fn decide<'s>(
    config: &Config,
    snapshot: &'s Snapshot,
    kind: Kind,
    envelope: &Envelope,
    message: &[u8],
    head: &Head<'_>,
    session_known: impl FnOnce(&str) -> bool,
) -> Verdict<'s> {
    door(config, snapshot, kind, envelope, message, head, session_known).unwrap_or(Verdict::Up)
}

/// `None` is "up": every `?` below is a doubt.
fn door<'s>(
    config: &Config,
    snapshot: &'s Snapshot,
    kind: Kind,
    envelope: &Envelope,
    message: &[u8],
    head: &Head<'_>,
    session_known: impl FnOnce(&str) -> bool,
) -> Option<Verdict<'s>> {
    let flags = envelope.flags();
    if kind != Kind::Request || flags & (flag::ESCAPED | flag::PARAMS_ARRAY) != 0 || head.ambiguous {
        return None;
    }
    let method = &message[envelope.method()?];
    let legacy = match head.protocol_version {
        Some(version) if among(&config.modern_versions, version) => {
            let said = &message[envelope.meta_version()?];
            (head.method == Some(method) && said == version && flags & flag::META_CAPABILITIES != 0).then_some(false)?
        }
        Some(version) if !among(&config.legacy_versions, version) => return None,
        _ => {
            if flags & flag::META_VERSION_PRESENT != 0 {
                return None;
            }
            if let Some(id) = head.session {
                session_known(std::str::from_utf8(id).ok()?).then_some(())?;
            }
            true
        }
    };
    let (key, named): (&[u8], bool) = match method {
        b"tools/call" | b"prompts/get" => (&message[envelope.name()?], true),
        b"resources/read" => (&message[envelope.uri()?], true),
        _ => (b"", false),
    };
    let entry = snapshot.route(method, key)?;
    if flags & flag::OTHER_PARAMS != 0 || !head.accepts_json() {
        return None;
    }
    match &entry.route {
        Route::Answer { modern, legacy: old } => {
            let bare =
                !named && envelope.name().is_none() && envelope.uri().is_none() && envelope.arguments().is_none();
            let bytes = if legacy { old } else { modern };
            bare.then_some(Verdict::Answer(entry, bytes.as_ref()?))
        }
        Route::Handler(handler) => {
            if !legacy && named && head.name != Some(key) {
                return None;
            }
            let mut call = if legacy { CALL_LEGACY } else { 0 };
            if head.accepts_stream() {
                call |= CALL_STREAM;
            }
            if envelope.progress_token().is_some() {
                call |= CALL_PROGRESS;
            }
            Some(Verdict::Call(entry, *handler, call))
        }
    }
}

fn among(versions: &[String], version: &[u8]) -> bool {
    versions.iter().any(|one| one.as_bytes() == version)
}
