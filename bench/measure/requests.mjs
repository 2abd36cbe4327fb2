// The requests of a run, built before it starts: whole HTTP requests as bytes, every one with its own id and arguments.

const MODERN = '2026-07-28';
const LEGACY = '2025-11-25';
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** Ids have six digits, so that all replies of one kind have the same length. */
const FIRST_ID = 100_000;
const WORDS = 'Sphinx of black quartz, judge my vow; 0246813579 over and over again.';

/** The message of the echo call with this id: 64 bytes, different for each id. */
export const messageOf = (id) => `${id} ${WORDS}`.slice(0, 64);

/** @param {'modern' | 'legacy'} era */
export function call(era, id, name, args) {
  return { id, method: 'tools/call', name, body: body(era, id, 'tools/call', { name, arguments: args }) };
}

export function list(era, id) {
  return { id, method: 'tools/list', name: null, body: body(era, id, 'tools/list', {}) };
}

export function body(era, id, method, params) {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params: era === 'modern' ? { ...params, _meta: META } : params });
}

/** What a client of the legacy era says first, over stdio. */
export const initialize = (id) =>
  body('legacy', id, 'initialize', {
    protocolVersion: LEGACY,
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  });
export const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

/** Header lines of one message, as pairs. */
export function headers(era, { method, name }, token = null) {
  const pairs = [
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json, text/event-stream'],
    ['MCP-Protocol-Version', era === 'modern' ? MODERN : LEGACY],
  ];
  if (era === 'modern') pairs.push(['Mcp-Method', method]);
  if (era === 'modern' && name !== null) pairs.push(['Mcp-Name', name]);
  if (token !== null) pairs.push(['Authorization', `Bearer ${token}`]);
  return pairs;
}

function http(port, era, message, token) {
  const lines = [...headers(era, message, token), ['Content-Length', Buffer.byteLength(message.body)]];
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${head}\r\n${message.body}`);
}

/**
 * `count` requests to send in turn, each with the text that its reply must hold.
 * @param {{port: number, era: 'modern' | 'legacy', work: 'echo' | 'list', count?: number, token?: string | null}} options
 * @returns {{id: number, bytes: Buffer, expect: string}[]}
 */
export function requests({ port, era, work, count = 512, token = null }) {
  return Array.from({ length: count }, (_, index) => {
    const id = FIRST_ID + index;
    const message = work === 'list' ? list(era, id) : call(era, id, 'echo', { message: messageOf(id) });
    return { id, bytes: http(port, era, message, token), expect: work === 'list' ? '"tools":[' : `"${messageOf(id)}"` };
  });
}
