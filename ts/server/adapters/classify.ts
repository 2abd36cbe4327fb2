/**
 * Which era an HTTP request belongs to, decided by its body, for those who route by hand: `classifyInboundRequest` in the
 * names and outcomes of the official SDK. Our own handlers do not need it, as the protocol decides at its own door.
 *
 * The body claims the modern era with a protocol version in `params._meta`; headers only have to agree.
 */
import { HeaderMismatchError, ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  severity,
} from '../../protocol/revisions.js';
import { isJSONRPCNotification, isJSONRPCRequest, isJSONRPCResponse } from '../../protocol/sdk/guards.js';
import type { JSONRPCNotification, JSONRPCRequest } from '../../protocol/types.js';

/** What is asked: method, the three MCP headers as far as they are there, and the decoded body. */
export interface InboundHttpRequest {
  httpMethod: string;
  protocolVersionHeader?: string;
  mcpMethodHeader?: string;
  mcpNameHeader?: string;
  /** Undefined for methods without a body. */
  body?: unknown;
}

/** Why a request is legacy traffic. */
export type InboundLegacyRouteReason =
  | 'http-method'
  | 'initialize'
  | 'no-claim'
  | 'notification'
  | 'batch'
  | 'response';

export interface InboundLegacyRoute {
  kind: 'legacy';
  reason: InboundLegacyRouteReason;
  /** The revision that the request named, if it did. */
  requestedVersion?: string;
}

interface Classification {
  era: 'legacy' | 'modern';
  revision?: string;
}

export type InboundModernRoute =
  | { kind: 'modern'; messageKind: 'request'; message: JSONRPCRequest; classification: Classification }
  | { kind: 'modern'; messageKind: 'notification'; message: JSONRPCNotification; classification: Classification };

export type InboundValidationRung =
  | 'http-method'
  | 'jsonrpc-shape'
  | 'era-classification'
  | 'envelope'
  | 'method-registry'
  | 'request-params'
  | 'standard-header-validation'
  | 'client-capabilities'
  | 'param-header-validation';

/** The error to answer with. */
export interface InboundLadderRejection {
  kind: 'reject';
  rung: InboundValidationRung;
  /** A stable name of what is wrong. */
  cell: string;
  httpStatus: number;
  code: number;
  message: string;
  data?: unknown;
  settled: boolean;
}

export type InboundClassificationOutcome = InboundLegacyRoute | InboundModernRoute | InboundLadderRejection;

const FIRST_MODERN = '2026-07-28';

/** Never throws; `reject` holds the error and its HTTP status. */
export function classifyInboundRequest(request: InboundHttpRequest): InboundClassificationOutcome {
  if (request.httpMethod.toUpperCase() !== 'POST') return { kind: 'legacy', reason: 'http-method' };
  const { body } = request;
  const version = request.protocolVersionHeader?.trim();
  const method = request.mcpMethodHeader?.trim();
  if (Array.isArray(body)) return classifyBatch(body);
  switch (shapeOf(body)) {
    case 'response':
      return { kind: 'legacy', reason: 'response' };
    case 'request':
      return classifyRequest(body as JSONRPCRequest, version, method);
    case 'notification':
      return classifyNotification(body as JSONRPCNotification, version, method);
    default:
      return shape('invalid-json-rpc-body', 'the body is no JSON-RPC message');
  }
}

/**
 * What an endpoint without legacy serving answers to legacy traffic.
 * @returns undefined for notifications, which are accepted (202) and dropped
 */
export function modernOnlyStrictRejection(
  route: InboundLegacyRoute,
  supported: readonly string[],
): InboundLadderRejection | undefined {
  switch (route.reason) {
    case 'http-method': {
      const error = new ProtocolError(ProtocolErrorCode.ServerError, 'Method not allowed.');
      return reject('http-method', 'modern-only-method-not-allowed', 405, error);
    }
    case 'batch':
      return shape('modern-only-batch-not-supported', 'batches are not supported here');
    case 'response':
      return shape('modern-only-response-post', 'no response is expected here');
    case 'notification':
      return undefined;
    default: {
      const requested = route.requestedVersion;
      const named = requested === undefined ? 'none was named' : requested;
      const error = new ProtocolError(
        ProtocolErrorCode.UnsupportedProtocolVersion,
        `Unsupported protocol version: ${named}`,
        requested === undefined ? { supported: [...supported] } : { supported: [...supported], requested },
      );
      return reject('era-classification', 'modern-only-missing-envelope', 400, error);
    }
  }
}

