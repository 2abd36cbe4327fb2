/** The JSON report. Written by hand because both engines must give the same bytes. */
import { type Definition, type Family, KIND_NAMES, Kind, type Series } from './directory.js';
import { countOf, PERCENTILES, percentile } from './merged.js';
import { jsonNumber } from './number.js';
import type { Histogram, Shard } from './shard.js';

export function writeSnapshot(families: readonly Family[], shard: Shard): string {
  return `{"families":[${families.map((family) => writeFamily(family, shard)).join(',')}]}`;
}

function writeFamily({ definition, series }: Family, shard: Shard): string {
  const { name, help, kind, labels, scale } = definition;
  const head = `{"name":${JSON.stringify(name)},"type":"${KIND_NAMES[kind]}","help":${JSON.stringify(help)}`;
  const scaled = kind === Kind.histogram ? `,"scale":${jsonNumber(scale)}` : '';
  const written = series.map((one) => writeSeries(definition, one, shard)).join(',');
  return `${head},"labels":${JSON.stringify(labels)}${scaled},"series":[${written}]}`;
}

function writeSeries({ labels, kind }: Definition, { values, index }: Series, shard: Shard): string {
  const pairs = labels.map((label, i) => `${JSON.stringify(label)}:${JSON.stringify(values[i])}`).join(',');
  const value =
    kind === Kind.histogram
      ? writeHistogram(shard.histograms[index])
      : `"value":${jsonNumber(shard.numbers[index] as number)}`;
  return `{"labels":{${pairs}},${value}}`;
}

function writeHistogram(histogram: Histogram | undefined): string {
  const count = histogram === undefined ? 0 : countOf(histogram);
  const known = (read: (histogram: Histogram) => number) =>
    histogram === undefined || count === 0 ? 'null' : jsonNumber(read(histogram));
  const percentiles = PERCENTILES.map(([key, permille]) => `"${key}":${known((h) => percentile(h, count, permille))}`);
  const extremes = `"min":${known((h) => h.min)},"max":${known((h) => h.max)}`;
  return `"count":${count},"sum":${jsonNumber(histogram?.sum ?? 0)},${extremes},${percentiles.join(',')}`;
}
