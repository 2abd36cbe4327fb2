/**
 * The server of node under everything, with our limits: in clear text or behind TLS, whose certificate may be renewed.
 *
 * Who may listen without TLS is decided above. No message here holds a part of a key.
 */
import { createServer, ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { ServeConfig } from '../../engine.js';
import { CallRequest, type HttpServer } from './http1.js';

/** @throws Error when the certificate cannot be used */
export function makeServer(config: ServeConfig): HttpServer {
  const options = {
    IncomingMessage: CallRequest,
    ServerResponse,
    noDelay: true,
    requireHostHeader: false, // the guard answers that, with a JSON-RPC body
    insecureHTTPParser: false,
    maxHeaderSize: config.maxHeaderBytes,
    headersTimeout: config.headerTimeout,
    requestTimeout: 0, // bodies are on the BodyClock: their lateness has a JSON-RPC answer
    keepAliveTimeout: config.idleTimeout,
    connectionsCheckingInterval: Math.min(Math.max(Math.ceil(config.headerTimeout / 4), 20), 5000),
  };
  const { tls } = config;
  if (tls === null) return createServer(options);
  const reason = fault(tls.cert, tls.key);
  if (reason !== '') throw new Error(`TLS: ${reason}`);
  const server = createTlsServer({
    ...options,
    ...tls,
    ALPNProtocols: config.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    handshakeTimeout: config.headerTimeout,
  });
  return server as unknown as HttpServer; // the same events and limits, on sockets that are encrypted
}

/** Another certificate for new handshakes. Empty, or why it cannot be used. */
export function renew(server: HttpServer, cert: string, key: string): string {
  const reason = fault(cert, key);
  if (reason === '') (server as unknown as TlsServer).setSecureContext({ cert, key });
  return reason;
}

/** Why a certificate and its key cannot be used; empty when they can. */
function fault(cert: string, key: string): string {
  if (!cert.includes('-----BEGIN CERTIFICATE-----')) return 'the certificate is not PEM';
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) return 'the private key is not PEM';
  try {
    createSecureContext({ cert, key });
    return '';
  } catch (error) {
    return `the certificate and its key cannot be used: ${(error as Error).message}`;
  }
}
