// The official TypeScript SDK v1 over HTTP without sessions: its documentation asks for a server and a transport per
// request. JSON replies are switched on, its fastest setting.
import { createServer } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { told } from './catalogue.mjs';
import { v1Server } from './official-v1.mjs';

const { port, tools } = told();

createServer(async (request, response) => {
  const server = v1Server(tools);
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => {
    void transport.close();
    void server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
}).listen(port, '127.0.0.1');
