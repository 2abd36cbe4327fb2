// The official TypeScript SDK v2 over HTTP, mounted on node:http as its documentation does: a factory per request behind
// the Host and Origin checks for loopback.
import { createServer } from 'node:http';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { told } from './catalogue.mjs';
import { v2Server } from './official-v2.mjs';

const { port, tools } = told();
const serve = toNodeHandler(createMcpHandler(() => v2Server(tools)));
const hostIsFine = localhostHostValidation();
const originIsFine = localhostOriginValidation();

createServer((request, response) => {
  if (hostIsFine(request, response) && originIsFine(request, response)) void serve(request, response);
}).listen(port, '127.0.0.1');
