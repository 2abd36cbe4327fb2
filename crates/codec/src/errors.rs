//! Why a message is refused, and what the peer is told. The numbers are the seam's `ScanRefusal`.
//!
//! Not an error type with context: a refusal is a number on the hot path, and its text is fixed so that it can be spliced
//! into an answer without escaping (plain ASCII, no quote, no backslash).

/// What a refusal looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalError {
    /// JSON-RPC error code.
    pub code: i32,
    /// HTTP status.
    pub status: u16,
    /// JSON-RPC error message; ASCII without quotes, backslashes or control characters.
    pub message: &'static str,
}

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Refusal {
    /// Not JSON (RFC 8259), or bytes after the value, or nothing at all.
    Malformed = -1,
    /// Not UTF-8, or a surrogate in UTF-8 form.
    Utf8 = -2,
    /// Starts with a byte order mark.
    Bom = -3,
    /// More nested brackets than allowed.
    TooDeep = -4,
    /// A key that is acted on stands twice in one object.
    DuplicateKey = -5,
    /// A JSON value that is neither an object nor an array.
    NotAnObject = -6,
    /// `jsonrpc` is missing or not `"2.0"`.
    BadVersion = -7,
    /// `id` is neither a string nor a number, or longer than 256 bytes.
    BadId = -8,
    /// `method` is not a string, or neither method nor result nor error is there.
    BadMethod = -9,
    /// `params` or one of its acted-on members has the wrong type.
    BadParams = -10,
    /// More bytes than the transport allows in one message.
    TooLarge = -11,
}

impl Refusal {
    /// Every refusal, in the order of their numbers.
    pub const ALL: [Refusal; 11] = [
        Refusal::Malformed,
        Refusal::Utf8,
        Refusal::Bom,
        Refusal::TooDeep,
        Refusal::DuplicateKey,
        Refusal::NotAnObject,
        Refusal::BadVersion,
        Refusal::BadId,
        Refusal::BadMethod,
        Refusal::BadParams,
        Refusal::TooLarge,
    ];

    /// The seam's number, -1 to -11.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The error that the peer sees.
    pub const fn error(self) -> RefusalError {
        let (code, status, message) = match self {
            Refusal::Malformed => (-32700, 400, "Parse error: not well-formed JSON"),
            Refusal::Utf8 => (-32700, 400, "Parse error: not valid UTF-8"),
            Refusal::Bom => (-32700, 400, "Parse error: starts with a byte order mark"),
            Refusal::TooDeep => (-32600, 400, "Invalid request: nested too deeply"),
            Refusal::DuplicateKey => (-32600, 400, "Invalid request: duplicate key"),
            Refusal::NotAnObject => (-32600, 400, "Invalid request: not an object"),
            Refusal::BadVersion => (-32600, 400, "Invalid request: jsonrpc must be 2.0"),
            Refusal::BadId => (
                -32600,
                400,
                "Invalid request: id must be a string or a number of at most 256 bytes",
            ),
            Refusal::BadMethod => (-32600, 400, "Invalid request: method must be a string"),
            Refusal::BadParams => (
                -32600,
                400,
                "Invalid request: params, name, uri, arguments or _meta has the wrong type",
            ),
            Refusal::TooLarge => (-32600, 413, "Invalid request: message too large"),
        };
        RefusalError { code, status, message }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.error().message)
    }
}

impl std::error::Error for Refusal {}
