//! One entry: a route with its identity and its counters. Entries are immutable; a changed route is a new entry.

use std::sync::Arc;

use bytes::Bytes;

use crate::stats::Stats;

/// Which of the two protocol eras a request belongs to; decided once at the door, never here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Era {
    /// Revision 2026-07-28 and later.
    Modern = 0,
    /// Revisions with `initialize`, up to 2025-11-25.
    Legacy = 1,
}

/// What stands behind a (method, name).
#[derive(Clone, Debug)]
pub enum Route {
    /// Ready result objects per era, `None` where the era does not have the method.
    ///
    /// The bytes END WITH ONE MORE `}` than the result has: it closes the JSON-RPC response, so that
    /// `{"jsonrpc":"2.0","id":1,"result":` and these bytes are a whole message and a long list is never copied.
    Answer {
        /// Closed result for [`Era::Modern`].
        modern: Option<Bytes>,
        /// Closed result for [`Era::Legacy`].
        legacy: Option<Bytes>,
    },
    /// A function above the seam, by its number there.
    Handler(u32),
}

/// One published (method, name).
#[derive(Clone, Debug)]
pub struct Entry {
    /// Number for counting; the same as long as the registry remembers the (method, name), never another's.
    pub id: u32,
    /// JSON-RPC method, interned.
    pub method: Arc<str>,
    /// Tool, prompt or resource name, interned; empty for methods without one.
    pub name: Arc<str>,
    /// Who answers.
    pub route: Route,
    /// Counters, shared by all entries that have had this id.
    pub stats: Arc<Stats>,
}

impl Entry {
    /// The rest of the response after `"result":`, closing brace included. `None`: a handler, or not of this era.
    #[inline]
    #[must_use]
    pub fn closed(&self, era: Era) -> Option<&Bytes> {
        match (&self.route, era) {
            (Route::Answer { modern, .. }, Era::Modern) => modern.as_ref(),
            (Route::Answer { legacy, .. }, Era::Legacy) => legacy.as_ref(),
            (Route::Handler(_), _) => None,
        }
    }

    /// The result object alone; shares the memory of [`Entry::closed`].
    #[must_use]
    pub fn result(&self, era: Era) -> Option<Bytes> {
        self.closed(era).map(|closed| closed.slice(..closed.len() - 1))
    }

    /// Number of the handler, or `None` for an answer.
    #[inline]
    #[must_use]
    pub fn handler(&self) -> Option<u32> {
        match self.route {
            Route::Handler(number) => Some(number),
            Route::Answer { .. } => None,
        }
    }
}

/// The result with the brace that ends the response. The one copy of an answer, when it is registered.
pub(crate) fn close(result: &[u8]) -> Bytes {
    let mut closed = Vec::with_capacity(result.len() + 1);
    closed.extend_from_slice(result);
    closed.push(b'}');
    Bytes::from(closed)
}
