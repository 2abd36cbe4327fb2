// Rows of a run against Rust servers, as JSON lines: `{"name", "work", "rps", "p50", "p99", "cpuUs", ...}`, latencies in
// microseconds. Work `echo64` is an echo call, `list53` a list of 53 tools; ours are named `thirdrail native`, `thirdrail js`.
import { readFileSync } from 'node:fs';

const KEPT = [
  'name',
  'work',
  'rep',
  'era',
  'conns',
  'secs',
  'rps',
  'p50',
  'p99',
  'cpuUs',
  'cpuPct',
  'wrkPct',
  'replyBytes',
];
const COUNTED = ['status', 'connect', 'read', 'write', 'timeout', 'badInVerify'];

/** @returns {{at: string, rows: object[], left: string[]}} `left`: rows that failed or had errors, and why */
export function recorded(file) {
  const rows = [];
  const left = [];
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    let row;
    try {
      row = JSON.parse(line);
    } catch {
      throw new Error(`${file}, line ${index + 1}: not JSON`);
    }
    // Other kinds of lines (clients, for instance) have no name or no work.
    if (typeof row.name !== 'string' || typeof row.work !== 'string') continue;
    const errors = COUNTED.reduce((total, key) => total + (row[key] ?? 0), 0);
    const why = row.fail ?? (errors > 0 ? `${errors} errors` : Number.isFinite(row.rps) ? null : 'no rps');
    if (why === null)
      rows.push(Object.fromEntries(KEPT.filter((key) => row[key] !== undefined).map((key) => [key, row[key]])));
    else left.push(`${row.name}, ${row.work}: ${why}`);
  }
  if (rows.length === 0) throw new Error(`${file} has no row to record`);
  return { at: new Date().toISOString(), rows, left };
}
