/**
 * Ready result texts: what an engine can answer without JavaScript, and what the slow path answers with the same bytes.
 *
 * Builders only. Who publishes them into a registry, and when they change, is the registration API's business.
 */
import { wrapListed } from './legacy/wrap.js';
import { DEFAULT_NEGOTIATED_PROTOCOL_VERSION, modernOf, SERVER_INFO_META_KEY } from './revisions.js';
import type { CacheHint, Implementation, ProtocolEra, ServerCapabilities } from './types.js';

/** Members of list results that hold the items. */
export type ListKey = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** Methods of the lists, by the member that holds the items. */
export const LIST_METHODS = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
} as const satisfies Record<ListKey, string>;

/** `"ttlMs":N,"cacheScope":"S"` with the defaults 0 and private. */
export function hintMembers(hint: CacheHint): string {
  const ttlMs = hint.ttlMs !== undefined && hint.ttlMs > 0 ? Math.floor(hint.ttlMs) : 0;
  return `"ttlMs":${Number.isSafeInteger(ttlMs) ? ttlMs : 0},"cacheScope":"${
    hint.cacheScope === 'public' ? 'public' : 'private'
  }"`;
}

/** `"resultType":"complete","_meta":{...serverInfo}`: what ends every modern result. */
export function modernMembers(infoText: string): string {
  return `"resultType":"complete","_meta":{"${SERVER_INFO_META_KEY}":${infoText}}`;
}

/**
 * Result of a list method as JSON text.
 * @param items one JSON text per entry; @param nextCursor absent on the last page
 */
export function listAnswer(
  era: ProtocolEra,
  key: ListKey,
  items: readonly string[],
  hint: CacheHint,
  info: Implementation,
  nextCursor?: string,
): string {
  const cursor = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`;
  const shown = era === 'legacy' && key === 'tools' ? items.map(wrapListed) : items;
  const list = `{"${key}":[${shown.join(',')}]${cursor}`;
  return era === 'legacy' ? `${list}}` : `${list},${hintMembers(hint)},${modernMembers(JSON.stringify(info))}}`;
}

/**
 * Result of `server/discover` (modern only). Legacy versions are not listed: a request that names one in its `_meta`
 * could not be served, and the list must hold only what can be.
 * @param versions what the server was told to serve; undefined: all there are
 */
export function discoverAnswer(
  info: Implementation,
  capabilities: ServerCapabilities,
  instructions: string | undefined,
  hint: CacheHint,
  versions?: readonly string[],
): string {
  const text = instructions === undefined ? '' : `,"instructions":${JSON.stringify(instructions)}`;
  const supported = JSON.stringify(modernOf(versions));
  const members = `${hintMembers(hint)},${modernMembers(JSON.stringify(info))}`;
  return `{"supportedVersions":${supported},"capabilities":${JSON.stringify(capabilities)}${text},${members}}`;
}

/** Result of `initialize` (legacy only). Members that came with later revisions are left out for older ones. */
export function initializeAnswer(
  version: string,
  info: Implementation,
  capabilities: ServerCapabilities,
  instructions: string | undefined,
): string {
  // Up to 2025-03-26 there are name and version only, and a strict client of that time may refuse the rest.
  const serverInfo = version <= DEFAULT_NEGOTIATED_PROTOCOL_VERSION ? { name: info.name, version: info.version } : info;
  return JSON.stringify({ protocolVersion: version, capabilities, serverInfo, instructions });
}

/** Result of legacy `ping`. */
export const PING_ANSWER = '{}';
