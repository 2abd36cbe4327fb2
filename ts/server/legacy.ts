/**
 * The options of a listener that are for clients of legacy revisions alone: streams that can be resumed, and the transport
 * that came before the present one.
 */
import type { DispatchOptions } from '../dispatch.js';
import type { EventStore } from '../protocol/events/store.js';
import { type SsePaths, ssePaths } from '../protocol/legacy/http-sse.js';
import { checkInteger, checkKnown, show } from './limits.js';

/** A listener that gives none of these, nor a limit of calls, has those of the server's first one. */
export interface LegacyOptions {
  /**
   * Keeps what is sent on legacy streams, so that a client that lost its connection gets what it missed, and calls go on
   * without it. Default: nothing is kept, and a call ends with its connection.
   */
  eventStore?: EventStore;
  /** Milliseconds after which such clients are told to come back. Default 1000. */
  retryInterval?: number;
  /**
   * Serves the deprecated HTTP+SSE transport (2024-11-05) beside the endpoint. Its paths are `/sse` and `/messages`
   * unless they are given. Default: it is not served.
   */
  sse?: boolean | SsePaths;
}

export const LEGACY_OPTIONS: readonly string[] = ['eventStore', 'retryInterval', 'sse'];

/** @param path of the endpoint; @throws TypeError for a bad option */
export function legacyOptions(
  { eventStore, retryInterval, sse }: LegacyOptions,
  path: string,
): Pick<DispatchOptions, 'eventStore' | 'retryInterval' | 'paths'> {
  if (eventStore !== undefined && typeof eventStore?.storeEvent !== 'function') {
    throw new TypeError(`Option eventStore must have the methods of an event store, not ${show(eventStore)}`);
  }
  const retry = retryInterval === undefined ? {} : { retryInterval: checkInteger('retryInterval', retryInterval, 0) };
  return { ...(eventStore === undefined ? {} : { eventStore }), ...retry, ...pathsOf(sse, path) };
}

function pathsOf(sse: LegacyOptions['sse'], path: string): Pick<DispatchOptions, 'paths'> {
  if (sse === undefined || sse === false) return {};
  if (sse === true) return { paths: ssePaths(distinct({}, path)) };
  checkKnown(sse, ['path', 'messages'], 'sse');
  return { paths: ssePaths(distinct(sse, path)) };
}

function distinct(sse: SsePaths, path: string): SsePaths {
  for (const [name, other] of Object.entries({ path: '/sse', messages: '/messages', ...sse })) {
    if (typeof other !== 'string' || !/^\/[^?#\s]*$/.test(other)) {
      throw new TypeError(`Option sse.${name} must begin with "/" and hold no "?", "#" or space, not ${show(other)}`);
    }
    if (other === path) throw new TypeError(`Option sse.${name} is the path of the endpoint: ${other}`);
  }
  return sse;
}
