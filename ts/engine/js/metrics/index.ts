/** Metrics of the JavaScript engine: the twin of crates/metrics. */
import type { Metrics, MetricsOptions } from '../../engine.js';
import { JsMetrics } from './metrics.js';

export { JsMetrics } from './metrics.js';

export function createMetrics(options: MetricsOptions): Metrics {
  return new JsMetrics(options);
}
