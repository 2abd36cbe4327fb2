/**
 * For tests of what must not happen: faults that nobody handles fail the test, and raw requests of both eras.
 */
import { afterEach, beforeEach, expect } from 'vitest';

const faults: unknown[] = [];
const fault = (reason: unknown) => void faults.push(reason);
export const ends: (() => unknown)[] = [];
beforeEach(() => {
  process.on('unhandledRejection', fault);
  process.on('uncaughtException', fault);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await turns();
  process.off('unhandledRejection', fault);
  process.off('uncaughtException', fault);
  expect(faults.splice(0)).toEqual([]);
});

export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((done) => setImmediate(done));
}

export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((next) => setTimeout(next, 2));
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
} as const;
export const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' } as const;
export const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
export const broken = (): never => {
  throw new Error('broken');
};
export const rejecting = () => Promise.reject(new Error('broken'));

export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
export async function modern(url: string, method: string, params: Record<string, unknown>, headers = {}): Promise<any> {
  const name = params.name ?? params.uri;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': String(name) }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
  });
  const body = await response.text();
  return { status: response.status, ...(body.startsWith('{') ? JSON.parse(body) : { body }) };
}
export async function legacy(url: string, body: object, headers = {}): Promise<any> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  const session = response.headers.get('mcp-session-id');
  return { status: response.status, session, ...(answer.startsWith('{') ? JSON.parse(answer) : { body: answer }) };
}
