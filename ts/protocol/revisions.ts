/**
 * The revisions of the protocol that are served, the `_meta` keys that carry them, and how a legacy handshake chooses.
 */
import type { LoggingLevel } from './types.js';

/** Newest first. */
export const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];
/** Newest first. */
export const LEGACY_VERSIONS: readonly string[] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
];
export const SUPPORTED_PROTOCOL_VERSIONS: readonly string[] = [...MODERN_VERSIONS, ...LEGACY_VERSIONS];
export const LATEST_PROTOCOL_VERSION = '2026-07-28';
export const LATEST_LEGACY_VERSION = '2025-11-25';
/** What a legacy HTTP request without `MCP-Protocol-Version` and without a session speaks. */
export const DEFAULT_NEGOTIATED_PROTOCOL_VERSION = '2025-03-26';
/** The only revision with JSON-RPC batches. */
export const BATCH_VERSION = '2025-03-26';

export const PROTOCOL_VERSION_META_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CLIENT_INFO_META_KEY = 'io.modelcontextprotocol/clientInfo';
export const CLIENT_CAPABILITIES_META_KEY = 'io.modelcontextprotocol/clientCapabilities';
export const LOG_LEVEL_META_KEY = 'io.modelcontextprotocol/logLevel';
export const SERVER_INFO_META_KEY = 'io.modelcontextprotocol/serverInfo';
export const SUBSCRIPTION_ID_META_KEY = 'io.modelcontextprotocol/subscriptionId';

/** The modern ones of the revisions that a server was told to serve; undefined: all there are. */
export function modernOf(versions: readonly string[] | undefined): readonly string[] {
  return versions === undefined ? MODERN_VERSIONS : versions.filter((version) => MODERN_VERSIONS.includes(version));
}

/** The same of those that begin with a handshake, among them any that only their server knows. */
export function legacyOf(versions: readonly string[] | undefined): readonly string[] {
  return versions === undefined ? LEGACY_VERSIONS : versions.filter((version) => !MODERN_VERSIONS.includes(version));
}

/** The version that `initialize` answers: the requested one when it is known, else the latest legacy one. */
export function negotiate(requested: string): string {
  return LEGACY_VERSIONS.includes(requested) ? requested : LATEST_LEGACY_VERSION;
}

/**
 * Whether a version string claims the modern era: a modern revision, or one nobody knows. Dates before the first modern
 * revision are old legacy revisions, which must not be answered with errors that their clients cannot read.
 */
export function claimsModern(version: string): boolean {
  if (LEGACY_VERSIONS.includes(version)) return false;
  return !(/^\d{4}-\d{2}-\d{2}$/.test(version) && version < '2026-07-28');
}

/** Severities, least severe first. */
export const LOGGING_LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** Position in {@link LOGGING_LEVELS}, or -1 for anything that is no level. */
export function severity(level: unknown): number {
  return LOGGING_LEVELS.indexOf(level as LoggingLevel);
}
