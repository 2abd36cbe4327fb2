//! Prometheus text exposition format 0.0.4.

use crate::directory::{Definition, Family, Kind};
use crate::merged::Merged;
use crate::metrics::Reading;
use crate::number::text_number;

/// Upper bounds of the buckets that are shown, in recorded units: 1 µs to 100 s in nanoseconds, 1 kB to 100 GB in bytes.
/// Coarse, because every series pays a line for each; the percentiles of the snapshot come from all buckets.
const BOUNDS: [u64; 25] = {
    let mut bounds = [0; 25];
    let (mut i, mut decade) = (0, 1000);
    while i < 25 {
        bounds[i] = [decade, decade / 2 * 5, decade * 5][i % 3];
        i += 1;
        if i % 3 == 0 {
            decade *= 10;
        }
    }
    bounds
};

pub(crate) fn write(families: &[Family], reading: &Reading) -> String {
    let mut out = String::new();
    for Family { definition, series, .. } in families {
        header(&mut out, definition);
        for series in series {
            if definition.kind == Kind::Histogram {
                histogram(&mut out, definition, &series.values, &reading.histogram(series.index));
            } else {
                sample(
                    &mut out,
                    definition,
                    "",
                    &series.values,
                    None,
                    reading.number(series.index),
                );
            }
        }
    }
    out
}

fn header(out: &mut String, definition: &Definition) {
    if !definition.help.is_empty() {
        out.push_str("# HELP ");
        out.push_str(&definition.name);
        out.push(' ');
        escape(out, &definition.help, false);
        out.push('\n');
    }
    out.push_str("# TYPE ");
    out.push_str(&definition.name);
    out.push(' ');
    out.push_str(definition.kind.name());
    out.push('\n');
}

fn histogram(out: &mut String, definition: &Definition, values: &[String], merged: &Merged) {
    let count = merged.count() as f64;
    for (bound, below) in BOUNDS.iter().zip(merged.cumulative(&BOUNDS)) {
        let bound = *bound as f64 / definition.scale;
        sample(out, definition, "_bucket", values, Some(bound), below as f64);
    }
    sample(out, definition, "_bucket", values, Some(f64::INFINITY), count);
    sample(out, definition, "_sum", values, None, merged.sum / definition.scale);
    sample(out, definition, "_count", values, None, count);
}

/// One line: `name_suffix{label="value",le="bound"} value`.
fn sample(out: &mut String, definition: &Definition, suffix: &str, values: &[String], le: Option<f64>, value: f64) {
    out.push_str(&definition.name);
    out.push_str(suffix);
    let mut separator = '{';
    for (label, value) in definition.labels.iter().zip(values) {
        out.push(separator);
        out.push_str(label);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
        separator = ',';
    }
    if let Some(le) = le {
        out.push(separator);
        out.push_str("le=\"");
        text_number(out, le);
        out.push('"');
        separator = ',';
    }
    out.push_str(if separator == ',' { "} " } else { " " });
    text_number(out, value);
    out.push('\n');
}

/// Backslash and newline are escaped everywhere, quotes only where quotes stand around.
fn escape(out: &mut String, text: &str, quoted: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quoted => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_1_2_5_and_5_of_every_decade() {
        assert_eq!(BOUNDS[..5], [1000, 2500, 5000, 10_000, 25_000]);
        assert_eq!(BOUNDS[24], 100_000_000_000);
        assert!(BOUNDS.is_sorted());
    }
}
