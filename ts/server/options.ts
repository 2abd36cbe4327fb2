/**
 * The options of a server, of either class: checked once, where the server is made.
 */
import type { ChangeBus } from '../protocol/changes.js';
import { checkStateSeal, type StateSealOptions } from '../protocol/modern/state-seal.js';
import type { Implementation, ServerCapabilities } from '../protocol/types.js';
import { Catalog } from './catalog.js';
import type { CacheHints } from './hints.js';
import { checkHints } from './hints.js';
import { checkInteger, checkKnown } from './limits.js';
import type { ProtocolOptions } from './lowlevel/protocol.js';
import type { InputRequiredOptions } from './offer.js';

export type ServerOptions = ProtocolOptions & {
  /** Declared besides those that registrations imply, for instance `{ logging: {} }`. */
  capabilities?: ServerCapabilities;
  /** How to use this server, for the model. */
  instructions?: string;
  /** How long modern clients may reuse a result, by method. Default: not at all. */
  cacheHints?: CacheHints;
  /**
   * How `requestState` is kept from being changed on its way through the client: sealed with keys of this process by
   * default. Processes that serve the same clients need the same `keys`.
   */
  requestState?: StateSealOptions;
  /** How a legacy client is asked what a handler returned as `input_required`. */
  inputRequired?: InputRequiredOptions;
  /** Taken for compatibility: schemas are checked by this library's own validator. */
  jsonSchemaValidator?: unknown;
  /** Carries changes to clients of other processes, too. Default: to those of this process. */
  changes?: ChangeBus;
};

export type McpServerOptions = ServerOptions & {
  /** Entries per page of every list. Default: one page holds all. */
  pageSize?: number;
  /** Most members and items, all levels together, that the arguments of one tool call may have. Default: no such limit. */
  maxToolInputElements?: number;
};

const SERVER_OPTIONS = [
  'capabilities',
  'instructions',
  'cacheHints',
  'requestState',
  'inputRequired',
  'jsonSchemaValidator',
  'changes',
  'supportedProtocolVersions',
  'enforceStrictCapabilities',
  'debouncedNotificationMethods',
];
const OPTIONS = [...SERVER_OPTIONS, 'pageSize', 'maxToolInputElements'];
const NO_OPTIONS: McpServerOptions = {};

/**
 * The empty catalog of a new server.
 * @param of the class, in errors; @param high whether it is the one that registers tools
 * @throws TypeError for a bad option, RangeError for a bad cache hint or limit
 */
export function catalogOf(info: Implementation, options: McpServerOptions = NO_OPTIONS, high: boolean): Catalog {
  if (typeof info?.name !== 'string' || info.name === '' || typeof info.version !== 'string') {
    throw new TypeError(`A server needs a name and a version: new ${high ? 'McpServer' : 'Server'}({ name, version })`);
  }
  if (options !== NO_OPTIONS) check(options, high);
  return new Catalog(
    { ...info },
    {
      capabilities: options.capabilities,
      instructions: options.instructions,
      pageSize: options.pageSize,
      cacheHints: options.cacheHints,
      requestState: options.requestState,
      inputRequired: options.inputRequired,
      changes: options.changes,
      versions: options.supportedProtocolVersions,
      maxToolInputElements: options.maxToolInputElements,
      declaresChanges: high,
    },
  );
}

function check(options: McpServerOptions, high: boolean): void {
  checkKnown(options, high ? OPTIONS : SERVER_OPTIONS, high ? 'McpServer' : 'Server');
  const {
    instructions,
    pageSize,
    cacheHints,
    maxToolInputElements: most,
    supportedProtocolVersions: versions,
  } = options;
  if (instructions !== undefined && typeof instructions !== 'string') {
    throw new TypeError('Option instructions must be a string');
  }
  if (pageSize !== undefined) checkInteger('pageSize', pageSize, 1);
  if (most !== undefined && most !== Number.POSITIVE_INFINITY) checkInteger('maxToolInputElements', most, 1);
  if (cacheHints !== undefined) checkHints(cacheHints);
  if (versions !== undefined && !(Array.isArray(versions) && versions.every((v) => typeof v === 'string'))) {
    throw new TypeError('Option supportedProtocolVersions must be an array of strings');
  }
  checkRounds(options.inputRequired);
  checkState(options.requestState);
}

/** Here and not with the first round: a server with a bad key must not start. */
function checkState(state: StateSealOptions | undefined): void {
  if (state === undefined) return;
  if (typeof state !== 'object' || state === null) throw new TypeError('Option requestState must be an object');
  checkKnown(state, ['keys', 'ttl', 'maxLength', 'verify'], 'requestState');
  checkStateSeal(state);
}

function checkRounds(rounds: InputRequiredOptions | undefined): void {
  if (rounds === undefined) return;
  const of = 'inputRequired';
  checkKnown(rounds, ['maxRounds', 'roundTimeoutMs', 'legacyShim'], of);
  if (rounds.maxRounds !== undefined) checkInteger(`${of}.maxRounds`, rounds.maxRounds, 1);
  if (rounds.roundTimeoutMs !== undefined) checkInteger(`${of}.roundTimeoutMs`, rounds.roundTimeoutMs, 1);
  if (rounds.legacyShim !== undefined && typeof rounds.legacyShim !== 'boolean') {
    throw new TypeError(`Option ${of}.legacyShim must be true or false`);
  }
}
