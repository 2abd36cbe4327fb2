// Medians, spreads and a histogram for latencies.

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, least and most of each number that the samples have. */
export function summary(samples) {
  const of = (key) => samples.map((sample) => sample[key]).filter(Number.isFinite);
  const keys = new Set(samples.flatMap((sample) => Object.keys(sample)));
  const out = {};
  for (const key of keys) {
    const values = of(key);
    if (values.length) out[key] = { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  }
  return out;
}

/** Microseconds in buckets of at most 1 % width; constant memory however long the run. */
export class Latencies {
  #buckets = new Float64Array(2048);
  #count = 0;
  #max = 0;

  add(microseconds) {
    const index = microseconds < 1 ? 0 : Math.min(2047, Math.floor(Math.log(microseconds) / Math.log(1.01)));
    this.#buckets[index] += 1;
    this.#count += 1;
    if (microseconds > this.#max) this.#max = microseconds;
  }

  /** @param {number} share 0.99 for p99; microseconds, the upper edge of the bucket */
  at(share) {
    let left = Math.ceil(this.#count * share);
    for (let index = 0; index < this.#buckets.length; index += 1) {
      left -= this.#buckets[index];
      if (left <= 0) return Math.min(this.#max, 1.01 ** (index + 1));
    }
    return this.#max;
  }

  summary() {
    return { p50: this.at(0.5), p90: this.at(0.9), p99: this.at(0.99), max: this.#max };
  }
}
