/**
 * Which bucket a value falls into. Arithmetic only.
 *
 * Every power of two is cut into 128 buckets of equal width, so a bucket is at most 1/128 of its values wide and its
 * middle is off by less than 0.4 %. Values below 256 have a bucket each. Buckets come in groups of 128, one group per
 * power of two (the first holds 0 to 127), so that memory is only needed for the sizes that occur.
 */

/** Buckets per group. */
export const GROUP = 128;
/** Groups for values below 2^53. */
export const GROUPS = 47;

/** A bucket's number: `group * GROUP + place`. For integers from 0 to 2^53 - 1. */
export function bucketOf(value: number): number {
  if (value < 2 ** 32) {
    // With the low bits set, all of 0..128 have the exponent 6 and share group 0.
    const exponent = 31 - Math.clz32(value | 127);
    const place = (exponent > 7 ? value >>> (exponent - 7) : value) & (GROUP - 1);
    return (exponent - 6) * GROUP + place;
  }
  // Above 32 bits the same with division: dividing by a power of two is exact.
  const exponent = 63 - Math.clz32(value / 2 ** 32);
  return (exponent - 6) * GROUP + (Math.floor(value / 2 ** (exponent - 7)) & (GROUP - 1));
}

/** The value that stands for a bucket. */
export function middleOf(group: number, place: number): number {
  if (group === 0) return place;
  const width = 2 ** (group - 1);
  return (GROUP + place) * width + Math.floor((width - 1) / 2);
}
