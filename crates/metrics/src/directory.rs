//! Families and series by number. Cold: asked when something is named or read, never on record.

use std::collections::{HashMap, HashSet};

use crate::names::{is_label, is_metric};

/// Most families.
const MAX_FAMILIES: usize = 1024;
/// Most series of all families together, overflow series (one per family) not counted.
const MAX_SERIES: u32 = 65_536;
/// Most labels of a family.
const MAX_LABELS: usize = 32;
/// Bytes of a label value above which the series counts as overflow.
const MAX_VALUE: usize = 1024;
/// The value of every label of an overflow series.
const OTHER: &str = "_other";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        ["counter", "gauge", "histogram"][self as usize]
    }
}

/// The number of a series says what it is, so that recording need not look it up: `index * 4 + kind`.
pub(crate) fn series_id(index: u32, kind: Kind) -> u32 {
    index << 2 | kind as u32
}

pub(crate) fn index_of(series: u32) -> u32 {
    series >> 2
}

pub(crate) struct Series {
    pub(crate) values: Vec<String>,
    pub(crate) index: u32,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: Kind,
    pub(crate) labels: Vec<String>,
    pub(crate) scale: f64,
}

impl Definition {
    fn is_valid(&self) -> bool {
        let distinct: HashSet<_> = self.labels.iter().collect();
        is_metric(&self.name)
            && self.labels.len() <= MAX_LABELS
            && distinct.len() == self.labels.len()
            && self
                .labels
                .iter()
                .all(|label| is_label(label) && (self.kind != Kind::Histogram || label != "le"))
            && self.scale.is_finite()
            && self.scale > 0.0
    }

    /// Names that stand on lines of the exposition; no two families may share one.
    fn samples(&self) -> Vec<String> {
        let suffixes: &[&str] = if self.kind == Kind::Histogram {
            &["", "_bucket", "_sum", "_count"]
        } else {
            &[""]
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }
}

pub(crate) struct Family {
    pub(crate) definition: Definition,
    /// In the order they were made.
    pub(crate) series: Vec<Series>,
    by_values: HashMap<Vec<String>, u32>,
    overflow: Option<u32>,
}

#[derive(Default)]
pub(crate) struct Directory {
    pub(crate) families: Vec<Family>,
    by_name: HashMap<String, u32>,
    samples: HashSet<String>,
    /// Indices given so far.
    pub(crate) indices: u32,
    ordinary: u32,
}

impl Directory {
    /// The number of a family, made when new. `None`: not valid, not the same as before, or too many.
    pub(crate) fn family(&mut self, definition: Definition) -> Option<u32> {
        if let Some(known) = self.by_name.get(&definition.name) {
            return (self.families[*known as usize].definition == definition).then_some(*known);
        }
        let samples = definition.samples();
        let room = self.families.len() < MAX_FAMILIES;
        if !room || !definition.is_valid() || samples.iter().any(|name| self.samples.contains(name)) {
            return None;
        }
        let number = self.families.len() as u32;
        self.by_name.insert(definition.name.clone(), number);
        self.samples.extend(samples);
        self.families.push(Family {
            definition,
            series: Vec::new(),
            by_values: HashMap::new(),
            overflow: None,
        });
        Some(number)
    }

    /// The series for these values, made when new; the overflow series when there are `most` others already.
    pub(crate) fn series(&mut self, family: u32, values: &[String], most: usize) -> Option<u32> {
        let family = self.families.get_mut(family as usize)?;
        let kind = family.definition.kind;
        if values.len() != family.definition.labels.len() {
            return None;
        }
        if let Some(index) = family.by_values.get(values) {
            return Some(series_id(*index, kind));
        }
        let ordinary = values.iter().any(|value| value != OTHER)
            && values.iter().all(|value| value.len() <= MAX_VALUE)
            && family.by_values.len() < most
            && self.ordinary < MAX_SERIES;
        if let (false, Some(index)) = (ordinary, family.overflow) {
            return Some(series_id(index, kind));
        }
        let index = self.indices;
        self.indices += 1;
        let values = if ordinary {
            self.ordinary += 1;
            family.by_values.insert(values.to_vec(), index);
            values.to_vec()
        } else {
            // A family without labels has only this one: nothing tells its series apart.
            family.overflow = Some(index);
            vec![OTHER.to_owned(); values.len()]
        };
        family.series.push(Series { values, index });
        Some(series_id(index, kind))
    }
}
