//! What a scan finds, as the seam's `Field` lays it out, and the checks that wait for the end of the message.
//!
//! Byte ranges only: nothing here copies or decodes.

use crate::errors::Refusal;
use std::ops::Range;

/// What a scanned message is. The numbers are the seam's `Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Kind {
    /// A method and an id.
    Request = 0,
    /// A method without an id.
    Notification = 1,
    /// No method, but a result or an error.
    Response = 2,
    /// A top-level array; well-formed, but nothing in it was looked at.
    Batch = 3,
}

/// Indexes into [`Envelope::fields`]; the numbers are the seam's `Field`. Ranges take two entries, start and end.
pub mod field {
    /// Bits of [`super::flag`].
    pub const FLAGS: usize = 0;
    /// Raw token, quotes included.
    pub const ID: usize = 1;
    /// Without the quotes.
    pub const METHOD: usize = 3;
    /// The whole value, object or array.
    pub const PARAMS: usize = 5;
    /// `params.name` without the quotes.
    pub const NAME: usize = 7;
    /// `params.uri` without the quotes.
    pub const URI: usize = 9;
    /// `params.arguments`, the whole object.
    pub const ARGUMENTS: usize = 11;
    /// `params._meta`, the whole object.
    pub const META: usize = 13;
    /// The protocol version in `_meta` without the quotes, when it is a string.
    pub const META_VERSION: usize = 15;
    /// `params._meta.progressToken` as a raw token, when it is a string or a number.
    pub const PROGRESS_TOKEN: usize = 17;
    /// How many entries there are.
    pub const COUNT: usize = 19;
}

/// Bits of `fields[FLAGS]`; the numbers are the seam's `Flag`.
pub mod flag {
    /// method, name, uri or the version holds a backslash escape: compare decoded text, never these bytes.
    pub const ESCAPED: u32 = 1;
    /// params has keys besides name, uri, arguments and _meta.
    pub const OTHER_PARAMS: u32 = 2;
    /// The client capabilities in _meta are there and an object.
    pub const META_CAPABILITIES: u32 = 4;
    /// Every byte of the message is ASCII.
    pub const ASCII: u32 = 8;
    /// The protocol version in _meta is there, of whatever type.
    pub const META_VERSION_PRESENT: u32 = 16;
    /// params is an array.
    pub const PARAMS_ARRAY: u32 = 32;
}

/// Longest `id` token in bytes, quotes included: it is echoed and used as a key.
pub const MAX_ID_BYTES: usize = 256;

/// Ranges and flags of one message. Meaningful for requests and notifications; of a response only the id is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Laid out by [`field`]; absent ranges are `-1, -1`.
    pub fields: [i32; field::COUNT],
}

impl Default for Envelope {
    fn default() -> Self {
        Self::new()
    }
}

impl Envelope {
    /// Everything absent.
    pub const fn new() -> Self {
        let mut fields = [-1; field::COUNT];
        fields[field::FLAGS] = 0;
        Envelope { fields }
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, at: usize, start: usize, end: usize) {
        // Offsets fit: `scan` refuses messages of more than i32::MAX bytes before it looks at them.
        self.fields[at] = start as i32;
        self.fields[at + 1] = end as i32;
    }

    #[inline(always)]
    pub(crate) fn raise(&mut self, bits: u32) {
        self.fields[field::FLAGS] |= bits as i32;
    }

    /// The range at a [`field`] index, `None` when absent.
    #[inline]
    pub fn range(&self, at: usize) -> Option<Range<usize>> {
        let start = self.fields[at];
        if start < 0 {
            None
        } else {
            Some(start as usize..self.fields[at + 1] as usize)
        }
    }

    /// Bits of [`flag`].
    #[inline]
    pub fn flags(&self) -> u32 {
        self.fields[field::FLAGS] as u32
    }

    /// `id`, raw token with its quotes.
    pub fn id(&self) -> Option<Range<usize>> {
        self.range(field::ID)
    }

    /// `method` without the quotes.
    pub fn method(&self) -> Option<Range<usize>> {
        self.range(field::METHOD)
    }

    /// `params`, the whole value.
    pub fn params(&self) -> Option<Range<usize>> {
        self.range(field::PARAMS)
    }

    /// `params.name` without the quotes.
    pub fn name(&self) -> Option<Range<usize>> {
        self.range(field::NAME)
    }

    /// `params.uri` without the quotes.
    pub fn uri(&self) -> Option<Range<usize>> {
        self.range(field::URI)
    }

    /// `params.arguments`, the whole object.
    pub fn arguments(&self) -> Option<Range<usize>> {
        self.range(field::ARGUMENTS)
    }

    /// `params._meta`, the whole object.
    pub fn meta(&self) -> Option<Range<usize>> {
        self.range(field::META)
    }

    /// The protocol version in `_meta` without the quotes, when it is a string.
    pub fn meta_version(&self) -> Option<Range<usize>> {
        self.range(field::META_VERSION)
    }

    /// `params._meta.progressToken`, raw token, when it is a string or a number.
    pub fn progress_token(&self) -> Option<Range<usize>> {
        self.range(field::PROGRESS_TOKEN)
    }
}

/// What only the end of the envelope object can decide, in this order: version, method or result/error, null id.
#[inline(always)]
pub(crate) fn conclude(version: bool, method: bool, outcome: bool, id: bool, null_id: bool) -> Result<Kind, Refusal> {
    if !version {
        return Err(Refusal::BadVersion);
    }
    if method {
        // A null id is judged here because an error response may carry one and the method may stand after it.
        return match (null_id, id) {
            (true, _) => Err(Refusal::BadId),
            (false, true) => Ok(Kind::Request),
            (false, false) => Ok(Kind::Notification),
        };
    }
    if outcome {
        Ok(Kind::Response)
    } else {
        Err(Refusal::BadMethod)
    }
}