function classifyRequest(
  message: JSONRPCRequest,
  version: string | undefined,
  methodHeader: string | undefined,
): InboundClassificationOutcome {
  const meta = metaOf(message);
  const headerModern = version !== undefined && version >= FIRST_MODERN;
  const claimed = claimOf(meta);
  // A handshake is legacy, unless all of a modern envelope says that it is none.
  if (message.method === 'initialize' && !(isModern(claimed) && envelopeIssues(meta as Members).length === 0)) {
    if (headerModern) {
      return mismatch('initialize-with-modern-header', version, 'initialize belongs to the legacy era');
    }
    const requested = own((asMembers(message.params) ?? {}) as Members, 'protocolVersion');
    return {
      kind: 'legacy',
      reason: 'initialize',
      ...(typeof requested === 'string' && { requestedVersion: requested }),
    };
  }
  if (claimed !== undefined) {
    const issue = envelopeIssues(meta as Members)[0];
    if (issue !== undefined) return badEnvelope('envelope-invalid', issue);
    if (version !== undefined && version !== claimed) {
      return mismatch('header-body-version-mismatch', version, `the body names revision ${String(claimed)}`);
    }
    if (methodHeader !== undefined && methodHeader !== message.method) {
      return mismatch('method-header-mismatch', methodHeader, `the body names the method ${message.method}`);
    }
    return { kind: 'modern', messageKind: 'request', message, classification: classificationOf(claimed as string) };
  }
  if (headerModern) {
    const absent = envelopeIssues(meta ?? {}).filter((issue) => issue.problem === 'missing');
    const missing = meta === undefined ? ['_meta'] : absent.map((issue) => issue.key);
    const error = new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `Invalid params: revision ${version} needs ${missing.join(', ')}`,
      { envelope: { missing } },
    );
    return reject('envelope', 'modern-header-without-claim', 400, error);
  }
  return { kind: 'legacy', reason: 'no-claim', ...(version !== undefined && { requestedVersion: version }) };
}

/** A notification need not claim anything: then a modern header decides. */
function classifyNotification(
  message: JSONRPCNotification,
  version: string | undefined,
  methodHeader: string | undefined,
): InboundClassificationOutcome {
  const claimed = claimOf(metaOf(message));
  if (claimed !== undefined && typeof claimed !== 'string') {
    const problem = `must be a string, not ${claimed === null ? 'null' : typeof claimed}`;
    return badEnvelope('notification-envelope-invalid', { key: PROTOCOL_VERSION_META_KEY, problem });
  }
  if (claimed !== undefined && version !== undefined && version !== claimed) {
    return mismatch('notification-header-body-version-mismatch', version, `the body names revision ${claimed}`);
  }
  const revision = claimed ?? (version !== undefined && version >= FIRST_MODERN ? version : undefined);
  if (revision === undefined) {
    return { kind: 'legacy', reason: 'notification', ...(version !== undefined && { requestedVersion: version }) };
  }
  const classification = classificationOf(revision);
  if (classification.era === 'modern' && methodHeader !== undefined && methodHeader !== message.method) {
    return mismatch('notification-method-header-mismatch', methodHeader, `the body names the method ${message.method}`);
  }
  return { kind: 'modern', messageKind: 'notification', message, classification };
}

function classifyBatch(messages: readonly unknown[]): InboundClassificationOutcome {
  if (messages.length === 0) return shape('empty-batch', 'the batch is empty');
  for (const message of messages) {
    if (claimOf(metaOf(message)) !== undefined) {
      return shape('batch-with-modern-element', `revision ${FIRST_MODERN} has no batches`);
    }
    if (shapeOf(message) === undefined) return shape('batch-with-invalid-element', 'a part of the batch is no message');
  }
  return { kind: 'legacy', reason: 'batch' };
}

