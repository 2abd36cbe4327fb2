/** The table of limits in the docs is the table in the source, and every limit is an option. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  callLimitsFrom,
  checkInteger,
  DEFAULT_CALL_LIMITS,
  DEFAULT_LIMITS,
  limitsFrom,
} from '../../ts/server/limits.js';
import type { ListenOptions } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';

const ALL: Record<string, number> = { ...DEFAULT_LIMITS, ...DEFAULT_CALL_LIMITS };

describe('docs/limits.md', () => {
  const text = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, value]) => [name, value] as const);

  it('has a row for every limit and for nothing else, once', () => {
    expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(ALL).sort());
  });

  it.each(rows)('%s has the default that is there: %s', (name, value) => {
    const [, digits, unit] = /^([\d,]+)(?: (KiB|MiB))?(?: \(off\))?$/.exec((value as string).trim()) ?? [];
    const factor = unit === 'KiB' ? 1024 : unit === 'MiB' ? 1024 * 1024 : 1;
    expect(Number(digits?.replaceAll(',', '')) * factor).toBe(ALL[name as string]);
    expect((value as string).includes('(off)')).toBe(ALL[name as string] === 0);
  });
});

describe('limits', () => {
  it('are filled with what is given', () => {
    expect(limitsFrom({})).toEqual(DEFAULT_LIMITS);
    expect(callLimitsFrom({})).toEqual(DEFAULT_CALL_LIMITS);
    expect(limitsFrom({ maxDepth: 3 })).toEqual({ ...DEFAULT_LIMITS, maxDepth: 3 });
    expect(callLimitsFrom({ maxBatch: 3 }).maxBatch).toBe(3);
  });

  it('are 0 only where that means off', () => {
    const off = Object.keys(ALL).filter((name) => {
      try {
        limitsFrom({ [name]: 0 });
        callLimitsFrom({ [name]: 0 });
        return true;
      } catch {
        return false;
      }
    });
    expect(off.sort()).toEqual(['compressionThreshold', 'keepAlive', 'sessionIdleTimeout', 'toolTimeout']);
  });

  it.each(Object.keys(ALL))('%s is an option of listen, and checked there', async (name) => {
    const server = new McpServer({ name: 'unit', version: '1' });
    for (const bad of [-1, 1.5, '7', null, Number.NaN]) {
      await expect(server.listen({ port: 0, [name]: bad } as ListenOptions)).rejects.toThrow(`Option ${name} must be`);
    }
  });

  it('are whole numbers', () => {
    expect(checkInteger('x', 2 ** 31 - 1, 1)).toBe(2 ** 31 - 1);
    expect(() => checkInteger('x', 2 ** 31, 1)).toThrow('Option x must be a whole number from 1 to 2147483647');
  });
});
