/** The official SDK's client of the second generation: legacy, negotiating and pinned to the modern era. */
import {
  Client,
  StreamableHTTPClientTransport,
  type Transport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it } from 'vitest';
import { engineNames } from '../engines.js';
import { atEnd, serveHttp, shared, stdioOffer } from './stage.js';
import { steps, type Talk, talkCases } from './talk.js';

const MODERN = '2026-07-28';
const MODES: readonly (readonly [string, VersionNegotiationMode, 'legacy' | 'modern'])[] = [
  ['legacy', 'legacy', 'legacy'],
  ['auto', 'auto', 'modern'],
  ['pinned modern', { pin: MODERN }, 'modern'],
];

async function connect(
  transport: Transport,
  mode: VersionNegotiationMode,
): Promise<Talk & { readonly client: Client }> {
  const client = new Client({ name: 'v2', version: '2.4.0' }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return { client, call: (params, options) => client.callTool(params, options) };
}

type Connect = () => ReturnType<typeof connect>;

/** The conversation in every mode, and what the mode must have settled on, whatever the transport. */
function eraCases(open: (mode: VersionNegotiationMode) => Connect): void {
  describe.each(MODES)('%s', (_, mode, era) => {
    const connect = open(mode);
    talkCases(connect);

    it(`speaks the ${era} era`, async () => {
      const { client } = await connect();
      expect(client.getProtocolEra()).toBe(era);
      if (era === 'legacy') {
        expect(client.getNegotiatedProtocolVersion()).toMatch(/^2025-/);
        expect(client.getDiscoverResult()).toBeUndefined();
        expect(await client.ping()).toEqual({});
        return;
      }
      expect(client.getNegotiatedProtocolVersion()).toBe(MODERN);
      const offered = { supportedVersions: [MODERN], instructions: 'Use the tools.', capabilities: { tools: {} } };
      expect(client.getDiscoverResult()).toMatchObject(offered);
      expect(await client.discover()).toMatchObject(offered);
    });
  });
}

describe.each(engineNames)('v2 client over HTTP, %s', (engine) => {
  const http = async (mode: VersionNegotiationMode, url?: URL) => {
    const target = url ?? (await serveHttp(engine)).url;
    const talk = await connect(new StreamableHTTPClientTransport(target), mode);
    atEnd(() => talk.client.close());
    return talk;
  };
  eraCases((mode) => () => http(mode));

  it('refuses a pinned revision that is not served', async () => {
    await expect(http({ pin: '2027-01-01' })).rejects.toThrow();
  });

  it('serves clients of every mode on one endpoint at once', async () => {
    const { url, listener } = await serveHttp(engine);
    const clients = await Promise.all(MODES.map(([, mode]) => http(mode, url)));
    const calls = Array.from({ length: 60 }, async (_, i) => {
      const { call } = clients[i % clients.length] as Talk;
      const heard: unknown[] = [];
      const [echoed] = await Promise.all([
        call({ name: 'echo', arguments: { message: `message ${i}` } }),
        steps(call, (i % 4) + 1, `call ${i}`, (progress) => void heard.push(progress.progress)),
      ]);
      return [echoed, heard.length];
    });
    for (const [i, [echoed, count]] of (await Promise.all(calls)).entries()) {
      expect(echoed).toMatchObject({ content: [{ text: `message ${i}` }] });
      expect(count).toBe((i % 4) + 1);
    }
    expect(listener.stats()).toMatchObject({ overloaded: 0, aborted: 0, panics: 0, staleReplies: 0 });
  });
});

describe.each(engineNames)('v2 client over stdio, THIRDRAIL_ENGINE=%s', (engine) => {
  eraCases((mode) => shared(() => connect(new StdioClientTransport(stdioOffer(engine)), mode)));
});
