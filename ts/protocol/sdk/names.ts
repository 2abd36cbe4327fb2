/**
 * Small functions on names, capabilities, URLs and headers that the official SDK exports and server code uses.
 */
import type { BaseMetadata, ClientCapabilities, ServerCapabilities } from '../types.js';

/** What to show for a tool, prompt or resource: its title, a tool's annotated title, its name. */
export function getDisplayName(metadata: BaseMetadata | (BaseMetadata & { annotations?: { title?: string } })): string {
  const annotated = 'annotations' in metadata ? metadata.annotations?.title : undefined;
  return metadata.title || annotated || metadata.name;
}

/** The capabilities of both, those of the second where both have one; objects are joined one level deep. */
export function mergeCapabilities(
  base: ServerCapabilities,
  additional: Partial<ServerCapabilities>,
): ServerCapabilities;
export function mergeCapabilities(
  base: ClientCapabilities,
  additional: Partial<ClientCapabilities>,
): ClientCapabilities;
export function mergeCapabilities(base: object, additional: object): object {
  const merged = { ...base } as Record<string, unknown>;
  for (const [key, value] of Object.entries(additional)) {
    if (value === undefined) continue;
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const joined = isObject(before) && isObject(value) ? { ...before, ...value } : value;
    // A key named __proto__ must become a member like any other.
    Object.defineProperty(merged, key, { value: joined, enumerable: true, configurable: true, writable: true });
  }
  return merged;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The resource identifier (RFC 8707) of a server's URL: the URL without a fragment. */
export function resourceUrlFromServerUrl(url: URL | string): URL {
  const resource = new URL(url);
  resource.hash = '';
  return resource;
}

/** Whether a requested resource is the configured one or below it: the same origin, and a path that begins with its. */
export function checkResourceAllowed(resources: {
  requestedResource: URL | string;
  configuredResource: URL | string;
}): boolean {
  const requested = new URL(resources.requestedResource);
  const configured = new URL(resources.configuredResource);
  if (requested.origin !== configured.origin) return false;
  // The configured path with a slash is not asked for by the path without.
  if (requested.pathname.length < configured.pathname.length) return false;
  return asFolder(requested.pathname).startsWith(asFolder(configured.pathname));
}

function asFolder(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

export type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** A fetch that adds `base` to every request; headers are joined, a request's own win. */
export function createFetchWithInit(baseFetch: FetchLike = fetch, base?: RequestInit): FetchLike {
  if (base === undefined) return baseFetch;
  return async (url, init) => {
    const headers = init?.headers ? { ...plain(base.headers), ...plain(init.headers) } : base.headers;
    return baseFetch(url, { ...base, ...init, headers });
  };
}

function plain(headers: RequestInit['headers']): Record<string, string> {
  if (headers === undefined) return {};
  if (headers instanceof Headers || Array.isArray(headers)) {
    return Object.fromEntries(headers as Iterable<[string, string]>);
  }
  return { ...(headers as Record<string, string>) };
}

/**
 * Whether a Content-Type header names `application/json`. Parameters do not matter, not even malformed ones, except where
 * a comma in them says that two headers were joined.
 */
export function isJsonContentType(header: string | null | undefined): boolean {
  if (!header) return false;
  const end = header.indexOf(';');
  const type = (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
  if (type !== 'application/json') return false;
  return end === -1 || WELL_FORMED.test(header.slice(end)) || !header.slice(end).includes(',');
}
// RFC 9110 parameters, `;name=token` or `;name="quoted"`, with spaces where they are commonly put.
const WELL_FORMED =
  /^(?:[ \t]*; *[!#$%&'*+.^_`|~\w-]+ *= *(?:[!#$%&'*+.^_`|~\w-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))*[ \t]*$/;
