//! Legacy session ids that the door knows. What a session holds is kept above; here it is only alive or not.

use dashmap::DashSet;

/// Read by every I/O thread on requests that carry a session id, written when one opens or closes.
#[derive(Default)]
pub(crate) struct Sessions(DashSet<Box<str>>);

impl Sessions {
    pub(crate) fn open(&self, id: &str) {
        self.0.insert(id.into());
    }

    pub(crate) fn close(&self, id: &str) {
        self.0.remove(id);
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }
}
