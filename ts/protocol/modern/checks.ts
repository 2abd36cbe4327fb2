/**
 * What must hold for a modern request before its method is looked at, in the order that decides which error is told:
 * headers mirror the body, the envelope is complete, versions agree, the version is served.
 */
import { HeaderMismatchError, type ProtocolError, UnsupportedProtocolVersionError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { decodeMirrored } from '../headers.js';
import { asMembers, type Incoming, own } from '../incoming.js';
import { invalidParams, NAMED } from '../requests.js';
import { CLIENT_CAPABILITIES_META_KEY, modernOf, PROTOCOL_VERSION_META_KEY } from '../revisions.js';

/** The first thing wrong with a request, or undefined. */
export function checkRequest(exchange: Exchange, message: Incoming): ProtocolError | undefined {
  if (exchange.pipe) return checkEnvelope(message) ?? checkServed(exchange, message);
  return (
    checkMethodHeader(exchange, message) ??
    checkNameHeader(exchange, message) ??
    checkEnvelope(message) ??
    checkVersionHeader(exchange, message) ??
    checkServed(exchange, message)
  );
}

/** A notification carries what it likes, but what it carries must not contradict itself. */
export function checkNotification(exchange: Exchange, message: Incoming): ProtocolError | undefined {
  if (exchange.pipe) return undefined;
  if (exchange.header('mcp-method') !== undefined) {
    const mismatch = checkMethodHeader(exchange, message);
    if (mismatch !== undefined) return mismatch;
  }
  const header = exchange.header('mcp-protocol-version');
  const claimed = message.meta === undefined ? undefined : own(message.meta, PROTOCOL_VERSION_META_KEY);
  if (claimed !== undefined && header !== undefined && claimed !== header) return versionMismatch(header, claimed);
  const version = claimed ?? header;
  return typeof version === 'string' && !served(exchange).includes(version)
    ? unsupported(exchange, version)
    : undefined;
}

function checkMethodHeader(exchange: Exchange, message: Incoming): ProtocolError | undefined {
  const header = exchange.header('mcp-method');
  if (header === undefined) return new HeaderMismatchError('the Mcp-Method header is missing');
  if (header === message.method) return undefined;
  return new HeaderMismatchError(
    `Mcp-Method header value ${quote(header)} does not match body value ${quote(message.method)}`,
  );
}

function checkNameHeader(exchange: Exchange, message: Incoming): ProtocolError | undefined {
  const member = NAMED.get(message.method);
  if (member === undefined) return undefined;
  const header = exchange.header('mcp-name');
  const value = message.params === undefined ? undefined : own(message.params, member);
  // With neither there is nothing to compare: that the body lacks its name is told by the method itself.
  if (header === undefined && value === undefined) return undefined;
  if (header === undefined) return new HeaderMismatchError('the Mcp-Name header is missing');
  const decoded = decodeMirrored(header);
  if (decoded === undefined) return new HeaderMismatchError('the Mcp-Name header value is malformed');
  if (decoded === value) return undefined;
  return new HeaderMismatchError(`Mcp-Name header value ${quote(decoded)} does not match body value ${quote(value)}`);
}

function checkEnvelope(message: Incoming): ProtocolError | undefined {
  const meta = message.meta;
  if (meta === undefined) return invalidParams('"_meta" is missing');
  if (typeof own(meta, PROTOCOL_VERSION_META_KEY) !== 'string') {
    return invalidParams(`_meta["${PROTOCOL_VERSION_META_KEY}"] must be a string`);
  }
  if (asMembers(own(meta, CLIENT_CAPABILITIES_META_KEY)) === undefined) {
    return invalidParams(`_meta["${CLIENT_CAPABILITIES_META_KEY}"] must be an object`);
  }
  return undefined;
}

function checkVersionHeader(exchange: Exchange, message: Incoming): ProtocolError | undefined {
  const header = exchange.header('mcp-protocol-version');
  const claimed = message.meta === undefined ? undefined : own(message.meta, PROTOCOL_VERSION_META_KEY);
  if (header === claimed) return undefined;
  if (header === undefined) return new HeaderMismatchError('the MCP-Protocol-Version header is missing');
  return versionMismatch(header, claimed);
}

function checkServed(exchange: Exchange, message: Incoming): ProtocolError | undefined {
  const version = message.meta === undefined ? undefined : own(message.meta, PROTOCOL_VERSION_META_KEY);
  return served(exchange).includes(version as string) ? undefined : unsupported(exchange, String(version));
}

/** The modern revisions that this server was told to serve. */
function served(exchange: Exchange): readonly string[] {
  return modernOf(exchange.state.offer.versions);
}

function versionMismatch(header: string, claimed: unknown): ProtocolError {
  return new HeaderMismatchError(
    `MCP-Protocol-Version header value ${quote(header)} does not match body value ${quote(claimed)}`,
  );
}

function unsupported(exchange: Exchange, requested: string): ProtocolError {
  const modern = served(exchange);
  // A server of the legacy era alone names what it has: its client may shake hands instead.
  const supported = modern.length > 0 ? modern : (exchange.state.offer.versions ?? []);
  return new UnsupportedProtocolVersionError({ supported: [...supported], requested });
}

/** Client text in an error message: JSON-quoted, so that it cannot pose as ours, and short. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
