// What a careful programmer writes without any MCP library: node:http, JSON.parse, a switch, JSON.stringify. It checks
// nothing, so it is a yardstick of the machine and not a server to use. `--ready-bytes`: the list is text made once, with
// only the id put in.
import { createServer } from 'node:http';
import { definitions, told } from './catalogue.mjs';

const { port, tools } = told();
const readyBytes = process.argv.includes('--ready-bytes');
const run = new Map(tools.map((tool) => [tool.name, tool.run]));
const serverInfo = { name: 'hand-written', version: '1.0.0' };
const shared = { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } };
const list = { ...shared, tools: definitions(tools.length), ttlMs: 0, cacheScope: 'private' };
const listText = JSON.stringify(list);

function answer({ id, method, params }) {
  switch (method) {
    case 'tools/call': {
      const { content } = run.get(params.name)(params.arguments);
      return JSON.stringify({ jsonrpc: '2.0', id, result: { ...shared, content } });
    }
    case 'tools/list':
      if (readyBytes) return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${listText}}`;
      return JSON.stringify({ jsonrpc: '2.0', id, result: list });
    default:
      return null;
  }
}

function reply(response, body) {
  const text = answer(JSON.parse(body));
  if (text === null) {
    response.writeHead(404).end();
    return;
  }
  // With the length known and a text body, Node writes head and body at once.
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

createServer((request, response) => {
  let chunks = null;
  request.on('data', (chunk) => {
    if (chunks === null) chunks = chunk;
    else chunks = Buffer.concat([chunks, chunk]);
  });
  request.on('end', () => reply(response, chunks === null ? 'null' : chunks.toString()));
}).listen(port, '127.0.0.1');
