/** Prometheus text exposition format 0.0.4. */
import { type Definition, type Family, KIND_NAMES, Kind } from './directory.js';
import { countOf, cumulative } from './merged.js';
import { textNumber } from './number.js';
import type { Histogram, Shard } from './shard.js';

/**
 * Upper bounds of the buckets that are shown, in recorded units: 1 µs to 100 s in nanoseconds, 1 kB to 100 GB in bytes.
 * Coarse, because every series pays a line for each; the percentiles of the snapshot come from all buckets.
 */
const BOUNDS = Array.from({ length: 25 }, (_, i) => ([2, 5, 10][i % 3] as number) * 500 * 10 ** Math.floor(i / 3));

export function writeExposition(families: readonly Family[], shard: Shard): string {
  let out = '';
  for (const { definition, series } of families) {
    out += header(definition);
    for (const { values, index } of series) {
      out +=
        definition.kind === Kind.histogram
          ? histogramLines(definition, values, shard.histograms[index])
          : sample(definition, '', values, null, shard.numbers[index] as number);
    }
  }
  return out;
}

function header({ name, help, kind }: Definition): string {
  const helpLine = help === '' ? '' : `# HELP ${name} ${escapeText(help)}\n`;
  return `${helpLine}# TYPE ${name} ${KIND_NAMES[kind]}\n`;
}

function histogramLines(definition: Definition, values: readonly string[], histogram: Histogram | undefined): string {
  const count = histogram === undefined ? 0 : countOf(histogram);
  const below = cumulative(histogram, BOUNDS);
  let out = '';
  BOUNDS.forEach((bound, i) => {
    out += sample(definition, '_bucket', values, bound / definition.scale, below[i] as number);
  });
  out += sample(definition, '_bucket', values, Number.POSITIVE_INFINITY, count);
  out += sample(definition, '_sum', values, null, (histogram?.sum ?? 0) / definition.scale);
  return out + sample(definition, '_count', values, null, count);
}

/** One line: `name_suffix{label="value",le="bound"} value`. */
function sample(
  { name, labels }: Definition,
  suffix: string,
  values: readonly string[],
  le: number | null,
  value: number,
): string {
  const pairs = labels.map((label, i) => `${label}="${escapeValue(values[i] as string)}"`);
  if (le !== null) pairs.push(`le="${textNumber(le)}"`);
  return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${textNumber(value)}\n`;
}

/** Backslash and newline are escaped everywhere, quotes only where quotes stand around. */
function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeValue(text: string): string {
  return escapeText(text).replaceAll('"', '\\"');
}
