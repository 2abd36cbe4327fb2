//! What a metric and a label may be called (Prometheus data model). No parsing beyond that.

/// Longest name, in bytes.
const LONGEST: usize = 256;

fn is_word(name: &str, extra: u8) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == extra;
    let bytes = name.as_bytes();
    let Some((first, rest)) = bytes.split_first() else {
        return false;
    };
    bytes.len() <= LONGEST && starts(*first) && rest.iter().all(|byte| starts(*byte) || byte.is_ascii_digit())
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
pub(crate) fn is_metric(name: &str) -> bool {
    is_word(name, b':')
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, not starting with `__`, which is kept for Prometheus itself.
pub(crate) fn is_label(name: &str) -> bool {
    is_word(name, b'_') && !name.starts_with("__")
}
