// thirdrail as the official SDK's users mount theirs: createMcpHandler on node:http, with a factory per request (what
// official-v2-http.mjs does, with other imports) or, with `--server`, one server object in the factory's place.
import { createServer } from 'node:http';
// `thirdrail/node` and `thirdrail/server`, by their files: bench/ is a package of its own, where those names lead nowhere.
import { toNodeHandler } from '../../dist/entries/node.js';
import { createMcpHandler, McpServer } from '../../dist/entries/server.js';
import { told } from './catalogue.mjs';

const { port, tools } = told();

function build() {
  const server = new McpServer({ name: 'thirdrail-handler', version: '1.0.0' });
  for (const { name, description, schema, run } of tools) {
    server.registerTool(name, { description, inputSchema: schema }, async (input) => run(input));
  }
  return server;
}

const serve = toNodeHandler(createMcpHandler(process.argv.includes('--server') ? build() : build));
createServer((request, response) => void serve(request, response)).listen(port, '127.0.0.1');
