/**
 * Tells legacy sessions what changed: list_changed to every one, resources/updated to those that subscribed to the URI.
 * Goes to each session's standalone stream; a session without one is told nothing, and asks again when it likes.
 */
import type { Offer } from '../../server/offer.js';
import type { Change, ChangeBus } from '../changes.js';
import { severity } from '../revisions.js';
import type { Session, Sessions } from '../sessions.js';
import type { LoggingLevel, ServerCapabilities } from '../types.js';

type ListName = 'tools' | 'prompts' | 'resources';

/** Starts telling the sessions of one server; returns the end of it. */
export function tellChanges(offer: Offer, changes: ChangeBus, sessions: Sessions): () => void {
  const lists = new Set<ListName>();
  const uris = new Set<string>();
  let queued = false;
  const flush = (): void => {
    queued = false;
    const capabilities = offer.capabilities();
    const methods = [...lists].filter((list) => tells(capabilities, list)).map(listChanged);
    const updated = [...uris];
    lists.clear();
    uris.clear();
    for (const session of sessions.all()) tell(session, methods, updated);
  };
  return changes.subscribe((change: Change) => {
    if (sessions.size === 0 && !sessions.hasPipes) return;
    if (change.kind === 'resource') uris.add(change.uri);
    else lists.add(change.kind);
    // A server that registers ten tools at a time says so once.
    if (!queued) queueMicrotask(flush);
    queued = true;
  });
}

function tell(session: Session, methods: readonly string[], updated: readonly string[]): void {
  for (const method of methods) session.peer.notify(method, undefined);
  for (const uri of updated) {
    if (session.subscriptions.has(uri)) session.peer.notify('notifications/resources/updated', { uri });
  }
}

function listChanged(list: ListName): string {
  return `notifications/${list}/list_changed`;
}

function tells(capabilities: ServerCapabilities, list: ListName): boolean {
  return capabilities[list]?.listChanged === true;
}

/** A log message that belongs to no request. */
export interface LogEntry {
  readonly level: LoggingLevel;
  /** Any JSON value. */
  readonly data: unknown;
  readonly logger?: string | undefined;
}

/**
 * Sends a log message on standalone streams, to one session or to all, each from the level that it set (`info` until then).
 * @returns how many sessions it went to
 * @throws TypeError for an unknown level
 */
export function logToSessions(offer: Offer, sessions: Sessions, entry: LogEntry, sessionId?: string): number {
  const rank = severity(entry.level);
  if (rank === -1) throw new TypeError(`Unknown log level: ${String(entry.level)}`);
  if (offer.capabilities().logging === undefined) return 0;
  const { level, data = null, logger } = entry;
  let count = 0;
  for (const session of sessions.all()) {
    if (sessionId !== undefined && session.id !== sessionId) continue;
    if (rank < severity(session.logLevel ?? 'info')) continue;
    if (session.peer.notify('notifications/message', { level, logger, data })) count += 1;
  }
  return count;
}
