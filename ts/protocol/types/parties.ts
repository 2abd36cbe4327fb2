/**
 * Clients and servers: who they say they are, what they can do, how they open a connection. Types only.
 */
import type { AuthInfo } from './auth.js';
import type { CacheHint, JSONObject, NotificationParams, RequestParams, Result } from './json-rpc.js';

export type Icon = {
  /** An https: or data: URI. */
  src: string;
  mimeType?: string;
  /** `WxH` strings or `any`. */
  sizes?: string[];
  theme?: 'light' | 'dark';
};
export type Icons = { icons?: Icon[] };
export type BaseMetadata = {
  name: string;
  /** For displays; without one the name is shown. */
  title?: string;
};
/** Self-reported name and version of a client or server: for display, never for decisions. */
export type Implementation = BaseMetadata &
  Icons & {
    version: string;
    description?: string;
    websiteUrl?: string;
  };

export type ClientCapabilities = {
  experimental?: { [key: string]: JSONObject };
  roots?: { listChanged?: boolean };
  sampling?: { context?: JSONObject; tools?: JSONObject };
  /** An empty object means form mode. */
  elicitation?: { form?: { applyDefaults?: boolean } & JSONObject; url?: JSONObject } & JSONObject;
  /** Legacy 2025-11-25 only; modern tasks are the extension `io.modelcontextprotocol/tasks`. */
  tasks?: {
    list?: JSONObject;
    cancel?: JSONObject;
    requests?: {
      sampling?: { createMessage?: JSONObject; [key: string]: unknown };
      elicitation?: { create?: JSONObject; [key: string]: unknown };
      [key: string]: unknown;
    };
    [key: string]: unknown;
  };
  extensions?: { [key: string]: JSONObject };
};

export type ServerCapabilities = {
  experimental?: { [key: string]: JSONObject };
  logging?: JSONObject;
  completions?: JSONObject;
  prompts?: { listChanged?: boolean };
  resources?: { subscribe?: boolean; listChanged?: boolean };
  tools?: { listChanged?: boolean };
  /** Legacy 2025-11-25 only. */
  tasks?: {
    list?: JSONObject;
    cancel?: JSONObject;
    requests?: { tools?: { call?: JSONObject; [key: string]: unknown }; [key: string]: unknown };
    [key: string]: unknown;
  };
  extensions?: { [key: string]: JSONObject };
};

// ------------------------------------------------------------------------------------------------------ openings

export type InitializeRequestParams = RequestParams & {
  protocolVersion: string;
  capabilities: ClientCapabilities;
  clientInfo: Implementation;
};
export type InitializeRequest = { method: 'initialize'; params: InitializeRequestParams };
export interface InitializeResult extends Result {
  protocolVersion: string;
  capabilities: ServerCapabilities;
  serverInfo: Implementation;
  instructions?: string;
}
export type InitializedNotification = { method: 'notifications/initialized'; params?: NotificationParams };

export type DiscoverRequest = { method: 'server/discover'; params?: RequestParams };
export interface DiscoverResult extends Result, CacheHint {
  supportedVersions: string[];
  capabilities: ServerCapabilities;
  instructions?: string;
}

/** What every modern request says in its `_meta`. */
export type RequestMetaEnvelope = {
  'io.modelcontextprotocol/protocolVersion': string;
  'io.modelcontextprotocol/clientInfo'?: Implementation;
  'io.modelcontextprotocol/clientCapabilities': ClientCapabilities;
  'io.modelcontextprotocol/logLevel'?: LoggingLevel;
};

// ------------------------------------------------------------------------------------------------------- logging

/** RFC 5424 severities, least severe first. */
export type LoggingLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';
export type SetLevelRequestParams = RequestParams & { level: LoggingLevel };
export type SetLevelRequest = { method: 'logging/setLevel'; params: SetLevelRequestParams };
export type LoggingMessageNotificationParams = NotificationParams & {
  level: LoggingLevel;
  logger?: string;
  /** Any JSON value. */
  data: unknown;
};
export type LoggingMessageNotification = { method: 'notifications/message'; params: LoggingMessageNotificationParams };

// ---------------------------------------------------------------------------------------- messages on their way

/** Whose rules a message follows, as a transport found out. */
export interface MessageClassification {
  era: 'legacy' | 'modern';
  revision?: string;
}

/** What a transport knows of a message besides its text. */
export interface MessageExtraInfo {
  /** The HTTP request that brought it. */
  request?: globalThis.Request;
  classification?: MessageClassification;
  /** Whose token came with it. */
  authInfo?: AuthInfo;
  /** Ends the stream of this request, so that its client comes back for the rest. */
  closeSSEStream?: () => void;
  /** Ends the session's standalone stream. */
  closeStandaloneSSEStream?: () => void;
}
