/**
 * What carries messages between a server and one client, in the names of the official SDK: any object with these members
 * can be connected, whoever made it. Types only.
 */
import type { JSONRPCMessage, MessageExtraInfo, RequestId } from '../../protocol/types.js';

export type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResultResponse,
  MessageExtraInfo,
} from '../../protocol/types.js';

export interface TransportSendOptions {
  /** The request on whose stream the message goes, where every request has a stream of its own. */
  relatedRequestId?: RequestId | undefined;
  /** For clients: where an interrupted stream went on. */
  resumptionToken?: string | undefined;
  /** For clients: told of every new resumption token. */
  onresumptiontoken?: ((token: string) => void) | undefined;
  /** For clients: aborts the request behind this message. */
  requestSignal?: AbortSignal | undefined;
  /** For clients: the request's own stream ended. */
  onRequestStreamEnd?: (() => void) | undefined;
  /** For clients: more HTTP headers. */
  headers?: Readonly<Record<string, string>> | undefined;
}

export interface Transport {
  /** Begins to read. Called by `connect`, after the callbacks are set. */
  start(): Promise<void>;
  /** Sends one message; rejects when it cannot be. */
  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void>;
  /** Ends the connection; `onclose` is called. */
  close(): Promise<void>;
  /** Whether every outgoing request has a stream of its own. */
  readonly hasPerRequestStream?: boolean;
  onclose?: (() => void) | undefined;
  /** Told of trouble that need not end the connection. */
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: (<T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void) | undefined;
  sessionId?: string | undefined;
  /** Told which revision the handshake agreed on. */
  setProtocolVersion?: ((version: string) => void) | undefined;
  /** Told which revisions the server takes, before `start`. */
  setSupportedProtocolVersions?: ((versions: string[]) => void) | undefined;
}
