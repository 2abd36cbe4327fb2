/**
 * An HTTP/2 client for tests: one session, requests on it, whole answers or streams as they come. node's own client.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

export interface H2Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

export class H2 {
  readonly closed: Promise<void>;

  private constructor(readonly session: ClientHttp2Session) {
    this.closed = new Promise((resolve) => session.once('close', resolve));
    session.on('error', () => {});
  }

  /** By prior knowledge in clear text, or by ALPN when the expected certificate is given. */
  static async connect(port: number, ca?: string): Promise<H2> {
    const session = ca
      ? connect(`https://localhost:${port}`, { ca, lookup: loopback as never })
      : connect(`http://127.0.0.1:${port}`);
    await new Promise<void>((resolve, reject) => {
      session.once('connect', () => resolve());
      session.once('error', reject);
    });
    return new H2(session);
  }

  /** Sends a head and, unless it is null, a body. */
  request(method: string, path: string, headers: Record<string, string | string[]>, body: string | null) {
    const stream = this.session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === null });
    stream.on('error', () => {});
    if (body !== null) stream.end(body);
    return stream;
  }

  async post(body: string, headers: Record<string, string> = {}): Promise<H2Response> {
    return whole(this.request('POST', '/mcp', { 'content-type': 'application/json', ...headers }, body));
  }

  async leave(): Promise<void> {
    this.session.destroy();
    await this.closed;
  }
}

/** All of an answer; rejects when its stream ends without a head. */
export function whole(stream: ClientHttp2Stream): Promise<H2Response> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {};
    const parts: Buffer[] = [];
    stream.on('response', (head) => {
      for (const [name, value] of Object.entries(head))
        headers[name] = Array.isArray(value) ? value.join(', ') : `${value}`;
    });
    stream.on('data', (chunk: Buffer) => parts.push(chunk));
    stream.on('close', () => {
      const body = Buffer.concat(parts);
      if (headers[':status'] === undefined) reject(new Error(`no answer: ${stream.rstCode}`));
      else resolve({ status: Number(headers[':status']), headers, body, text: body.toString('utf8') });
    });
  });
}

/** `localhost` is 127.0.0.1 here, whatever the machine thinks. */
function loopback(_name: string, options: { all?: boolean }, done: (...args: unknown[]) => void): void {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}
