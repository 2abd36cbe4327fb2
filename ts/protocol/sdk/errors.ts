/**
 * Errors that never cross the wire as JSON-RPC: those of a connection (not connected, no answer in time) and those of
 * OAuth. Names, codes and members are the official SDK's; protocol errors are in ../errors.ts.
 */
import type { OAuthErrorResponse } from '../types/auth.js';
import { BrandedError, brand, stamp } from './brand.js';

/** What went wrong with a connection or an answer. */
export enum SdkErrorCode {
  NotConnected = 'NOT_CONNECTED',
  AlreadyConnected = 'ALREADY_CONNECTED',
  NotInitialized = 'NOT_INITIALIZED',
  CapabilityNotSupported = 'CAPABILITY_NOT_SUPPORTED',
  RequestTimeout = 'REQUEST_TIMEOUT',
  ConnectionClosed = 'CONNECTION_CLOSED',
  SendFailed = 'SEND_FAILED',
  InvalidResult = 'INVALID_RESULT',
  UnsupportedResultType = 'UNSUPPORTED_RESULT_TYPE',
  InputRequiredRoundsExceeded = 'INPUT_REQUIRED_ROUNDS_EXCEEDED',
  ListPaginationExceeded = 'LIST_PAGINATION_EXCEEDED',
  MethodNotSupportedByProtocolVersion = 'METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION',
  EraNegotiationFailed = 'ERA_NEGOTIATION_FAILED',
  ClientHttpNotImplemented = 'CLIENT_HTTP_NOT_IMPLEMENTED',
  ClientHttpAuthentication = 'CLIENT_HTTP_AUTHENTICATION',
  ClientHttpForbidden = 'CLIENT_HTTP_FORBIDDEN',
  ClientHttpUnexpectedContent = 'CLIENT_HTTP_UNEXPECTED_CONTENT',
  ClientHttpFailedToOpenStream = 'CLIENT_HTTP_FAILED_TO_OPEN_STREAM',
  ClientHttpFailedToTerminateSession = 'CLIENT_HTTP_FAILED_TO_TERMINATE_SESSION',
}

/** A failure on this side: of the connection, of the other side to answer, or of its answer to make sense. */
export class SdkError extends BrandedError {
  readonly code: SdkErrorCode;
  readonly data?: unknown;

  static {
    brand(SdkError, 'mcp.SdkError');
  }

  /** @param options `cause`: the failure below this one */
  constructor(code: SdkErrorCode, message: string, data?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SdkError';
    this.code = code;
    this.data = data;
    stamp(this, new.target);
  }
}

export interface SdkHttpErrorData {
  /** HTTP status. */
  status: number;
  statusText?: string;
  [key: string]: unknown;
}

/** An HTTP answer that is no success. */
export class SdkHttpError extends SdkError {
  declare readonly data: SdkHttpErrorData;

  static {
    brand(SdkHttpError, 'mcp.SdkHttpError');
  }
  constructor(code: SdkErrorCode, message: string, data: SdkHttpErrorData, options?: ErrorOptions) {
    super(code, message, data, options);
    this.name = 'SdkHttpError';
  }
  get status(): number {
    return this.data.status;
  }
  get statusText(): string | undefined {
    return this.data.statusText;
  }
}

/** Error codes of RFC 6749, 6750, 7009, 7591, 8707 and 9449. */
export enum OAuthErrorCode {
  InvalidRequest = 'invalid_request',
  InvalidClient = 'invalid_client',
  InvalidGrant = 'invalid_grant',
  UnauthorizedClient = 'unauthorized_client',
  UnsupportedGrantType = 'unsupported_grant_type',
  InvalidScope = 'invalid_scope',
  AccessDenied = 'access_denied',
  ServerError = 'server_error',
  TemporarilyUnavailable = 'temporarily_unavailable',
  UnsupportedResponseType = 'unsupported_response_type',
  UnsupportedTokenType = 'unsupported_token_type',
  InvalidToken = 'invalid_token',
  MethodNotAllowed = 'method_not_allowed',
  TooManyRequests = 'too_many_requests',
  InvalidClientMetadata = 'invalid_client_metadata',
  InvalidRedirectUri = 'invalid_redirect_uri',
  InsufficientScope = 'insufficient_scope',
  InvalidTarget = 'invalid_target',
  InvalidDpopProof = 'invalid_dpop_proof',
  UseDpopNonce = 'use_dpop_nonce',
}

/** An OAuth error, thrown by a token verifier or read from an authorization server's answer. */
export class OAuthError extends BrandedError {
  readonly code: OAuthErrorCode | string;
  readonly errorUri?: string;

  static {
    brand(OAuthError, 'mcp.OAuthError');
  }

  /** @param errorUri a page about the error */
  constructor(code: OAuthErrorCode | string, message: string, errorUri?: string) {
    super(message);
    this.name = 'OAuthError';
    this.code = code;
    this.errorUri = errorUri;
    stamp(this, new.target);
  }

  /** The JSON body in which it is answered. */
  toResponseObject(): OAuthErrorResponse {
    const response: OAuthErrorResponse = { error: this.code, error_description: this.message };
    if (this.errorUri) response.error_uri = this.errorUri;
    return response;
  }

  static fromResponse(response: OAuthErrorResponse): OAuthError {
    return new OAuthError(response.error, response.error_description ?? response.error, response.error_uri);
  }
}
