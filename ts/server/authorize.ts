/**
 * Authorization as one listener has it: the guard of its dispatch, and what the engine must know. Loaded only when asked for.
 */
import type { Dispatch, DispatchOptions } from '../dispatch.js';
import type { Listener } from '../engine/engine.js';
import type { PathHandler } from '../protocol/state.js';
import type { Attachment } from './attach.js';
import { Gatekeeper } from './auth/gatekeeper.js';
import type { AuthOptions } from './auth/options.js';

export interface Authorization {
  /** Answers this listener alone: a server may listen elsewhere without authorization, and sessions must not cross. */
  readonly receiver: Dispatch;
  readonly options: DispatchOptions;
  /** Lets known tokens through; the function ends that. */
  attach(listener: Listener): () => void;
}

/** @throws TypeError for a bad option */
export function authorizationOf(attachment: Attachment, auth: AuthOptions, given: DispatchOptions): Authorization {
  const gatekeeper = new Gatekeeper(auth, attachment.catalog);
  const paths: ReadonlyMap<string, PathHandler> = new Map([...(given.paths ?? []), ...gatekeeper.paths]);
  const options: DispatchOptions = { ...given, guard: gatekeeper, paths };
  return { receiver: attachment.own(options), options, attach: (listener) => gatekeeper.attach(listener) };
}
