// Building a server that is thrown away after one request: `node bench/micro/build.mjs [MODULE]`, in microseconds, the
// official SDK beside. MODULE is what exports McpServer, by default the built package.
import { pathToFileURL } from 'node:url';
import { McpServer as Official } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { catalogue } from '../servers/catalogue.mjs';

const TOOLS = 53;
const ROUNDS = 15;
const module =
  process.argv[2] === undefined ? new URL('../../dist/index.js', import.meta.url) : pathToFileURL(process.argv[2]);
const { McpServer } = await import(module.href);

// Schemas are made once, as every advice on factories says.
const tools = catalogue(TOOLS).map((tool) => ({ ...tool, inputSchema: z.object(tool.shape) }));

function build(Server) {
  const server = new Server({ name: 'built', version: '1.0.0' });
  for (const { name, description, inputSchema, run } of tools)
    server.registerTool(name, { description, inputSchema }, run);
  return server;
}

/** Median of rounds, in microseconds for one server. */
function measure(Server, count) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i += 1) build(Server);
    rounds.push(Number(process.hrtime.bigint() - start) / 1000 / count);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

for (const [name, Server, count] of [
  ['thirdrail', McpServer, 2000],
  ['official v2', Official, 3],
]) {
  measure(Server, Math.ceil(count / 4));
  console.log(`${name}: ${measure(Server, count).toFixed(1)} us for a server with ${TOOLS} tools`);
}
