/**
 * An authorization server for tests: metadata, keys that can be rotated, introspection; and a way to ask a guarded server.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const RESOURCE = 'http://127.0.0.1/mcp';
type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

export class Issuer {
  readonly requests: string[] = [];
  /** What introspection answers, by token; anything else is not active. */
  readonly active = new Map<string, Record<string, unknown>>();
  /** Set to answer everything with this status. */
  broken = 0;
  #server: Server;
  #pair: Pair | undefined;
  #kid = 0;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      this.requests.push(`${request.method} ${request.url}`);
      const answer = await this.#answer(request.url ?? '', request.headers.authorization, body);
      response.writeHead(this.broken || (answer === undefined ? 404 : 200), { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await issuer.rotate();
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** New keys in place of the old ones. */
  async rotate(): Promise<void> {
    this.#pair = await generateKeyPair('ES256', { extractable: true });
    this.#kid += 1;
  }

  sign(claims: Record<string, unknown> = {}, expires: number | string = '5m'): Promise<string> {
    const full = { iss: this.url, aud: RESOURCE, client_id: 'client-1', sub: 'user-1', scope: 'mcp:use', ...claims };
    return new SignJWT(full)
      .setProtectedHeader({ alg: 'ES256', kid: `key-${this.#kid}` })
      .setExpirationTime(expires)
      .sign((this.#pair as Pair).privateKey);
  }

  async #answer(url: string, authorization: string | undefined, body: string): Promise<object | undefined> {
    if (url === '/.well-known/oauth-authorization-server') return { issuer: this.url, jwks_uri: `${this.url}/keys` };
    if (url === '/keys') {
      const jwk = await exportJWK((this.#pair as Pair).publicKey);
      return { keys: [{ ...jwk, kid: `key-${this.#kid}`, alg: 'ES256', use: 'sig' }] };
    }
    if (url !== '/introspect') return undefined;
    const known = authorization === `Basic ${Buffer.from('rs:s%3Acret').toString('base64')}`;
    const token = new URLSearchParams(body).get('token') ?? '';
    return known ? (this.active.get(token) ?? { active: false }) : undefined;
  }
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

export interface Told {
  status: number;
  challenge: string;
  text: string;
  json: any;
}

/** One modern request. */
export async function ask(url: string, method: string, params: object, token?: string): Promise<Told> {
  const name = (params as { name?: string; uri?: string }).name ?? (params as { uri?: string }).uri;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
  });
  const text = await response.text();
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', text, json };
}

export const call = (url: string, tool: string, token?: string): Promise<Told> =>
  ask(url, 'tools/call', { name: tool, arguments: {} }, token);
