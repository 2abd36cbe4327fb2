//! The JSON report. Written by hand because both engines must give the same bytes.

use crate::directory::{Definition, Family, Kind, Series};
use crate::merged::PERCENTILES;
use crate::metrics::Reading;
use crate::number::{json_list, json_number, json_string};

pub(crate) fn write(families: &[Family], reading: &Reading) -> String {
    let mut out = String::from("{\"families\":[");
    json_list(&mut out, families, |out, family| {
        let definition = &family.definition;
        out.push_str("{\"name\":");
        json_string(out, &definition.name);
        out.push_str(",\"type\":");
        json_string(out, definition.kind.name());
        out.push_str(",\"help\":");
        json_string(out, &definition.help);
        out.push_str(",\"labels\":[");
        json_list(out, &definition.labels, |out, label| json_string(out, label));
        out.push(']');
        if definition.kind == Kind::Histogram {
            out.push_str(",\"scale\":");
            json_number(out, definition.scale);
        }
        out.push_str(",\"series\":[");
        json_list(out, &family.series, |out, series| {
            write_series(out, definition, series, reading)
        });
        out.push_str("]}");
    });
    out.push_str("]}");
    out
}

fn write_series(out: &mut String, definition: &Definition, series: &Series, reading: &Reading) {
    out.push_str("{\"labels\":{");
    json_list(
        out,
        definition.labels.iter().zip(&series.values),
        |out, (label, value)| {
            json_string(out, label);
            out.push(':');
            json_string(out, value);
        },
    );
    out.push('}');
    if definition.kind == Kind::Histogram {
        write_histogram(out, series, reading);
    } else {
        field(out, "value", Some(reading.number(series.index)));
    }
    out.push('}');
}

fn write_histogram(out: &mut String, series: &Series, reading: &Reading) {
    let merged = reading.histogram(series.index);
    let count = merged.count();
    let known = |value: u64| (count > 0).then_some(value as f64);
    field(out, "count", Some(count as f64));
    field(out, "sum", Some(merged.sum));
    field(out, "min", known(merged.min));
    field(out, "max", known(merged.max));
    for (key, permille) in PERCENTILES {
        field(out, key, known(merged.percentile(count, permille)));
    }
}

fn field(out: &mut String, key: &str, value: Option<f64>) {
    out.push(',');
    json_string(out, key);
    out.push(':');
    json_number(out, value.unwrap_or(f64::NAN));
}
