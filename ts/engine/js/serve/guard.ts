/**
 * What is refused before a body is looked at: no single Host, wrong path, host, origin or content type, too much announced.
 *
 * The order is part of the contract with the Rust twin (`crates/serve/src/guard.rs`) and with the case file. The guard
 * knows no MCP: revisions, sessions and names are the door's.
 */
import type { ServeConfig } from '../../engine.js';
import type { Head } from './head.js';

/** A refusal that the engine makes itself, without anyone above knowing. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** JSON-RPC error. */
  readonly code: number;
  readonly message: string;
}

const oneHost: Refusal = { status: 400, code: -32600, message: 'Exactly one Host header is required' };
const notFound: Refusal = { status: 404, code: -32000, message: 'Not found' };
const badHost: Refusal = { status: 403, code: -32000, message: 'Host not allowed' };
const badOrigin: Refusal = { status: 403, code: -32000, message: 'Origin not allowed' };
const badType: Refusal = { status: 415, code: -32000, message: 'Content-Type must be application/json' };
const badEncoding: Refusal = { status: 415, code: -32000, message: 'Content-Encoding is not supported' };
export const bodyLate: Refusal = { status: 408, code: -32000, message: 'Request body not received in time' };
export const overloaded: Refusal = { status: 503, code: -32000, message: 'Server overloaded' };
export const internal: Refusal = { status: 500, code: -32603, message: 'Internal error' };

export class Guard {
  readonly tooLarge: Refusal;
  // The last values that passed: one client sends the same ones for ever, and a string compare is cheaper than parsing.
  private lastHost: string | null = null;
  private lastOrigin: string | null = null;
  private lastType = 'application/json';

  constructor(private readonly config: ServeConfig) {
    this.tooLarge = { status: 413, code: -32000, message: `Request body exceeds ${config.maxBodyBytes} bytes` };
  }

  /** Checks that hold for every HTTP method. `url` is the request target as it was sent. */
  head(head: Head, http11: boolean, url: string): Refusal | null {
    if (head.hosts > 1 || (http11 && head.hosts === 0)) return oneHost;
    if (url !== this.config.path && pathOf(url) !== this.config.path) return notFound;
    const { allowedHosts, allowedOrigins } = this.config;
    if (allowedHosts !== null && (head.hosts === 0 || head.host !== this.lastHost)) {
      if (head.hosts === 0 || !allowedHosts.includes(hostName(head.host))) return badHost;
      this.lastHost = head.host;
    }
    if (allowedOrigins !== null && head.origin !== null && head.origin !== this.lastOrigin) {
      const name = originName(head.origin);
      if (name === null || !allowedOrigins.includes(name)) return badOrigin;
      this.lastOrigin = head.origin;
    }
    return null;
  }

  /** Checks of a POST before its body is read. */
  body(head: Head): Refusal | null {
    const type = head.contentType;
    if (type !== this.lastType) {
      if (type === null || !isJson(type)) return badType;
      this.lastType = type;
    }
    const encoding = head.contentEncoding;
    if (encoding !== null && encoding.trim().toLowerCase() !== 'identity') return badEncoding;
    return head.contentLength > this.config.maxBodyBytes ? this.tooLarge : null;
  }
}

/** The path of a request target, which may be in absolute form (RFC 9112, 3.2.2). */
function pathOf(url: string): string {
  let from = 0;
  if (!url.startsWith('/')) {
    const scheme = url.indexOf('://');
    const slash = scheme < 0 ? -1 : url.indexOf('/', scheme + 3);
    if (slash < 0) return scheme < 0 ? url : '/';
    from = slash;
  }
  let end = url.length;
  for (const mark of ['?', '#']) {
    const at = url.indexOf(mark, from);
    if (at >= 0 && at < end) end = at;
  }
  return url.slice(from, end);
}

/** The name in `name:port`, `[v6]:port` or either without a port, in lower case; brackets stay. */
function hostName(host: string): string {
  const bracket = host.startsWith('[') ? host.indexOf(']') : -1;
  const colon = host.indexOf(':');
  const end = host.startsWith('[') ? (bracket < 0 ? host.length : bracket + 1) : colon < 0 ? host.length : colon;
  return host.slice(0, end).toLowerCase();
}

/**
 * The host of a serialised origin (`scheme://host[:port]`, RFC 6454, 6.2); null for `null` and anything else. Not `new
 * URL()`: it would repair what no browser sends, and each repair is a chance to be talked into something.
 */
function originName(origin: string): string | null {
  const rest = /^[a-z0-9]+:\/\/([^/@?# ]+)$/i.exec(origin)?.[1];
  return rest === undefined ? null : hostName(rest);
}

function isJson(type: string): boolean {
  const semicolon = type.indexOf(';');
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase() === 'application/json';
}
