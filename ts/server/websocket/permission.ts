/**
 * Authorization of connections: the token of the upgrade request decides who they act for, and is looked at again while
 * they last, as a connection may outlive its token by days.
 */
import type { Dispatch, DispatchOptions } from '../../dispatch.js';
import type { Listener } from '../../engine/engine.js';
import { carriedBy } from '../../protocol/carried.js';
import { Exchange } from '../../protocol/exchange.js';
import type { Guard } from '../../protocol/guard.js';
import type { PathHandler, Port, ServerState } from '../../protocol/state.js';
import type { AuthInfo } from '../../protocol/types.js';
import type { Attachment } from '../attach.js';
import { Gatekeeper } from '../auth/gatekeeper.js';
import type { AuthOptions } from '../auth/options.js';

/** What is answered to somebody who may not: header lines, each `name: value\r\n`, and a body. */
export type Answer = (status: number, headers: string, text: string) => void;

export class Permission {
  /** Answers these connections alone: what else serves the server may know other people, or nobody. */
  readonly receiver: Dispatch;
  readonly #gatekeeper: Gatekeeper;

  /** @throws TypeError for a bad option */
  constructor(auth: AuthOptions, attachment: Attachment, options: DispatchOptions) {
    const gatekeeper = new Gatekeeper(auth, attachment.catalog);
    const guard: Guard = {
      // Asked for HTTP requests; here the connection was asked, and each message of it is by who it belongs to.
      check: (exchange, method, go) => gatekeeper.check(exchange, method, go),
      who: (listener) => carriedBy(listener, 0)?.authInfo,
      allows: (who, method, name, context) => gatekeeper.allows(who, method, name, context),
      get hides() {
        return gatekeeper.hides;
      },
    };
    this.#gatekeeper = gatekeeper;
    this.receiver = attachment.own({ ...options, guard });
  }

  /** Documents that this server publishes about itself, by path. */
  get paths(): ReadonlyMap<string, PathHandler> {
    return this.#gatekeeper.paths;
  }

  /** Calls one of both, once: `go` with who it is, or `refuse` with the challenge. */
  check(head: string, go: (auth: AuthInfo | undefined) => void, refuse: Answer): void {
    this.#gatekeeper.check(exchangeOf(head, refuse), 'GET', go);
  }

  /** A document about this server; false when there is none at this path. */
  publish(path: string, method: string, answer: Answer): boolean {
    const handler = this.paths.get(path);
    handler?.(exchangeOf('', answer), method, '');
    return handler !== undefined;
  }
}

/** A request as the guard knows it: it reads the head, and answers through the port. */
function exchangeOf(head: string, answer: Answer): Exchange {
  const port: Port = {
    reply: (_slot, status, _shape, _failed, headers, text) => answer(status, headers, text),
    event: () => -1,
    meta: () => '',
    id: () => '',
    head: () => head,
  };
  // There is neither a dispatcher nor a listener before there is a connection.
  return new Exchange({} as ServerState, {} as Listener, port, 0, head, false, '');
}
