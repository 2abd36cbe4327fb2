//! The keys that are acted on, one bit each, compared decoded: an escaped spelling is the same key.
//!
//! Every other key is 0 and nobody's business, `__proto__` included.

/// The keys of one object, in the order of how often they come.
macro_rules! keys {
    ($($name:ident = $bit:literal, $text:literal;)+) => {
        $(pub const $name: u32 = $bit;)+

        /// The bit of a key, 0 for all others.
        #[inline(always)]
        pub fn find(key: &[u8]) -> u32 {
            $(if key == $text.as_bytes() {
                return $bit;
            })+
            0
        }

        /// The bit and length of the key that ends with a quote at the start of `rest`; 0 when it is none of these.
        /// A guess that mostly comes true: where the next token starts is then known without having to find a quote.
        #[inline(always)]
        pub fn guess(rest: &[u8]) -> (u32, usize) {
            $(if rest.starts_with(concat!($text, "\"").as_bytes()) {
                return ($bit, $text.len());
            })+
            (0, 0)
        }
    };
}

/// Keys of the envelope.
pub(crate) mod envelope {
    keys! {
        JSONRPC = 1, "jsonrpc";
        ID = 2, "id";
        METHOD = 4, "method";
        PARAMS = 8, "params";
        RESULT = 16, "result";
        ERROR = 32, "error";
    }
}

/// Keys of `params`.
pub(crate) mod params {
    keys! {
        NAME = 1, "name";
        ARGUMENTS = 4, "arguments";
        META = 8, "_meta";
        URI = 2, "uri";
    }
}

/// Keys of `params._meta`.
pub(crate) mod meta {
    keys! {
        VERSION = 1, "io.modelcontextprotocol/protocolVersion";
        CAPABILITIES = 2, "io.modelcontextprotocol/clientCapabilities";
        PROGRESS_TOKEN = 4, "progressToken";
    }
}

/// Finds a key whose spelling has escapes. Cold: no client writes keys like this unless it wants to be misread.
#[cold]
pub(crate) fn find_escaped(raw: &[u8], find: fn(&[u8]) -> u32) -> u32 {
    let mut text = [0u8; 64];
    match decode_ascii(raw, &mut text) {
        Some(length) => find(&text[..length]),
        None => 0,
    }
}

/// Whether an escaped string says exactly this.
#[cold]
pub(crate) fn equals_escaped(raw: &[u8], expected: &[u8]) -> bool {
    let mut text = [0u8; 64];
    decode_ascii(raw, &mut text).is_some_and(|length| &text[..length] == expected)
}

/// Decodes a well-formed string body; `None` when it is not ASCII or too long to be any key of ours.
fn decode_ascii(raw: &[u8], text: &mut [u8; 64]) -> Option<usize> {
    let (mut at, mut length) = (0, 0);
    while at < raw.len() {
        let mut byte = raw[at];
        at += 1;
        if byte == b'\\' {
            byte = match raw[at] {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let digits = std::str::from_utf8(&raw[at + 1..at + 5]).ok()?;
                    at += 4;
                    u8::try_from(u16::from_str_radix(digits, 16).ok()?).ok()?
                }
                other => other,
            };
            at += 1;
        }
        if byte >= 0x80 || length == text.len() {
            return None;
        }
        text[length] = byte;
        length += 1;
    }
    Some(length)
}
