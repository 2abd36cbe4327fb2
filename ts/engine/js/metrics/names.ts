/** What a metric and a label may be called (Prometheus data model). No parsing beyond that. */

/** Longest name, in bytes (the allowed characters have one each). */
const LONGEST = 256;

export function isMetric(name: string): boolean {
  return name.length <= LONGEST && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
}

/** Not starting with `__`, which is kept for Prometheus itself. */
export function isLabel(name: string): boolean {
  return name.length <= LONGEST && /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
}