// ------------------------------------------------------------------------------------------------------- messages

function shapeOf(value: unknown): 'request' | 'notification' | 'response' | undefined {
  if (isJSONRPCRequest(value)) return 'request';
  if (isJSONRPCNotification(value)) return 'notification';
  return isJSONRPCResponse(value) ? 'response' : undefined;
}

function metaOf(message: unknown): Members | undefined {
  const params = asMembers(own(asMembers(message) ?? {}, 'params'));
  return params === undefined ? undefined : asMembers(own(params, '_meta'));
}

/** The claim, of whatever type; undefined: none. */
function claimOf(meta: Members | undefined): unknown {
  return meta === undefined ? undefined : own(meta, PROTOCOL_VERSION_META_KEY);
}

function isModern(claimed: unknown): boolean {
  return typeof claimed === 'string' && claimed >= FIRST_MODERN;
}

function classificationOf(revision: string): Classification {
  return { era: revision >= FIRST_MODERN ? 'modern' : 'legacy', revision };
}

interface Issue {
  readonly key: string;
  readonly problem: string;
}

/** What is wrong with an envelope: missing keys first. */
function envelopeIssues(meta: Members): Issue[] {
  const issues: Issue[] = [];
  for (const key of [PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY]) {
    if (own(meta, key) === undefined) issues.push({ key, problem: 'missing' });
  }
  const version = own(meta, PROTOCOL_VERSION_META_KEY);
  if (version !== undefined && typeof version !== 'string') {
    issues.push({ key: PROTOCOL_VERSION_META_KEY, problem: 'must be a string' });
  }
  const info = own(meta, CLIENT_INFO_META_KEY);
  if (info !== undefined) {
    const members = asMembers(info);
    if (members === undefined) issues.push({ key: CLIENT_INFO_META_KEY, problem: 'must be an object' });
    for (const name of members === undefined ? [] : ['name', 'version']) {
      if (typeof own(members as Members, name) === 'string') continue;
      issues.push({ key: `${CLIENT_INFO_META_KEY}.${name}`, problem: 'must be a string' });
    }
  }
  const capabilities = own(meta, CLIENT_CAPABILITIES_META_KEY);
  if (capabilities !== undefined) {
    const members = asMembers(capabilities);
    if (members === undefined) issues.push({ key: CLIENT_CAPABILITIES_META_KEY, problem: 'must be an object' });
    for (const [name, value] of Object.entries(members ?? {})) {
      if (asMembers(value) !== undefined) continue;
      issues.push({ key: `${CLIENT_CAPABILITIES_META_KEY}.${name}`, problem: 'must be an object' });
    }
  }
  const level = own(meta, LOG_LEVEL_META_KEY);
  if (level !== undefined && severity(level) === -1) {
    issues.push({ key: LOG_LEVEL_META_KEY, problem: 'must be a log level' });
  }
  return issues;
}

// --------------------------------------------------------------------------------------------------------- errors

function reject(
  rung: InboundValidationRung,
  cell: string,
  httpStatus: number,
  error: ProtocolError,
): InboundLadderRejection {
  const { code, message, data } = error;
  return { kind: 'reject', rung, cell, httpStatus, code, message, ...(data !== undefined && { data }), settled: true };
}

function shape(cell: string, why: string): InboundLadderRejection {
  return reject('jsonrpc-shape', cell, 400, new ProtocolError(ProtocolErrorCode.InvalidRequest, `Bad request: ${why}`));
}

function badEnvelope(cell: string, issue: Issue): InboundLadderRejection {
  const message = `Invalid params: _meta of revision ${FIRST_MODERN}: ${issue.key}: ${issue.problem}`;
  const error = new ProtocolError(ProtocolErrorCode.InvalidParams, message, { envelope: issue });
  return reject('envelope', cell, 400, error);
}

function mismatch(cell: string, header: string, body: string): InboundLadderRejection {
  const { code, message } = new HeaderMismatchError(`the header says ${header}, but ${body}`);
  return reject('era-classification', cell, 400, new ProtocolError(code, message, { mismatch: { header, body } }));
}
