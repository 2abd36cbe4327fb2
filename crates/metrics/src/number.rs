//! How numbers and strings are written, the same in both engines. No structure.

/// A number as ECMAScript prints it; `otherwise` is given what JSON and ECMAScript write differently (not finite).
fn write(out: &mut String, number: f64, otherwise: impl FnOnce(f64) -> &'static str) {
    if number.is_finite() {
        out.push_str(ryu_js::Buffer::new().format_finite(number));
    } else {
        out.push_str(otherwise(number));
    }
}

/// For JSON, which has no infinity.
pub(crate) fn json_number(out: &mut String, number: f64) {
    write(out, number, |_| "null");
}

/// For the exposition format.
pub(crate) fn text_number(out: &mut String, number: f64) {
    write(out, number, |number| match number {
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "NaN",
    });
}

/// A JSON string as `JSON.stringify` writes it.
pub(crate) fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Items with a comma between them.
pub(crate) fn json_list<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut String, T)) {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        each(out, item);
    }
}
