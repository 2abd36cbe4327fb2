/**
 * GET: the stream on which a session is told what it did not ask for, and the way back to a stream that lost its
 * connection (`Last-Event-ID`).
 */
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import { isEventId, type Resumption, within } from '../events/store.js';
import type { Exchange } from '../exchange.js';
import type { Session } from '../sessions.js';
import { SseOutlet } from './outlet.js';
import { admit } from './receive.js';
import { replay } from './stream.js';

/** @param allow header line with the methods that the endpoint knows */
export function openStandalone(exchange: Exchange, allow: string): void {
  if (exchange.header('mcp-session-id') === undefined) {
    // Without a session there is nobody that a message could be for.
    refuse(exchange, 405, 'Method not allowed: a stream needs a session', allow);
    return;
  }
  // Whoever asks for a stream must say so: `*/*` is what browsers and probes send.
  if (exchange.header('accept')?.toLowerCase().includes('text/event-stream') !== true) {
    refuse(exchange, 406, 'Not acceptable: text/event-stream is needed');
    return;
  }
  if (exchange.state.isClosing(exchange.listener)) {
    refuse(exchange, 503, 'The server is closing', 'retry-after: 1\r\n');
    return;
  }
  const session = admit(exchange);
  if (session instanceof ProtocolError) {
    exchange.refuse(session);
    return;
  }
  if (session === undefined) return;
  const { resumption } = exchange.state.sessions;
  const lastEventId = exchange.header('last-event-id');
  if (resumption !== undefined && lastEventId !== undefined && lastEventId !== '') {
    void resume(exchange, session, resumption, lastEventId);
  } else if (session.streams.connected) {
    refuse(exchange, 409, 'Conflict: the session has a stream already');
  } else {
    attach(exchange, session);
  }
}

function attach(exchange: Exchange, session: Session): void {
  const { sessions, live } = exchange.state;
  const outlet: SseOutlet = new SseOutlet(exchange.listener, exchange.slot, live, sessions.streams, () =>
    session.streams.left(outlet),
  );
  session.streams.open(outlet);
}

async function resume(
  exchange: Exchange,
  session: Session,
  resumption: Resumption,
  lastEventId: string,
): Promise<void> {
  const { listener, slot, state } = exchange;
  let streamId: string | undefined;
  try {
    streamId = isEventId(lastEventId) ? await streamOf(resumption, lastEventId) : undefined;
  } catch {
    refuse(exchange, 500, 'The event store does not answer');
    return;
  }
  // Its client may have left while the store looked: a stream that begins now would never end.
  if (listener.head(slot) === '') return;
  // An event of somebody else's stream is as unknown as one that never was.
  if (streamId === undefined || !session.streams.owns(streamId)) {
    refuse(exchange, 400, 'Unknown event id');
    return;
  }
  const call = session.streams.calls.get(streamId);
  if (call !== undefined) {
    call.resume(listener, slot, lastEventId);
    return;
  }
  let here = true;
  const stream = session.streams.standalone?.id === streamId ? session.streams.standalone : undefined;
  const left = (): void => {
    here = false;
    session.streams.left(outlet);
  };
  // What is kept of a call that is over can be asked for again, and must not hold the end of the listener.
  const closing = stream === undefined ? () => outlet.leave() : undefined;
  const outlet: SseOutlet = new SseOutlet(listener, slot, state.live, state.sessions.streams, left, closing);
  if (stream !== undefined) {
    stream.resume(outlet, lastEventId);
    return;
  }
  // The call is over: what is kept is all there will be.
  await replay(resumption, streamId, lastEventId, outlet).catch(() => false);
  if (here) outlet.end(0);
}

/** The stream that an event is of. A store that cannot say it is made to by replaying to nobody. */
async function streamOf({ store }: Resumption, eventId: string): Promise<string | undefined> {
  if (store.getStreamIdForEventId !== undefined) return within(store.getStreamIdForEventId(eventId));
  return (await within(store.replayEventsAfter(eventId, { send: async () => {} }))) || undefined;
}

function refuse(exchange: Exchange, status: number, message: string, headers = ''): void {
  exchange.status(status, new ProtocolError(ProtocolErrorCode.ServerError, message), headers);
}
