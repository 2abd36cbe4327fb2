/**
 * Servers of node:http, Express, Fastify and Hono on free ports with a handler mounted on /mcp, and raw requests to them.
 * Everything ends with the test that opened it.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve as serveHono } from '@hono/node-server';
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach } from 'vitest';
import { expressHandler } from '../../ts/server/adapters/express.js';
import { fastifyHandler } from '../../ts/server/adapters/fastify.js';
import type { McpServerFactory, McpServerLike } from '../../ts/server/adapters/handler.js';
import { honoHandler } from '../../ts/server/adapters/hono.js';
import { nodeHandler } from '../../ts/server/adapters/node.js';
import type { CreateMcpHandlerOptions } from '../../ts/server/adapters/options.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  // Last come, first gone: clients before their servers.
  for (const end of ends.splice(0).reverse()) await end();
});

/** Runs when the test is over, whatever became of it. */
export function atEnd(end: () => unknown): void {
  ends.push(end);
}

/** A server of node:http on a free port; the URL of its /mcp. */
export async function listening(server: Server): Promise<URL> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

export function onNode(listener: RequestListener): Promise<URL> {
  return listening(createServer(listener));
}

export type Served = McpServerFactory | McpServerLike;
export type Mounting = (served: Served, options?: CreateMcpHandlerOptions) => Promise<URL>;

/** The same handler on each of the servers, by the adapter that is made for it. */
export const MOUNTINGS: readonly (readonly [string, Mounting])[] = [
  ['node:http', (served, options) => onNode(nodeHandler(served, options) as unknown as RequestListener)],
  [
    'Express',
    (served, options) => {
      const app = express();
      app.use(express.json());
      app.all('/mcp', expressHandler(served, options));
      return onNode(app);
    },
  ],
  [
    'Express without a body parser',
    (served, options) => {
      const app = express();
      app.all('/mcp', expressHandler(served, options));
      return onNode(app);
    },
  ],
  [
    'Fastify',
    async (served, options) => {
      const app = Fastify({ forceCloseConnections: true });
      app.all('/mcp', fastifyHandler(served, options));
      await app.listen({ port: 0, host: '127.0.0.1' });
      atEnd(() => app.close());
      return new URL(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/mcp`);
    },
  ],
  [
    'Hono',
    async (served, options) => {
      const app = new Hono();
      app.all('/mcp', honoHandler(served, options));
      const server = await new Promise<Server>((resolve) => {
        const started = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
          resolve(started as Server),
        );
      });
      atEnd(() => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      });
      return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
    },
  ],
];

export const MODERN = '2026-07-28';
export const ERAS: readonly (readonly ['legacy' | 'modern', VersionNegotiationMode])[] = [
  ['legacy', 'legacy'],
  ['modern', { pin: MODERN }],
];

/** The official client of the second generation. */
export async function connect(
  url: URL,
  mode: VersionNegotiationMode,
  options: { requestInit?: RequestInit; fetch?: typeof fetch } = {},
): Promise<Client> {
  const client = new Client({ name: 'adapters', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(url, options as object));
  atEnd(() => client.close());
  return client;
}

const P = 'io.modelcontextprotocol/';
export const ACCEPT = 'application/json, text/event-stream';

export type Message = { body: string; headers: Record<string, string> };

/** A regular modern request. */
export function modern(method: string, params: Record<string, unknown> = {}, meta: object = {}): Message {
  const _meta = { [`${P}protocolVersion`]: MODERN, [`${P}clientCapabilities`]: {}, ...meta };
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: ACCEPT,
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
  };
  const name = params.name ?? params.uri;
  if (typeof name === 'string') headers['mcp-name'] = name;
  return { headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }) };
}

/** @param id null: a notification */
export function legacy(method: string, params?: object, id: number | null = 1): Message {
  const headers = { 'content-type': 'application/json', accept: ACCEPT, 'mcp-protocol-version': '2025-11-25' };
  return {
    headers,
    body: JSON.stringify({
      jsonrpc: '2.0',
      ...(id !== null && { id }),
      method,
      ...(params !== undefined && { params }),
    }),
  };
}

export const call = (name: string, args: object = {}, meta: object = {}): Message =>
  modern('tools/call', { name, arguments: args }, meta);

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // What an answer holds is what the tests look at.
  json: any;
}

export interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Called with each piece of the response. */
  heard?: (piece: string) => void;
  signal?: AbortSignal;
}

/** One request of node:http, which sends whatever Host it is told. */
export function ask(url: URL, { method = 'POST', headers = {}, body, heard, signal }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers, agent: false, ...(signal !== undefined && { signal }) });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        heard?.(piece);
      });
      response.on('error', reject);
      response.on('end', () => {
        const isJson = /json/.test(response.headers['content-type'] ?? '');
        const json = isJson && text !== '' ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    sent.end(body);
  });
}

/** The messages of an event stream. */
export function eventsOf(text: string): any[] {
  return text
    .split('\n\n')
    .map((block) => /^data: (.*)$/m.exec(block)?.[1])
    .filter((data) => data !== undefined)
    .map((data) => JSON.parse(data as string));
}

/** The text of a tool's result. */
export const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? '';
export const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: String(value) }] });
