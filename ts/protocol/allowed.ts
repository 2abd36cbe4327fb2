/**
 * Asks the guard before a handler runs: at once when it knows, and as a call that waits when it has to find out.
 */
import { Shape } from '../engine/engine.js';
import type { RequestContext } from './context.js';
import { errorText, ProtocolErrorCode, wireCode } from './errors.js';
import type { Guard, Refusal } from './guard.js';
import { sameParty } from './party.js';

/**
 * Runs `go` when the caller may; answers with the refusal when not. Never throws unless `go` does.
 * @param method, name what is to be used. Default: what the request names
 */
export function whenAllowed(
  guard: Guard,
  context: RequestContext,
  go: () => void,
  method = context.method,
  name = context.name,
): void {
  const verdict = asked(guard, context, method, name);
  if (verdict === undefined) go();
  else if (!(verdict instanceof Promise)) refuse(context, verdict);
  else {
    context.wait();
    verdict.then(
      (settled) => {
        context.settle();
        if (context.over) return;
        if (settled === undefined) attempt(context, go);
        else refuse(context, settled);
      },
      () => {
        context.settle();
        unsure(context);
      },
    );
  }
}

/** What is thrown later has nobody above it. */
function attempt(context: RequestContext, go: () => void): void {
  try {
    go();
  } catch {
    unsure(context);
  }
}

function asked(guard: Guard, context: RequestContext, method: string, name: string): ReturnType<Guard['allows']> {
  try {
    return guard.allows(context.authInfo, method, name, context);
  } catch {
    return Promise.reject(new Error('The guard failed'));
  }
}

function refuse(context: RequestContext, { error, status, headers }: Refusal): void {
  const text = errorText(wireCode(error, context.era), error.message, error.data);
  context.finish(status, Shape.error, 0, text, headers);
}

/**
 * Whether a legacy call came with the session of somebody else, or one that is gone; then it is answered that there is no
 * such session, as everything else in it would be.
 */
export function inForeignSession(context: RequestContext): boolean {
  if (context.era !== 'legacy' || context.sessionId === undefined) return false;
  const session = context.session();
  if (session !== undefined && sameParty(session.authInfo, context.authInfo)) return false;
  const text = errorText(ProtocolErrorCode.SessionNotFound, 'Session not found');
  context.finish(404, Shape.error, 0, text);
  return true;
}

/** A guard that fails lets nobody through. */
function unsure(context: RequestContext): void {
  context.finish(200, Shape.error, 0, errorText(ProtocolErrorCode.InternalError, 'Internal error'));
}
