/**
 * A raw HTTP/1.1 client for tests: sends whatever bytes it is given, in whatever pieces, and parses what comes back.
 *
 * It repairs nothing and retries nothing. `await wire.response()` rejects when the connection ends before a response is
 * complete, so that a test says what it saw instead of hanging.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface WireResponse {
  readonly status: number;
  /** Lower-case names; repeated lines are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

export class Wire {
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  private bytes: Buffer = Buffer.alloc(0);
  private gone = false;
  private wake: () => void = () => {};

  private constructor(readonly socket: Socket) {
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.gone = true;
        this.wake();
        resolve();
      });
    });
    socket.on('error', () => {}); // a reset is an end like another; `closed` follows
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
      this.wake();
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<Wire> {
    return Wire.over(connect({ port, host, allowHalfOpen: true, noDelay: true }), 'connect');
  }

  /** To a unix socket. */
  static async connectTo(path: string): Promise<Wire> {
    return Wire.over(connect({ path, allowHalfOpen: true }), 'connect');
  }

  /** Over TLS. @param ca the certificate that is expected; @param protocols for ALPN */
  static async connectTls(port: number, ca: string, protocols: string[] = ['http/1.1']): Promise<Wire> {
    const options = { port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: protocols };
    return Wire.over(connectTls(options), 'secureConnect');
  }

  private static async over(socket: Socket, ready: string): Promise<Wire> {
    await new Promise<void>((resolve, reject) => {
      socket.once(ready, resolve);
      socket.once('error', reject);
    });
    return new Wire(socket);
  }

  send(...pieces: (string | Uint8Array)[]): void {
    for (const piece of pieces) this.socket.write(piece);
  }

  /** Sends the bytes one write at a time, each after the last is out. */
  async sendSlowly(bytes: Uint8Array, step: number): Promise<void> {
    for (let i = 0; i < bytes.length; i += step) {
      await new Promise((resolve) => this.socket.write(bytes.subarray(i, i + step), resolve));
      await new Promise(setImmediate);
    }
  }

  /** Ends our half of the connection. */
  end(): void {
    this.socket.end();
  }

  async leave(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  /** The next response; `method` tells whether a body may follow. */
  async response(method = 'POST'): Promise<WireResponse> {
    for (;;) {
      const parsed = parse(this.bytes, this.gone, method);
      if (parsed !== null) {
        this.bytes = this.bytes.subarray(parsed.used);
        return parsed.response;
      }
      await this.more('a complete response');
    }
  }

  /** Waits until the bytes that came and belong to no response yet hold `text`; gives them without taking them. */
  async until(text: string): Promise<string> {
    while (!this.bytes.includes(text)) await this.more(JSON.stringify(text));
    return this.bytes.toString('utf8');
  }

  private async more(wanted: string): Promise<void> {
    if (this.gone) {
      const got = JSON.stringify(this.bytes.toString('utf8', 0, 500));
      throw new Error(`connection ended before ${wanted}; got ${this.bytes.length} bytes: ${got}`);
    }
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }
}

function parse(bytes: Buffer, gone: boolean, method: string): { response: WireResponse; used: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(lines[0] ?? '')?.[1]);
  if (!(status >= 100)) throw new Error(`no status line: ${lines[0]}`);
  const headers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new Error(`no header line: ${line}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const from = end + 4;
  const give = (body: Buffer, used: number) => ({
    response: { status, headers, body, text: body.toString('utf8') },
    used,
  });
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return give(Buffer.alloc(0), from);
  if (headers['transfer-encoding'] === 'chunked') {
    const body = dechunk(bytes, from);
    return body === null ? null : give(body.data, body.used);
  }
  const length = headers['content-length'];
  if (length === undefined) return gone ? give(bytes.subarray(from), bytes.length) : null;
  const to = from + Number(length);
  return bytes.length < to ? null : give(bytes.subarray(from, to), to);
}

function dechunk(bytes: Buffer, from: number): { data: Buffer; used: number } | null {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const eol = bytes.indexOf('\r\n', at);
    if (eol < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, eol), 16);
    if (Number.isNaN(size)) throw new Error('no chunk size');
    const next = eol + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return { data: Buffer.concat(parts), used: next };
    parts.push(bytes.subarray(eol + 2, eol + 2 + size));
    at = next;
  }
}

/** The text of a request. A Host is added unless one is given; a Content-Length for a body unless its coding is said. */
export function request(
  method: string,
  path: string,
  headers: readonly (readonly [string, string])[],
  body = '',
): string {
  const names = headers.map(([name]) => name.toLowerCase());
  let head = `${method} ${path} HTTP/1.1\r\n`;
  if (!names.includes('host')) head += 'host: localhost\r\n';
  if (body !== '' && !names.includes('content-length') && !names.includes('transfer-encoding')) {
    head += `content-length: ${Buffer.byteLength(body)}\r\n`;
  }
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return `${head}\r\n${body}`;
}
