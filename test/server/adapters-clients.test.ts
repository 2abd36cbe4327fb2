/** The official client of the second generation on every adapter: with a server object and with a factory, in both eras. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { equip } from '../clients/fixtures/offer.mjs';
import { type Talk, talkCases } from '../clients/talk.js';
import { connect, ERAS, MOUNTINGS, text, textOf } from './adapters-stage.js';

describe.each(MOUNTINGS)('%s with a server object', (_, mount) => {
  describe.each(ERAS)('%s', (era, mode) => {
    const open = async (): Promise<Talk> => {
      const server = new McpServer({ name: 'clients', version: '1.0.0' }, { instructions: 'Use the tools.' });
      equip(server, ResourceTemplate);
      const client = await connect(await mount(server), mode);
      expect(client.getProtocolEra()).toBe(era);
      return { client, call: (params, options) => client.callTool(params, options) };
    };
    talkCases(open);
  });
});

describe.each(MOUNTINGS)('%s with a factory', (_, mount) => {
  it.each(ERAS)('%s: is asked for a server for every request', async (era, mode) => {
    const eras: string[] = [];
    let made = 0;
    const url = await mount(({ era }) => {
      eras.push(era);
      made += 1;
      const number = made;
      const server = new McpServer({ name: 'made', version: '1' });
      server.registerTool('number', { inputSchema: z.object({ plus: z.number() }) }, ({ plus }) => text(number + plus));
      server.registerTool('slow', {}, async (ctx) => {
        ctx.progress(1, 2, 'half');
        await new Promise((resolve) => setImmediate(resolve));
        return text('done');
      });
      return server;
    });
    const client = await connect(url, mode);
    expect(client.getProtocolEra()).toBe(era);
    expect(client.getServerVersion()).toMatchObject({ name: 'made' });
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['number', 'slow']);
    const first = Number(textOf(await client.callTool({ name: 'number', arguments: { plus: 0 } })));
    expect(Number(textOf(await client.callTool({ name: 'number', arguments: { plus: 100 } })))).toBe(first + 101);
    expect(await client.callTool({ name: 'number', arguments: { plus: 'x' } })).toMatchObject({ isError: true });
    await expect(client.callTool({ name: 'nobody', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    const heard: number[] = [];
    const result = await client.callTool({ name: 'slow' }, { onprogress: ({ progress }) => heard.push(progress) });
    expect(textOf(result)).toBe('done');
    expect(heard).toEqual([1]);
    expect(new Set(eras)).toEqual(new Set([era]));
  });
});
