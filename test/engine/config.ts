/** Limits for tests of listeners: small enough to reach, long enough that no timeout fires by itself. */
import type { ServeConfig } from '../../ts/engine/engine.js';

export function serveConfig(changed: Partial<ServeConfig> = {}): ServeConfig {
  return {
    host: '127.0.0.1',
    port: 0,
    path: '/mcp',
    threads: 1,
    modernVersions: ['2026-07-28'],
    legacyVersions: ['2025-11-25', '2025-06-18'],
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    allowedOrigins: ['localhost', 'app.example', '[::1]'],
    maxBodyBytes: 20_000,
    maxHeaderBytes: 16_384,
    maxDepth: 64,
    maxInFlight: 1000,
    maxConnections: 1000,
    maxStreamBytes: 1 << 20,
    headerTimeout: 30_000,
    bodyTimeout: 30_000,
    idleTimeout: 30_000,
    writeTimeout: 30_000,
    streamHighWaterMark: 65_536,
    compressionThreshold: 0,
    unixPath: null,
    reusePort: false,
    tls: null,
    http2: true,
    otherPaths: [],
    corsOrigins: null,
    authorize: false,
    ...changed,
  };
}
