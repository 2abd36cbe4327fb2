/**
 * A small complete server: two tools, a resource, a resource template and a prompt. `npm start` runs it; in a project of
 * your own it is `node server.mjs`. PORT and HOST say where it listens (default 127.0.0.1:3000).
 */
import { McpServer, ResourceTemplate } from 'thirdrail';
import { z } from 'zod';

/** City -> [mean temperature in Celsius, mean rain in mm] of the year: a stand-in for your own data. */
const CLIMATE = new Map([
  ['bergen', [8, 2250]],
  ['cairo', [22, 25]],
  ['lima', [19, 13]],
  ['nairobi', [19, 870]],
]);

const server = new McpServer(
  { name: 'climate', version: '1.0.0', title: 'Climate of a few cities' },
  { instructions: 'Ask for a city with the tool "climate"; the resource climate://cities lists those that are known.' },
);

server.registerTool(
  'climate',
  {
    title: 'Climate of a city',
    description: 'Mean temperature and rain of a year in a city.',
    inputSchema: z.object({ city: z.string().min(1).describe('Name of the city') }),
    outputSchema: z.object({ celsius: z.number(), rain: z.number() }),
    annotations: { readOnlyHint: true },
  },
  ({ city }) => {
    const known = CLIMATE.get(city.toLowerCase());
    // A thrown error becomes a result with isError: the model reads it and can try again.
    if (known === undefined)
      throw new Error(`Nothing is known of ${city}; known are ${[...CLIMATE.keys()].join(', ')}`);
    const [celsius, rain] = known;
    return { structuredContent: { celsius, rain } };
  },
);

server.registerTool(
  'count',
  {
    description: 'Counts up to a number, slowly, and reports its progress.',
    // Plain JSON Schema does as well as zod.
    inputSchema: {
      type: 'object',
      properties: { to: { type: 'integer', minimum: 1, maximum: 100, description: 'Where to stop' } },
      required: ['to'],
    },
  },
  async ({ to }, ctx) => {
    for (let n = 1; n <= to && !ctx.signal.aborted; n++) {
      await new Promise((done) => setTimeout(done, 50));
      ctx.progress(n, to, `counted ${n}`);
    }
    return { content: [{ type: 'text', text: `Counted to ${to}.` }] };
  },
);

server.registerResource('cities', 'climate://cities', { title: 'Known cities', mimeType: 'text/plain' }, (uri) => ({
  contents: [{ uri: uri.href, mimeType: 'text/plain', text: [...CLIMATE.keys()].join('\n') }],
}));

server.registerResource(
  'city',
  new ResourceTemplate('climate://cities/{city}', { list: undefined }),
  { title: 'One city', mimeType: 'application/json' },
  (uri, { city }) => {
    const [celsius, rain] = CLIMATE.get(city) ?? [null, null];
    return {
      contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ city, celsius, rain }) }],
    };
  },
);

server.registerPrompt(
  'packing',
  {
    title: 'Packing list',
    description: 'What to pack for a journey.',
    argsSchema: z.object({ city: z.string().describe('Where to'), days: z.string().optional().describe('How long') }),
  },
  ({ city, days = 'a few' }) => ({
    messages: [
      {
        role: 'user',
        content: { type: 'text', text: `Write a packing list for ${days} days in ${city}. Look up its climate first.` },
      },
    ],
  }),
);

const host = process.env.HOST || '127.0.0.1';
export const listener = await server.listen({
  host,
  port: Number(process.env.PORT || 3000),
  // Beyond loopback the server refuses to listen until somebody has said that this is meant.
  ...(process.env.ALLOW_UNAUTHENTICATED === '1' && { allowUnauthenticated: true, allowedHosts: null }),
});
console.error(`listening on ${listener.url} (engine: ${listener.engine}, ${listener.reason})`);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => void listener.close().then(() => process.exit(0)));
}
