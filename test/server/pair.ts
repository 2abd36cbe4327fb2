/** A server and the official client of the second generation, joined in memory; both gone after the test. */
import { Client, type ClientOptions, type Transport as ClientTransport } from '@modelcontextprotocol/client';
import { afterEach } from 'vitest';
import { InMemoryTransport } from '../../ts/server/transports/in-memory.js';
import type { Transport } from '../../ts/server/transports/transport.js';

export const ERAS = ['legacy', 'modern'] as const;
export type EraName = (typeof ERAS)[number];

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export function clientOf(era: EraName, options: ClientOptions = {}): Client {
  const mode = era === 'legacy' ? 'legacy' : ({ pin: '2026-07-28' } as const);
  const client = new Client({ name: 'pair', version: '1.0.0' }, { ...options, versionNegotiation: { mode } });
  ends.push(() => client.close());
  return client;
}

/** Connects a client to whatever can be connected. */
export async function join(
  server: { connect(transport: Transport): Promise<void> },
  era: EraName,
  options: ClientOptions = {},
  prepare: (client: Client) => void = () => {},
): Promise<Client> {
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = clientOf(era, options);
  prepare(client);
  await client.connect(near as ClientTransport);
  return client;
}
