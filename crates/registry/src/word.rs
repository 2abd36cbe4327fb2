//! An interned name as a map key that is looked up by bytes. It is not a string type for anybody else.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// `Arc<str>` borrows as `str`, but what comes off the wire is `[u8]`, and proving it UTF-8 again only to look it up would
/// cost as much as the lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) Arc<str>);

impl Borrow<[u8]> for Word {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

// A key and its borrowed form must hash alike, and `str` hashes differently from `[u8]`.
impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}
