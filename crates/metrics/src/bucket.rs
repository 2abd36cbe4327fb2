//! Which bucket a value falls into. Arithmetic only.
//!
//! Every power of two is cut into 128 buckets of equal width, so a bucket is at most 1/128 of its values wide and its
//! middle is off by less than 0.4 %. Values below 256 have a bucket each. Buckets come in groups of 128, one group per
//! power of two (the first holds 0 to 127), so that memory is only needed for the sizes that occur.

/// Buckets per group.
pub(crate) const GROUP: usize = 128;
/// Groups for values below 2^53.
pub(crate) const GROUPS: usize = 47;
/// The largest value: where JavaScript's integers end. What is larger counts as this.
pub(crate) const LARGEST: u64 = (1 << 53) - 1;

/// Group and place in the group.
#[inline]
pub(crate) fn place_of(value: u64) -> (usize, usize) {
    let value = value.min(LARGEST);
    // With the low bits set, all of 0..128 have the exponent 6 and share group 0.
    let exponent = (value | 127).ilog2();
    let group = exponent as usize - 6;
    let place = (value >> exponent.saturating_sub(7)) as usize & (GROUP - 1);
    (group, place)
}

/// The lowest value of a bucket and the number of values in it.
pub(crate) fn range_of(group: usize, place: usize) -> (u64, u64) {
    if group == 0 {
        return (place as u64, 1);
    }
    let width = 1 << (group - 1);
    ((GROUP + place) as u64 * width, width)
}

/// The value that stands for a bucket.
pub(crate) fn middle_of(group: usize, place: usize) -> u64 {
    let (lowest, width) = range_of(group, place);
    lowest + (width - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        let places = [0, 127, 128, 255, 256, 257, 258, 511, 512, LARGEST, u64::MAX].map(place_of);
        assert_eq!(
            places,
            [
                (0, 0),
                (0, 127),
                (1, 0),
                (1, 127),
                (2, 0),
                (2, 0),
                (2, 1),
                (2, 127),
                (3, 0),
                (46, 127),
                (46, 127)
            ]
        );
    }

    #[test]
    fn buckets_tile_all_values_without_a_gap() {
        let mut next = 0;
        for group in 0..GROUPS {
            for place in 0..GROUP {
                let (lowest, width) = range_of(group, place);
                assert_eq!(lowest, next);
                assert_eq!(place_of(lowest), (group, place));
                assert_eq!(place_of(lowest + width - 1), (group, place));
                assert_eq!(place_of(middle_of(group, place)), (group, place));
                // What the middle is off, at most, by the smallest value it stands for.
                let error = (middle_of(group, place) - lowest).max(lowest + width - 1 - middle_of(group, place));
                assert!(error as f64 <= 0.004 * lowest as f64, "{group} {place}");
                next = lowest + width;
            }
        }
        assert_eq!(next, LARGEST + 1);
    }
}
