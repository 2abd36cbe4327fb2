/** The memory of the recording thread: one number or one histogram per series. */
import { bucketOf, GROUP, GROUPS } from './bucket.js';

/** One histogram; the groups are made when a value of their size is first seen. */
export class Histogram {
  sum = 0;
  min = Number.MAX_SAFE_INTEGER;
  max = 0;
  readonly groups: (Float64Array | null)[] = new Array(GROUPS).fill(null);

  /** For integers from 0 to 2^53 - 1. */
  observe(value: number): void {
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const bucket = bucketOf(value);
    const group = this.groups[bucket >>> 7] ?? this.#grow(bucket >>> 7);
    (group[bucket & (GROUP - 1)] as number)++;
  }

  #grow(group: number): Float64Array {
    const made = new Float64Array(GROUP);
    this.groups[group] = made;
    return made;
  }
}

/** Cells by series index. */
export class Shard {
  numbers = new Float64Array(64);
  readonly histograms: (Histogram | undefined)[] = [];

  /** Makes room up to, not including, `indices`: when a series is made, so that recording never has to. */
  reserve(indices: number): void {
    if (indices > this.numbers.length) {
      const larger = new Float64Array(this.numbers.length * 2);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    while (this.histograms.length < indices) this.histograms.push(undefined);
  }

  observe(index: number, value: number): void {
    let histogram = this.histograms[index];
    if (histogram === undefined) {
      histogram = new Histogram();
      this.histograms[index] = histogram;
    }
    histogram.observe(value);
  }
}
